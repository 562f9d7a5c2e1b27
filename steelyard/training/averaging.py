"""Averages of the weights along a training run."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from steelyard.knobs import knob
from steelyard.parts import Part


@dataclass(frozen=True)
class Averaging(Part):
    """Says how far the average moves towards the weights of the moment."""

    def share(self, seen: int, epoch_ends: bool, steps: int, progress: float) -> float | None:
        """The share of the weights of the moment in the new average, or None when this step is not averaged.

        `seen` steps are in the average already, training has about `steps` in all and has come to `progress`.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Ema(Averaging):
    """Exponential moving average of the weights (Polyak & Juditsky 1992; Tarvainen & Valpola 2017, arXiv 1703.01780).

    `span` is the share of the training run the average looks back over; at 0 it is the last weights themselves. Early
    steps are averaged over what there was.
    """

    span: float = knob(0.05, 0.0, 1.0)

    def share(self, seen: int, epoch_ends: bool, steps: int, progress: float) -> float | None:
        return max(1 / max(1.0, self.span * steps), 1 / (seen + 1))


@dataclass(frozen=True)
class Swa(Averaging):
    """Stochastic weight averaging: the plain mean of the weights at the ends of epochs from `start` of training on.

    The statistics of batch norms are computed anew for the averaged weights. It wants a rate that stays high
    (constant or cyclic) while it averages. Source: Izmailov et al. 2018, section 3 (arXiv 1803.05407).
    """

    start: float = knob(0.75, 0.0, 1.0)

    def share(self, seen: int, epoch_ends: bool, steps: int, progress: float) -> float | None:
        return 1 / (seen + 1) if epoch_ends and progress >= self.start else None


@torch.no_grad()
def refresh_norms(network: nn.Module, inputs: tuple[Tensor, ...], size: int) -> None:
    """Compute the running statistics of batch norms anew: plain means over all batches of `size` rows."""
    norms = [layer for layer in network.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    device = next(network.parameters()).device
    for begin in range(0, len(inputs[0]) - size + 1, size):
        batch = (tensor[begin : begin + size].to(device) for tensor in inputs)
        network(network.encode(*batch))  # type: ignore[operator]
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


class Average:
    """A running average of some tensors by name; those that are not floating point are the latest."""

    def __init__(self, part: Averaging) -> None:
        self.part = part
        self.seen = 0
        self.tensors: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self, now: Mapping[str, Tensor], epoch_ends: bool, steps: int, progress: float) -> None:
        """Take the weights of this step in, if the part wants them."""
        share = self.part.share(self.seen, epoch_ends, steps, progress)
        if share is None:
            return
        self.seen += 1
        if not self.tensors:
            self.tensors = {name: tensor.detach().clone() for name, tensor in now.items()}
        elif share == 1:
            _copy(self.tensors, now)
        else:
            floating = [name for name, tensor in now.items() if tensor.dtype.is_floating_point]
            torch._foreach_lerp_([self.tensors[n] for n in floating], [now[n] for n in floating], share)
            _copy(self.tensors, {name: now[name] for name in now if name not in set(floating)})


def _copy(kept: dict[str, Tensor], now: Mapping[str, Tensor]) -> None:
    for name, tensor in now.items():
        kept[name].copy_(tensor)
