"""A linear support vector machine for many sparse features, such as the words of a text."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from steelyard.classical.dummy import Dummy
from steelyard.classical.fitted import FittedEstimator, row_weights, softmax, training
from steelyard.classical.linear import FittedLinear, Linear
from steelyard.knobs import knob
from steelyard.parts import Estimator

Array = np.ndarray
HELD = 0.2  # of the rows, on which it is measured how sure a margin is
SHARPEST = 20.0
ADDED = 0.1  # to the sums of a feature over the rows of a class


@dataclass(frozen=True)
class LinearSvm(Estimator):
    """One class against the rest by squared hinge loss; margins become probabilities by a softmax.

    Its sharpness is the one of the smallest log loss on a fifth of the rows that a first fit has not seen (Guo et al.
    2017, "temperature scaling", section 4.2, arXiv 1706.04599). `l2` is the weight of half the squared norm of the
    coefficients against the sum of the losses: scikit-learn's 1/C.
    `naive_bayes` > 0 multiplies every feature by the size of the log of the ratio of its sums in the class and in the
    rest to that power: at 1 it is Wang & Manning 2012, "Baselines and Bigrams", section 2.3.
    `class_weights` in 0..1 weighs a row of class k by count_k^-class_weights, with mean 1.
    """

    wants: ClassVar[str] = "tfidf"
    l2: float = knob(2.0, 1e-6, 1e6)
    naive_bayes: float = knob(0.0, 0.0, 1.0)
    class_weights: float = knob(0.0, 0.0, 1.0)

    def fit(
        self,
        x: Any,
        y: Array,
        task: str,
        classes: int,
        seed: int,
        categorical: Sequence[int] = (),
        weights: Array | None = None,
    ) -> FittedEstimator:
        """The model fitted on a sparse or dense matrix (n, features) without missing values; values get a ridge."""
        if task == "regression":
            return Linear(l2=self.l2).fit(x, y, task, classes, seed, weights=weights)
        weighted = row_weights(y, task, self.class_weights, weights)
        if len(np.unique(y)) == 1:
            return Dummy().fit(x, y, task, classes, seed, weights=weighted)
        x = x.astype(np.float64)
        with training():
            sharpness = self._sharpness(x, y, classes, seed, weighted)
            coef, bias = self._margins(x, y, classes, seed, weighted)
        return FittedLinear(coef * sharpness, bias * sharpness, classes)

    def _margins(self, x: Any, y: Array, classes: int, seed: int, weights: Array | None) -> tuple[Array, Array]:
        """Weights (features, classes) and biases of the margins; a class that is absent has the bias -inf."""
        seen = np.unique(y)
        coef, bias = np.zeros((x.shape[1], classes)), np.full(classes, -np.inf)
        for k in seen[1:] if len(seen) == 2 else seen:
            scale = self._scale(x, y == k)
            fitted = _machine(x if scale is None else _scaled(x, scale), y == k, weights, self.l2, seed)
            coef[:, k] = fitted.coef_[0] if scale is None else fitted.coef_[0] * scale
            bias[k] = fitted.intercept_[0]
        if len(seen) == 2:  # the margin of one class against that of the other at zero
            bias[seen[0]] = 0.0
        return coef, bias

    def _scale(self, x: Any, inside: Array) -> Array | None:
        """What every feature is multiplied by, with a mean square of about 1 over what the rows hold."""
        if not self.naive_bayes:
            return None
        ours, others = (np.asarray(abs(x[rows]).sum(axis=0)).ravel() + ADDED for rows in (inside, ~inside))
        ratio = np.log(ours / ours.sum()) - np.log(others / others.sum())
        scale = np.abs(ratio) ** self.naive_bayes
        carried = np.asarray(x.multiply(x).sum(axis=0) if hasattr(x, "multiply") else (x * x).sum(axis=0)).ravel()
        return np.asarray(scale / np.sqrt((carried * scale**2).sum() / max(carried.sum(), 1e-12) or 1.0))

    def _sharpness(self, x: Any, y: Array, classes: int, seed: int, weights: Array | None) -> float:
        """By what margins are multiplied before the softmax."""
        from scipy.optimize import minimize_scalar

        order = np.random.default_rng(seed).permutation(len(y))
        held, kept = np.split(order, [max(1, round(HELD * len(y)))])
        held = held[np.isin(y[held], y[kept])]
        if len(np.unique(y[kept])) < 2 or not len(held):
            return 1.0
        coef, bias = self._margins(x[kept], y[kept], classes, seed, None if weights is None else weights[kept])
        margins = np.asarray(x[held] @ coef + bias)
        share = None if weights is None else weights[held]

        def loss(log: float) -> float:
            right = softmax(margins * np.exp(log))[np.arange(len(held)), y[held]]
            return float(np.average(-np.log(np.maximum(right, 1e-12)), weights=share))

        found = minimize_scalar(loss, bounds=(np.log(1 / SHARPEST), np.log(SHARPEST)), method="bounded")
        return float(np.exp(found.x))


def _machine(x: Any, inside: Array, weights: Array | None, l2: float, seed: int) -> Any:
    """A fitted machine; more passes over the rows than it takes would change little, so that it need not say so."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine = LinearSVC(C=1 / l2, dual=True, random_state=seed % 2**31, max_iter=1000)
        return machine.fit(x, inside, sample_weight=weights)


def _scaled(x: Any, scale: Array) -> Any:
    from scipy import sparse

    return (x @ sparse.diags(scale)).tocsr() if sparse.issparse(x) else x * scale
