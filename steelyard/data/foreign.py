"""Objects of other libraries as what `source` reads: a `RawTable`, a pair (X, y) of arrays, or a path.

Libraries are recognised by the names of their modules, so that none is imported that is not there already.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data import arrow, tables
from steelyard.data.image_folders import PARTS
from steelyard.data.items import items_of
from steelyard.data.tables import RawTable
from steelyard.errors import UserError

SPLIT = "split"  # the column by which a table names its ready split


def unwrapped(source: Any, target: Any = None) -> Any:
    """What `source.read` makes a data set of; what is no foreign object comes back as it is.

    Arrow tables, Bunches of scikit-learn, data sets of Hugging Face `datasets` (in memory, streamed, or a folder that
    `save_to_disk` wrote) and of PyTorch, and dicts of such by the names of splits, as {"train": …, "test": …}.
    `target` is what the target is called where the object has no name for it. Raises UserError for what is empty or
    cannot be told apart.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source).expanduser()
        if not arrow.is_saved(path):
            return source
        return replace(_splits(dict(arrow.saved_parts(path)), target, path.name), folder=path)
    library, kind = type(source).__module__.split(".")[0], type(source).__name__
    by_parts = isinstance(source, Mapping) and source and (library == "datasets" or set(map(str, source)) <= set(PARTS))
    if by_parts and library != "sklearn":
        return _splits(source, target, library if library == "datasets" else "dict")
    if library == "pyarrow" and kind in {"Table", "RecordBatch"}:
        import pyarrow as pa

        return _of_arrow(source if kind == "Table" else pa.Table.from_batches([source]), "table")
    if library == "sklearn" and kind == "Bunch":
        return _of_bunch(source, target)
    if library == "datasets" and kind == "Dataset":
        return _of_arrow(source.with_format("arrow")[:], source.info.dataset_name or "dataset")
    if _is_loader(source):
        return unwrapped(source.dataset, target)
    return items_of(source, _target_name(target, "y")) if _gives_items(source) else source


def _of_arrow(table: Any, name: str) -> RawTable:
    if not table.num_rows:
        raise UserError(f"{name} has no rows: expected some to learn from")
    found = arrow.labels(table)
    return tables.from_frame(arrow.to_frame(table, name), name, found[0] if len(found) == 1 else "")


# -- several parts --------------------------------------------------------------------------------------------


def _splits(parts: Mapping[Any, Any], target: Any, name: str) -> RawTable:
    """One table of parts by name, with a column that says which part a row belongs to."""
    if len(parts) == 1:
        return _as_table(next(iter(parts.values())), target, name)
    found = {str(part): _as_table(source, target, name) for part, source in parts.items()}
    if strange := [part for part in found if part not in PARTS]:
        raise UserError(
            f"{name} has a part '{strange[0]}': expected train, validation (or dev) and test only: leave it out"
        )
    first = next(iter(found.values()))
    split = next(word for word in (SPLIT, SPLIT.upper(), "Split") if word not in first.frame.columns)
    pieces = [table.frame.assign(**{split: PARTS[part]}) for part, table in found.items()]
    for part, piece in zip(found, pieces, strict=True):
        if set(piece.columns) != set(pieces[0].columns):
            odd = sorted(set(piece.columns) ^ set(pieces[0].columns))[0]
            raise UserError(f"part '{part}' of {name} has other columns than the first part: '{odd}' is in one only")
    whole = pd.concat([_uncoded(piece) for piece in pieces], ignore_index=True)
    return RawTable(name, whole, notes=first.notes, target=first.target)


