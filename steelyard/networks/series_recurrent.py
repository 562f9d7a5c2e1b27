"""Recurrent networks for series: a state is carried from step to step, and one is made of all states."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from steelyard.data.prepared import SeriesShape
from steelyard.knobs import Knob, knob, value
from steelyard.networks.layers import Dropout, head
from steelyard.networks.pooling import Pooling, pooling
from steelyard.networks.steps import alive, visible
from steelyard.parts import Network

CELLS: dict[str, type[nn.GRU | nn.LSTM | nn.RNN]] = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


@dataclass(frozen=True)
class SeriesRnn(Network):
    """`depth` recurrent layers of `width` units; the states are pooled over time and feed the head.

    `cell`: gru (Cho et al. 2014, arXiv 1406.1078), lstm (Hochreiter & Schmidhuber 1997, its forget gate open at
    first: Jozefowicz et al. 2015) or the simple rnn. `dropout` acts on what the head sees. Series of any length can be
    predicted; what stands behind the end of a shorter one changes nothing.
    """

    cell: Literal["gru", "lstm", "rnn"] = "gru"
    width: int = knob(48, 1, 2048)
    depth: int = knob(1, 1, 8)
    pooling: Pooling = "attention"
    dropout: Knob = knob(0.0, 0.0, 0.95)

    def build(self, shape: SeriesShape, outputs: int) -> nn.Module:
        """A network from series (n, channels, time) with NaN for missing to (n, outputs) logits or values."""
        return Recurrent(self, shape.channels + 1, outputs)


class Recurrent(nn.Module):
    """`encode` makes gaps visible; `forward` takes features (n, channels + 1, time) to (n, outputs)."""

    def __init__(self, part: SeriesRnn, inputs: int, outputs: int) -> None:
        super().__init__()
        self.cells = CELLS[part.cell](inputs, part.width, part.depth, batch_first=True)
        _first_values(self.cells, part)
        self.pooling, self.dropout = pooling(part.pooling, part.width), Dropout(value(part.dropout, 0.0))
        self.head = head(part.width, outputs)
        self.represented = part.width

    def encode(self, x: Tensor) -> Tensor:
        """Features float32 (n, channels + 1, time) of series (n, channels, time)."""
        return visible(x)

    def represent(self, features: Tensor) -> Tensor:
        """The pooled states (n, represented)."""
        states, _ = self.cells(features.transpose(1, 2))
        kept: Tensor = self.dropout(self.pooling(states, alive(features).squeeze(1)))
        return kept

    def forward(self, features: Tensor) -> Tensor:
        """Logits or values (n, outputs)."""
        output: Tensor = self.head(self.represent(features))
        return output


def _first_values(cells: nn.RNNBase, part: SeriesRnn) -> None:
    """Weights of the inputs by their number, orthogonal ones from state to state (Saxe et al. 2014), no offsets."""
    for name, parameter in cells.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.normal_(parameter, std=1 / math.sqrt(parameter.shape[1]))
        elif name.startswith("weight_hh"):
            for gate in torch.split(parameter.data, part.width):
                nn.init.orthogonal_(gate)
        else:
            nn.init.zeros_(parameter)
            if part.cell == "lstm" and name.startswith("bias_ih"):
                parameter.data[part.width : 2 * part.width] = 1.0
