"""A plain network of one wide hidden layer, trained on the same rows: what a user's model is held against.

It stands in for inputs that are tables or small images of floating numbers, and one term of the loss of a known kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured
from steelyard.doctor.losses import Term

WIDTH, STEPS, RATE, DECAY, FOLDS = 256, 300, 2e-3, 1e-3, 5
LARGEST = 4096  # numbers a row


@dataclass(frozen=True)
class Rows:
    """Rows as a matrix (N, columns) of standardised inputs, and what is to be said of them, values standardised, too.

    `scale` holds means and spreads of inputs and of values.
    """

    kind: str
    x: Tensor
    y: Tensor
    outputs: int
    scale: tuple[Tensor, ...]


def rows_of(case: Case, batches: Sequence[Batch], like: tuple[Tensor, ...] | None = None) -> Rows:
    """Rows of batches as a matrix, standardised as `like` says. Raises NotMeasured for other inputs."""
    xs, found = [], []
    with torch.no_grad():
        for batch in batches:
            held = case.terms(batch)
            if len(held) != 1 or not batch.floats or len(batch.given) != len(batch.floats):
                raise NotMeasured("inputs are not numbers alone, or the loss is not one comparison of a known kind")
            if len(held[0].target) != batch.many:
                raise NotMeasured("there is not one target a row")
            xs.append(torch.cat([each.float().reshape(batch.many, -1) for each in batch.floats], 1))
            found.append(held[0])
    if len({each.shape[1] for each in xs}) != 1 or xs[0].shape[1] > LARGEST:
        raise NotMeasured(f"rows differ in length, or hold more than {LARGEST} numbers")
    x = torch.cat(xs)
    y, outputs = _asked(found)
    values = found[0].kind == "values"
    scale = like or (
        x.mean(0),
        x.std(0),
        y.mean(0) if values else y.new_zeros(1),
        y.std(0) if values else y.new_ones(1),
    )
    x = torch.nan_to_num((x - scale[0]) / scale[1].clamp_min(1e-6)).clamp(-10, 10)
    return Rows(found[0].kind, x, (y - scale[2]) / scale[3].clamp_min(1e-12) if values else y, outputs, scale)


def probe_scores(case: Case, seen: Sequence[Batch], held: Sequence[Batch], hidden: bool = True) -> tuple[float, float]:
    """What the plain network (or, not `hidden`, a linear model) scores on the rows it was trained on, and on others.

    Scores are those of `skill`: the share of right answers, or of the variance. NaN where there are no other rows.
    """
    name = f"probe {hidden}"
    if name not in case.kept:
        case.kept[name] = _trained(case, seen, held, hidden)
    scores: tuple[float, float] = case.kept[name]
    return scores


def _trained(case: Case, seen: Sequence[Batch], held: Sequence[Batch], hidden: bool) -> tuple[float, float]:
    plain = rows_of(case, seen)
    other = rows_of(case, held, plain.scale) if held else None
    model = _fitted(plain, hidden)
    with torch.no_grad():
        scores = [_score(plain.kind, model(each.x), each.y) if each else float("nan") for each in (plain, other)]
    return scores[0], scores[1]


def crossfitted(case: Case, batches: Sequence[Batch]) -> float:
    """What the plain network scores on rows that it was not trained on, each row once (five folds)."""
    rows = rows_of(case, batches)
    order = torch.randperm(len(rows.x), generator=torch.Generator().manual_seed(0)).to(rows.x.device)
    out = rows.x.new_zeros(len(rows.x), rows.outputs)
    for fold in range(FOLDS):
        held = order[fold::FOLDS]
        kept = torch.ones(len(rows.x), dtype=torch.bool, device=rows.x.device)
        kept[held] = False
        with torch.no_grad():
            out[held] = _fitted(replace(rows, x=rows.x[kept], y=rows.y[kept]), hidden=True)(rows.x[held])
    return _score(rows.kind, out, rows.y)


def _fitted(plain: Rows, hidden: bool) -> nn.Module:
    width = plain.x.shape[1]
    layers = [nn.Linear(width, WIDTH), nn.ReLU(), nn.Linear(WIDTH, plain.outputs)]
    state = torch.get_rng_state()
    torch.manual_seed(0)
    model = nn.Sequential(*(layers if hidden else [nn.Linear(width, plain.outputs)])).to(plain.x.device)
    optimizer = torch.optim.AdamW(model.parameters(), RATE if hidden else 10 * RATE, weight_decay=DECAY)
    with torch.enable_grad():
        for _ in range(STEPS):
            chosen = torch.randint(len(plain.x), (min(256, len(plain.x)),)).to(plain.x.device)
            optimizer.zero_grad()
            _loss(plain.kind, model(plain.x[chosen]), plain.y[chosen]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    torch.set_rng_state(state)
    return model


def _asked(found: list[Term]) -> tuple[Tensor, int]:
    if found[0].codes.numel():
        if found[0].target.dim() != 1:
            raise NotMeasured("there is not one class a row")
        return torch.cat([term.codes for term in found]), found[0].logits.shape[1]
    y = torch.cat([term.target.float().reshape(len(term.target), -1) for term in found])
    if found[0].kind == "class logits":
        return y.argmax(1), y.shape[1]
    return y, y.shape[1]


def _loss(kind: str, out: Tensor, y: Tensor) -> Tensor:
    if y.dim() == 1:
        return F.cross_entropy(out, y)
    if kind == "values":
        return F.mse_loss(out, y)
    return F.binary_cross_entropy_with_logits(out, y)


def _score(kind: str, out: Tensor, y: Tensor) -> float:
    if y.dim() == 1:
        return float((out.argmax(1) == y).float().mean())
    if kind == "values":
        return 1 - float((out - y).square().mean() / y.var(unbiased=False).clamp_min(1e-12))
    return float(((out > 0) == (y > 0.5)).float().mean())
