"""The optimizers everybody knows: SGD, Adam, AdamW, RMSprop, Adadelta."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch

from steelyard.knobs import Knob, knob, value
from steelyard.training.optimizers.fused import FusedAdam, FusedSgd
from steelyard.training.optimizers.optimizer import Groups, Optimizer


@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam with decoupled weight decay (Kingma & Ba 2015, arXiv 1412.6980; Loshchilov & Hutter 2019, 1711.05101)."""

    native: ClassVar[Literal["weight_decay", "l2"]] = "weight_decay"

    beta1: Knob = knob(0.9, 0.0, 0.9999)
    beta2: float = knob(0.95, 0.0, 0.99999)

    def create(self, groups: Groups) -> torch.optim.Optimizer:
        return FusedAdam(groups)

    def settings(self, progress: float) -> dict[str, Any]:
        return {"lr": value(self.lr, progress), "betas": (value(self.beta1, progress), self.beta2)}


@dataclass(frozen=True)
class Adam(AdamW):
    """Adam at its published constants; its classical penalty is `l2`, which its step scales along with the gradient.

    Without any pull it is AdamW at another β₂. Source: Kingma & Ba 2015, algorithm 1 (arXiv 1412.6980).
    """

    native: ClassVar[Literal["weight_decay", "l2"]] = "l2"

    beta2: float = knob(0.999, 0.0, 0.99999)

    def create(self, groups: Groups) -> torch.optim.Optimizer:
        return FusedAdam(groups, decoupled=False)


@dataclass(frozen=True)
class Sgd(Optimizer):
    """Stochastic gradient descent with (Nesterov) momentum (Sutskever et al. 2013, section 2)."""

    momentum: Knob = knob(0.9, 0.0, 0.9999)
    nesterov: bool = True

    def create(self, groups: Groups) -> torch.optim.Optimizer:
        return FusedSgd(groups)

    def settings(self, progress: float) -> dict[str, Any]:
        momentum = value(self.momentum, progress)
        return {"lr": value(self.lr, progress), "momentum": momentum, "nesterov": self.nesterov}


@dataclass(frozen=True)
class Rmsprop(Optimizer):
    """RMSprop at its usual settings (Hinton 2012, lecture 6e of "Neural Networks for Machine Learning")."""

    alpha: float = knob(0.99, 0.0, 0.99999)

    def create(self, groups: Groups) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(groups, alpha=self.alpha, foreach=True)


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Adadelta, which finds the size of its steps by itself; `lr` only scales them (Zeiler 2012, arXiv 1212.5701)."""

    lr: Knob = knob(1.0, 0.0)
    rho: float = knob(0.9, 0.0, 0.99999)
    eps: float = knob(1e-6, 1e-12)

    def create(self, groups: Groups) -> torch.optim.Optimizer:
        return torch.optim.Adadelta(groups, rho=self.rho, eps=self.eps, foreach=True)
