"""How batches, model and loss go together: which part of a batch the model takes, and how the loss is called.

There is no telling from a batch (a, b, c) whether the model takes a, or a and b. What the signatures say is tried
first; the first way in which model and loss both work is taken for the whole examination.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from steelyard.doctor.batch import TARGETS, Batch, Unusable, tensors

Split = Callable[[Any], Batch]
Lose = Callable[[Callable[..., Any], Any, Batch], Any]  # (loss, what the model puts out, batch)
BATCH_NAMES = ("batch", "data", "sample")


@dataclass(frozen=True)
class Calling:
    """One way to read a batch and to call the loss."""

    split: Split
    lose: Lose


def calling_of(model: nn.Module, loss: Callable[..., Any] | None, raw: Any) -> Calling:
    """The first way in which model and loss work on a batch; where none does, the likeliest."""
    ways = [Calling(split, lose) for split in splits(model, loss, raw) for lose in (losers(loss) if loss else [_own])]
    if not ways:
        raise Unusable(f"a batch is (inputs, target) or a dict, and this is a {type(raw).__name__}")
    held: dict[int, Any] = {}
    for way in ways if len(ways) > 1 else ():
        if _works(model, loss, way, raw, held):
            return way
    return ways[0]


def called(model: nn.Module, inputs: Any) -> Any:
    """What the model puts out for inputs by position or by name."""
    return model(**inputs) if isinstance(inputs, Mapping) else model(*inputs)


def splits(model: nn.Module, loss: Callable[..., Any] | None, raw: Any) -> Iterator[Split]:
    """Ways to read a batch, the likeliest first."""
    if isinstance(raw, Tensor):
        yield lambda b: Batch((b,), None if loss is None else b, lambda inputs, _: inputs[0])
    elif isinstance(raw, Mapping):
        yield from _named(model, loss, raw)
    elif isinstance(raw, tuple | list) and len(raw) == 1:
        yield lambda b: Batch((b[0],), None if loss is None else b[0], lambda inputs, _: [inputs[0]])
    elif isinstance(raw, tuple | list) and raw:
        if isinstance(raw[0], Mapping):
            yield lambda b: Batch(dict(b[0]), _rest(b, 1), lambda inputs, y: (inputs, *_spread(b, y)))
            yield lambda b: Batch((dict(b[0]),), _rest(b, 1), lambda inputs, y: (inputs[0], *_spread(b, y)))
        elif isinstance(raw[0], tuple | list):
            yield lambda b: Batch(tuple(b[0]), _rest(b, 1), lambda inputs, y: (inputs, *_spread(b, y)))
            yield lambda b: Batch((b[0],), _rest(b, 1), lambda inputs, y: (inputs[0], *_spread(b, y)))
        else:
            wanted, last = _required(model), len(raw) - 1
            counts = sorted(range(1, last + 1), key=lambda k: (k != wanted, -k))
            yield from (_first(k) for k in counts)
            if loss is None:
                yield lambda b: Batch(tuple(b), None, lambda inputs, _: tuple(inputs))


def losers(loss: Callable[..., Any]) -> Iterator[Lose]:
    """Ways to call a loss, the likeliest first."""
    names = _names(loss)
    if any(name in BATCH_NAMES for name in names[1:2]):
        yield lambda f, out, batch: f(out, batch.whole)
    if type(loss).__module__.startswith("torch.nn") or getattr(loss, "__module__", "") == "torch.nn.functional":
        yield lambda f, out, batch: f(tensor_of(out), batch.target)
    else:
        yield lambda f, out, batch: f(out, batch.target)
        yield lambda f, out, batch: f(tensor_of(out), batch.target)
    yield lambda f, out, batch: f(out, *batch.target)
    yield lambda f, out, batch: f(*out, batch.target)
    yield lambda f, out, batch: f(*out, *batch.target)
    yield lambda f, out, batch: f(out, *tensors(batch.inputs)[:1])  # as an autoencoder's
    yield lambda f, out, batch: f(*out, *tensors(batch.inputs)[:1])
    yield lambda f, out, batch: f(out, batch.target, *tensors(batch.inputs)[:1])
    yield lambda f, out, batch: f(out)


def tensor_of(out: Any) -> Tensor:
    """The tensor among what a model puts out: it itself, `logits`, or the first one of a tuple or dict."""
    if isinstance(out, Tensor):
        return out
    logits = out.get("logits") if isinstance(out, Mapping) else getattr(out, "logits", None)
    if isinstance(logits, Tensor):
        return logits
    for each in tensors(out if isinstance(out, Mapping | tuple | list) else ()):
        if each.dim() > 0:
            return each
    raise Unusable(f"the model puts out {type(out).__name__}, and there is no tensor in it")


def names_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a function that are given by position; none where that cannot be told."""
    try:
        listed = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p for p in listed if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _own(_: Callable[..., Any], out: Any, batch: Batch) -> Any:
    found = out.get("loss") if isinstance(out, Mapping) else getattr(out, "loss", None)
    if found is None and isinstance(out, Tensor) and out.dim() == 0:
        return out
    if found is None:
        raise Unusable("there is no loss, and what the model puts out has none: give one")
    return found


