"""Texts outside of tables, as raw tables: files in class folders, lines that begin with a label, lists of strings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.columns import decide
from steelyard.data.dataset import Dataset, Schema
from steelyard.data.delimited import DELIMITERS, decode, shares
from steelyard.data.files import FileTree, opened
from steelyard.data.image_folders import IMAGES, Place, places
from steelyard.data.table_dataset import table_dataset, table_like
from steelyard.data.tables import FOREIGN, RawTable
from steelyard.data.words import counted
from steelyard.errors import UserError

LABEL, TEXT = "label", "text"  # how the columns of lines are called
CLASS, DOCUMENT = "class", "document"  # and those of files in folders
ENDINGS = {".txt", ".text", ".eml", ""}  # of files that hold one text each
TABLES = {".csv", ".tsv", ".parquet", ".pq", *FOREIGN}  # never lines of texts
FEW = 200  # labels at most, and
EACH = 5  # lines for each of them on average at least
WORDS = 2  # behind a label on average at least
SURE = 0.95  # of the lines cut into as many fields: that is a table


# -- lines --------------------------------------------------------------------------------------------------------


def labelled_lines(data: bytes, name: str, labels: Collection[str] | None = None) -> RawTable | None:
    """The table of a text whose lines all begin with one of few labels; None when it is not like that.

    With `labels` (those of the training file) the text is taken for such lines whatever it looks like.
    """
    if PurePosixPath(name).suffix.lower() in TABLES or data[:4] == b"PAR1":
        return None
    text, encoding = decode(data, name)
    lines = _lines(text)
    pairs = [_parted(line) for line in lines]
    if labels is None and not _looks_labelled(text, pairs):
        return None
    frame = pd.DataFrame(pairs, columns=[LABEL, TEXT], dtype=object)
    how = f"{name} is {encoding} text: the first word of each line is taken as its label, the rest as the text"
    return RawTable(name, frame, notes=(how,), texts=(TEXT,), labels=True)


def lines_like(data: bytes, name: str, schema: Schema, classes: Collection[str]) -> RawTable | None:
    """The lines of a text to predict on, one text each, a known label before it or none; None when it is a table."""
    if PurePosixPath(name).suffix.lower() in TABLES or data[:4] == b"PAR1" or len(schema.columns) != 1:
        return None
    column = schema.columns[0].name
    lines = _lines(decode(data, name)[0])
    if lines and any(column in map(str.strip, lines[0].split(sign)) for sign in DELIMITERS):
        return None
    for sign in ("\t", None):
        pairs = [_parted(line, sign) for line in lines]
        if classes and pairs and all(label in classes for label, _ in pairs):
            return RawTable(name, pd.DataFrame(pairs, columns=[schema.target, column], dtype=object))
        if sign and lines and all(sign in line for line in lines):
            return None
    return of_strings(lines, column, name)


def of_strings(texts: Sequence[Any], column: str = TEXT, name: str = "list") -> RawTable:
    """A table of texts with one column."""
    return RawTable(name, pd.DataFrame({column: pd.Series(list(texts), dtype=object)}), texts=(column,))


def are_strings(x: Any) -> bool:
    """Whether something is a list, an array or a series of strings, some of them missing."""
    if isinstance(x, pd.Series):
        x = x.to_numpy(object)
    if not isinstance(x, list | np.ndarray) or np.ndim(x) != 1 or not len(x):
        return False
    present = [each for each in x if each is not None and each == each]
    return bool(present) and all(isinstance(each, str) for each in present)


def implied_target(table: RawTable) -> tuple[str, str]:
    """The target of a table of two columns, a text and few labels, with what is said about it.

    UserError when the table is not like that: then the user has to name it.
    """
    names = [str(name) for name in table.frame.columns]
    if len(names) == 2:
        verdicts = [decide(name, table.frame[name]) for name in names]
        texts = [v.column is not None and v.column.kind == "text" for v in verdicts]
        if table.texts or sum(texts) == 1:
            target = names[texts.index(False)] if not table.texts else next(n for n in names if n not in table.texts)
            text = next(name for name in names if name != target)
            levels = table.frame[target].nunique()
            if 1 < levels <= FEW and levels * 2 <= len(table.frame):
                return target, f"no target was named: '{target}' ({levels} labels) is predicted from the text '{text}'"
    raise UserError(f"{table.name} is a table: name the column to predict as target")


def _lines(text: str) -> list[str]:
    """Lines with something in them; other signs that end lines for Unicode may stand within a text."""
    return [line for each in text.split("\n") if (line := each.strip("\r")).strip()]


def _parted(line: str, sign: str | None = None) -> tuple[str, str | None]:
    label, *rest = line.strip().split(sign, 1) if sign is None else line.split(sign, 1)
    return label, rest[0] if rest else None


def _looks_labelled(text: str, pairs: Sequence[tuple[str, str | None]]) -> bool:
    labels, texts = {label for label, _ in pairs}, [text for _, text in pairs if text]
    if not 1 < len(labels) <= FEW or len(labels) * EACH > len(pairs) or len(texts) < SURE * len(pairs):
        return False
    words = [len(text.split()) for text in texts]
    letters = sum(any(sign.isalpha() for sign in text) for text in texts)
    if np.mean(words) < WORDS or len(set(words)) == 1 or letters < SURE * len(texts):
        return False
    return max(shares(text).values()) < SURE


# -- folders ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Documents:
    """Files with one text each: where they lie, their texts, and those that hold none with the reason."""

    name: str
    places: list[Place]
    texts: list[str]
    unreadable: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def is_text_folder(tree: FileTree, flat: bool = False) -> bool:
    """Whether texts lie there in class folders and neither images nor a table do; `flat` asks for no folders."""
    endings = {_ending(path) for path in tree.paths}
    if endings & IMAGES or endings & (TABLES - {".json"}):
        return False
    found = _places(tree.paths)
    return bool(found) if flat else any(place.label for place in found)


def text_dataset(path: Path, test: Path | None, target: str, task: str | None, order: tuple[str, ...] = ()) -> Dataset:
    """The data set of a folder or zip of texts in class folders; `target` is only a name."""
    sources = [_read(each) for each in (path, test) if each is not None]
    for each in sources:
        if not any(place.label for place in each.places):
            raise UserError(f"{each.name} has texts in no class folders: expected one folder of texts for each class")
    if test is not None and any(place.part == "test" for place in sources[0].places):
        raise UserError(f"{path.name} has a test folder of its own: leave out the second test source or that folder")
    table, *others = (_table(each, target, split=test is None) for each in sources)
    found = table_dataset(table, target, others[0] if others else None, task, (), order=order)
    return replace(found, unreadable=tuple(bad for each in sources for bad in each.unreadable))


def documents_like(path: Path, schema: Schema, classes: tuple[str, ...]) -> Dataset:
    """The texts of a folder, a zip or a single file to predict on; class folders are no must."""
    documents = _read(path)
    column = schema.columns[0].name
    frame = pd.DataFrame({column: pd.Series(documents.texts, dtype=object)})
    if classes and all(place.label for place in documents.places):
        frame[schema.target] = [place.label for place in documents.places]
    table = RawTable(documents.name, frame, notes=documents.notes)
    found = table_like(table, schema, classes)
    return replace(found, origin=tuple(p.path for p in documents.places), unreadable=documents.unreadable)


def _table(documents: Documents, target: str, split: bool) -> RawTable:
    """The texts in class folders with their classes and, where wanted and there, the parts of a ready split."""
    kept = [(place, text) for place, text in zip(documents.places, documents.texts, strict=True) if place.label]
    columns = {DOCUMENT: [text for _, text in kept], target: [place.label for place, _ in kept]}
    if split and any(place.part for place, _ in kept):
        columns["split"] = [place.part for place, _ in kept]
    loose = len(documents.places) - len(kept)
    notes = documents.notes + ((f"{counted(loose, 'text')} left out: in no class folder",) if loose else ())
    origin = tuple(place.path for place, _ in kept)
    return RawTable(
        documents.name, pd.DataFrame(columns, dtype=object), notes=notes, texts=(DOCUMENT,), labels=True, origin=origin
    )


def _read(path: Path) -> Documents:
    """The texts under a path; UserError when there is none that can be read."""
    found, texts, bad = list[Place](), list[str](), list[tuple[str, str]]()
    with opened(path) as tree:
        for place in _places(tree.paths):
            try:
                texts.append(decode(tree.read(place.path), place.path)[0].strip())
                found.append(place)
            except OSError as error:
                bad.append((place.path, error.strerror or str(error)))
            except UserError:
                bad.append((place.path, "it holds binary data"))
    if not found:
        what = f", as {bad[0][0]} ({bad[0][1]})" if bad else ""
        raise UserError(f"{path.name} holds no text that can be read{what}: expected files of texts (.txt)")
    some = ", ".join(f"{name} ({why})" for name, why in bad[:3]) + (", …" if len(bad) > 3 else "")
    notes = (f"{counted(len(bad), 'file')} set aside, not readable as text: {some}",) if bad else ()
    return Documents(path.stem, found, texts, tuple(bad), notes)


def _places(paths: tuple[str, ...]) -> list[Place]:
    return places(paths, lambda path: _ending(path) in ENDINGS and _stem(path) not in {"LICENSE", "LICENCE", "README"})


def _ending(path: str) -> str:
    name = path.rpartition("/")[2]
    return "." + name.rpartition(".")[2].lower() if "." in name else ""


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0].upper()
