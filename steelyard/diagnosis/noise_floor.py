"""The noise floor of a regression: how far values of rows with the same inputs lie apart."""

import numpy as np

from steelyard.diagnosis.near_pairs import intercept, intercepts, means_drawn, pairs_of, sample
from steelyard.problem import Score

Array = np.ndarray
LEAST = 30  # rows from which there is something to say


def noise_floor(features: Array, truth: Array, seed: int = 0) -> Score | None:
    """The RMSE of the best rule in a space (n, d) for values (n,); None where there are too few rows.

    The value is the Gamma test's, 0 where its line meets zero at or below the axis. Differences may grow with the
    squared distance, where all is smooth and neighbours near, or faster at first; so the interval reaches from the
    lower end of a line over plain distances, which falls too low, to the upper end of the nearest neighbours' own.
    """
    if len(truth) < LEAST:
        return None
    rows = sample(len(truth), seed)
    far, apart = pairs_of(np.asarray(features, dtype=float)[rows], truth[rows, None])
    value = intercept((far**2).mean(axis=0), apart.mean(axis=0))
    plain, nearby = intercepts(far, apart, seed), means_drawn(apart[:, :1], seed)[:, 0]
    low, high = float(np.percentile(plain, 2.5)), float(np.percentile(nearby, 97.5))
    ends = (value, min(low, value), max(high, value))
    rooted = [float(np.sqrt(max(0.0, each))) for each in ends]
    return Score(rooted[0], rooted[1], rooted[2], len(rows))
