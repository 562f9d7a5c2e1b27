"""Do the same inputs have other targets? What knowing the target adds to telling two sources apart by their inputs."""

import numpy as np
from scipy import stats

from steelyard.data.split import Protocol
from steelyard.diagnosis.shift.features import Features
from steelyard.diagnosis.shift.two_sample import FOLDS, TREES, Z, gained, told_apart

Array = np.ndarray
CALIPER = 0.02  # spreads of the target: as near are values that count as the same


def relation_shift(
    features: Features, domain: Array, groups: Array, target: Array, classes: int, seed: int
) -> tuple[float, float, float]:
    """What the target adds to the AUC beyond the inputs and what they say of the target, 95 %.

    Both models know what a quick model of all rows says of the target out of fold: else the target would help by
    summing up the inputs.
    """
    said = _said(features.matrix, groups, target, classes, seed)
    known = features.with_column("\0said", said)
    if classes:
        hot = np.eye(classes)[target.astype(np.int64)]
        more = known.with_column("\0target", hot - said)
    else:
        more = known.with_column("\0target", target - said[:, 0])
    one, other = (told_apart(each.matrix, domain, groups, seed) for each in (known, more))
    gain, error = gained(one, other)
    return gain, gain - Z * error, gain + Z * error


def _said(matrix: Array, groups: Array, target: Array, classes: int, seed: int) -> Array:
    """What boosted trees say of the target out of fold: probabilities (n, classes), or values (n, 1)."""
    deal = Protocol("folds", FOLDS, seed, np.zeros(len(target), np.int64), groups)
    task = "regression" if not classes else "binary" if classes == 2 else "multiclass"
    found = np.zeros((len(target), max(1, classes)))
    for number in range(FOLDS):
        learnt, held = deal.split(0, number)
        y = target[learnt].astype(np.int64) if classes else target[learnt]
        found[held] = TREES.fit(matrix[learnt], y, task, classes, seed).predict(matrix[held]).reshape(len(held), -1)
    return found


def p_of(gain: tuple[float, float, float]) -> float:
    """The one-sided p-value of a gain with its 95 % interval."""
    if gain[2] <= gain[1]:
        return 1.0
    return float(stats.norm.sf(gain[0] / ((gain[2] - gain[1]) / (2 * Z))))


def alike(target: Array, domain: Array, classes: bool, seed: int) -> Array:
    """Sorted rows whose targets are the same in both sources: as many of each class, or pairs of near values."""
    stream = np.random.default_rng(seed)
    order = stream.permutation(len(target))
    one, other = (order[domain[order] == side] for side in (0, 1))
    found: list[Array] = []
    if classes:
        for code in np.unique(target):
            sides = [rows[target[rows] == code] for rows in (one, other)]
            least = min(map(len, sides))
            found += [side[:least] for side in sides]
        return np.sort(np.concatenate(found))
    one, other = (rows[np.argsort(target[rows], kind="stable")] for rows in (one, other))
    reach = CALIPER * float(target.std())
    i = j = 0
    pairs: list[int] = []
    while i < len(one) and j < len(other):
        gap = target[one[i]] - target[other[j]]
        if abs(gap) <= reach:
            pairs += [int(one[i]), int(other[j])]
            i, j = i + 1, j + 1
        elif gap < 0:
            i += 1
        else:
            j += 1
    return np.array(sorted(pairs), np.int64)
