"""What rows with the very same inputs would differ by, seen from rows with nearly the same ones.

Source: Stefánsson, Končar and Jones 1997, "A note on the Gamma test"; Evans and Jones 2002, "A proof of the Gamma
test": half the squared difference between a row and its k-th neighbour tends to the variance of the noise as the
squared distance between them goes to zero; it is the intercept of a line through the means for k = 1, 2, … Of classes
told as 0 and 1 for each, half the squared difference is whether two rows disagree.
"""

import numpy as np

Array = np.ndarray
MOST = 6_000  # rows that are compared, each with each
NEIGHBOURS, DRAWS = 10, 400


def sample(rows: int, seed: int) -> Array:
    """Which rows are compared: all, or `MOST` of them drawn by lot, in order."""
    if rows <= MOST:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MOST, replace=False))


def nearest(x: Array, many: int) -> tuple[Array, Array]:
    """The places (n, many) of each row's nearest others, the nearest first, and their distances."""
    from sklearn.neighbors import NearestNeighbors

    distances, near = NearestNeighbors(n_neighbors=many, n_jobs=1).fit(x).kneighbors()
    return np.asarray(near), np.asarray(distances)


def pairs_of(x: Array, y: Array) -> tuple[Array, Array]:
    """Distances (n, neighbours) to the nearest rows, and half the squared differences of targets (n, t) there."""
    near, far = nearest(x, min(NEIGHBOURS, len(x) - 1))
    return far, np.asarray(((y[near] - y[:, None]) ** 2).sum(axis=2) / 2)


def intercepts(far: Array, apart: Array, seed: int) -> Array:
    """The intercepts (draws,) over plain distances, of bootstrap draws of the rows."""
    both = means_drawn(np.hstack([far, apart]), seed)
    return np.array([intercept(*np.split(each, 2)) for each in both])


def means_drawn(values: Array, seed: int) -> Array:
    """The means (draws, columns) of bootstrap draws of the rows (n, columns).

    A third as many rows are drawn as there are, since neighbours share their targets: on made data the means scatter
    as those of so many rows do.
    """
    n, third = len(values), max(1, len(values) // 3)
    weights = np.random.default_rng(seed).multinomial(third, np.full(n, 1 / n), DRAWS) / third
    return np.asarray(weights @ values)


def intercept(far: Array, apart: Array) -> float:
    """The value at 0 of the line of least squares; the mean where all neighbours are equally far."""
    off = far - far.mean()
    spread = float((off**2).sum())
    if spread <= 1e-12 * max(float(far.mean()) ** 2, 1e-300):
        return float(apart.mean())
    return float(apart.mean() - far.mean() * (off * apart).sum() / spread)
