"""A multilayer perceptron for tables: embeddings of categories and numbers, then equal hidden layers."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from steelyard.data.prepared import TableShape
from steelyard.knobs import Knob, knob, value
from steelyard.networks.embeddings import Categories, Periodic
from steelyard.networks.layers import (
    ACTIVATIONS,
    GAINS,
    Activation,
    Dropout,
    Initialization,
    Normalization,
    Scale,
    head,
    linear,
)
from steelyard.networks.piecewise import PiecewiseLinear
from steelyard.parts import Network

LARGEST = 16_000_000  # beyond so much work a step, fleets gained nothing (benchmarks/fleet.py measures smaller ones)
WIDTH = 4  # values a number becomes by pieces
NORMS: dict[str, type[nn.Module]] = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


@dataclass(frozen=True)
class TabularMlp(Network):
    """`depth` hidden layers of `width` units.

    Categories of up to `onehot` levels become 0/1 columns, larger ones learnt vectors of `embedding` values.
    `periodic` is the number of learnt frequencies by which each number is embedded; 0 feeds numbers as they are.
    Their spread `frequency` is how fine a detail is seen at first: 0.1 suits hundreds of rows, 0.5 many thousands.
    `piecewise` is a number of bins, at the quantiles of normal scores: above 0 each number is embedded linearly between
    them instead of by waves.
    `scale` puts a learnt factor on every feature.
    Source: Gorishniy et al. 2022 (arXiv 2203.05556) and, for the form with a bias, a linear layer and the number
    itself kept, Holzmüller et al. 2024, section 3 (arXiv 2407.04491).

    A hidden layer is linear (`bias` or not, first values by `init`), `normalization` (batch: Ioffe & Szegedy 2015,
    arXiv 1502.03167; layer: Ba et al. 2016, arXiv 1607.06450), `activation`, `dropout`. Batch norm needs batches of
    two rows or more.

    Two more rates of dropout act before the hidden layers: `embedding_dropout` on the values of categories (vectors
    and 0/1 columns), `input_dropout` on all features. Use them with care: cheat sheets advise against dropout right
    after the input layer. What is zeroed there is lost to every later layer, and a table has few columns that could
    stand in for each other; a tenth is a usual rate where half is one for hidden layers.
    """

    width: int = knob(256, 1, 4096)
    depth: int = knob(3, 0, 16)
    activation: Activation = "silu"
    dropout: Knob = knob(0.0, 0.0, 0.95)
    periodic: int = knob(16, 0, 256)
    piecewise: int = knob(0, 0, 256)
    frequency: float = knob(0.3, 0.0)
    onehot: int = knob(8, 0)
    embedding: int = knob(8, 1, 256)
    scale: bool = True
    normalization: Normalization = "none"
    input_dropout: Knob = knob(0.0, 0.0, 0.95)
    embedding_dropout: Knob = knob(0.0, 0.0, 0.95)
    bias: bool = True
    init: Initialization = "matched"

    def together(self, batch: int) -> int:
        """Small networks cost mostly calls, which a fleet shares; large ones multiplications, which it does not."""
        work = self.width**2 * max(1, self.depth) * batch  # multiplications of the hidden layers in a step
        return 1 if work > LARGEST else max(4, min(32, 4 * LARGEST // work))

    def build(self, shape: TableShape, outputs: int) -> nn.Module:
        """A network from numbers (…, n, d) and codes (…, n, c) to (…, n, outputs) logits or values."""
        return Mlp(self, shape, outputs)


class Mlp(nn.Module):
    """`encode` turns numbers and codes to features (…, n, features); `forward` turns features to (…, n, outputs)."""

    stackable = True

    def __init__(self, part: TabularMlp, shape: TableShape, outputs: int) -> None:
        super().__init__()
        self.numbers = _embedded(part, shape.numbers)
        rate = value(part.embedding_dropout, 0.0)
        self.categories = Categories(shape.cardinalities, part.onehot, part.embedding, rate)
        size = shape.numbers + (self.numbers.features if self.numbers else 0) + self.categories.features
        self.input_dropout = Dropout(value(part.input_dropout, 0.0), "input_dropout")
        self.scale = Scale(size) if part.scale else None
        gain, layers = 1.0, list[nn.Module]()
        for _ in range(part.depth):
            layers += _hidden(part, size, gain)
            size, gain = part.width, GAINS[part.activation]
        self.layers = nn.Sequential(*layers, head(size, outputs))
        self.represented = size

    def encode(self, numbers: Tensor, categories: Tensor) -> Tensor:
        """Features float32 (…, n, features) of numbers float32 (…, n, d) and codes int64 (…, n, c)."""
        embedded = [self.numbers(numbers)] if self.numbers else []
        return torch.cat([numbers, *embedded, *self.categories(categories)], dim=-1)

    def represent(self, features: Tensor) -> Tensor:
        """What the last layer sees (n, represented)."""
        kept = self.input_dropout(features)
        hidden: Tensor = self.layers[:-1](self.scale(kept) if self.scale else kept)
        return hidden

    def forward(self, features: Tensor) -> Tensor:
        """Logits or values (…, n, outputs)."""
        kept = self.input_dropout(features)
        output: Tensor = self.layers(self.scale(kept) if self.scale else kept)
        return output


def _embedded(part: TabularMlp, numbers: int) -> Periodic | PiecewiseLinear | None:
    if part.piecewise:
        return PiecewiseLinear.of_scores(numbers, part.piecewise, WIDTH)
    return Periodic(numbers, part.periodic, part.frequency) if part.periodic else None


def _hidden(part: TabularMlp, inputs: int, gain: float) -> list[nn.Module]:
    norm = [NORMS[part.normalization](part.width)] if part.normalization in NORMS else []
    layer = linear(inputs, part.width, gain, part.init, part.bias)
    return [layer, *norm, ACTIVATIONS[part.activation](), Dropout(value(part.dropout, 0.0))]
