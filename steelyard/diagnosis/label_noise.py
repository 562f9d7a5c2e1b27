"""What is to be thought of every label of one target, by predictions of models that did not learn from its row.

Which labels are likely wrong, and how many, is said by confident learning (Northcutt, Jiang & Chuang 2021, "Confident
Learning: Estimating Uncertainty in Dataset Labels", JAIR 70, section 3, arXiv 1911.00068) as cleanlab does it; in which
order to look at them by how likely they are right (`training.label_noise`). A label that is given or not is two classes
of its own (Thyagarajan et al. 2022, arXiv 2211.13895). A value is likely wrong beyond a robust z-score of 3.5 (Iglewicz
& Hoaglin 1993, "How to Detect and Handle Outliers").
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from steelyard.errors import UserError
from steelyard.problem import Head
from steelyard.training.label_noise import chance_right

Array = np.ndarray
DRAWS = 200  # of the rows, for the interval of the share
FAR = 3.5  # robust z-score beyond which a value is likely wrong
NORMAL = 0.6745  # the median of the absolute value of a standard normal number


@dataclass(frozen=True)
class Judged:
    """Every label of one target: score (n,) in 0..1, what is suggested (n,), which are likely wrong (n,), the share."""

    score: Array
    suggested: Array
    wrong: Array
    share: tuple[float, float, float]


def judge(head: Head, given: Array, predicted: Array, seed: int = 0) -> Judged:
    """What is to be thought of labels `given` (n,): codes and probabilities (n, k), or values and values (n,)."""
    if not head.classes:
        return _values(given.astype(float), predicted.reshape(len(given)).astype(float), seed)
    probabilities = predicted.reshape(len(given), -1).astype(float)
    if probabilities.shape[1] == 1:  # a label: the probability of yes
        probabilities = np.hstack([1 - probabilities, probabilities])
    return _classes(given.astype(int), probabilities, seed)


def _classes(given: Array, probabilities: Array, seed: int) -> Judged:
    with _cleanlab():
        from cleanlab.filter import find_label_issues

    probabilities = np.clip(probabilities, 1e-9, None)
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    seen, codes = np.unique(given, return_inverse=True)  # cleanlab wants every class to have a row
    known = probabilities[:, seen] / probabilities[:, seen].sum(axis=1, keepdims=True)
    score = chance_right(given, probabilities)
    if len(seen) < 2:
        return Judged(score, given, np.zeros(len(given), bool), (0.0, 0.0, 0.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = np.asarray(find_label_issues(codes, known, n_jobs=1), bool)
    return Judged(score, probabilities.argmax(axis=1), wrong, _share(codes, known, seed))


def _share(codes: Array, probabilities: Array, seed: int) -> tuple[float, float, float]:
    """The share of wrong labels with its 95 % interval, by the confident joint of rows drawn anew within classes."""
    with _cleanlab():
        from cleanlab.count import compute_confident_joint

    random = np.random.default_rng([seed, 11])
    members = [np.flatnonzero(codes == k) for k in range(probabilities.shape[1])]

    def off(rows: Array) -> float:
        joint = compute_confident_joint(codes[rows], probabilities[rows])
        return 1 - float(np.trace(joint)) / float(joint.sum())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn = [off(np.concatenate([random.choice(m, len(m)) for m in members])) for _ in range(DRAWS)]
        share = off(np.arange(len(codes)))
    return share, min(share, float(np.quantile(drawn, 0.025))), max(share, float(np.quantile(drawn, 0.975)))


def _values(given: Array, predicted: Array, seed: int) -> Judged:
    with _cleanlab():
        from cleanlab.regression.rank import get_label_quality_scores

    away = np.abs(given - predicted - np.median(given - predicted))
    spread = float(np.median(away)) / NORMAL
    wrong = away > FAR * spread if spread > 0 else np.zeros(len(given), bool)
    unit = spread or 1.0  # so that several targets are ranked together
    score = np.asarray(get_label_quality_scores(given / unit, predicted / unit, method="residual"))
    random = np.random.default_rng([seed, 11])
    drawn = random.binomial(len(given), wrong.mean(), DRAWS) / len(given)
    ends = (float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975)))
    return Judged(score, predicted, wrong, (float(wrong.mean()), *ends))


def require_cleanlab() -> None:
    """Raise UserError where the library is not there."""
    with _cleanlab():
        import cleanlab  # noqa: F401


@contextmanager
def _cleanlab() -> Iterator[None]:
    """One line where the library is not there."""
    try:
        yield
    except ImportError as error:
        raise UserError(f"looking for label errors needs cleanlab ({error}): pip install steelyard[labels]") from error
