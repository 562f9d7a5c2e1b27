"""Views of an input in prediction: what test-time augmentation shows a network.

A view is drawn for one example, at the strength augmentations have at the end of training, and every example is
changed by that very draw, as if it were alone: which others are predicted with it makes no difference.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn

from steelyard.parts import Augmentation, Views
from steelyard.recipe import Recipe
from steelyard.training.feed import Tensors
from steelyard.training.streams import torch_stream

Look = Callable[[nn.Module, Tensors], Tensor]  # encodes inputs (n, …) to features (n, …)


def looks(recipe: Recipe, modality: str, inputs: Tensors) -> list[Look]:
    """How inputs are encoded, once for each view of them; the plain one first."""
    if recipe.tta is None or not len(inputs[0]):
        return [plain]
    parts = recipe.tta.by(recipe.augment, modality)
    shapes = tuple(torch.Size((1, *tensor.shape[1:])) for tensor in inputs)
    return [plain, *_changed(parts, recipe.tta, shapes), *_crops(recipe.tta.crop, inputs)]


def plain(network: nn.Module, inputs: Tensors) -> Tensor:
    """Features (n, …) of inputs as they are."""
    features: Tensor = network.encode(*inputs)  # type: ignore[operator]
    return features


def _changed(parts: tuple[Augmentation, ...], views: Views, shapes: tuple[torch.Size, ...]) -> Iterator[Look]:
    for number in range(1, views.views):
        draws = [(part, part.draw(shapes, torch_stream(number, f"view {part.kind}"), 1.0)) for part in parts]
        if noise := [(part, tensors) for part, tensors in draws if tensors is not None]:
            yield Changed(tuple(noise))


@dataclass(frozen=True, eq=False)
class Changed:
    """A view: augmentations with what was drawn for each of them, in their order."""

    noise: tuple[tuple[Augmentation, Tensors], ...]

    def __call__(self, network: nn.Module, inputs: Tensors) -> Tensor:
        single = tuple(tensor.unsqueeze(1) for tensor in inputs)  # batches of one, to map over
        for part, drawn in self.noise:
            if type(part).on_inputs is not Augmentation.on_inputs:
                single = torch.func.vmap(part.on_inputs, in_dims=(0, None))(single, drawn)
        features = plain(network, tuple(tensor.squeeze(1) for tensor in single)).unsqueeze(1)
        nothing = features.new_ones((1, 1)), features.new_ones(1)
        for part, drawn in self.noise:
            if type(part).on_features is not Augmentation.on_features:
                mapped = torch.func.vmap(part.on_features, in_dims=(0, None, None, None))
                features, _, _ = mapped(features, *nothing, drawn)
        return features.squeeze(1)


def _crops(share: float, inputs: Tensors) -> Iterator[Look]:
    """The middle and the corners of images (n, c, h, w)."""
    if share == 1:
        return
    sides = inputs[0].shape[2:]
    sizes = [max(1, round(side * share)) for side in sides]
    (bottom, right) = (side - size for side, size in zip(sides, sizes, strict=True))
    for top, left in [(bottom // 2, right // 2), *product((0, bottom), (0, right))]:
        yield Crop(slice(top, top + sizes[0]), slice(left, left + sizes[1]))


@dataclass(frozen=True)
class Crop:
    """A view: some rows and columns of every image."""

    rows: slice
    columns: slice

    def __call__(self, network: nn.Module, inputs: Tensors) -> Tensor:
        return plain(network, (inputs[0][:, :, self.rows, self.columns],))
