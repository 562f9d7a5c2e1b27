"""The noise floor of a regression: how far values of rows with the same inputs lie apart.

Source: Stefánsson, Končar and Jones 1997, "A note on the Gamma test"; Evans and Jones 2002, "A proof of the Gamma
test". The variance of the noise is what half the squared difference between a row and its k-th neighbour tends to as
the squared distance between them goes to zero: the intercept of a line through the means for k = 1, 2, …
"""

import numpy as np

from steelyard.diagnosis.nearest import nearest, sample
from steelyard.problem import Score

Array = np.ndarray
NEIGHBOURS, LEAST, DRAWS = 10, 30, 400


def noise_floor(features: Array, truth: Array, seed: int = 0) -> Score | None:
    """The RMSE of the best rule in a space (n, d) for values (n,), with a bootstrap interval over rows.

    Of at most `MOST` rows; None where there are too few. 0 where the line meets zero at or below the axis.
    """
    if len(truth) < LEAST:
        return None
    rows = sample(len(truth), seed)
    x, y = np.asarray(features, dtype=float)[rows], truth[rows]
    near, distances = nearest(x, NEIGHBOURS)
    far, apart = distances**2, (y[near] - y[:, None]) ** 2 / 2
    random = np.random.default_rng(seed)
    weights = random.multinomial(len(y), np.full(len(y), 1 / len(y)), DRAWS) / len(y)
    drawn = [_intercept(w @ far, w @ apart) for w in weights]
    variances = [_intercept(far.mean(axis=0), apart.mean(axis=0)), *np.percentile(drawn, [2.5, 97.5])]
    value, low, high = (float(np.sqrt(max(0.0, each))) for each in variances)
    return Score(value, low, high, len(y))


def _intercept(far: Array, apart: Array) -> float:
    """The value at 0 of the line of least squares; the mean where all neighbours are equally far."""
    off = far - far.mean()
    spread = float((off**2).sum())
    if spread <= 1e-12 * max(float(far.mean()) ** 2, 1e-300):
        return float(apart.mean())
    return float(apart.mean() - far.mean() * (off * apart).sum() / spread)
