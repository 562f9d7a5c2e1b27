"""How likely a given label is right: by what is predicted of its row, and by which classes are given for which.

The counts are those of confident learning (Northcutt, Jiang & Chuang 2021, "Confident Learning: Estimating Uncertainty
in Dataset Labels", JAIR 70, section 3.1, arXiv 1911.00068). Where they show that some classes are taken for others more
often than chance allows, Bayes' theorem weighs a prediction by them; where they do not, the order is that of the
predicted probability of the given label itself. Between the two they are shrunk as James and Stein do (1961, positive
part; Efron & Morris 1975, "Data Analysis Using Stein's Estimator", JASA 70).
"""

import numpy as np

Array = np.ndarray
RULED = 1e-3  # p-value below which wrong labels are taken to follow a rule


def chance_right(given: Array, predicted: Array) -> Array:
    """How likely each label (n,) of codes is right, 0..1, by probabilities (n, k) that were not learnt from its row."""
    p = np.clip(predicted.astype(float), 1e-9, None)
    p = p / p.sum(axis=1, keepdims=True)
    seen = np.unique(given)
    codes, known = np.searchsorted(seen, given), p[:, seen] / p[:, seen].sum(axis=1, keepdims=True)
    rates = rates_of(confident_counts(codes, known))
    if rates is None:
        return np.asarray(p[np.arange(len(given)), given])
    joint = known * rates[codes]
    return np.asarray(joint[np.arange(len(codes)), codes] / joint.sum(axis=1))


def confident_counts(given: Array, predicted: Array) -> Array:
    """How many rows of each given class (row) confidently belong to each class (column): int (k, k).

    A row confidently belongs to a class whose probability reaches the mean one among the rows that are given it; of
    several to the likeliest.
    """
    classes = predicted.shape[1]
    usual = np.array([predicted[given == k, k].mean() for k in range(classes)])
    reached = np.where(predicted >= usual - 1e-6, predicted, -1.0)
    sure = reached.max(axis=1) >= 0
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (given[sure], reached[sure].argmax(axis=1)), 1)
    return counts


def rates_of(counts: Array) -> Array | None:
    """How often a class (column) is given as each class (row), from confident counts; None where chance explains them.

    That is where the counts off the diagonal look like wrong labels that are spread evenly (chi-squared test).
    """
    from scipy.stats import chi2

    classes, total = len(counts), counts.sum(axis=0)
    if classes < 2 or not total.all():
        return None
    off = ~np.eye(classes, dtype=bool)
    share = counts[off].sum() / counts.sum()
    if not 0 < share < 1:
        return None
    expected = np.broadcast_to(total * share / (classes - 1), counts.shape)
    distance = float((np.square(counts - expected) / expected)[off].sum())
    freedom = int(off.sum()) - 1
    if chi2.sf(distance, freedom) > RULED:
        return None
    trust = max(0.0, 1 - freedom / distance)
    even = np.where(off, share / (classes - 1), 1 - share)
    return np.asarray(trust * counts / total + (1 - trust) * even)
