"""How many labels are wrong, and how sure a model is, from its out-of-fold probabilities."""

import numpy as np

from steelyard.diagnosis.votes import mean_error
from steelyard.problem import Score
from steelyard.weighing.interval import wilson

Array = np.ndarray
COLD, HOT, STEP = -3.0, 3.0, 0.05  # logarithms of the temperatures that are looked at; a step to feel slopes by


def noise_rate(truth: Array, probabilities: Array) -> Score:
    """The share of labels that are wrong, by the confident joint of codes (n,) and probabilities (n, classes).

    A row counts for the likeliest class among those to which it is given at least the mean probability that rows of
    that label have; counts are scaled to the classes' sizes. The interval is Wilson's for the rows that
    count. Source: Northcutt, Jiang and Chuang 2021, "Confident learning: estimating uncertainty in dataset labels",
    section 3.1 (arXiv 1911.00068).
    """
    classes = probabilities.shape[1]
    sizes = np.bincount(truth, minlength=classes)
    means = [probabilities[truth == c, c].mean() if sizes[c] else np.inf for c in range(classes)]
    above = probabilities >= np.array(means)
    sure = above.any(axis=1)
    likeliest = np.where(above, probabilities, -1.0).argmax(axis=1)
    joint = np.zeros((classes, classes))
    np.add.at(joint, (truth[sure], likeliest[sure]), 1)
    if not joint.sum():
        return Score(0.0, 0.0, 1.0, 0)
    share, rows = _off_diagonal(joint, sizes), int(sure.sum())
    return Score(share, *wilson(share, rows), rows)


def doubt(truth: Array, probabilities: Array, seed: int = 0) -> Score:
    """The error a model expects of itself, the mean of 1 - max p (n, classes) after calibration.

    The probabilities of either half of the rows are brought to the temperature that fits the other half best (Guo,
    Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks", arXiv 1706.04599). The interval is over
    rows and counts that the temperature is not known exactly.
    """
    halves = np.random.default_rng(seed).permutation(len(truth)) % 2
    logits = np.log(np.clip(probabilities, 1e-12, 1.0))
    found, unsure = np.empty(len(truth)), 0.0
    for side in (0, 1):
        mine, other = halves == side, halves != side
        power, error = _temperature(logits[other], truth[other])
        found[mine], low, high = (_doubts(logits[mine], power + step) for step in (0.0, -STEP, STEP))
        slope = float(high.mean() - low.mean()) / (2 * STEP)
        unsure += (slope * error * mine.mean()) ** 2
    score = mean_error(found)
    low_end, high_end = (float(np.hypot(end - score.value, 1.96 * np.sqrt(unsure))) for end in (score.low, score.high))
    return Score(score.value, max(0.0, score.value - low_end), min(1.0, score.value + high_end), len(truth))


def _off_diagonal(joint: Array, sizes: Array) -> float:
    """The share of a joint (label, likely truth) off its diagonal, each label having its size."""
    of_label = joint.sum(axis=1)
    known = (of_label > 0) & (sizes > 0)
    wrong = 1 - np.diag(joint)[known] / of_label[known]
    return float((wrong * sizes[known]).sum() / sizes[known].sum()) if known.any() else 0.0


def _doubts(logits: Array, power: float) -> Array:
    """1 - max p (n,) at a temperature given as its logarithm."""
    return np.asarray(1 - _softmax(logits / np.exp(power)).max(axis=1))


def _temperature(logits: Array, truth: Array) -> tuple[float, float]:
    """The logarithm of the temperature at which the log loss is lowest, and its standard error by the curvature."""
    from scipy.optimize import minimize_scalar

    def loss(power: float) -> float:
        chosen = _softmax(logits / np.exp(power))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    power = float(minimize_scalar(loss, bounds=(COLD, HOT), method="bounded").x)
    curvature = (loss(power + STEP) - 2 * loss(power) + loss(power - STEP)) / STEP**2
    return power, float(1 / np.sqrt(max(curvature, 1e-3) * len(truth)))


def _softmax(logits: Array) -> Array:
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))