def _uncoded(frame: pd.DataFrame) -> pd.DataFrame:
    """Categories as plain texts, which parts with other categories can follow."""
    coded = [name for name, kind in frame.dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
    return frame.astype(dict.fromkeys(coded, object))


def _as_table(source: Any, target: Any, name: str) -> RawTable:
    if type(source).__module__.split(".")[0] == "pyarrow":
        return _of_arrow(source, name)
    found = unwrapped(source, target)
    if isinstance(found, tuple) and len(found) == 2:
        x, y = np.asarray(found[0]), np.asarray(found[1])
        wanted = _target_name(target, getattr(found[1], "name", None) or "y")
        frame = pd.DataFrame({"image": list(x)}) if x.ndim > 2 else tables.from_array(x).frame
        return RawTable(name, frame.assign(**{wanted: y}), target=wanted)
    if tables.is_table(found):
        return tables.from_frame(found, name)
    if not isinstance(found, RawTable):
        raise UserError(f"a part of {name} is {type(source).__name__}: expected a table or a data set of items")
    return found


# -- scikit-learn ---------------------------------------------------------------------------------------------


def _of_bunch(bunch: Any, target: Any) -> Any:
    """The table, texts or images of a Bunch, its target by the names of classes."""
    if "data" not in bunch:
        raise UserError(f"a Bunch needs data and target, got {', '.join(sorted(bunch)) or 'nothing'}")
    y, names = bunch.get("target"), bunch.get("target_names")
    if hasattr(bunch.data, "tocsr"):
        raise UserError("the Bunch holds a sparse matrix: give .toarray() of it, or the texts it was made of")
    frame = _inputs(bunch)
    if y is None:
        return tables.from_frame(frame, "bunch")
    if len(y) != len(frame):
        raise UserError(f"the Bunch has {len(frame)} rows but {len(y)} targets: expected one for each")
    values = np.asarray(y)
    if values.ndim > 1:
        names = names if names is not None else [f"y{i}" for i in range(values.shape[1])]
        return tables.from_frame(frame.assign(**dict(zip(map(str, names), values.T, strict=True))), "bunch")
    classes = None if isinstance(names, str) or names is None else list(names)
    if classes and np.issubdtype(values.dtype, np.integer) and values.max() < len(classes) > 1:
        y = arrow.named(values, classes)
    if np.ndim(images := bunch.get("images")) in {3, 4}:
        return np.asarray(images), pd.Series(y, name=_target_name(target, "class"))
    wanted = _target_name(target, str(getattr(bunch.target, "name", None) or "target"))
    return tables.from_frame(frame.assign(**{wanted: np.asarray(y)}), "bunch", wanted)


def _inputs(bunch: Any) -> pd.DataFrame:
    data = bunch.data
    if isinstance(data, pd.DataFrame):
        return data.reset_index(drop=True)
    if isinstance(data, list):
        texts = [each.decode("utf-8", "replace") if isinstance(each, bytes) else each for each in data]
        return pd.DataFrame({"text": pd.Series(texts, dtype=object)})
    matrix = np.asarray(data)
    if matrix.ndim != 2:
        raise UserError(f"the data of a Bunch are a matrix (rows, columns) or texts, got {matrix.shape}")
    names = bunch.get("feature_names")
    known = [str(name) for name in names] if names is not None and len(names) == matrix.shape[1] else None
    return pd.DataFrame(matrix, columns=known or [f"x{i}" for i in range(matrix.shape[1])])


# -- PyTorch --------------------------------------------------------------------------------------------------


def _is_loader(source: Any) -> bool:
    known = sys.modules.get("torch.utils.data")
    return known is not None and isinstance(source, known.DataLoader)


def _gives_items(source: Any) -> bool:
    """Whether an object hands out its examples one by one: a data set of PyTorch, streamed, or of one's own."""
    known = sys.modules.get("torch.utils.data")
    if known is not None and isinstance(source, known.Dataset):
        return True
    if type(source).__module__.split(".")[0] == "datasets" and hasattr(source, "__iter__"):
        return True
    plain = isinstance(source, list | tuple | str | bytes | Mapping | set | range)
    arraylike = any(hasattr(source, name) for name in ("__array__", "to_pandas", "to_numpy", "collect"))
    return not plain and not arraylike and hasattr(type(source), "__getitem__") and hasattr(type(source), "__len__")


def _target_name(target: Any, default: str) -> str:
    return target if isinstance(target, str) and target else default