def _works(model: nn.Module, loss: Any, way: Calling, raw: Any, held: dict[int, Any]) -> bool:
    """Whether model and loss take a batch in that way; what the model puts out is kept by the way to split."""
    try:
        batch = way.split(raw)
        if id(way.split) not in held:
            held[id(way.split)] = None
            with torch.no_grad():
                given = batch.whole if loss is None and isinstance(raw, Mapping) else batch.inputs
                held[id(way.split)] = called(model, given)
        if held[id(way.split)] is None:
            return False
        with torch.no_grad():
            found = way.lose(loss, held[id(way.split)], batch)
        return isinstance(found, Tensor | float | int | Mapping | tuple)
    except Exception:
        return False


def _named(model: nn.Module, loss: Callable[..., Any] | None, raw: Mapping[str, Any]) -> Iterator[Split]:
    target = next((name for name in TARGETS if name in raw), None)
    taken = {p.name for p in names_of(model.forward)}
    others = [name for name in raw if name != target]
    if target is None and loss is not None and not taken >= set(raw):
        left = [name for name in raw if name not in taken]  # one that the model does not take by its name
        target = left[0] if len(left) == 1 and len(raw) > 1 else None
        others = [name for name in raw if name != target]
    fitting = [name for name in others if name in taken] or others
    kept = {name: raw[name] for name in raw if name not in fitting and name != target}

    def form(inputs: Any, y: Any) -> Any:
        held = inputs[0] if isinstance(inputs, tuple) else inputs
        return {**kept, **held} | ({target: y} if target is not None else {})

    def by_name(b: Any) -> Batch:
        return Batch({name: b[name] for name in fitting if name in b}, b.get(target), form)

    def as_dict(b: Any) -> Batch:
        return Batch(({name: b[name] for name in others if name in b},), b.get(target), form)

    def alone(b: Any) -> Batch:
        (name,) = others
        return Batch((b[name],), b.get(target), lambda inputs, y: {name: inputs[0], target: y})

    whole = len(taken) == 1 and not taken & set(others)
    if whole:
        yield from (alone, as_dict) if len(others) == 1 else (as_dict,)
    yield by_name
    if not whole:
        yield as_dict
        yield lambda b: Batch(tuple(b[name] for name in others), b.get(target), lambda i, y: form(_zip(others, i), y))


def _zip(names: list[str], inputs: Any) -> dict[str, Any]:
    return dict(zip(names, inputs, strict=True))


def _first(k: int) -> Split:
    def split(b: Any) -> Batch:
        return Batch(tuple(b[:k]), _rest(b, k), lambda inputs, y: (*inputs, *(y if len(b) - k > 1 else (y,))))

    return split


def _rest(b: Any, k: int) -> Any:
    left = b[k:]
    return left[0] if len(left) == 1 else tuple(left) if left else None


def _spread(b: Any, y: Any) -> tuple[Any, ...]:
    return tuple(y) if len(b) > 2 else (y,)


def _required(model: nn.Module) -> int:
    return sum(p.default is p.empty for p in names_of(model.forward))


def _names(function: Callable[..., Any]) -> list[str]:
    return [p.name for p in names_of(function.forward if isinstance(function, nn.Module) else function)]
