"""Recurrent layers over steps of unequal number, forwards and backwards: simple cells, LSTM, GRU."""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from steelyard.networks.layers import Dropout
from steelyard.networks.pooling import lengths

Cell = Literal["gru", "lstm", "rnn"]
CELLS: dict[str, Any] = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class Recurrent(nn.Module):
    """`depth` layers of cells of `width` on each other, with dropout between them.

    First values: square matrices orthogonal (Saxe et al. 2014, arXiv 1312.6120); LSTM cells start remembering, with a
    forget bias of 1 (Jozefowicz et al. 2015).
    """

    def __init__(
        self, inputs: int, width: int, depth: int = 1, cell: Cell = "gru", both: bool = True, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.features = width * (2 if both else 1)
        sizes = [inputs, *[self.features] * (depth - 1)]
        self.layers = nn.ModuleList(CELLS[cell](size, width, batch_first=True, bidirectional=both) for size in sizes)
        self.dropout = Dropout(dropout)
        for name, weight in self.named_parameters():
            _first_values(name, weight, width, cell)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """States (n, time, features) of steps (n, time, inputs), 0 behind the last step that counts."""
        time, steps = x.shape[1], lengths(mask).clamp_min(1).cpu()
        for place, layer in enumerate(self.layers):
            x = self.dropout(x) if place else x
            packed = pack_padded_sequence(x, steps, batch_first=True, enforce_sorted=False)
            x = pad_packed_sequence(layer(packed)[0], batch_first=True, total_length=time)[0]
        return x


def _first_values(name: str, weight: Tensor, width: int, cell: Cell) -> None:
    with torch.no_grad():
        if weight.ndim == 2 and "weight_hh" in name:
            for part in torch.split(weight, width):
                nn.init.orthogonal_(part)
        elif weight.ndim == 2:
            nn.init.xavier_uniform_(weight)
        else:
            weight.zero_()
            if cell == "lstm" and "bias_ih" in name:
                weight[width : 2 * width] = 1.0
