"""How far each example is missed, in the unit in which mistakes are counted, and the mean of that with its interval."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from steelyard.diagnosis.mistakes import missed
from steelyard.problem import Problem, Score
from steelyard.weighing.interval import effective, wilson

Array = np.ndarray
RATE = "error rate"
UNITS = {
    "regression": "mean absolute error",
    "multilabel": "share of rows with a wrong label",
    "multioutput": "mean error in spreads of the targets",
    "multitask": "mean error over the targets",
}


@dataclass(frozen=True, eq=False)
class Misses:
    """`loss` (n,), not negative, is what each example adds to the error; its mean, with `weights` (n,), is the error.

    Of classes and labels it is 1 for a mistake and 0 else; of values the distance; of several targets a mean over them.
    """

    unit: str
    loss: Array
    weights: Array | None = None

    def of(self, rows: Array) -> "Misses":
        """Those of some rows."""
        return Misses(self.unit, self.loss[rows], None if self.weights is None else self.weights[rows])

    @property
    def counted(self) -> bool:
        """Whether the error is a share of mistakes among examples that count alike."""
        return self.weights is None and bool(np.isin(self.loss, (0.0, 1.0)).all())

    @property
    def error(self) -> Score:
        """The error with its 95 % interval over the examples."""
        return mean_of(self.loss, self.weights)


def misses(problem: Problem, truth: Array, predictions: Array, weights: Array | None = None) -> Misses:
    """What each example adds to the error: `truth` (n,) or (n, targets), `predictions` as a model puts them out."""
    error, wrong = missed(problem, truth, predictions)
    if problem.task in {"regression", "multioutput", "multitask"}:
        return Misses(UNITS[problem.task], np.nan_to_num(error), weights)
    return Misses(UNITS.get(problem.task, RATE), wrong.astype(float), weights)


def mean_of(loss: Array, weights: Array | None = None, level: float = 0.05) -> Score:
    """A mean over examples (n,) with its interval of confidence 1 - level: Wilson's of a share, else Student's t.

    With weights a share has its effective number of examples, a mean its variance in linear form (Cochran 1977,
    "Sampling Techniques", section 6.3).
    """
    n = len(loss)
    mean = float(np.average(loss, weights=weights))
    if np.isin(loss, (0.0, 1.0)).all():
        return Score(mean, *wilson(mean, effective(weights, n), level), n)
    share = np.full(n, 1 / n) if weights is None else weights / weights.sum()
    spread = float(np.sqrt((share**2 * (loss - mean) ** 2).sum() * n / max(1, n - 1)))
    half = float(stats.t.isf(level / 2, max(1, n - 1))) * spread
    return Score(mean, mean - half, mean + half, n)
