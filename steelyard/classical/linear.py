"""Linear models: logistic regression for classes, ridge regression for values."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steelyard.classical.dummy import Dummy
from steelyard.classical.fitted import FittedEstimator, row_weights, softmax, training
from steelyard.knobs import knob
from steelyard.parts import Estimator

Array = np.ndarray

# Newton steps solve a system of features x classes unknowns: fewest seconds up to about this many, then L-BFGS.
NEWTON_UNKNOWNS = 600


@dataclass(frozen=True, eq=False)
class FittedLinear:
    """Weights (features, outputs) and bias (outputs,); a class absent from training has bias -inf."""

    form: ClassVar[str] = "linear"
    types: ClassVar[dict[str, str]] = {"weights": "float64", "bias": "float64"}
    weights: Array
    bias: Array
    classes: int  # 0 in regression

    def check(self) -> None:
        """Raise ValueError when the arrays do not fit together."""
        if self.weights.ndim != 2 or self.bias.shape != self.weights.shape[1:]:
            raise ValueError("a linear model needs weights (features, outputs) and a bias (outputs,)")
        if self.weights.shape[1] != max(self.classes, 1):
            raise ValueError("a linear model needs one output per class")

    def predict(self, x: Array) -> Array:
        """Probabilities float32 (n, classes) or values float64 (n,)."""
        outputs = x @ self.weights + self.bias
        return softmax(outputs).astype(np.float32) if self.classes else outputs[:, 0]


@dataclass(frozen=True)
class Linear(Estimator):
    """Logistic regression (multinomial) or ridge regression, the bias left free.

    `l2` is the weight of half the squared norm (logistic) or the squared norm (ridge) of the coefficients against the
    sum of the losses: scikit-learn's 1/C and alpha. `class_weights` in 0..1 weighs a row of class k by
    count_k^-class_weights, with mean 1.
    """

    wants: ClassVar[str] = "onehot"
    l2: float = knob(1.0, 1e-6, 1e6)
    class_weights: float = knob(0.0, 0.0, 1.0)

    def fit(
        self,
        x: Array,
        y: Array,
        task: str,
        classes: int,
        seed: int,
        categorical: Sequence[int] = (),
        weights: Array | None = None,
    ) -> FittedEstimator:
        """The model fitted on a scaled matrix (n, features), dense or sparse, without missing values."""
        x = x.astype(np.float64)
        weighted = row_weights(y, task, self.class_weights, weights)
        with training():
            if task == "regression":
                return _ridge(x, y, self.l2, weighted)
            if len(np.unique(y)) == 1:
                return Dummy().fit(x, y, task, classes, seed, weights=weighted)
            return _logistic(x, y, self.l2, weighted, classes, seed)


def _ridge(x: Array, y: Array, l2: float, weights: Array | None) -> FittedLinear:
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=l2).fit(x, y, sample_weight=weights)
    return FittedLinear(model.coef_.reshape(-1, 1), np.atleast_1d(np.float64(model.intercept_)), 0)


def _logistic(x: Array, y: Array, l2: float, weights: Array | None, classes: int, seed: int) -> FittedLinear:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    seen = np.unique(y)
    unknowns = x.shape[1] * (len(seen) if len(seen) > 2 else 1)
    solver = "newton-cholesky" if unknowns <= NEWTON_UNKNOWNS else "lbfgs"
    with warnings.catch_warnings():  # 300 steps of L-BFGS on scaled inputs end where further ones change no score
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=1 / l2, solver=solver, max_iter=300).fit(x, y, sample_weight=weights)
    coef, bias = model.coef_, model.intercept_
    if len(seen) == 2:  # the log-odds of the second class against a first class at zero
        coef, bias = np.vstack([np.zeros_like(coef), coef]), np.array([0.0, bias[0]])
    wide, offsets = np.zeros((x.shape[1], classes)), np.full(classes, -np.inf)
    wide[:, seen], offsets[seen] = coef.T, bias
    return FittedLinear(wide, offsets, classes)
