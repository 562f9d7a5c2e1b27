"""What is written as a call, such as `cosine(0.1, 0)`: its shortest text, and how such a text is read safely."""

import ast
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, TypeVar

from steelyard.errors import UserError, suggest


@dataclass(frozen=True)
class Spelled:
    """What is written as a call of its `word`; the text names only what differs from its default."""

    word: ClassVar[str] = ""

    def __str__(self) -> str:
        given = [short(getattr(self, f.name)) for f in fields(self) if f.default is MISSING]
        rest = [f for f in fields(self) if f.default is not MISSING and getattr(self, f.name) != f.default]
        return f"{self.word}({', '.join([*given, *(f'{f.name}={short(getattr(self, f.name))}' for f in rest)])})"

    @classmethod
    def form(cls) -> str:
        """How it is written, in the names of its arguments: `cosine(start, end, warmup, floor)`."""
        return f"{cls.word}({', '.join(f.name for f in fields(cls))})"


T = TypeVar("T", bound=Spelled)


def short(given: Any) -> str:
    """The shortest text that reads back as the same number, tuple of numbers, bool or None: 0.1, 0, 3e-05."""
    if isinstance(given, tuple):
        return f"({', '.join(short(each) for each in given)}{',' if len(given) == 1 else ''})"
    if given is None or isinstance(given, bool):
        return str(given)
    return f"{given:g}" if float(f"{given:g}") == given else repr(float(given)).removesuffix(".0")


def read_call(text: str, known: Mapping[str, type[T]], what: str) -> T:
    """What a call such as `PQ(0.5, k=5)` spells, among the known words, which are told apart by case.

    Arguments are numbers, tuples of numbers, True, False and None; no code is run. Raises UserError, which says
    `what` was expected and names the known words or the arguments.
    """
    call = _parsed(text)
    if call is None:
        raise UserError(f"expected a {what} such as {next(iter(known))}(…), got '{text}'")
    word, given, keywords = call
    if word not in known:
        raise UserError(f"there is no {what} '{word}'{suggest(word, known)}")
    kind = known[word]
    names = [f.name for f in fields(kind)]
    for named in keywords:
        if named.arg is not None and named.arg not in names:
            raise UserError(f"cannot read '{text}': {kind.word} has no '{named.arg}'{suggest(named.arg, names)}")
    try:
        return kind(*(_literal(each) for each in given), **_named(keywords))
    except UserError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise UserError(f"cannot read '{text}': expected {kind.form()} with numbers") from error


def _parsed(text: str) -> tuple[str, list[ast.expr], list[ast.keyword]] | None:
    """The word and the arguments, if the whole text is one call of a plain name."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
        return call.func.id, call.args, call.keywords
    return None


def _named(keywords: list[ast.keyword]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in keywords:
        if each.arg is None or each.arg in found:
            raise ValueError(each.arg)
        found[each.arg] = _literal(each.value)
    return found


def _literal(node: ast.expr) -> Any:
    """The number, tuple of numbers, bool or None that stands there; ValueError for anything else."""
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_literal(each) for each in node.elts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = _literal(node.operand)
        if type(number) in (int, float):
            return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.Constant) and (node.value is None or type(node.value) in (int, float, bool)):
        return node.value
    raise ValueError("neither a number nor a tuple of numbers")
