"""An input, or a large part of it, that no output depends on.

A slice too short, one of two inputs forgotten in `forward`, the first step of a sequence read instead of the last:
the model learns from what is left, and nothing fails (Karpathy 2019, "A Recipe for Training Neural Networks": use
backprop to chart dependencies). Parts without gradient are changed, too, and count only where no output moves.

Broken: `out, _ = self.gru(x); return self.head(out[:, 0])`. Mended: `return self.head(out[:, -1])`.
"""

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.embedded import roots
from steelyard.doctor.checks.wiring.probing import SEED, differ, first_batch, names_of_inputs, outs, with_given, woken

BATCHES = 4
COLUMNS, STEPS, PIXELS = 0.25, 0.5, 0.6  # shares that are unused by mistake rather than by a choice or a border
MANY_CODES = 32  # columns of codes that are looked at one by one
FADED = 1e-20  # of the largest gradient: a recurrent network forgets gradually; a slice cuts at once
OPTIONAL = ("mask", "token_type", "position", "length", "index", "idx", "id", "weight", "label")


@check(
    "SY213",
    "Part of the inputs is not used",
    "warning",
    means="what they tell cannot be learnt",
    treat="look at slices and indices in forward, at inputs it does not use, at the step of a sequence that it reads",
)
def unused_inputs(case: Case) -> Saw | None:
    first = first_batch(case)
    if first.many < 2:
        raise NotMeasured("a batch holds fewer than two rows")
    twin = woken(case)
    batches = [
        b for b in case.batches[:BATCHES] if [t.shape[1:] for t in b.given] == [t.shape[1:] for t in first.given]
    ]
    slopes = [_slopes(twin, batch) for batch in batches]
    names = names_of_inputs(case, first)
    known = [slope for slope in slopes[0] if slope is not None]
    if known and not any(bool(slope.any()) for slope in known):
        raise NotMeasured("no input is known to move an output by a small change")
    tip = None
    for place, name in enumerate(names):
        kinds = [each[place] for each in slopes]
        given = [batch.given[place] for batch in batches]
        varied = _varied(given)
        if any(kind is None for kind in kinds):
            if "mask" in name.lower() and _padding_counts(twin, batches, place):
                text = f"no output depends on {name}, and outputs depend on what stands where it is zero"
                return Saw(text, {"input": name})
            if any(word in name.lower() for word in OPTIONAL):
                continue
            idle = _idle_codes(twin, batches, place) & varied
            if bool(idle.any()) and bool((idle | ~varied).all()):
                tip = Saw(f"no output depends on {name}", {"input": name}, "tip")
                continue
            unused, sizes = idle | ~varied, torch.ones(len(idle))
        else:
            sizes = torch.stack([k.reshape(len(k), -1).amax(0) for k in kinds if k is not None]).amax(0)
            unused = sizes == 0
        tokens = not given[0].is_floating_point() and kinds[0] is not None
        saw = _part(name, given[0].shape[1:], unused, varied, sizes, tokens)
        if saw is not None and not _moves(twin, batches, place, unused & varied):
            if saw.severity != "tip":
                return saw
            tip = tip or saw
    return tip


def _slopes(twin: Case, batch: Batch) -> list[Tensor | None]:
    """For each input the size of the gradient of all outputs, cell by cell; None for one that no gradient reaches."""
    with roots(batch) as rooted:
        found = outs(twin, rooted.batch)
        leaves = rooted.leaves()
    stream = torch.Generator().manual_seed(SEED + 1)
    total = sum((out * torch.randn(out.shape, generator=stream).to(out)).sum() for out in found)
    if not isinstance(total, Tensor) or not total.requires_grad:
        raise NotMeasured("outputs have no graph")
    flat = [leaf for each in leaves for leaf, _ in each]
    grads = iter(torch.autograd.grad(total, flat, allow_unused=True) if flat else ())
    slopes: list[Tensor | None] = []
    for given, each in zip(batch.given, leaves, strict=True):
        size = torch.zeros(given.numel())
        for leaf, cells in each:
            grad = next(grads)
            if grad is not None:
                rows = grad if leaf.shape == cells.shape else grad.abs().sum(-1)
                size.index_add_(0, cells.flatten(), rows.abs().float().cpu().flatten())
        slopes.append(size.reshape(given.shape) if each else None)
    return slopes


def _varied(given: list[Tensor]) -> Tensor:
    """Which cells hold more than one value over all rows: padding and constant columns tell nothing anyway."""
    rows = torch.cat([each.reshape(len(each), -1) for each in given])
    return (rows != rows[:1]).any(0).cpu()


