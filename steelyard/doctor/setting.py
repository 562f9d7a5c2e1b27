"""What a user's `setup` function gives, found by `package.module:setup` or `path/to/file.py:setup`."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from steelyard.doctor.batch import Unusable

NAMES = ("model", "loss", "train", "dev", "test", "optimizer", "step", "classes")


def setting_of(where: str) -> dict[str, Any]:
    """What `setup()` returns, by the names that `examine` takes. Raises Unusable in one line."""
    place, sign, name = where.rpartition(":")
    if not sign or not place or not name:
        raise Unusable(f"expected package.module:setup or path/to/file.py:setup, got '{where}'")
    try:
        module = _module(place)
    except Unusable:
        raise
    except Exception as error:
        raise Unusable(f"{place} cannot be imported: {type(error).__name__}: {error}") from error
    build = getattr(module, name, None)
    if build is None:
        raise Unusable(f"{place} has no '{name}'")
    try:
        given = build() if callable(build) else build
    except Exception as error:
        raise Unusable(f"{where} raised {type(error).__name__}: {error}") from error
    return taken(given, where)


def taken(given: Any, where: str = "setup") -> dict[str, Any]:
    """The parts among what was given, a dict or an object."""
    if isinstance(given, nn.Module):
        given = {"model": given}
    read = given.get if isinstance(given, Mapping) else lambda name, default=None: getattr(given, name, default)
    found = {name: value for name in NAMES if (value := read(name, None)) is not None}
    if not isinstance(found.get("model"), nn.Module):
        raise Unusable(
            f"{where} returned no 'model' that is a torch.nn.Module: return a dict with model, loss, train …"
        )
    return found


def _module(place: str) -> Any:
    if not place.endswith(".py"):
        if (here := str(Path.cwd())) not in sys.path:
            sys.path.insert(0, here)
        return importlib.import_module(place)
    file = Path(place)
    if not file.is_file():
        raise Unusable(f"there is no file {file}")
    if (folder := str(file.parent.resolve())) not in sys.path:
        sys.path.insert(0, folder)
    made = importlib.util.spec_from_file_location(file.stem, file)
    assert made is not None and made.loader is not None
    module = importlib.util.module_from_spec(made)
    sys.modules.setdefault(file.stem, module)
    made.loader.exec_module(module)
    return module
