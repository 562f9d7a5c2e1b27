"""One network for tables with texts or images in them: a branch for each kind of input, and a trunk on top of all."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from steelyard.data.prepared import MixedShape, arrays
from steelyard.knobs import Knob, Schedule, knob, value
from steelyard.networks.image import ResidualCnn
from steelyard.networks.layers import ACTIVATIONS, GAINS, Activation, Dropout, head, linear
from steelyard.networks.tabular import TabularMlp
from steelyard.parts import Network


@dataclass(frozen=True)
class MixedNetwork(Network):
    """What each branch makes of its inputs, normalised and put side by side, then `depth` hidden layers of `width`.

    `table`, `text` and `image` are the networks of the branches without their last layers; None for a kind that is not
    there. `modality_dropout` is the rate at which training leaves out a whole branch of single examples, so that the
    network learns to do without it.
    Sources: late fusion by concatenation, "Fuse-Late" in Shi et al. 2021, section 4 (arXiv 2111.02705); leaving out
    whole branches, Neverova et al. 2015, "ModDrop" (arXiv 1501.00102).
    """

    table: TabularMlp | None = None
    text: Network | None = None
    image: ResidualCnn | None = None
    width: int = knob(128, 1, 4096)
    depth: int = knob(1, 0, 16)
    activation: Activation = "relu"
    dropout: Knob = knob(0.1, 0.0, 0.95)
    modality_dropout: Knob = knob(0.0, 0.0, 0.95)

    def build(self, shape: MixedShape, outputs: int) -> nn.Module:
        """A network from the arrays of all branches to (n, outputs) logits or values."""
        return Mixed(self, shape, outputs)

    def branches(self) -> Iterator[tuple[str, Network]]:
        """The networks of the branches by name."""
        for f in fields(self):
            if isinstance(part := getattr(self, f.name), Network):
                yield f.name, part

    @property
    def moves(self) -> bool:
        """Whether any knob is a schedule, in a branch too."""
        own = any(isinstance(getattr(self, f.name), Schedule) for f in fields(self))
        return own or any(part.moves for _, part in self.branches())

    def turn(self, module: nn.Module, progress: float) -> None:
        """Set the scheduled rates of the branches and of the trunk to where they stand."""
        assert isinstance(module, Mixed)
        for name, branch in module.branches.items():
            getattr(self, name, TabularMlp()).turn(branch, progress)
        for layer in (*module.left_out.values(), *module.layers):
            if isinstance(layer, Dropout):
                layer.p = value(getattr(self, layer.knob), progress)


class Mixed(nn.Module):
    """`encode` lets each branch see its inputs, `forward` is the trunk on what they say."""

    def __init__(self, part: MixedNetwork, shape: MixedShape, outputs: int) -> None:
        super().__init__()
        parts: dict[str, Network] = {"table": TabularMlp()} | dict(
            part.branches()
        )  # a table that only marks missing images has none
        built = {name: parts[name].build(each, 1) for name, each in zip(shape.names, shape.branches, strict=True)}
        self.counts = [arrays(each) for each in shape.branches]
        for module in built.values():
            _headless(module)
        self.branches = nn.ModuleDict(built)
        sizes = {name: int(module.represented) for name, module in built.items()}  # type: ignore[arg-type]
        self.norms = nn.ModuleDict({name: nn.LayerNorm(size) for name, size in sizes.items()})
        rate = value(part.modality_dropout, 0.0)
        self.left_out = nn.ModuleDict({name: Dropout(rate, "modality_dropout", whole=True) for name in sizes})
        size, gain, layers = sum(sizes.values()), 1.0, list[nn.Module]()
        for _ in range(part.depth):
            hidden = [ACTIVATIONS[part.activation](), Dropout(value(part.dropout, 0.0))]
            layers += [linear(size, part.width, gain), *hidden]
            size, gain = part.width, GAINS[part.activation]
        self.layers = nn.Sequential(*layers)
        self.head = head(size, outputs)
        self.represented = size

    def encode(self, *inputs: Tensor) -> Tensor:
        """What the branches say (n, their sizes together) of the arrays of all of them."""
        found, given = [], iter(inputs)
        for (name, branch), count in zip(self.branches.items(), self.counts, strict=True):
            features = branch.encode(*(next(given) for _ in range(count)))  # type: ignore[operator]
            said = self.norms[name](branch.represent(features))  # type: ignore[operator]
            found.append(self.left_out[name](said))
        return torch.cat(found, dim=-1)

    def represent(self, features: Tensor) -> Tensor:
        """What the last layer sees (n, represented)."""
        hidden: Tensor = self.layers(features)
        return hidden

    def forward(self, features: Tensor) -> Tensor:
        """Logits or values (n, outputs)."""
        output: Tensor = self.head(self.represent(features))
        return output


def _headless(module: nn.Module) -> None:
    """Take the last layer off a branch, of which only what comes before is asked."""
    if hasattr(module, "head"):
        module.head = nn.Identity()
    else:
        assert isinstance(module.layers, nn.Sequential)
        module.layers[-1] = nn.Identity()
