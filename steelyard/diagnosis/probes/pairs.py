"""Pairs of numbers that give the target away: their sum, difference, product or ratio is the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import rankdata

from steelyard.diagnosis.probes.losses import Rows

Array = np.ndarray
PERFECT = 0.999  # R² of values, or AUC of two classes, from which a combination knows the answer
ALONE = 0.98  # the R² or AUC of one of both from which the pair adds nothing
EXACT, WITHIN = 0.999, 1e-9  # share of rows in which the target is the combination, up to so much of its size
WIDEST, LONGEST = 40, 5_000  # number columns and rows that are tried, at the most
FEWEST = 30  # rows with both numbers; of each class


@dataclass(frozen=True)
class PairFound:
    """Two columns, the word for what is made of them (`a + b`), how well that does, and whether it is exactly so."""

    columns: tuple[str, str]
    formula: str
    measure: str  # R² or AUC
    value: float
    exact: bool


COMBINED: dict[str, Callable[[Array, Array], Array]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "×": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def pairs_that_know(rows: Rows) -> list[PairFound]:
    """Pairs of number columns of which a combination nearly is the target, while neither of both is; best first."""
    if rows.classes > 2 or rows.data.frame is None:
        return []
    names = [column.name for column in rows.data.schema.columns if column.kind == "number"][:WIDEST]
    values = rows.data.frame[names].to_numpy(np.float64)[:LONGEST]
    truth = rows.truth[:LONGEST].astype(np.float64)
    score = _auc if rows.classes else _r2
    singles = [score(values[:, place], truth) for place in range(len(names))]
    found = []
    for i, j in combinations(range(len(names)), 2):
        if max(singles[i], singles[j]) >= ALONE:
            continue
        best = max((_scored(values[:, i], values[:, j], sign, truth, score) for sign in COMBINED), key=lambda s: s[0])
        if best[0] >= PERFECT:
            found.append(_described(names[i], names[j], best[1], best[0], values[:, [i, j]], truth, rows.classes))
    return sorted(found, key=lambda pair: (not pair.exact, -pair.value))


def _scored(
    one: Array, other: Array, sign: str, truth: Array, score: Callable[[Array, Array], float]
) -> tuple[float, str]:
    with np.errstate(all="ignore"):
        return score(COMBINED[sign](one, other), truth), sign


def _r2(values: Array, truth: Array) -> float:
    """The squared correlation of values and target where both are known."""
    known = np.isfinite(values)
    if known.sum() < max(FEWEST, 0.9 * len(values)):
        return 0.0
    x, y = values[known], truth[known]
    x, y = x - x.mean(), y - y.mean()
    scale = float((x**2).sum() * (y**2).sum())
    return float((x * y).sum() ** 2 / scale) if np.isfinite(scale) and scale > 0 else 0.0


def _auc(values: Array, truth: Array) -> float:
    """The probability that a row of the one class lies above one of the other, or below, whichever is more."""
    known = np.isfinite(values)
    x, y = values[known], truth[known] > 0
    up, down = int(y.sum()), int((~y).sum())
    if min(up, down) < FEWEST or known.sum() < 0.9 * len(values):
        return 0.0
    area = (rankdata(x)[y].sum() - up * (up + 1) / 2) / (up * down)
    return float(max(area, 1 - area))


def _described(one: str, other: str, sign: str, value: float, values: Array, truth: Array, classes: int) -> PairFound:
    combined = COMBINED[sign](values[:, 0], values[:, 1])
    near = np.abs(combined - truth) <= WITHIN * np.maximum(np.abs(truth), 1.0)
    flipped = sign == "-" and (np.abs(combined + truth) <= WITHIN * np.maximum(np.abs(truth), 1.0)).mean() >= EXACT
    exact = not classes and (bool(near.mean() >= EXACT) or flipped)
    first, second = (other, one) if flipped else (one, other)
    return PairFound((one, other), f"{first} {sign} {second}", "AUC" if classes else "R²", value, exact)
