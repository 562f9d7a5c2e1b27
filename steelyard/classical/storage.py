"""A fitted classical model in a folder: arrays as safetensors, plain numbers as JSON. Nothing read is ever run.

The form is named in the file and looked up in `FORMS`; all pointers are checked before the model is handed out.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from steelyard.classical.dummy import FittedConstant
from steelyard.classical.fitted import FittedEstimator
from steelyard.classical.linear import FittedLinear
from steelyard.classical.mini_rocket import FittedMiniRocket
from steelyard.classical.neighbors import FittedNeighbors
from steelyard.classical.several import FittedSeveral
from steelyard.classical.trees import FittedTrees
from steelyard.errors import UserError, suggest

Fitted = FittedConstant | FittedLinear | FittedMiniRocket | FittedNeighbors | FittedTrees
FORMS: dict[str, type[Fitted]] = {
    form.form: form for form in (FittedConstant, FittedLinear, FittedMiniRocket, FittedNeighbors, FittedTrees)
}
ARRAYS, NUMBERS, VERSION = "estimator.safetensors", "estimator.json", 1
Arrays = dict[str, np.ndarray]


def save(fitted: FittedEstimator, folder: Path) -> None:
    """Write the model to `estimator.safetensors` and `estimator.json` in a folder, made if need be.

    Of several models for several targets, the arrays of the k-th begin with `k.`; those they share are written once.
    """
    head, arrays = _taken_apart(fitted)
    first: dict[int, str] = {}
    same = {name: kept for name, array in arrays.items() if (kept := first.setdefault(id(array), name)) != name}
    unique = {name: np.ascontiguousarray(array) for name, array in arrays.items() if name not in same}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(unique, folder / ARRAYS)
    text = json.dumps({"version": VERSION} | head | ({"same": same} if same else {}), indent=1)
    (folder / NUMBERS).write_text(text + "\n", encoding="utf-8")


def load(folder: Path) -> FittedEstimator:
    """The model in a folder; predictions are those of the saved model bit for bit.

    Raises UserError when the folder holds no such model, or a damaged, foreign or newer one.
    """
    head = _head(folder / NUMBERS)
    form, known = str(head.get("form")), {*FORMS, FittedSeveral.form}
    if head.get("version") != VERSION or form not in known:
        why = f"; this release reads version {VERSION}" if form in known else suggest(form, known)
        raise UserError(f"{folder / NUMBERS} is not a model of this release: {head.get('form')!r}{why}")
    try:
        arrays = load_file(folder / ARRAYS)
        arrays |= {name: arrays[kept] for name, kept in head.get("same", {}).items()}
        fitted = _put_together(head, arrays)
        fitted.check()
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"the model in {folder} is damaged ({error}); train it again or copy it anew") from error
    return fitted


def _taken_apart(fitted: FittedEstimator) -> tuple[dict[str, Any], Arrays]:
    """The form and plain numbers of a model, and its arrays by name."""
    if isinstance(fitted, FittedSeveral):
        parts = [_taken_apart(member) for member in fitted.members]
        arrays = {f"{k}.{name}": array for k, (_, mine) in enumerate(parts) for name, array in mine.items()}
        return {"form": fitted.form, "labels": fitted.labels, "members": [head for head, _ in parts]}, arrays
    values = {f.name: getattr(fitted, f.name) for f in fields(fitted)}  # type: ignore[arg-type]
    arrays = {name: v for name, v in values.items() if isinstance(v, np.ndarray)}
    return {"form": fitted.form, "values": {name: v for name, v in values.items() if name not in arrays}}, arrays


def _put_together(head: dict[str, Any], arrays: Arrays) -> FittedEstimator:
    if head["form"] != FittedSeveral.form:
        form = FORMS[head["form"]]
        return form(**_values(form, head["values"], arrays))
    members = []
    for k, member in enumerate(head["members"]):
        mine = {name.removeprefix(f"{k}."): array for name, array in arrays.items() if name.startswith(f"{k}.")}
        form = FORMS[member["form"]]
        members.append(form(**_values(form, member["values"], mine)))
    return FittedSeveral(tuple(members), head["labels"] is True)


def _head(file: Path) -> dict[str, Any]:
    try:
        head = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"expected a saved model, but {file} cannot be read; give the folder of a run") from error
    except ValueError as error:
        raise UserError(f"{file} is not JSON: expected a model saved by steelyard") from error
    return head if isinstance(head, dict) else {}


def _values(form: type[Fitted], plain: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """The fields of that form, each of its type; ValueError names the first that is missing or of another type."""
    hints, given = get_type_hints(form), plain | arrays
    for name in (f.name for f in fields(form)):
        found = given.get(name)
        if name in form.types:
            right = isinstance(found, np.ndarray) and found.dtype.name in form.types[name].split()
        else:
            right = isinstance(found, {int: int, float: int | float}.get(hints[name], str))
        if not right:
            raise ValueError(f"'{name}' is missing or of another type")
    return {f.name: given[f.name] for f in fields(form)}
