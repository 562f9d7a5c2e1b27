"""Networks that are given by code of one's own: a function, a class or a module, or the path of one to import.

What was given is known to this process by a hash of its code and weights. A saved model holds that hash and the weights
it learnt, but no code: nothing is imported because of a file, only because a person names it again.
"""

import copy
import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import CodeType
from typing import Any

from torch import nn

from steelyard.errors import UserError, suggest

FORM = "mypackage.module:build"
_known: dict[str, "Builder"] = {}
_named: ContextVar["Builder | None"] = ContextVar("named", default=None)


@dataclass(frozen=True, eq=False)
class Builder:
    """What makes the network: `make` is a module, or what is called for one; `by` is what it is called in words.

    `make` is called as make(shape, outputs), with those of the two it has by name, or as make(). A module is copied,
    so that every training starts from its weights as they are.
    """

    by: str
    make: Any

    def __call__(self, shape: Any, outputs: int) -> nn.Module:
        """A module of its own; UserError when there is none to be had."""
        if isinstance(self.make, nn.Module):
            return copy.deepcopy(self.make)
        called = _with_what(self.make, self.by)
        try:
            found = called(shape, outputs)
        except UserError:
            raise
        except Exception as error:  # code of the user's
            raise UserError(f"{self.by} failed: {type(error).__name__}: {_line(error)}") from error
        if not isinstance(found, nn.Module):
            raise UserError(f"{self.by} gave {type(found).__name__}: expected a torch.nn.Module")
        return found

    @property
    def as_given(self) -> bool:
        """Whether it is one module, with weights to start from."""
        return isinstance(self.make, nn.Module)


def builder_of(given: Any) -> Builder:
    """The builder of a module, of what makes one, or of the path "mypackage.module:build" of either."""
    if isinstance(given, Builder):
        return given
    if isinstance(given, str):
        return Builder(given, _imported(given))
    if isinstance(given, nn.Module):
        return Builder(type(given).__name__, given)
    if not callable(given):
        raise UserError(f"network is a torch.nn.Module, what makes one, or '{FORM}', got {type(given).__name__}")
    made = given.func if isinstance(given, partial) else given
    return Builder(getattr(made, "__qualname__", type(made).__name__), given)


def known(content: str) -> Builder | None:
    """The builder that a person has named for what is read now, or that this process trained with that hash."""
    return _named.get() or _known.get(content)


def remember(content: str, builder: Builder) -> None:
    """Let this process know a builder by the hash of what it makes."""
    _known[content] = builder


@contextmanager
def named(given: Any) -> Iterator[None]:
    """Inside, saved networks of one's own are built by what is given; None: only by what is known already."""
    token = _named.set(None if given is None else builder_of(given))
    try:
        yield
    finally:
        _named.reset(token)


# -- importing ------------------------------------------------------------------------------------------------


def _imported(path: str) -> Any:
    name, colon, where = path.strip().partition(":")
    if not colon or not re.fullmatch(r"[\w.]+", name) or not re.fullmatch(r"[\w.]+", where):
        raise UserError(f"network is the path of code to import, as {FORM}, got '{path}'")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # as `python -m` does: one's own code lies in the working directory
    try:
        found = import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        here = f"in {Path.cwd()} or the installed packages" if name.startswith(missing) else f"which {name} imports"
        raise UserError(f"'{path}' cannot be imported: there is no module '{missing}' {here}") from error
    except Exception as error:  # code of the user's
        raise UserError(f"'{path}' cannot be imported: {type(error).__name__}: {_line(error)}") from error
    for step in where.split("."):
        if not hasattr(found, step):
            own = [word for word in vars(found) if not word.startswith("_")]
            raise UserError(f"'{path}' cannot be imported: {name} has no '{where}'{suggest(step, own)}")
        found = getattr(found, step)
    if not callable(found):
        raise UserError(f"'{path}' is {type(found).__name__}: expected a torch.nn.Module, or what makes one")
    return found


def _with_what(make: Any, by: str) -> Callable[[Any, int], Any]:
    """How it is called: with shape and outputs, by name or by place, or with nothing."""
    try:
        takes = inspect.signature(make).parameters
    except (TypeError, ValueError):
        return lambda shape, outputs: make()
    if wanted := {"shape", "outputs"} & takes.keys():
        return lambda shape, outputs: make(**{k: v for k, v in (("shape", shape), ("outputs", outputs)) if k in wanted})
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in takes.values() if p.default is p.empty and p.kind in places]
    if len(needed) in {0, 2}:
        return lambda shape, outputs: make(shape, outputs) if needed else make()
    names = ", ".join(p.name for p in needed)
    raise UserError(f"{by} takes ({names}): expected (shape, outputs), or nothing")


# -- what it is -----------------------------------------------------------------------------------------------


def content_of(builder: Builder, module: nn.Module) -> str:
    """A hash of the code, the layers and, where a module was given, the weights: another one trains anew.

    The code is that of the package of the builder as far as it is loaded, and the files of the classes of all layers.
    """
    digest = hashlib.sha256(re.sub(r" at 0x[0-9a-f]+", "", repr(module)).encode())
    for name, parameter in module.named_parameters():
        digest.update(f"{name}{tuple(parameter.shape)}{parameter.dtype}".encode())
    made = builder.make.func if isinstance(builder.make, partial) else builder.make
    kinds = {type(layer) for layer in module.modules()} | {made if callable(made) else type(made)}
    texts = {_text(kind) for kind in kinds if _package(kind) != "torch"}
    for text in sorted(texts | _package_files(_package(made if not builder.as_given else type(made)))):
        digest.update(text.encode("utf-8", "surrogateescape"))
    if builder.as_given:
        for name, tensor in module.state_dict().items():
            digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _package(thing: Any) -> str:
    return str(getattr(thing, "__module__", "") or "").split(".")[0]


def _package_files(package: str) -> set[str]:
    """The source of all loaded modules of a package of one's own."""
    if package in {"", "torch", "__main__", "builtins", "functools"}:
        return set()
    loaded = [m for name, m in list(sys.modules.items()) if name.split(".")[0] == package]
    return {_file_text(getattr(module, "__file__", None)) for module in loaded}


def _file_text(file: Any) -> str:
    with suppress(OSError, TypeError, UnicodeDecodeError):
        return Path(file).read_text(encoding="utf-8") if str(file).endswith(".py") else ""
    return ""


def _text(thing: Any) -> str:
    """The file something is defined in, else its own source, else what it was compiled to."""
    with suppress(TypeError, OSError):
        if text := _file_text(inspect.getsourcefile(thing)):
            return text
    with suppress(TypeError, OSError):
        return inspect.getsource(thing)
    functions = [thing] if hasattr(thing, "__code__") else [f for f in vars(thing).values() if hasattr(f, "__code__")]
    return "\n".join(_compiled(function.__code__) for function in functions)


def _compiled(code: CodeType) -> str:
    consts = [_compiled(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return f"{code.co_name} {code.co_names} {code.co_code.hex()} {consts}"


def _line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else ""
