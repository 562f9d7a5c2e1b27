"""Optimizers: parts whose knobs are set anew at every step, so that each of them may be a schedule."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from steelyard.knobs import Knob, knob, value
from steelyard.parts import Part


@dataclass(frozen=True)
class Optimizer(Part):
    """What every optimizer has: a rate, decoupled weight decay and a decoupled L1 pull, off norms and biases.

    Weight decay is decoupled as in Loshchilov & Hutter 2019 (arXiv 1711.05101). `l1` shrinks weights towards zero by
    lr·l1 a step and stops there: proximal gradient descent, Tibshirani's lasso penalty without its kink.
    """

    lr: Knob = knob(1e-3, 0.0)
    weight_decay: Knob = knob(0.0, 0.0)
    l1: Knob = knob(0.0, 0.0)

    def create(self, groups: list[dict[str, object]]) -> torch.optim.Optimizer:
        """The torch optimizer over two groups: first the parameters that decay, then those that do not."""
        raise NotImplementedError

    def build(self, network: nn.Module) -> torch.optim.Optimizer:
        """The torch optimizer of a network; matrices and kernels decay, vectors (norms, biases) do not."""
        return self.create([{"params": list(weights(network))}, {"params": list(_vectors(network))}])

    def turn(self, optimizer: torch.optim.Optimizer, progress: float) -> None:
        """Set the knobs of a built optimizer to where they stand at `progress`."""
        for group, decays in zip(optimizer.param_groups, (True, False), strict=True):
            group["lr"] = value(self.lr, progress)
            group["weight_decay"] = value(self.weight_decay, progress) if decays else 0.0

    def shrink(self, optimizer: torch.optim.Optimizer, progress: float) -> None:
        """The L1 pull, after a step."""
        pull = value(self.l1, progress) * value(self.lr, progress)
        if pull > 0:
            for weight in optimizer.param_groups[0]["params"]:
                weight.data = torch.nn.functional.softshrink(weight.data, pull)


@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam with decoupled weight decay (Kingma & Ba 2015, arXiv 1412.6980; Loshchilov & Hutter 2019, 1711.05101)."""

    beta1: Knob = knob(0.9, 0.0, 0.9999)
    beta2: float = knob(0.95, 0.0, 0.99999)

    def create(self, groups: list[dict[str, object]]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(groups, lr=1e-3, betas=(value(self.beta1, 0), self.beta2), fused=True)

    def turn(self, optimizer: torch.optim.Optimizer, progress: float) -> None:
        super().turn(optimizer, progress)
        for group in optimizer.param_groups:
            group["betas"] = (value(self.beta1, progress), self.beta2)


@dataclass(frozen=True)
class Sgd(Optimizer):
    """Stochastic gradient descent with (Nesterov) momentum (Sutskever et al. 2013, section 2).

    Its weight decay is the classical one, added to the gradient.
    """

    momentum: Knob = knob(0.9, 0.0, 0.9999)
    nesterov: bool = True

    def create(self, groups: list[dict[str, object]]) -> torch.optim.Optimizer:
        momentum = value(self.momentum, 0)
        return torch.optim.SGD(groups, lr=1e-3, momentum=momentum, nesterov=self.nesterov and momentum > 0, fused=True)

    def turn(self, optimizer: torch.optim.Optimizer, progress: float) -> None:
        super().turn(optimizer, progress)
        for group in optimizer.param_groups:
            group["momentum"] = value(self.momentum, progress)


@dataclass(frozen=True)
class Rmsprop(Optimizer):
    """RMSprop at its usual settings (Hinton 2012, lecture 6e of "Neural Networks for Machine Learning")."""

    alpha: float = knob(0.99, 0.0, 0.99999)

    def create(self, groups: list[dict[str, object]]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(groups, lr=1e-3, alpha=self.alpha)


def weights(network: nn.Module) -> Iterable[Tensor]:
    """The parameters with two axes or more: matrices, kernels, embeddings."""
    return (p for p in network.parameters() if p.requires_grad and p.ndim >= 2)


def _vectors(network: nn.Module) -> Iterable[Tensor]:
    return (p for p in network.parameters() if p.requires_grad and p.ndim < 2)
