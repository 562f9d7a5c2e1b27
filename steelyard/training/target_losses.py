"""Losses of targets that are not one class or one value: labels, several targets at once, ordered classes.

A target that a row lacks is NaN and has no loss. The mean over labels, targets or thresholds is taken, so that rates
and penalties mean the same however many there are.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from steelyard.data.batches import balance
from steelyard.errors import UserError
from steelyard.knobs import Knob, filled, knob, value
from steelyard.parts import Loss

LOG_LEAST = -80.0  # of a probability whose inverse still is a float32
LEAST = 1e-6  # loss of a target below which it is weighed no more


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """Cross-entropy of one logit a label with yes (1) or no (0), the mean over labels.

    `label_smoothing` α turns a target y into y(1 - α) + α/2; `class_weights` in 0..1 weighs yes and no of a label by
    count^-class_weights, with mean 1 over the rows. `shares` of yes are filled in from train rows.
    """

    label_smoothing: Knob = knob(0.0, 0.0, 0.999)
    class_weights: float = knob(0.0, 0.0, 1.0)
    shares: tuple[float, ...] = filled()

    def fitted(self, problem: Any, targets: Tensor) -> "BinaryCrossEntropy":
        if self.class_weights == 0:
            return self
        rows = max(1, len(targets))
        shares = torch.nanmean(targets, dim=0).nan_to_num(0.5).clamp(0.5 / rows, 1 - 0.5 / rows)
        return replace(self, shares=tuple(shares.tolist()))

    def per_example(self, outputs: Tensor, targets: Tensor, progress: float) -> Tensor:
        """Losses (…, n) of logits (…, n, labels) against probabilities of yes (…, n, labels)."""
        yes, no = self._parts(targets, progress)
        return (yes * F.softplus(-outputs) + no * F.softplus(outputs)).mean(dim=-1)

    def slope(self, outputs: Tensor, targets: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        """Losses (…, n) and (yes + no) sigmoid(outputs) - yes, over the number of labels."""
        yes, no = self._parts(targets, progress)
        losses = (yes * F.softplus(-outputs) + no * F.softplus(outputs)).mean(dim=-1)
        return losses, ((yes + no) * torch.sigmoid(outputs)).sub_(yes).div_(outputs.shape[-1])

    def _parts(self, targets: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        """How much yes and no weigh in every entry; both nothing where the label is missing."""
        smoothing = value(self.label_smoothing, progress)
        yes = targets * (1 - smoothing) + smoothing / 2 if smoothing > 0 else targets
        no = 1 - yes
        if self.shares:
            share = targets.new_tensor(self.shares)
            of_yes, of_no = share**-self.class_weights, (1 - share) ** -self.class_weights
            mean = share * of_yes + (1 - share) * of_no
            yes, no = yes * (of_yes / mean), no * (of_no / mean)
        return yes.nan_to_num(0.0), no.nan_to_num(0.0)


@dataclass(frozen=True)
class JointLoss(Loss):
    """Several targets at once: cross-entropy of classes, half the squared error of standardised values, their mean.

    `weights` (targets) are those of the mean (none: all alike). `by_uncertainty` β in 0..1 lets a target whose loss in
    the batch is L weigh L^-β, with mean 1. At 1 these are the weights that the uncertainties of Kendall et al. 2018
    (section 3, arXiv 1705.07115) have at their optimum for the batch: minimising L/σ² + log σ² over σ² gives σ² = L.
    The closed form takes the place of learnt parameters, as Kirchdorfer et al. 2024 derive (arXiv 2408.07985).
    Losses on held rows are always the mean with fixed `weights`. `label_smoothing` is that of classes; `widths`, the
    outputs of every target, are filled in.
    """

    weights: tuple[float, ...] = ()
    by_uncertainty: float = knob(0.0, 0.0, 1.0)
    label_smoothing: Knob = knob(0.0, 0.0, 0.999)
    widths: tuple[int, ...] = filled()

    def check(self, problem: Any) -> None:
        count = len(problem.heads)
        if self.weights and (len(self.weights) != count or min(self.weights) < 0 or not any(self.weights)):
            given = ", ".join(f"{weight:g}" for weight in self.weights)
            raise UserError(f"loss.weights needs a number from 0 for each of {count} targets, got {given}")

    def fitted(self, problem: Any, targets: Tensor) -> "JointLoss":
        self.check(problem)
        return replace(self, widths=tuple(part.shape[1] for part in problem.split(targets)))

    def per_example(self, outputs: Tensor, targets: Tensor, progress: float) -> Tensor:
        """Losses (…, n) of outputs (…, n, k), the numbers of all targets side by side."""
        each = [self._loss(o, t, progress)[0] for o, t in self._each(outputs, targets)]
        losses = torch.stack(each, dim=-1)
        return (losses * self._fixed(losses)).mean(dim=-1)

    def slope(self, outputs: Tensor, targets: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        """Losses (…, n) and the gradient by the outputs; weights by uncertainty are constants in it."""
        each = [self._loss(o, t, progress) for o, t in self._each(outputs, targets)]
        losses = torch.stack([loss for loss, _ in each], dim=-1)
        weights = self._fixed(losses)
        if self.by_uncertainty > 0:
            weights = weights * self._by_uncertainty(losses, targets)
        slopes = [slope * weights[..., k, None] for k, (_, slope) in enumerate(each)]
        return (losses * weights).mean(dim=-1), torch.cat(slopes, dim=-1).div_(len(each))

    def _each(self, outputs: Tensor, targets: Tensor) -> list[tuple[Tensor, Tensor]]:
        widths = list(self.widths) or [1] * outputs.shape[-1]
        return list(zip(torch.split(outputs, widths, dim=-1), torch.split(targets, widths, dim=-1), strict=True))

    def _loss(self, outputs: Tensor, targets: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        """Losses (…, n) and slopes (…, n, width) of one target; both zero where it is missing."""
        missing = targets.isnan()
        targets = targets.nan_to_num(0.0)
        if outputs.shape[-1] == 1:
            slope = (outputs - targets).masked_fill(missing, 0.0)
            return 0.5 * slope.square().squeeze(-1), slope
        smoothing = value(self.label_smoothing, progress)
        if smoothing > 0:
            targets = targets * (1 - smoothing) + smoothing / targets.shape[-1]
        logs = F.log_softmax(outputs, dim=-1)
        losses = -(targets * logs).sum(dim=-1).masked_fill(missing[..., 0], 0.0)
        return losses, (logs.exp() - targets).masked_fill(missing, 0.0)

    def _fixed(self, losses: Tensor) -> Tensor:
        """The fixed weights, mean 1, for losses (…, n, targets)."""
        if not self.weights:
            return losses.new_ones(losses.shape[-1]).expand_as(losses)
        weights = losses.new_tensor(self.weights)
        return (weights / weights.mean()).expand_as(losses)

    def _by_uncertainty(self, losses: Tensor, targets: Tensor) -> Tensor:
        """Weights (…, n, targets), one a target and member: a power of one over its mean loss in the batch."""
        widths = list(self.widths) or [1] * targets.shape[-1]
        there = torch.stack([~part[..., 0].isnan() for part in torch.split(targets, widths, dim=-1)], dim=-1)
        mean = losses.detach().sum(dim=-2, keepdim=True) / there.sum(dim=-2, keepdim=True).clamp_min(1)
        rates = mean.clamp_min(LEAST) ** -self.by_uncertainty
        return (rates / rates.mean(dim=-1, keepdim=True)).expand_as(losses)


@dataclass(frozen=True)
class OrdinalCrossEntropy(Loss):
    """Binary cross-entropies of "higher than class k", one a threshold between ordered classes, their mean.

    The loss of Cao et al. 2020 (equation 4, arXiv 1901.07884). They share one weight vector so that the probabilities
    of higher classes never grow; here all come from one softmax over the classes, whose sums cannot contradict each
    other. The outputs are those of cross-entropy: `nominal` in 0..1 is the share that it has in the loss.
    `label_smoothing` and `class_weights` as there.
    """

    label_smoothing: Knob = knob(0.0, 0.0, 0.999)
    class_weights: float = knob(0.0, 0.0, 1.0)
    nominal: float = knob(0.0, 0.0, 1.0)

    def row_weights(self, classes: np.ndarray) -> np.ndarray | None:
        """Weights (n,) of rows by the counts of their classes; None where the knob is off."""
        return balance(classes, self.class_weights) if self.class_weights else None

    def per_example(self, outputs: Tensor, targets: Tensor, progress: float) -> Tensor:
        """Losses (…, n) of logits (…, n, classes) against probabilities (…, n, classes)."""
        targets = self._smoothed(targets, progress)
        logs, below, above = self._cumulated(outputs)
        up_to = targets.cumsum(-1)[..., :-1]
        losses = -(up_to * below + (1 - up_to) * above).mean(dim=-1)
        return losses if self.nominal == 0 else losses.lerp(-(targets * logs).sum(dim=-1), self.nominal)

    def slope(self, outputs: Tensor, targets: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        """Losses (…, n) and their gradient: p_j (1 - Σ_{k≥j} T_k/F_k - Σ_{k<j} (1-T_k)/(1-F_k)), a mean over k.

        F_k is the probability and T_k the truth of "class k at most".
        """
        targets = self._smoothed(targets, progress)
        logs, below, above = self._cumulated(outputs)
        shares, up_to = logs.exp(), targets.cumsum(-1)[..., :-1]
        losses = -(up_to * below + (1 - up_to) * above).mean(dim=-1)
        lower = up_to * (-below.clamp_min(LOG_LEAST)).exp()
        upper = (1 - up_to) * (-above.clamp_min(LOG_LEAST)).exp()
        from_here = F.pad(lower.flip(-1).cumsum(-1).flip(-1), (0, 1))
        so_far = F.pad(upper.cumsum(-1), (1, 0))
        slope = shares * (1 - (from_here + so_far) / below.shape[-1])
        if self.nominal == 0:
            return losses, slope
        plain = -(targets * logs).sum(dim=-1)
        return losses.lerp(plain, self.nominal), slope.lerp(shares - targets, self.nominal)

    def _smoothed(self, targets: Tensor, progress: float) -> Tensor:
        smoothing = value(self.label_smoothing, progress)
        return targets * (1 - smoothing) + smoothing / targets.shape[-1] if smoothing > 0 else targets

    def _cumulated(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log probabilities (…, classes), and of every threshold those of below and above it (…, classes - 1)."""
        logs = F.log_softmax(outputs, dim=-1)
        below = torch.logcumsumexp(logs, dim=-1)[..., :-1]
        above = torch.logcumsumexp(logs.flip(-1), dim=-1).flip(-1)[..., 1:]
        return logs, below, above
