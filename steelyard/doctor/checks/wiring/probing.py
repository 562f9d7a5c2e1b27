"""How checks of wiring question a model: a copy to ask, what it puts out, and which tensors are the same."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from steelyard.doctor.batch import Batch, Unusable, tensors
from steelyard.doctor.calling import names_of
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured
from steelyard.doctor.losses import Term
from steelyard.doctor.tape import LOSSES, Call, argument, taped, tensor_pair

SEED = 740_191  # numbers of the checks' own: the seeds that users like would draw their data again
FIRST = 3  # batches for the statistics of BatchNorm
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
GRAPH = ("edge", "adj", "graph", "neighbo")  # inputs whose rows are meant to see one another
WAKE = 0.1  # spread of what stands in for weights that are all zero


def woken(case: Case) -> Case:
    """A copy in eval mode in which weights that are all zero, as of residual branches at the start, are random.

    BatchNorm that has seen no batch yet gets the statistics of the first ones.
    """
    twin = case.copy()
    twin.model.eval()
    stream = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for p in twin.model.parameters():
            if p.requires_grad and p.is_floating_point() and not bool(p.any()):
                p.copy_(WAKE * torch.randn(p.shape, generator=stream))
        fresh = [m for m in twin.model.modules() if isinstance(m, NORMS) and m.num_batches_tracked is not None]
        fresh = [m for m in fresh if int(m.num_batches_tracked or 0) == 0]
        usual = [m.momentum for m in fresh]
        for m in fresh:
            m.training, m.momentum = True, None  # a plain mean over what is seen
        for batch in case.batches[:FIRST] if fresh else ():
            with contextlib.suppress(Exception):  # of one row, or what the check itself will meet
                outs(twin, batch)
        for m, momentum in zip(fresh, usual, strict=True):
            m.training, m.momentum = False, momentum
    return twin


def first_batch(case: Case) -> Batch:
    """The first train batch. Raises NotMeasured without one."""
    if not case.batches:
        raise NotMeasured("there are no train batches")
    return case.batches[0]


def aligned(batch: Batch) -> bool:
    """Whether all inputs have a row for each row of the batch, and none is a square of them, as of a graph's nodes."""
    many = batch.many
    named = batch.inputs if isinstance(batch.inputs, dict) else {}
    if any(word in name.lower() for name in named for word in GRAPH):
        return False
    square = len(batch.given) > 1 and any(t.shape == (many, many) for t in batch.given)
    return not square and not any(t.dim() and len(t) != many for t in batch.given)


def few_rows(batch: Batch, many: int) -> Batch:
    """The first rows of a batch; all of them where they belong together."""
    return batch.rows(many) if aligned(batch) else batch


def outs(case: Case, batch: Batch) -> list[Tensor]:
    """All floating tensors that the model puts out, without its loss; of a Lightning module those the loss compares."""
    with contextlib.suppress(Unusable, NotImplementedError):
        found = [each for each in tensors(case.put_out(batch)) if each.is_floating_point() and each.dim() > 0]
        if found:
            return found
    return [term.out for term in case.terms(batch)]


def compared_outs(case: Case, batch: Batch) -> list[Tensor]:
    """The outputs that the loss is known to compare; the model's tensor where it is not known."""
    return [term.out for term in case.terms(batch)] or [case.outputs(batch)]


def terms_and_loss(case: Case, batch: Batch) -> tuple[list[Term], Tensor]:
    """The comparisons by torch's own losses, and the sum of the loss, in one graph."""
    with taped(case.model) as tape:
        loss = case.loss_of(batch)
    return _terms_of(tape.losses), loss.sum()


class _Asked(TorchFunctionMode):
    """Keeps what torch's losses are called with, whether or not they take it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Keep, and call."""
        name = getattr(func, "__name__", "")
        if name in LOSSES:
            self.calls.append(Call(name, LOSSES[name], tuple(args), dict(kwargs or {}), None, ""))
        return func(*args, **(kwargs or {}))


def asked(case: Case, batch: Batch) -> list[Term]:
    """The terms of the loss of a batch, also of a loss that raises an exception at them."""
    with _Asked() as mode, contextlib.suppress(IndexError, RuntimeError, ValueError):
        case.loss_of(batch)
    return _terms_of(mode.calls)


def _terms_of(calls: Sequence[Call]) -> list[Term]:
    found = []
    for call in calls:
        pair, ignored = tensor_pair(call), argument(call, 4, "ignore_index")
        if pair is not None:
            found.append(Term(LOSSES[call.name], *pair, ignored if isinstance(ignored, int) else -100))
    return found


def same_place(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same numbers in memory, as a tensor and a view of all of it are."""
    return one.numel() == other.numel() and one.data_ptr() == other.data_ptr()


def recurrent(case: Case, batch: Batch) -> list[Term]:
    """The terms of the loss that compare what torch's recurrent layers put out, as it is: it lies within ±1."""
    held: list[Tensor] = []
    layers = [m for m in case.model.modules() if isinstance(m, nn.RNNBase) and not m.proj_size]
    layers = [m for m in layers if getattr(m, "nonlinearity", "tanh") == "tanh"]
    handles = [m.register_forward_hook(lambda _, __, out: held.extend(tensors(out))) for m in layers]
    try:
        terms = case.terms(batch) if layers else []
    finally:
        for handle in handles:
            handle.remove()
    places = {each.untyped_storage().data_ptr() for each in held}
    return [term for term in terms if term.out.untyped_storage().data_ptr() in places]


def differ(one: Tensor, other: Tensor, share: float = 1e-4) -> bool:
    """Whether two outputs differ by more than rounding."""
    if one.shape != other.shape:
        return True
    size = float(torch.maximum(one.abs().max(), other.abs().max())) if one.numel() else 0.0
    return float((one - other).abs().max()) > share * max(size, 1e-12) if one.numel() else False


def distinct(tensor: Tensor) -> Tensor:
    """The different values of a tensor, in order."""
    return tensor.unique()  # type: ignore[no-untyped-call,no-any-return]


def names_of_inputs(case: Case, batch: Batch) -> list[str]:
    """A name for each tensor among the inputs, as the model's forward calls it."""
    if isinstance(batch.inputs, dict):
        listed = [name for name, each in batch.inputs.items() for _ in tensors(each)]
    else:
        asked = [p.name for p in names_of(case.model.forward)]
        known = asked if len(asked) >= len(batch.inputs) else [f"input {i + 1}" for i in range(len(batch.inputs))]
        listed = [n for n, each in zip(known, batch.inputs, strict=False) for _ in tensors(each)]
    return listed if len(listed) == len(batch.given) else [f"input {i + 1}" for i in range(len(batch.given))]


def with_given(batch: Batch, given: Sequence[Tensor]) -> Batch:
    """The batch with all tensors of its inputs replaced, in order."""
    fresh = iter(given)
    return replace(batch, inputs=replace(batch, answer=None).mapped(lambda _: next(fresh)).inputs)