def _part(name: str, shape: torch.Size, unused: Tensor, varied: Tensor, sizes: Tensor, tokens: bool) -> Saw | None:
    """What to say of the cells of a row that are unused and not the same in all rows."""
    if bool((unused | ~varied).all()) and bool(varied.any()):
        return Saw(f"no output depends on {name}", {"input": name})
    kept = sizes[sizes > 0]
    faded = len(kept) > 0 and float(kept.min()) < FADED * float(kept.max())
    if len(shape) == 0 or faded:
        return None
    grid, alive = unused.reshape(shape), varied.reshape(shape)

    def gone(axis: int) -> Tensor:
        """Which slices along an axis are unused as a whole."""
        turned, told = (each.movedim(axis, 0).reshape(shape[axis], -1) for each in (grid, alive))
        return (turned | ~told).all(1) & told.any(1)

    def said(what: str, slices: Tensor, least: float) -> Saw | None:
        share = float(slices.float().mean())
        if share == 0 or (share < least and what != "columns"):
            return None
        text = f"no output depends on {int(slices.sum())} of {len(slices)} {what} of {name}"
        evidence = {"input": name, "which": slices.nonzero().flatten().tolist()[:50]}
        return Saw(text, evidence, "tip" if share < least else None)

    if len(shape) == 1:
        return said("steps", gone(0), STEPS) if tokens else said("columns", gone(0), COLUMNS)
    if len(shape) == 2:
        return said("steps", gone(0), STEPS) or said("columns", gone(1), COLUMNS)
    channels = said("channels", gone(0), 0.0)
    share = float((grid & alive).float().mean())
    if channels is None and share >= PIXELS:
        return Saw(f"no output depends on {share:.0%} of the pixels of {name}", {"input": name, "share": share})
    return channels


def _moves(twin: Case, batches: list[Batch], place: int, idle: Tensor) -> bool:
    """Whether outputs move as the idle cells get values of other rows, far larger."""
    stream = torch.Generator().manual_seed(SEED + 2)
    for batch in batches:
        given = list(batch.given)
        flat = given[place].reshape(len(given[place]), -1)
        other = flat.roll(1, 0)
        if other.is_floating_point():
            other = 3 * other + torch.randn(other.shape, generator=stream).to(other)
        given[place] = torch.where(idle.to(flat.device), other, flat).reshape(given[place].shape)
        if _changed(twin, batch, with_given(batch, given)):
            return True
    return False


def _idle_codes(twin: Case, batches: list[Batch], place: int) -> Tensor:
    """Of an input that no gradient reaches, the cells of a row that move no output as rows change places."""
    shape = batches[0].given[place].shape[1:]
    if any(b.given[place].dim() == 0 or len(b.given[place]) != b.many for b in batches):
        return torch.zeros(shape.numel(), dtype=torch.bool)
    every = torch.ones(shape.numel(), dtype=torch.bool)
    if not _moves(twin, batches, place, every):
        return every
    if len(shape) != 1 or len(every) > MANY_CODES:
        return ~every
    cells = torch.eye(len(every), dtype=torch.bool)
    return torch.tensor([not _moves(twin, batches, place, cell) for cell in cells])


def _padding_counts(twin: Case, batches: list[Batch], place: int) -> bool:
    """Whether a mask is without effect, and outputs move as the tokens where it is zero become others."""
    shape = batches[0].given[place].shape[1:]
    if _moves(twin, batches, place, torch.ones(shape.numel(), dtype=torch.bool)):
        return False
    for batch in batches:
        mask = batch.given[place]
        for other, codes in enumerate(batch.given):
            if other == place or codes.is_floating_point() or codes.shape != mask.shape:
                continue
            given = list(batch.given)
            given[other] = torch.where(mask == 0, codes.flatten()[codes.argmax()].expand_as(codes), codes)
            if bool((given[other] != codes).any()) and _changed(twin, batch, with_given(batch, given)):
                return True
    return False


def _changed(twin: Case, one: Batch, other: Batch) -> bool:
    with torch.no_grad():
        before = _told(twin, one)
        try:
            after = _told(twin, other)
        except Exception:  # what a model refuses, it has looked at
            return True
    return len(before) != len(after) or any(differ(a, b, 1e-6) for a, b in zip(before, after, strict=True))


def _told(twin: Case, batch: Batch) -> list[Tensor]:
    """What a model puts out, and the loss that it gives itself: it may take its targets by a name of their own."""
    return outs(twin, batch) + ([twin.loss_of(batch).reshape(-1)] if twin.loss is None else [])
