"""A multilayer perceptron for tables: embeddings of categories and numbers, then equal hidden layers."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from steelyard.data.prepared import TableShape
from steelyard.knobs import Knob, knob, value
from steelyard.networks.layers import ACTIVATIONS, GAINS, Activation, Dropout, Scale, head, linear
from steelyard.parts import Network


@dataclass(frozen=True)
class TabularMlp(Network):
    """`depth` hidden layers of `width` units.

    Categories of up to `onehot` levels become 0/1 columns, larger ones learnt vectors of `embedding` values.
    `periodic` is the number of learnt frequencies by which each number is embedded; 0 feeds numbers as they are.
    Their spread `frequency` is how fine a detail is seen at first: 0.1 suits hundreds of rows, 0.5 many thousands.
    `scale` puts a learnt factor on every feature.
    Source: Gorishniy et al. 2022 (arXiv 2203.05556) and, for the form with a bias, a linear layer and the number
    itself kept, Holzmüller et al. 2024, section 3 (arXiv 2407.04491).
    """

    width: int = knob(256, 1, 4096)
    depth: int = knob(3, 0, 16)
    activation: Activation = "silu"
    dropout: Knob = knob(0.0, 0.0, 0.95)
    periodic: int = knob(16, 0, 256)
    frequency: float = knob(0.3, 0.0)
    onehot: int = knob(8, 0)
    embedding: int = knob(8, 1, 256)
    scale: bool = True

    def build(self, shape: TableShape, outputs: int) -> nn.Module:
        """A network from numbers (n, d) and codes (n, c) to (n, outputs) logits or values."""
        return Mlp(self, shape, outputs)


class Mlp(nn.Module):
    """`encode` turns numbers and codes to features (n, features); `forward` turns features to (n, outputs)."""

    def __init__(self, part: TabularMlp, shape: TableShape, outputs: int) -> None:
        super().__init__()
        self.numbers = Periodic(shape.numbers, part.periodic, part.frequency) if part.periodic else None
        self.categories = Categories(shape.cardinalities, part.onehot, part.embedding)
        size = (self.numbers.features if self.numbers else shape.numbers) + self.categories.features
        self.scale = Scale(size) if part.scale else None
        gain, layers = 1.0, list[nn.Module]()
        for _ in range(part.depth):
            layers += [linear(size, part.width, gain), ACTIVATIONS[part.activation]()]
            layers += [Dropout(value(part.dropout, 0.0))]
            size, gain = part.width, GAINS[part.activation]
        self.layers = nn.Sequential(*layers, head(size, outputs))

    def encode(self, numbers: Tensor, categories: Tensor) -> Tensor:
        """Features float32 (n, features) of numbers float32 (n, d) and codes int64 (n, c)."""
        embedded = self.numbers(numbers) if self.numbers else numbers
        return torch.cat([embedded, *self.categories(categories)], dim=1)

    def forward(self, features: Tensor) -> Tensor:
        """Logits or values (n, outputs)."""
        output: Tensor = self.layers(self.scale(features) if self.scale else features)
        return output


class Categories(nn.Module):
    """Codes to 0/1 columns for small categories and to learnt vectors for the others; code 0 starts as all zeros."""

    column: Tensor
    level: Tensor
    large: Tensor
    offset: Tensor

    def __init__(self, cardinalities: tuple[int, ...], onehot: int, embedding: int) -> None:
        super().__init__()
        small = [j for j, k in enumerate(cardinalities) if k - 1 <= onehot]
        large = [j for j, k in enumerate(cardinalities) if k - 1 > onehot]
        pairs = [(j, level) for j in small for level in range(1, cardinalities[j])]
        sizes = [cardinalities[j] for j in large]
        offsets = [sum(sizes[:i]) for i in range(len(sizes))]
        self.features = len(pairs) + embedding * len(large)
        for name, numbers in {
            "column": [j for j, _ in pairs],
            "level": [level for _, level in pairs],
            "large": large,
            "offset": offsets,
        }.items():
            self.register_buffer(name, torch.tensor(numbers, dtype=torch.int64), persistent=False)
        self.table = nn.Parameter(torch.randn(sum(sizes), embedding)) if large else None
        if self.table is not None:
            self.table.data[offsets] = 0.0

    def forward(self, codes: Tensor) -> list[Tensor]:
        found = [(codes[:, self.column] == self.level).float()] if len(self.column) else []
        if self.table is not None:
            found.append(nn.functional.embedding(codes[:, self.large] + self.offset, self.table).flatten(1))
        return found


class Periodic(nn.Module):
    """Each number with `width` further values: linear in cos(2 pi (f x + b)) of learnt frequencies f, phases b."""

    def __init__(self, numbers: int, frequencies: int, spread: float, width: int = 3) -> None:
        super().__init__()
        self.features = numbers * (width + 1)
        self.frequency = nn.Parameter(2 * math.pi * spread * torch.randn(numbers, frequencies))
        self.phase = nn.Parameter(math.pi * (2 * torch.rand(numbers, frequencies) - 1))
        bound = 1 / math.sqrt(frequencies)
        self.weight = nn.Parameter(bound * (2 * torch.rand(numbers, frequencies, width) - 1))
        self.bias = nn.Parameter(bound * (2 * torch.rand(numbers, width) - 1))

    def forward(self, numbers: Tensor) -> Tensor:
        waves = torch.cos(numbers.unsqueeze(2) * self.frequency + self.phase)
        mixed = torch.einsum("ndk,dkw->ndw", waves, self.weight) + self.bias
        return torch.cat([numbers, mixed.flatten(1)], dim=1)
