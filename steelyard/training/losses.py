"""Losses: parts of a recipe that compare outputs with targets, one number per example.

Class targets are probabilities (n, classes) from the start, so that mixing and smoothing need no special case.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Loss


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Cross-entropy of logits with soft targets.

    `label_smoothing` α turns a target y into y(1 - α) + α/K (Szegedy et al. 2016, section 7, arXiv 1512.00567);
    `class_weights` in 0..1 weighs a row of class k by count_k^-class_weights, with mean 1.
    """

    label_smoothing: Knob = knob(0.0, 0.0, 0.999)
    class_weights: float = knob(0.0, 0.0, 1.0)

    def per_example(self, outputs: Tensor, targets: Tensor, progress: float) -> Tensor:
        """Losses (…, n) of logits (…, n, classes) against probabilities (…, n, classes)."""
        targets = self._smoothed(targets, progress)
        return -(targets * F.log_softmax(outputs, dim=-1)).sum(dim=-1)

    def slope(self, outputs: Tensor, targets: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        """Losses (…, n) and softmax(outputs) - targets; written out, since log_softmax is slow on short last axes."""
        targets = self._smoothed(targets, progress)
        highest = outputs.amax(-1, keepdim=True)
        powers = (outputs - highest).exp_()
        total = powers.sum(-1, keepdim=True)
        losses = (total.log() + highest).squeeze(-1) - torch.linalg.vecdot(targets, outputs)
        return losses, powers.div_(total).sub_(targets)

    def _smoothed(self, targets: Tensor, progress: float) -> Tensor:
        smoothing = value(self.label_smoothing, progress)
        return targets * (1 - smoothing) + smoothing / targets.shape[-1] if smoothing > 0 else targets


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
