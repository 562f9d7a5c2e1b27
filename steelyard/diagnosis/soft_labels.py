"""The Bayes error from soft labels: how often the likeliest class is not the one that is drawn.

Source: Ishida, Yamane, Charoenphakdee, Niu and Sugiyama 2023, "Is the performance of my deep network too good to be
true? A direct approach to estimating the Bayes error in binary classification" (arXiv 2202.00395), for more classes.
"""

import numpy as np

from steelyard.diagnosis.votes import errors_by_class, mean_error, single_errors
from steelyard.problem import Score

Array = np.ndarray


def from_probabilities(soft: Array) -> Score:
    """The mean of 1 - max p over rows of class probabilities (n, classes)."""
    return mean_error(1 - soft.max(axis=1))


def from_counts(counts: Array) -> tuple[Score, Score]:
    """What lies below and what lies above, on the average, from counts (n, classes) of labels with a few for each row.

    The largest share of a few labels is larger than that of all would be, so 1 less it is too small. Choosing the
    class without one label, and asking whether it is that label's, errs the other way: the class may be another one.
    """
    kept = counts[counts.sum(axis=1) > 1]
    plain = 1 - kept.max(axis=1) / kept.sum(axis=1)
    return mean_error(plain), mean_error(single_errors(kept, errors_by_class(kept, None)))
