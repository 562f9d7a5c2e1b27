"""A column that is the target.

A model that finds the answer among its inputs scores wonderfully until it is used, when nobody knows the answer yet
(Kaufman et al. 2012, "Leakage in Data Mining"). A language model is to predict the next token: where targets stand at
the places of their inputs, and neither loss nor model shifts them, it learns to repeat.

Broken: `x = frame.drop(columns="id")` with the target left in. Mended: `x = frame.drop(columns=["id", "target"])`.
"""

from dataclasses import replace

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch, mapped
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import codes, named, stacked, values

ROWS = 32
EXACT = 1 - 1e-5  # correlation from which a column is the target itself, but for rounding
SAME = 0.999  # from which it may be: neighbours in a series go together as well
ELSE = 0.95  # of another column: then columns are alike, and say little of a leak
COLUMNS = 4096


@check(
    "SY105",
    "The target is among the inputs",
    "error",
    means="the score is that of copying: it will not hold where the answer is not known",
    treat="leave that column out of the inputs; shift the targets of a language model by one place",
)
def target_among_inputs(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    if (repeated := _unshifted(case)) is not None:
        return repeated
    given, y, labels = stacked(case.batches), values(case.batches), codes(case.batches)
    if y is None or len(y) < ROWS or y.shape[1] > 256:
        raise NotMeasured(f"there are no {ROWS} rows with a target each")
    fitting = {n: x.reshape(len(x), -1) for n, x in given.items() if len(x) == len(y)}
    fitting = {n: x[:, :COLUMNS] for n, x in fitting.items()}
    if any(x.shape == y.shape and torch.equal(x.to(y), y) for x in fitting.values()):
        raise NotMeasured("the target is the input as a whole, as of an autoencoder")
    if sum(x.shape[1] for x in fitting.values()) < 2:
        raise NotMeasured("there is one input only, which may well tell the target")
    for name, x in fitting.items():
        floating, series = x.is_floating_point(), given[name].dim() > 2
        found = _goes_with(x.float(), y, labels, series) if floating else None
        if found is None and labels is not None:
            found = _stands_for(x, labels, floating)
        if found is not None:
            return Saw(f"{name}, {found.text}", {"input": name} | found.evidence, found.severity)
    return None


def _goes_with(x: Tensor, y: Tensor, labels: Tensor | None, series: bool) -> Saw | None:
    """A column that is a target times a number plus another, or that tells one class from all others."""
    if labels is not None and len(names := torch.unique(labels)) <= 64:
        y = (labels[:, None] == names).float() if len(names) > 2 else labels[:, None].float()
        y = torch.cat([y, labels[:, None].float()], 1) if len(names) > 2 else y
    x, y = (each.double() - each.double().mean(0) for each in (x, y))
    x, y = (each[:, each.abs().amax(0) > 0] for each in (x, y))
    if not x.numel() or not y.numel():
        return None
    correlation = (x.T @ y) / (x.norm(dim=0)[:, None] * y.norm(dim=0))
    per_column, which = correlation.abs().max(1)
    best = int(per_column.argmax())
    value = float(correlation[best, which[best]])
    if abs(value) < SAME:
        return None
    column = f"column {best} goes with the target by {value:+.4f}"
    evidence = {"column": best, "correlation": value}
    second = float(per_column.sort(descending=True).values[1]) if len(per_column) > 1 else 0.0
    if abs(value) >= EXACT:
        return Saw(column, evidence, "tip" if series and labels is None else None)
    return None if second > ELSE else Saw(column, evidence, "warning")


def _stands_for(x: Tensor, labels: Tensor, floating: bool) -> Saw | None:
    """A column of as many values as there are classes, each of which stands for one class."""
    names, code = torch.unique(labels, return_inverse=True)
    if len(names) < 2:
        return None
    for place, column in enumerate(x.T[:512]):
        if len(held := torch.unique(column[:ROWS])) > len(names) or len(held) < 2:
            continue
        kinds, kind = torch.unique(column, return_inverse=True)
        if len(kinds) == len(names) and len((kind * len(names) + code).unique()) == len(names):
            text = f"column {place} has {len(kinds)} values, each of which stands for one class"
            return Saw(text, {"column": place, "values": len(kinds)}, None if floating else "warning")
    return None


def _unshifted(case: Case) -> Saw | None:
    """Whether the loss compares codes at the places of their own inputs, though the model looks back only."""
    batch = case.batches[0]
    texts = [t for t in named(batch).values() if t.dim() == 2 and not t.is_floating_point() and t.shape[1] >= 4]
    if not texts:
        return None
    case.model.eval()
    with torch.no_grad():
        terms = [t for t in case.terms(batch) if t.kind in ("class logits", "log probabilities") and t.codes.numel()]
    for term in terms:
        for text in texts:
            many, places = len(text), term.codes.numel() // len(text)
            if places < 3 or term.codes.numel() != many * places or places > text.shape[1]:
                continue
            asked, here = term.codes.cpu().reshape(many, places), text[:, :places]
            kept = asked != term.ignored
            same = float((asked == here)[kept].float().mean()) if bool(kept.any()) else 0.0
            still = float((text[:, 1:] == text[:, :-1]).float().mean())
            if same > 0.99 and still < 0.9 and _looks_back(case, batch, text):
                share = {"same": same, "places": places}
                return Saw(f"{same:.0%} of the targets are the tokens at their own places: nothing shifts them", share)
    return None


def _looks_back(case: Case, batch: Batch, text: Tensor) -> bool:
    """Whether the last token changes no output but the last, as in a model that is to say the next token."""
    other = text.clone()
    other[:, -1] = text[:, 0]

    def change(t: Tensor) -> Tensor:
        same = t.shape == text.shape and t.dtype == text.dtype and bool((t.cpu() == text).all())
        return other.to(t.device) if same else t

    with torch.no_grad():
        one, two = (case.outputs(b) for b in (batch, replace(batch, inputs=mapped(batch.inputs, change))))
    if one.dim() != 3 or one.shape[1] != text.shape[1]:
        return False
    moved = (one - two).abs().float().amax(2)
    return float(moved[:, :-1].max()) <= 1e-5 * float(one.float().abs().max()) < float(moved[:, -1].max())
