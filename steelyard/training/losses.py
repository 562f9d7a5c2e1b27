"""Losses: parts of a recipe that compare outputs with targets, one number per example.

Class targets are probabilities (n, classes) from the start, so that mixing and smoothing need no special case.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from steelyard.data.batches import balance
from steelyard.knobs import Knob, filled, knob, value
from steelyard.parts import Loss


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Cross-entropy of logits with soft targets.

    `label_smoothing` α turns a target y into y(1 - α) + α/K (Szegedy et al. 2016, section 7, arXiv 1512.00567);
    `class_weights` in 0..1 weighs a row of class k by count_k^-class_weights, with mean 1; `effective_number` β weighs
    it by (1 - β) / (1 - β^count_k) (Cui et al. 2019, section 4, arXiv 1901.05555). `focal` γ multiplies what class k
    adds to the loss by (1 - p_k)^γ, p_k its probability (Lin et al. 2017, equation 4, arXiv 1708.02002).
    `logit_adjustment` τ adds τ log(share of class k) to the logits while learning, and never when predicting (Menon et
    al. 2021, equation 10, arXiv 2007.07314).
    """

    label_smoothing: Knob = knob(0.0, 0.0, 0.999)
    class_weights: float = knob(0.0, 0.0, 1.0)
    effective_number: float = knob(0.0, 0.0, 0.999999)
    focal: Knob = knob(0.0, 0.0, 20.0)
    logit_adjustment: float = knob(0.0, 0.0, 10.0)
    shares: tuple[float, ...] = filled()  # of the classes among train rows

    def row_weights(self, classes: np.ndarray) -> np.ndarray | None:
        """Weights (n,) of rows by the counts of their classes; None where both knobs are off."""
        if self.class_weights == 0 and self.effective_number == 0:
            return None
        return balance(classes, self.class_weights, self.effective_number)

    def fitted(self, problem: Any, targets: Tensor) -> "CrossEntropy":
        """With the shares of classes in targets (n, classes) where they are needed; of none less than half a row."""
        if self.logit_adjustment == 0:
            return self
        counts = targets.sum(dim=0).clamp_min(0.5)
        return replace(self, shares=tuple((counts / counts.sum()).tolist()))

    def per_example(self, outputs: Tensor, targets: Tensor, progress: float) -> Tensor:
        """Losses (…, n) of logits (…, n, classes) against probabilities (…, n, classes)."""
        targets, logs = self._smoothed(targets, progress), F.log_softmax(self._adjusted(outputs), dim=-1)
        focal = value(self.focal, progress)
        if focal > 0:
            targets = targets * _away(logs) ** focal
        return -(targets * logs).sum(dim=-1)

    def slope(self, outputs: Tensor, targets: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        """Losses (…, n) and softmax(outputs) - targets; written out, since log_softmax is slow on short last axes."""
        outputs = self._adjusted(outputs)
        targets, focal = self._smoothed(targets, progress), value(self.focal, progress)
        highest = outputs.amax(-1, keepdim=True)
        powers = (outputs - highest).exp_()
        total = powers.sum(-1, keepdim=True)
        if focal > 0:
            return _focal(outputs - highest - total.log(), powers.div_(total), targets, focal)
        losses = (total.log() + highest).squeeze(-1) - torch.linalg.vecdot(targets, outputs)
        return losses, powers.div_(total).sub_(targets)

    def _adjusted(self, outputs: Tensor) -> Tensor:
        if not self.shares:
            return outputs
        return outputs + self.logit_adjustment * outputs.new_tensor(self.shares).log()

    def _smoothed(self, targets: Tensor, progress: float) -> Tensor:
        smoothing = value(self.label_smoothing, progress)
        return targets * (1 - smoothing) + smoothing / targets.shape[-1] if smoothing > 0 else targets


def _away(logs: Tensor) -> Tensor:
    """1 - p of log probabilities, above zero, precise where p is almost 1."""
    return (-torch.expm1(logs)).clamp_min(torch.finfo(logs.dtype).tiny)


def _focal(logs: Tensor, shares: Tensor, targets: Tensor, gamma: float) -> tuple[Tensor, Tensor]:
    """Focal losses (…, n) and their gradient by the logits, from log probabilities and probabilities (…, n, classes).

    With f_k = y_k (1 - p_k)^γ and g_k = f_k (γ p_k log p_k / (1 - p_k) - 1), the gradient is g_j - p_j Σ_k g_k.
    """
    away = _away(logs)
    factors = targets * away**gamma
    losses = -torch.linalg.vecdot(factors, logs)
    inner = factors * (gamma * shares * logs / away - 1)
    return losses, inner - shares * inner.sum(-1, keepdim=True)


@dataclass(frozen=True)
class SquaredError(Loss):
    """Half the squared error of standardised targets: the loss that matches RMSE."""

    def per_example(self, outputs: Tensor, targets: Tensor, progress: float) -> Tensor:
        """Losses (…, n) of outputs (…, n, 1) against targets (…, n, 1)."""
        return 0.5 * torch.square(outputs - targets).sum(dim=-1)

    def slope(self, outputs: Tensor, targets: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        """Losses (…, n) and outputs - targets."""
        difference = outputs - targets
        return 0.5 * difference.square().sum(dim=-1), difference


@dataclass(frozen=True)
class HuberError(Loss):
    """Squared near zero, absolute beyond `delta` spreads of the target: less bent by outliers (Huber 1964)."""

    delta: float = knob(1.0, 1e-3)

    def per_example(self, outputs: Tensor, targets: Tensor, progress: float) -> Tensor:
        """Losses (…, n) of outputs (…, n, 1) against targets (…, n, 1)."""
        return F.huber_loss(outputs, targets, reduction="none", delta=self.delta).sum(dim=-1)
