"""Averages of the weights along a training run."""

from dataclasses import dataclass

import torch
from torch import nn

from steelyard.knobs import knob
from steelyard.parts import Part


@dataclass(frozen=True)
class Ema(Part):
    """Exponential moving average of the weights (Polyak & Juditsky 1992; Tarvainen & Valpola 2017, arXiv 1703.01780).

    `span` is the share of the training run the average looks back over; at 0 it is the last weights themselves.
    """

    span: float = knob(0.05, 0.0, 1.0)

    def build(self, network: nn.Module, steps: int) -> "Average":
        """The running average over a run of `steps` steps."""
        return Average(network, 1 - 1 / max(1.0, self.span * steps))


class Average:
    """A running average of the floating-point state of a network; early steps are averaged over what there was."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.seen = 0
        self.state = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move the average towards the network by one step."""
        self.seen += 1
        decay = min(self.decay, 1 - 1 / self.seen)
        for name, tensor in network.state_dict().items():
            kept = self.state[name]
            if kept.dtype.is_floating_point:
                kept.lerp_(tensor, 1 - decay)
            else:
                kept.copy_(tensor)

    def load_into(self, network: nn.Module) -> None:
        """Give the network the averaged weights."""
        network.load_state_dict(self.state)
