"""How inputs of two sides differ: columns that are shifted, stand in another order, or were standardised alone.

Differences of means are counted in their standard errors, so that few rows accuse nobody.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

CERTAIN = 6.0  # standard errors
AWAY, TIMES = 0.5, 2.0  # spreads between the means of a column; ratio of its spreads
OTHER, LIKE = 36.0, 12.0  # squared standard errors between two columns in any sign: not the same; as good as the same
TURNED, UPRIGHT = 12.0, 3.0  # mean squared standard errors over the places of pictures
FEW = 30  # rows of a side
OWN = 0.02  # of the standard error of a mean: nearer to zero on dev than chance would ever bring all columns


def shifted(train: Tensor, dev: Tensor, times: float = TIMES) -> Tensor:
    """Which columns of (rows, columns) have another mean or spread, beyond sampling error and by much."""
    n, m = len(train), len(dev)
    means = [side.mean(0) for side in (train, dev)]
    spreads = [side.std(0) for side in (train, dev)]
    apart = (means[0] - means[1]).abs()
    error = (spreads[0] ** 2 / n + spreads[1] ** 2 / m).sqrt()
    moved = (apart > CERTAIN * error) & (apart > AWAY * torch.maximum(*spreads))
    heavy = [
        ((side - c) ** 4).mean(0) / s.clamp(min=1e-12) ** 4
        for side, c, s in zip((train, dev), means, spreads, strict=True)
    ]
    ratio = (spreads[1].clamp(min=1e-12) / spreads[0].clamp(min=1e-12)).log().abs()
    doubt = ((heavy[0] - 1).clamp(min=1) / (4 * n) + (heavy[1] - 1).clamp(min=1) / (4 * m)).sqrt()
    both = (spreads[0] > 0) & (spreads[1] > 0)
    return moved | (both & (ratio > math.log(times)) & (ratio > CERTAIN * doubt))


def signs(columns: Tensor, groups: Tensor, many: int) -> Tensor:
    """What tells columns (rows, columns) from one another, (rows, columns, signs): powers, value by group."""
    x, by_group = columns[:, :, None], F.one_hot(groups, many).float()
    return torch.cat([x, x**2, x.clamp(-5, 5) ** 3, x * by_group[:, None]], 2)


def distances(train: Tensor, dev: Tensor) -> Tensor:
    """Squared standard errors between every column of train and every one of dev, of the sign that differs most.

    Both are (rows, columns, signs). Variances are pooled: a rare value that one side lacks would have none there.
    """
    n, m = len(train), len(dev)
    apart = (train.mean(0)[:, None] - dev.mean(0)[None]) ** 2
    pooled = (n * train.var(0)[:, None] + m * dev.var(0)[None]) / (n + m)
    return (apart / (pooled * (1 / n + 1 / m)).clamp(min=1e-12)).amax(2)


def reordered(train: Tensor, dev: Tensor) -> dict[int, int] | None:
    """Columns of dev that stand where train has others, {place in dev: place in train}; None where they do not."""
    far = distances(train, dev)
    bad = [place for place in range(len(far)) if far[place, place] > OTHER]
    best = {place: int(far[:, place].argmin()) for place in bad}
    good = {place: origin for place, origin in best.items() if far[origin, place] < LIKE and origin != place}
    if len(bad) < 2 or len(good) < 0.8 * len(bad) or len(set(good.values())) < len(good):
        return None
    return good


def turned(train: Tensor, dev: Tensor, groups: tuple[Tensor, Tensor]) -> str | None:
    """Which turn or mirroring makes pictures (rows, channels, side, side) of dev like those of train, if any."""
    many = 1 + int(max(each.max() for each in groups))
    small = [F.adaptive_avg_pool2d(side.float(), 8) for side in (train, dev)]

    def far(other: Tensor) -> float:
        sides = [signs(s.reshape(len(s), -1), g, many) for s, g in zip((small[0], other), groups, strict=True)]
        return float(distances_of_same(*sides))

    here = far(small[1])
    if here < TURNED:
        return None
    ways = {"mirrored": (3,), "upside down": (2,), "turned by 180°": (2, 3)}
    others = {name: small[1].flip(axes) for name, axes in ways.items()}
    others |= {"transposed": small[1].transpose(2, 3), "turned by 90°": small[1].rot90(1, (2, 3))}
    others |= {"turned by 270°": small[1].rot90(3, (2, 3))}
    name, least = min(((name, far(each)) for name, each in others.items()), key=lambda pair: pair[1])
    return name if least < UPRIGHT else None


def distances_of_same(train: Tensor, dev: Tensor) -> Tensor:
    """Mean squared standard errors between columns at the same places, both (rows, columns, signs)."""
    n, m = len(train), len(dev)
    error = (n * train.var(0) + m * dev.var(0)) / (n + m) * (1 / n + 1 / m)
    apart = (train.mean(0) - dev.mean(0)) ** 2
    return (apart[error > 1e-12] / error[error > 1e-12]).mean()


def standardised_alone(train: Tensor, dev: Tensor) -> bool:
    """Whether all columns of dev have mean 0 and spread 1 to a precision that only their own statistics give."""
    moving = dev[:, dev.std(0) > 0]
    if moving.shape[1] < 3 or len(dev) < FEW or len(train) == len(dev):
        return False
    root = math.sqrt(len(dev))
    ones = torch.minimum((moving.std(0) - 1).abs(), (moving.std(0, correction=0) - 1).abs())
    return bool((moving.mean(0).abs() * root < OWN).all()) and bool((ones * root < 2 * OWN).all())
