"""MiniRocket: ten thousand features of fixed convolutions, and a ridge regression on them.

Source: Dempster, Schmidt & Webb 2021, "MINIROCKET" (arXiv 2012.08791). The features come from the library aeon (extra
`series`); what they were fitted to are plain arrays, so that a model is saved and loaded like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from steelyard.classical.fitted import softmax, training
from steelyard.classical.ridge import RidgeHead, fit_ridge
from steelyard.errors import UserError
from steelyard.knobs import knob
from steelyard.parts import Estimator

Array = np.ndarray
SHORTEST = 9  # steps: the convolutions have nine weights
MISSING = "MiniRocket needs the library aeon: install steelyard[series]"


def available() -> bool:
    """Whether the library that computes the features is installed."""
    return find_spec("aeon") is not None


@dataclass(frozen=True, eq=False)
class FittedMiniRocket:
    """The fitted convolutions and a linear head on their features.

    `counts` and `picked` say which channels each convolution adds up, `dilations` how far its weights lie apart,
    `many` how many features each dilation gives, `biases` (features,) what the convolutions are held against; `weights`
    (features, outputs) and `offsets` (outputs,) are the head's, whose outputs times `sharpness` are logits.
    """

    form: ClassVar[str] = "mini-rocket"
    types: ClassVar[dict[str, str]] = {
        "counts": "int32",
        "picked": "int32",
        "dilations": "int32",
        "many": "int32",
        "biases": "float32",
        "weights": "float32",
        "offsets": "float64",
    }
    counts: Array
    picked: Array
    dilations: Array
    many: Array
    biases: Array
    weights: Array
    offsets: Array
    channels: int
    length: int
    sharpness: float
    classes: int  # 0 in regression

    def check(self) -> None:
        """Raise ValueError when the arrays do not fit together: the library's code trusts them."""
        if self.weights.ndim != 2 or self.weights.shape != (len(self.biases), max(self.classes, 1)):
            raise ValueError("MiniRocket needs weights (features, outputs) and one output per class")
        if self.offsets.shape != self.weights.shape[1:] or len(self.dilations) != len(self.many):
            raise ValueError("MiniRocket needs an offset per output and a number of features per dilation")
        if 84 * int(self.many.sum()) != len(self.biases) or (self.many < 1).any() or (self.counts < 1).any():
            raise ValueError("MiniRocket needs 84 features for each of a dilation")
        if len(self.counts) != 84 * len(self.dilations) or int(self.counts.sum()) != len(self.picked):
            raise ValueError("MiniRocket needs channels for each convolution")
        if len(self.picked) and not 0 <= self.picked.min() <= self.picked.max() < self.channels:
            raise ValueError("MiniRocket picks channels that are not there")
        if self.length < SHORTEST or (self.dilations < 1).any() or 8 * self.dilations.max() >= self.length:
            raise ValueError("MiniRocket's convolutions are longer than its series")

    def predict(self, x: Array) -> Array:
        """Of series (n, channels, length): probabilities float32 (n, classes) or values float64 (n,)."""
        fitted = (self.counts, self.picked, self.dilations, self.many, self.biases)
        outputs = _features(x, self.channels, fitted) @ self.weights + self.offsets
        return softmax(self.sharpness * outputs).astype(np.float32) if self.classes else outputs[:, 0]


@dataclass(frozen=True)
class MiniRocket(Estimator):
    """A ridge regression on `features` features of MiniRocket; its penalty is found by leaving one out.

    Classes are told apart by regressions of +1 against -1; probabilities are a softmax of what these say, sharpened so
    that rows that were left out are predicted best.
    """

    wants: ClassVar[str] = "series"
    features: int = knob(9_996, 84, 1_000_000)

    def fit(
        self,
        x: Array,
        y: Array,
        task: str,
        classes: int,
        seed: int,
        categorical: Sequence[int] = (),
        weights: Array | None = None,
    ) -> FittedMiniRocket:
        """The model fitted on series (n, channels, length) without gaps."""
        if not available():
            raise UserError(MISSING)
        transform = _transform()
        rocket = transform(n_kernels=self.features, random_state=seed % 2**31, n_jobs=1)
        rocket.fit(x)
        fitted = tuple(np.ascontiguousarray(values) for values in rocket.parameters)
        with training():
            head = fit_ridge(_features(x, x.shape[1], fitted), y, 0 if task == "regression" else classes, weights)
        return _assembled(fitted, head, x.shape[1:], 0 if task == "regression" else classes)


def _assembled(fitted: tuple[Array, ...], head: RidgeHead, shape: tuple[int, ...], classes: int) -> FittedMiniRocket:
    counts, picked, dilations, many, biases = fitted
    return FittedMiniRocket(
        counts=counts.astype(np.int32),
        picked=picked.astype(np.int32),
        dilations=dilations.astype(np.int32),
        many=many.astype(np.int32),
        biases=biases.astype(np.float32),
        weights=head.weights.astype(np.float32),
        offsets=head.offsets,
        channels=int(shape[0]),
        length=int(shape[1]),
        sharpness=head.sharpness,
        classes=classes,
    )


def _features(x: Array, channels: int, fitted: tuple[Array, ...]) -> Array:
    """Float32 (n, features): the share of steps at which each convolution exceeds each bias."""
    if x.ndim != 3 or x.shape[1] != channels:
        raise ValueError(f"MiniRocket was fitted on series of {channels} channels, got {x.shape}")
    rocket = _transform()(n_jobs=1)
    rocket._n_jobs, rocket.parameters = 1, fitted
    found: Array = rocket._transform(np.ascontiguousarray(x, np.float32))
    return found


def _transform() -> Any:
    if not available():
        raise UserError(MISSING)
    from aeon.transformations.collection.convolution_based import MiniRocket as Transform

    return Transform
