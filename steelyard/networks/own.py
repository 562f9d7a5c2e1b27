"""A network of one's own in a recipe: somebody's `nn.Module`, untouched, fed what our networks are fed."""

import inspect
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.data.prepared import ImageShape, MixedShape, SeriesShape, Shape, TableShape, TextShape
from steelyard.errors import UserError
from steelyard.networks.given import FORM, Builder, content_of, known
from steelyard.parts import Network


@dataclass(frozen=True)
class OwnNetwork(Network):
    """A module that a person brought, called `by` them; `content` is a hash of its code and first weights.

    Its forward gets what the inputs are, as float32 with a row an example: images (n, channels, height, width) with
    mean 0 and spread 1; a table as one matrix (n, width) of numbers and 0/1 columns of categories, or, when it takes
    two arguments, as numbers (n, d) and codes int64 (n, c); series (n, channels, length) with 0 for what is missing;
    texts as token ids int64 (n, length). In a mixed table it gets these one after another, as the branches are named.
    It returns logits or values (n, outputs). It has no knobs, and members of a fleet are trained one after another.
    """

    by: str = ""
    content: str = ""

    def build(self, shape: Shape, outputs: int) -> nn.Module:
        """The module between the inputs and the outputs; UserError when it does not fit, or is not known here."""
        builder = known(self.content)
        if builder is None:
            raise UserError(
                f"the model is a network of one's own ({self.by}), whose code a saved model does not hold: name it, "
                f"as --network {self.by if ':' in self.by else FORM} or network=…"
            )
        owned = fitted(builder, shape, outputs)
        owned.changed = not builder.as_given and content_of(builder, owned.module) != self.content
        return owned

    def blends(self, modality: str) -> bool:
        """Token ids cannot be averaged."""
        return modality not in {"text", "mixed"}


def fitted(builder: Builder, shape: Shape, outputs: int) -> "Owned":
    """The module of a builder, tried on two rows: UserError when it does not take them or gives something else."""
    made = builder(shape, outputs)
    owned = Owned(made, shape)
    try:
        with torch.no_grad():
            found = owned.eval()(owned.encode(*_rows(shape)))
    except Exception as error:  # code of the user's
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UserError(f"{builder.by} cannot take {_inputs(owned)}: {said}") from error
    if not isinstance(found, Tensor) or found.shape != (2, outputs) or not found.is_floating_point():
        came = f"{tuple(found.shape)} of {found.dtype}" if isinstance(found, Tensor) else type(found).__name__
        wanted = "values" if outputs == 1 else "logits, one a class"
        raise UserError(f"{builder.by} gives {came} for 2 rows: expected (2, {outputs}) {wanted}")
    if not any(parameter.requires_grad for parameter in made.parameters()):
        raise UserError(f"{builder.by} has no weights that can be learnt: it needs parameters that require a gradient")
    if strange := [name for name, held in made.state_dict().items() if not isinstance(held, Tensor)]:
        raise UserError(f"{builder.by} keeps more than tensors in its state ('{strange[0]}'), which cannot be saved")
    return owned.train()


def part_of(builder: Builder, shape: Shape, outputs: int) -> OwnNetwork:
    """The part that stands for a builder in recipes, tried out on such inputs."""
    with torch.random.fork_rng(devices=[]):
        module = fitted(builder, shape, outputs).module
    return OwnNetwork(builder.by, content_of(builder, module))


