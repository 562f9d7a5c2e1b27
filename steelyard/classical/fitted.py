"""What a fitted classical model promises, and how rows are weighted and classes are laid out for all of them."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar, Protocol

import numpy as np

Array = np.ndarray


class FittedEstimator(Protocol):
    """A trained classical model: a frozen dataclass of arrays and plain numbers, saved by `storage.save`."""

    form: ClassVar[str]
    types: ClassVar[dict[str, str]]  # of the arrays: their NumPy types, one or several

    def check(self) -> None:
        """Raise ValueError when the arrays do not fit together: called on a model that was read from disk."""
        ...

    def predict(self, x: Array) -> Array:
        """Of a matrix (n, features): probabilities float32 (n, classes), a column per class, or values float64 (n,)."""
        ...


def row_weights(y: Array, task: str, power: float, weights: Array | None) -> Array | None:
    """The weights (n,) of rows, or None when all weigh the same.

    A row of class k weighs count_k ** -power, scaled to mean 1; `weights` multiplies that. Regression knows no classes.
    """
    if task == "regression" or power == 0:
        return None if weights is None else np.asarray(weights, np.float64)
    counts = np.bincount(y)
    balance = counts[y].astype(np.float64) ** -power
    balance /= balance.mean()
    return np.asarray(balance if weights is None else balance * weights)


def spread(probabilities: Array, seen: Array, classes: int) -> Array:
    """Probabilities float32 (n, classes) from columns for the classes in `seen` only; the others get zero."""
    if len(seen) == classes:
        return probabilities.astype(np.float32)
    wide = np.zeros((len(probabilities), classes), np.float32)
    wide[:, seen] = probabilities
    return wide


def softmax(logits: Array) -> Array:
    """Probabilities (n, k) of logits (n, k)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@contextmanager
def one_thread() -> Iterator[None]:
    """Run linear algebra and OpenMP loops inside on one thread: trials run side by side, one thread each."""
    with _threadpools()(limits=1):
        yield


@contextmanager
def training() -> Iterator[None]:
    """Train inside on one thread, without scikit-learn's guess that few rows of many classes might be a regression."""
    with one_thread(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The number of unique classes is greater", category=UserWarning)
        yield


@cache
def _threadpools() -> Callable[..., Any]:
    """Finding the loaded libraries takes milliseconds, so it is done once; scikit-learn brings its OpenMP first."""
    import sklearn.ensemble
    from threadpoolctl import ThreadpoolController

    del sklearn
    return ThreadpoolController().limit  # type: ignore[no-any-return]
