"""Targets of a kind that the loss is not made for.

Softmax cross-entropy chooses one class a row: several ones in a row, or one number a row of a flat output, mean
something else to it. A squared error between class codes says that class 3 lies between 2 and 4. BCE takes
targets in 0 … 1.

Broken: `nn.CrossEntropyLoss()(out, multi_hot)`. Mended: `nn.BCEWithLogitsLoss()(out, multi_hot)`.
"""

import torch
from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import distinct, first_batch
from steelyard.doctor.losses import Term

OFF, SOME = 0.02, 0.05  # a row's sum is so far from one, in so many rows
CODES = 100  # more whole numbers than that are counts or amounts
FEW = 40  # rows below which nothing is said of what values there are
MANY = 6  # codes that are stored as floating numbers: fewer are more often grades
FALLING = 0.8  # of the counts of codes are below the one before: counts of events
CLEAR = 3.0  # times what chance sets the centres of two codes apart
ORDERED = 0.5  # rank correlation of the distances of codes and of the inputs' centres: codes that are an order


@check(
    "SY216",
    "The kind of targets does not fit the loss",
    "error",
    means="the loss asks for something else than the targets say",
    treat="one class a row: CrossEntropyLoss and codes; several labels: BCEWithLogitsLoss and 0/1; values: MSELoss",
)
def kind_of_targets(case: Case) -> Saw | None:
    batch = first_batch(case)
    case.model.eval()
    with torch.no_grad():
        looked = [case.terms(each) for each in case.batches]
    if not looked[0]:
        raise NotMeasured("it is not known what the loss compares")
    tip = None
    for place, first in enumerate(looked[0]):
        same = [each[place] for each in looked if len(each) > place and each[place].kind == first.kind]
        if first.kind == "class logits":
            saw = _classes(same)
        elif first.kind in ("label logits", "probabilities") and first.target.is_floating_point():
            saw = _labels(same)
        elif first.kind == "values":
            saw = None if _inputs_again(first, batch.given) else _values(case, same)
        else:
            continue
        if saw is not None and saw.severity != "tip":
            return saw
        tip = tip or saw
    return tip


def _classes(same: list[Term]) -> Saw | None:
    first = same[0]
    if not first.target.is_floating_point():
        return None
    if first.out.dim() == 1 and first.target.dim() == 1:
        text = f"outputs and targets are ({len(first.out)},): the softmax runs over the rows of the batch"
        return Saw(text, {"outputs": list(first.out.shape)})
    if first.out.dim() < 2 or first.out.shape != first.target.shape:
        return None
    if first.out.shape[1] == 1:
        return Saw("there is one output a row, and the loss chooses among outputs: it is always zero", {"outputs": 1})
    rows = torch.cat([term.target.movedim(1, -1).reshape(-1, term.target.shape[1]).double() for term in same])
    sums = rows.sum(1)
    off = float(((sums - 1).abs() > OFF).double().mean())
    if off < SOME:
        return None
    evidence = {"rows": len(rows), "off": off, "least": float(sums.min()), "most": float(sums.max())}
    if bool(((rows == 0) | (rows == 1)).all()):
        return Saw(
            f"{off:.0%} of {len(rows)} rows of targets have none or several ones, and softmax gives one", evidence
        )
    span = f"{float(sums.min()):.3g} … {float(sums.max()):.3g}"
    return Saw(
        f"targets are no probabilities: {off:.0%} of their rows add up to other than 1 ({span})", evidence, "warning"
    )


def _labels(same: list[Term]) -> Saw | None:
    y = torch.cat([term.target.double().flatten() for term in same])
    low, high = float(y.min()), float(y.max())
    if low < 0 or high > 1:
        return Saw(f"targets lie in {low:.3g} … {high:.3g}, and the loss takes 0 … 1", {"low": low, "high": high})
    if _one_hot(same):
        width = same[0].target.shape[1]
        return Saw(
            f"every row has exactly one of {width} labels: softmax cross-entropy fits one class a row", {}, "tip"
        )
    return None


def _one_hot(same: list[Term]) -> bool:
    if any(term.target.dim() != 2 or term.target.shape[1] < 3 for term in same):
        return False
    y = torch.cat([term.target.double() for term in same])
    return len(y) >= FEW and bool(((y == 0) | (y == 1)).all()) and bool((y.sum(1) == 1).all())


def _inputs_again(term: Term, given: list[Tensor]) -> bool:
    """Whether the target is an input, as an autoencoder's."""
    flat = term.target.double().flatten()
    return any(t.numel() == flat.numel() and torch.equal(t.double().flatten(), flat) for t in given)


def _values(case: Case, same: list[Term]) -> Saw | None:
    if _one_hot(same):
        return Saw(
            "targets are one class a row, and the loss is that of values: cross-entropy learns faster", {}, "tip"
        )
    if any(term.target.numel() != len(term.target) for term in same):
        return None
    y = torch.cat([term.target.double().flatten() for term in same])
    codes = distinct(y)
    if len(y) < FEW or not 2 <= len(codes) <= CODES or not torch.equal(codes, torch.arange(len(codes)).to(codes)):
        return None
    if len(codes) == 2:
        return Saw("targets are 0 and 1, and the loss is that of values: cross-entropy learns faster", {}, "tip")
    whole = all(isinstance(b.answer, Tensor) and not b.answer.is_floating_point() for b in case.batches)
    counts = torch.bincount(y.long()).double()
    falling = float((counts[1:] <= counts[:-1]).double().mean())
    nominal = case.classes is not None or (falling < FALLING and _nominal(case, y, whole))
    text = f"targets are the codes 0 … {len(codes) - 1}, and the loss compares them as values"
    return Saw(text, {"codes": len(codes)}, "warning" if nominal else "tip")


def _nominal(case: Case, y: Tensor, whole: bool) -> bool:
    """Whether inputs of codes that are near one another are no nearer than others': the codes are no order.

    Codes that are stored as floating numbers (not `whole`) must, besides, be many and differ clearly in their inputs.
    """
    if not case.batches[0].floats or len(distinct(y)) < (4 if whole else MANY):
        return whole and len(distinct(y)) == 3
    x = torch.cat([b.floats[0].reshape(b.many, -1).double() for b in case.batches])
    if len(x) != len(y):
        return False
    codes = distinct(y)
    centres = torch.stack([x[y == code].mean(0) for code in codes])
    pairs = torch.combinations(torch.arange(len(codes)))
    apart = (centres[pairs[:, 0]] - centres[pairs[:, 1]]).norm(dim=1)
    steps = (codes[pairs[:, 0]] - codes[pairs[:, 1]]).abs()
    counts = torch.stack([(y == code).sum() for code in codes]).double()
    within = (x - centres[y.long()]).square().sum(1).mean()
    chance = within * (1 / counts[pairs[:, 0]] + 1 / counts[pairs[:, 1]])
    clear = bool((apart.square() > CLEAR * chance).double().mean() > 0.9)
    return _rank_correlation(apart, steps) < ORDERED and (clear or whole)


def _rank_correlation(one: Tensor, other: Tensor) -> float:
    ranks = [each.argsort().argsort().double() for each in (one, other)]
    return float(torch.corrcoef(torch.stack(ranks))[0, 1])
