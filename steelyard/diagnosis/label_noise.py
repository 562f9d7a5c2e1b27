"""How many labels are wrong, and how sure a model is, from its out-of-fold probabilities."""

import numpy as np

from steelyard.diagnosis.votes import mean_error
from steelyard.problem import Score
from steelyard.weighing.interval import wilson

Array = np.ndarray
COLD, HOT = -3.0, 3.0  # logarithms of the temperatures that are looked at


def noise_rate(truth: Array, probabilities: Array) -> Score:
    """The share of labels that are wrong, by the confident joint of codes (n,) and probabilities (n, classes).

    A row counts for the likeliest class among those to which it is given at least the mean probability that rows of
    that label have; counts are scaled to the classes' sizes. The interval is Wilson's for the rows that
    count.
    Source: Northcutt, Jiang and Chuang 2021, "Confident learning: estimating uncertainty in dataset labels",
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
    Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks", arXiv 1706.04599).
    """
    halves = np.random.default_rng(seed).permutation(len(truth)) % 2
    logits = np.log(np.clip(probabilities, 1e-12, 1.0))
    found = np.empty(len(truth))
    for side in (0, 1):
        mine, other = halves == side, halves != side
        cooled = _softmax(logits[mine] / _temperature(logits[other], truth[other]))
        found[mine] = 1 - cooled.max(axis=1)
    return mean_error(found)


def _off_diagonal(joint: Array, sizes: Array) -> float:
    """The share of a joint (label, likely truth) off its diagonal, each label having its size."""
    of_label = joint.sum(axis=1)
    known = (of_label > 0) & (sizes > 0)
    wrong = 1 - np.diag(joint)[known] / of_label[known]
    return float((wrong * sizes[known]).sum() / sizes[known].sum()) if known.any() else 0.0


def _temperature(logits: Array, truth: Array) -> float:
    """The temperature at which the log loss is lowest."""
    from scipy.optimize import minimize_scalar

    def loss(power: float) -> float:
        chosen = _softmax(logits / np.exp(power))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(COLD, HOT), method="bounded").x))


def _softmax(logits: Array) -> Array:
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))