class Owned(nn.Module):
    """`encode` makes one tensor of the inputs, `forward` takes it apart again for the module."""

    changed = False  # whether the code is another than that of the part
    alone = True  # never computed as one with others: nothing is known of its layers and what they draw

    def __init__(self, module: nn.Module, shape: Shape) -> None:
        super().__init__()
        self.module = module
        self.shapes = shape.branches if isinstance(shape, MixedShape) else (shape,)
        for number, each in enumerate(self.shapes):
            if isinstance(each, ImageShape):
                self.register_buffer(f"mean{number}", torch.tensor(each.mean).view(1, -1, 1, 1))
                self.register_buffer(f"std{number}", torch.tensor(each.std).view(1, -1, 1, 1))
        tables = sum(isinstance(each, TableShape) for each in self.shapes)
        self.parted = bool(tables) and _arguments(module) == len(self.shapes) + tables

    def encode(self, *inputs: Tensor) -> Tensor:
        """The inputs as one tensor (n, …): as they are where they are of one kind, else side by side (n, w)."""
        pieces = list(self._pieces(inputs))
        return pieces[0] if len(pieces) == 1 else torch.cat([piece.flatten(1).float() for piece in pieces], dim=1)

    def forward(self, features: Tensor) -> Tensor:
        """Logits or values (n, outputs)."""
        output: Tensor = self.module(*self._arguments(features))
        return output.unsqueeze(-1) if isinstance(output, Tensor) and output.ndim == 1 else output

    def _pieces(self, inputs: tuple[Tensor, ...]) -> Iterator[Tensor]:
        given = iter(inputs)
        for number, shape in enumerate(self.shapes):
            first = next(given)
            if isinstance(shape, ImageShape):
                yield (first.float() - getattr(self, f"mean{number}")) / getattr(self, f"std{number}")
            elif isinstance(shape, TableShape):
                yield torch.cat([first, *_onehot(next(given), shape)], dim=1)
            else:
                yield torch.nan_to_num(first) if isinstance(shape, SeriesShape) else first

    def _arguments(self, features: Tensor) -> Iterator[Tensor]:
        several, begin = len(self.shapes) > 1, 0
        for shape in self.shapes:
            size = _size(shape)
            piece = features.narrow(1, begin, math.prod(size)).reshape(-1, *size) if several else features
            begin += math.prod(size)
            if isinstance(shape, TextShape):
                yield piece.long()
            elif isinstance(shape, TableShape) and self.parted:
                yield piece[:, : shape.numbers]
                yield _codes(piece[:, shape.numbers :], shape)
            else:
                yield piece


def _onehot(codes: Tensor, shape: TableShape) -> list[Tensor]:
    """0/1 columns (n, levels) of each category without its code 0."""
    return [F.one_hot(codes[:, j], many)[:, 1:].float() for j, many in enumerate(shape.cardinalities)]


def _codes(columns: Tensor, shape: TableShape) -> Tensor:
    """The codes (n, c) again; of rows that are blended the code with the larger share."""
    found, begin = [], 0
    for many in shape.cardinalities:
        block, begin = columns[:, begin : begin + many - 1], begin + many - 1
        found.append(torch.cat([1 - block.sum(1, keepdim=True), block], dim=1).argmax(1))
    return torch.stack(found, dim=1) if found else columns.new_zeros((len(columns), 0), dtype=torch.int64)


def _arguments(module: nn.Module) -> int:
    """How many tensors a forward asks for."""
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    takes = inspect.signature(module.forward).parameters.values()
    return sum(p.kind in places and p.default is p.empty for p in takes)


def _size(shape: Any) -> tuple[int, ...]:
    if isinstance(shape, ImageShape):
        return shape.channels, shape.height, shape.width
    if isinstance(shape, TableShape):
        return (shape.width,)
    return (shape.length,) if isinstance(shape, TextShape) else (shape.channels, shape.length)


def _rows(shape: Shape) -> Iterator[Tensor]:
    """Two rows of inputs of that shape."""
    for each in shape.branches if isinstance(shape, MixedShape) else (shape,):
        if isinstance(each, TableShape):
            yield torch.zeros(2, each.numbers)
            yield torch.zeros(2, len(each.cardinalities), dtype=torch.int64)
        else:
            kind = {ImageShape: torch.uint8, TextShape: torch.int64}.get(type(each), torch.float32)
            yield torch.zeros(2, *_size(each), dtype=kind)


def _inputs(owned: Owned) -> str:
    """What a module is given, in words."""
    words = []
    for shape in owned.shapes:
        if isinstance(shape, TableShape) and owned.parted:
            words.append(f"numbers (n, {shape.numbers}) and codes (n, {len(shape.cardinalities)})")
        else:
            what = {ImageShape: "images", TableShape: "a matrix", TextShape: "token ids"}.get(type(shape), "series")
            words.append(f"{what} (n, {', '.join(map(str, _size(shape)))})")
    return " and ".join(words)
