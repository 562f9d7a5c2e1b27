"""Covariate shift, label shift, both, or another relation of inputs and target: what two sources differ in.

Terms: Moreno-Torres et al. 2012, "A unifying view on dataset shift in classification".
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from steelyard.diagnosis.shift.features import Features
from steelyard.diagnosis.shift.relation import alike, p_of, relation_shift
from steelyard.diagnosis.shift.tells import holm
from steelyard.diagnosis.shift.two_sample import Separation, Z, separation, told_apart

Array = np.ndarray
Verdict = Literal[
    "no shift seen", "inputs differ", "covariate shift", "label shift", "covariate and label shift", "relation shift"
]
SURE, FEWEST = 0.05, 20  # of the tests together; rows of a side to ask more
MATTERS = 0.005  # a gain in AUC below this says nothing about the relation


@dataclass(frozen=True)
class Share:
    """A class and its share in both sources, each with a 95 % interval of the difference (second less first)."""

    name: str
    first: float
    second: float
    low: float
    high: float


@dataclass(frozen=True)
class TargetShift:
    """Whether the target itself differs, and what follows from it.

    `p` is of its distribution (chi-square of classes; Kolmogorov-Smirnov of values) with `effect` (the shares that
    would have to move, or the distance); `shares` are of classes, `middles` the medians of values. `within` is how well
    inputs tell the sources apart among rows with the same targets: None where too few are alike. `relation` is what
    knowing the target adds to that AUC with its 95 % interval, `raw_relation` the same over all rows. A mere covariate
    shift leaves the targets of the same inputs as they were, so that it shows among rows with the same targets only; a
    mere label shift shows over all rows only: where both are more than nothing, the same inputs have other targets.
    """

    p: float
    effect: float
    shares: tuple[Share, ...]
    middles: tuple[float, float] | None
    within: Separation | None
    relation: tuple[float, float, float] | None
    raw_relation: tuple[float, float, float]


def target_shift(
    features: Features, domain: Array, groups: Array, target: Array, classes: tuple[str, ...], seed: int
) -> TargetShift:
    """How the targets (n,), codes of classes or values, of two sources differ, and how inputs go with them."""
    p, effect = _of_classes(target, domain, len(classes)) if classes else _of_values(target, domain)
    shares = tuple(_share(name, target == code, domain) for code, name in enumerate(classes))
    sides = [target[domain == side] for side in (0, 1)]
    middles = None if classes else (float(np.median(sides[0])), float(np.median(sides[1])))
    rows = alike(target, domain, bool(classes), seed)
    within, relation = None, None
    if len(rows) >= 2 * FEWEST:
        part = features.take(rows)
        told = told_apart(part.matrix, domain[rows], groups[rows], seed)
        within = separation(told)
        relation = relation_shift(part, domain[rows], groups[rows], target[rows], len(classes), seed)
    raw = relation_shift(features, domain, groups, target, len(classes), seed)
    return TargetShift(p, effect, shares, middles, within, relation, raw)


def verdict(inputs: Separation, target: TargetShift | None) -> Verdict:
    """What is seen, in a word; inputs, target and relation are tested together (Holm), so that 5 % covers all.

    A relation shift must show both over all rows and among rows with the same targets. Where the target moved and
    knowing it adds to the inputs, inputs moved on their own account as well ("covariate and label shift"); where it
    adds nothing, the inputs explain it ("covariate shift").
    """
    if target is None:
        return "inputs differ" if inputs.seen else "no shift seen"
    known = [gain for gain in (target.relation, target.raw_relation) if gain is not None]
    matters = all(gain[0] > MATTERS for gain in known)
    of_inputs, of_target, of_relation = holm([inputs.p, target.p, max(map(p_of, known))])
    moved, other = of_target < SURE, of_relation < SURE and matters
    if not (of_inputs < SURE or moved or other):
        return "no shift seen"
    if other:
        return "relation shift"
    conditional = target.within is None or target.within.seen
    if moved and not conditional:
        return "label shift"
    if moved and of_inputs < SURE and target.raw_relation[1] > 0 and target.raw_relation[0] > MATTERS:
        return "covariate and label shift"
    return "covariate shift" if of_inputs < SURE else "label shift"


def _of_classes(target: Array, domain: Array, classes: int) -> tuple[float, float]:
    counts = np.array([np.bincount(target[domain == side].astype(np.int64), minlength=classes) for side in (0, 1)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    moved = float(np.abs(shares[0] - shares[1]).sum() / 2)
    there = counts[:, counts.sum(axis=0) > 0]
    return (float(stats.chi2_contingency(there, correction=False).pvalue) if there.shape[1] > 1 else 1.0), moved


def _of_values(target: Array, domain: Array) -> tuple[float, float]:
    found = stats.ks_2samp(target[domain == 0], target[domain == 1], method="asymp")
    return float(found.pvalue), float(found.statistic)


def _share(name: str, has: Array, domain: Array) -> Share:
    sides = [has[domain == side] for side in (0, 1)]
    first, second = (float(side.mean()) for side in sides)
    error = Z * np.sqrt(sum(s * (1 - s) / len(side) for s, side in zip((first, second), sides, strict=True)))
    return Share(name, first, second, float(second - first - error), float(second - first + error))
