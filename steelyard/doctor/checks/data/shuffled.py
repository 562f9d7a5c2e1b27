"""Train rows that come in an order.

A batch of one class teaches to say that class; the next one unteaches it. Stochastic gradients are meant for rows in
random order (Bottou 2012, "Stochastic Gradient Descent Tricks", section 5.1). How much labels vary within batches is
held against the same labels shuffled, so that small batches are judged fairly.

Broken: `DataLoader(data, batch_size=32)`. Mended: `DataLoader(data, batch_size=32, shuffle=True)`.
"""

import torch
from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import codes, spread, values

FEW = 0.5  # of how labels vary within batches of shuffled rows; samplers that draw some rows of each class stay above
ROWS, DRAWS = 48, 20  # rows at the least, and shuffles to compare with
SORTED = 0.9  # correlation of values with their place


@check(
    "SY103",
    "Train rows are not shuffled",
    "warning",
    means="each batch holds few classes, or values of one size, so that steps undo one another",
    treat="shuffle the train rows anew for every epoch (shuffle=True)",
)
def shuffled(case: Case) -> Saw | None:
    if len(case.batches) < 2 or case.rows < ROWS:
        raise NotMeasured(f"there are fewer than two train batches, or fewer than {ROWS} rows")
    sizes = [batch.many for batch in case.batches]
    labels = codes(case.batches)
    if labels is not None and len(torch.unique(labels)) <= max(2, len(labels) // 4):
        return _classes(labels, sizes, case)
    y = values(case.batches)
    if y is None or y.shape[1] != 1 or len(y) != sum(sizes):
        raise NotMeasured("there is not one target a row")
    return _values(y[:, 0], sizes, any(each.dim() > 2 for each in case.batches[0].given))


def _classes(labels: Tensor, sizes: list[int], case: Case) -> Saw | None:
    labels = torch.unique(labels, return_inverse=True)[1]
    if len(torch.unique(labels)) == 1:
        others = codes(spread(case, "train"))
        if others is None or len(torch.unique(others)) < 2:
            raise NotMeasured("the rows that were looked at have one class only")
        text = f"the first {len(labels)} rows have one class, and the data set {len(torch.unique(others))}"
        return Saw(text, {"rows": len(labels), "classes": len(torch.unique(others))})
    if max(sizes) == 1:  # neighbours stand for batches
        sizes = [4] * (len(labels) // 4) + [len(labels) % 4] * (len(labels) % 4 > 0)
    stream = torch.Generator().manual_seed(0)
    within = _within(labels, sizes)
    mixed = [_within(labels[torch.randperm(len(labels), generator=stream)], sizes) for _ in range(DRAWS)]
    usual = sum(mixed) / DRAWS
    if usual == 0 or within >= FEW * usual or within >= min(mixed):
        return None
    return Saw(
        f"labels within a batch vary {within / usual:.0%} as much as in shuffled rows",
        {"within": within, "shuffled": usual},
    )


def _within(labels: Tensor, sizes: list[int]) -> float:
    """The mean entropy of labels in a batch."""
    parts = torch.split(labels, sizes)
    return sum(_entropy(part) for part in parts) / len(parts)


def _values(y: Tensor, sizes: list[int], series: bool) -> Saw | None:
    if float(y.std()) == 0:
        raise NotMeasured("targets are constant")
    place = torch.arange(len(y)).float()
    rank = y.argsort().argsort().float()
    along = float(torch.corrcoef(torch.stack([place, rank]))[0, 1])
    parts = [part for part in torch.split(y, sizes) if len(part) > 1]
    within = sum(float((part - part.mean()).square().sum()) for part in parts)
    free = sum(len(part) - 1 for part in parts)
    ratio = within / free / float(y.var()) if free else 1.0
    if abs(along) >= SORTED:
        text = f"targets are sorted: their ranks go with their places by {along:+.2f}"
        return Saw(text, {"correlation": along}, "tip" if series else None)
    if ratio < FEW and len(parts) >= 4 and free >= ROWS:
        text = f"the variance of targets within batches is {ratio:.0%} of that over all rows"
        return Saw(text, {"ratio": ratio}, "tip")
    return None


def _entropy(labels: Tensor) -> float:
    shares = torch.bincount(labels.flatten()).float()
    shares = shares[shares > 0] / shares.sum()
    return float(-(shares * shares.log()).sum())
