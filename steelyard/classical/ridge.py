"""Ridge regression where features outnumber rows: its penalty by leaving one out, in closed form."""

from dataclasses import dataclass

import numpy as np

from steelyard.classical.fitted import softmax

Array = np.ndarray
PENALTIES = np.logspace(-3, 4, 15)  # of features with spread 1
SHARPNESS = np.logspace(-1, 2, 31)  # logits over what the regressions say


@dataclass(frozen=True)
class RidgeHead:
    """Weights (features, outputs) and offsets (outputs,); logits are `sharpness` times the outputs."""

    weights: Array
    offsets: Array
    sharpness: float
    penalty: float


def fit_ridge(x: Array, y: Array, classes: int, weights: Array | None = None) -> RidgeHead:
    """The ridge regression of values y (n,), or of ±1 for each of so many classes, on features (n, d).

    The penalty is the one of `PENALTIES` with the least squared error on rows that are left out one at a time (Allen's
    PRESS; Golub, Heath & Wahba 1979, Technometrics 21); all come from one decomposition.
    """
    x = np.asarray(x, np.float64)
    target = np.where(np.arange(classes) == y[:, None], 1.0, -1.0) if classes else y[:, None].astype(np.float64)
    counts = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64) / np.mean(weights)
    root = np.sqrt(counts)[:, None]
    mean, middle = np.average(x, axis=0, weights=counts), np.average(target, axis=0, weights=counts)
    spread = x.std(axis=0)
    scale = np.where(spread > 1e-9, 1 / np.maximum(spread, 1e-9), 0.0)
    centred, wanted = (x - mean) * scale * root, (target - middle) * root
    left, squares = _decomposed(centred)
    turned = left.T @ wanted
    best, penalty, kept = np.inf, float(PENALTIES[0]), wanted
    for each in PENALTIES:
        shrunk = squares / (squares + each)
        lever = 1 - counts / counts.sum() - (left**2) @ shrunk
        apart = (wanted - left @ (shrunk[:, None] * turned)) / np.maximum(lever, 1e-6)[:, None]
        error = float((apart**2).sum())
        if error < best * (1 - 1e-9):
            best, penalty, kept = error, float(each), target - apart / np.maximum(root, 1e-9)
    solution = centred.T @ (left @ (turned / (squares + penalty)[:, None])) * scale[:, None]
    return RidgeHead(solution, middle - mean @ solution, _sharpness(kept, y, counts) if classes else 1.0, penalty)


def _decomposed(x: Array) -> tuple[Array, Array]:
    """Left singular vectors (n, r) and squared singular values (r,) of x (n, d), by the smaller product."""
    if len(x) <= x.shape[1]:
        squares, left = np.linalg.eigh(x @ x.T)
        there = squares > 1e-10 * max(float(squares[-1]), 1e-30)
        return left[:, there], squares[there]
    squares, right = np.linalg.eigh(x.T @ x)
    there = squares > 1e-10 * max(float(squares[-1]), 1e-30)
    return x @ right[:, there] / np.sqrt(squares[there]), squares[there]


def _sharpness(left_out: Array, y: Array, counts: Array) -> float:
    """The factor that makes logits of what was said of rows left out (n, classes): the least log loss.

    One row in n + 2 is taken to be of any class, so that a few rows all told right do not make for certainty (Platt
    1999, "Probabilistic outputs for support vector machines", section 2.2).
    """
    rows, classes = left_out.shape
    doubt = 1 / (rows + 2)
    wanted = np.full((rows, classes), doubt / classes)
    wanted[np.arange(rows), y] += 1 - doubt
    losses = []
    for each in SHARPNESS:
        said = np.log(np.maximum(softmax(each * left_out), 1e-30))
        losses.append(np.average(-(wanted * said).sum(axis=1), weights=counts))
    return float(SHARPNESS[int(np.argmin(losses))])
