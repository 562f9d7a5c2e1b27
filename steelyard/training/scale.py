"""The scales on which values are learnt, and the way between outputs of a model and predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from steelyard.data.dataset import Dataset
from steelyard.data.prepared import Prepared
from steelyard.errors import UserError
from steelyard.metrics import METRICS
from steelyard.problem import Head, Problem


@dataclass(frozen=True)
class TargetScale:
    """The scale on which a regression is learnt: (log1p of) the target, centred and divided by its spread on train."""

    log: bool
    mean: float
    std: float

    @classmethod
    def fit(cls, target: np.ndarray, log: bool, centred: bool = False) -> "TargetScale":
        """The scale of targets (n,); `centred` ones keep their zero."""
        if log and target.min() <= -1:
            raise UserError(f"the logarithm of the target needs values above -1, got {target.min():g}")
        values = np.log1p(target) if log else target
        return cls(log, 0.0 if centred else float(values.mean()), float(values.std()) or 1.0)

    def forward(self, target: np.ndarray) -> np.ndarray:
        return ((np.log1p(target) if self.log else target) - self.mean) / self.std

    def back(self, values: np.ndarray) -> np.ndarray:
        scaled = values.astype(np.float64) * self.std + self.mean
        return np.expm1(scaled) if self.log else scaled


@dataclass(frozen=True)
class TargetScales:
    """The scale of each of several targets; None for those that are classes."""

    each: tuple[TargetScale | None, ...]

    @classmethod
    def fit(cls, target: np.ndarray, heads: Sequence[Head], log: bool) -> "TargetScales":
        """The scales of targets (n, heads), of the rows that have them."""
        found: list[TargetScale | None] = []
        for head, column in zip(heads, target.T, strict=True):
            there = column[~np.isnan(column)]
            known = TargetScale.fit(there, log) if len(there) else TargetScale(log, 0.0, 1.0)
            found.append(None if head.classes else known)
        return cls(tuple(found))

    def forward(self, target: np.ndarray) -> np.ndarray:
        """Targets (n, heads) with values on their scales; classes stay as they are."""
        pairs = zip(self.each, target.T, strict=True)
        return np.stack([column if scale is None else scale.forward(column) for scale, column in pairs], axis=1)


Scale = TargetScale | TargetScales | None


def base_of(prepared: Prepared, dataset: Dataset) -> np.ndarray | None:
    """What a preparation says the target of each row (n,) is the difference from; None: from nothing."""
    told = getattr(prepared, "base", None)
    found: np.ndarray | None = None if told is None else told(dataset)
    return found


def upon(base: np.ndarray | None, values: np.ndarray) -> np.ndarray:
    """Values put upon what they are the difference from."""
    return values if base is None else values + base


def scale_of(problem: Problem, target: np.ndarray, log: bool, centred: bool = False) -> Scale:
    """The scale or scales of a target, fitted on train rows; None where all are classes.

    `centred`: a difference, whose zero means something.
    """
    if problem.heads:
        values = any(not head.classes for head in problem.heads)
        return TargetScales.fit(target, problem.heads, log) if values else None
    return TargetScale.fit(target, log, centred) if problem.task == "regression" else None


def learnt(problem: Problem, scale: Scale, target: np.ndarray) -> Tensor:
    """What outputs (n, outputs) are compared with, float32: values on their scale, probabilities of classes or of yes.

    NaN where a row lacks a target.
    """
    if problem.heads:
        scaled = target if scale is None else scale.forward(target)
        if problem.task != "multitask":
            return torch.from_numpy(scaled.astype(np.float32))
        each = [_one_hot(c, h) if h.classes else c[:, None] for c, h in zip(scaled.T, problem.heads, strict=True)]
        return torch.from_numpy(np.hstack(each).astype(np.float32))
    if scale is None:
        return torch.eye(problem.outputs)[torch.from_numpy(target)]
    return torch.from_numpy(scale.forward(target).astype(np.float32)).unsqueeze(1)


def _one_hot(codes: np.ndarray, head: Head) -> np.ndarray:
    there = ~np.isnan(codes)
    found = np.full((len(codes), head.width), np.nan)
    found[there] = np.eye(head.width)[codes[there].astype(int)]
    return found


def answered(problem: Problem, scale: Scale, outputs: Tensor) -> np.ndarray:
    """What raw outputs (n, outputs) of a network say: probabilities float32, or values in their own units.

    Of targets of both kinds float64: the probabilities of each classification and the values, side by side.
    """
    if problem.task == "multilabel":
        return np.asarray(torch.sigmoid(outputs).numpy())
    if problem.heads:
        each = [o if o.shape[1] == 1 else torch.softmax(o, dim=1) for o in problem.split(outputs)]
        return in_units(problem, scale, torch.cat(each, dim=1).numpy())
    if scale is None:
        return np.asarray(torch.softmax(outputs, dim=1).numpy())
    return in_units(problem, scale, outputs.numpy())


def in_units(problem: Problem, scale: Scale, predictions: np.ndarray) -> np.ndarray:
    """Predictions with values brought back from the scale they were learnt on."""
    if isinstance(scale, TargetScale):
        return scale.back(predictions.reshape(-1))
    if scale is None:
        return predictions
    pairs = zip(scale.each, problem.split(predictions), strict=True)
    return np.hstack([part.astype(np.float64) if each is None else each.back(part) for each, part in pairs])


def loss_of(problem: Problem, scale: Scale, truth: np.ndarray, predictions: np.ndarray) -> float:
    """Log loss, or half the squared error on the scale that is learnt; of several targets the mean of theirs.

    Rows count alike, as they do in the training loss. Infinite where a prediction is not finite.
    """
    if not np.isfinite(predictions).all():
        return float("inf")
    if problem.task in {"multioutput", "multitask"}:
        scales = scale.each if isinstance(scale, TargetScales) else (None,) * len(problem.heads)
        each = zip(problem.heads, scales, truth.T, problem.split(predictions), strict=True)
        return float(np.mean([_loss_of_head(h, s, t, p) for h, s, t, p in each if not np.isnan(t).all()]))
    if isinstance(scale, TargetScale):
        return _half_square(scale, truth, predictions)
    return METRICS["log_loss"](truth, predictions)


def _loss_of_head(head: Head, scale: TargetScale | None, truth: np.ndarray, predictions: np.ndarray) -> float:
    there = ~np.isnan(truth)
    if scale is None:
        return METRICS["log_loss"](truth[there].astype(int), predictions[there])
    return _half_square(scale, truth[there], predictions[there, 0])


def _half_square(scale: TargetScale, truth: np.ndarray, predictions: np.ndarray) -> float:
    values = np.maximum(predictions, -0.999) if scale.log else predictions
    return 0.5 * float(np.square(scale.forward(values) - scale.forward(truth)).mean())


def kept(scale: Scale) -> Any:
    """A scale as JSON keeps it."""
    if isinstance(scale, TargetScales):
        return {"each": [None if one is None else vars(one) for one in scale.each]}
    return None if scale is None else vars(scale)


def restored(given: Any) -> Scale:
    """The scale that `kept` gave."""
    if given and "each" in given:
        return TargetScales(tuple(None if one is None else TargetScale(**one) for one in given["each"]))
    return TargetScale(**given) if given else None
