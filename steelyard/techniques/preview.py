"""Examples before and after augmentation: what one draw makes of a batch, and the labels it then has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from steelyard.data.prepared import ImageShape, Prepared
from steelyard.parts import Augmentation
from steelyard.problem import Problem

Inputs = tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class After:
    """The examples after one draw: inputs as the network gets them, and their labels; `note` where nothing is seen."""

    name: str
    inputs: tuple[np.ndarray, ...]
    labels: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Preview:
    """Examples of train rows, as the preparation hands them to a network, and what augmentation makes of them.

    `inputs` have one row an example; so have those of each of `after`, a draw of one technique or of all of a recipe.
    """

    problem: Problem
    prepared: Prepared
    inputs: tuple[np.ndarray, ...]
    labels: tuple[str, ...]
    after: tuple[After, ...]


@dataclass(frozen=True)
class Lens:
    """How to see what a network computes from inputs: `encode` as it does, `decode` back into what can be shown."""

    encode: Callable[[Inputs, Any], Tensor]
    decode: Callable[[Tensor, Any], Inputs]


def after(
    name: str,
    parts: tuple[Augmentation, ...],
    streams: dict[str, torch.Generator],
    batch: tuple[Inputs, Tensor],
    at: float,
    prepared: Prepared,
    problem: Problem,
    count: int,
) -> After:
    """One draw, as training would make it: first all that changes inputs, then what changes encoded ones."""
    inputs, targets = batch
    shapes, later, asleep = tuple(values.shape for values in inputs), [], []
    for part in parts:
        drawn = part.draw(shapes, streams[part.kind], at)
        if drawn is None:
            asleep.append(part.kind)
            continue
        inputs = part.on_inputs(inputs, drawn)
        if type(part).on_features is not Augmentation.on_features:
            later.append((part, drawn))
    lens, note = LENSES.get(problem.modality), ""
    if asleep:
        note = f"at {at:g} of training {', '.join(asleep)} changes nothing on these data"
    if later and lens is None:
        note = f"{', '.join(part.kind for part, _ in later)} acts on what the network computes: it cannot be shown"
    elif later and lens is not None:
        features, weights = lens.encode(inputs, prepared.shape), torch.ones(len(targets))
        for part, drawn in later:
            features, targets, weights = part.on_features(features, targets, weights, drawn)
        several = len(targets) // len(batch[1])  # of several crops of an image the first is shown
        inputs, targets = lens.decode(features[::several], prepared.shape), targets[::several]
    shown = tuple(values[:count].numpy() for values in inputs)
    return After(name, shown, labels(targets[:count], problem), note)


def labels(targets: Tensor, problem: Problem) -> tuple[str, ...]:
    """Targets (n, outputs) in words: a class, several with their shares, or a value."""
    if not problem.classes:
        return tuple(f"{float(value):.4g}" for value in targets[:, 0])
    found = []
    for row in targets:
        largest = [code for code in row.argsort(descending=True).tolist() if row[code] >= 0.005]
        whole = len(largest) == 1
        found.append(
            " + ".join(
                problem.classes[code] if whole else f"{row[code]:.2f} {problem.classes[code]}" for code in largest
            )
        )
    return tuple(found)


def _standardised(inputs: Inputs, shape: ImageShape) -> Tensor:
    mean, std = (torch.tensor(each).view(1, -1, 1, 1) for each in (shape.mean, shape.std))
    return (inputs[0].float() - mean) / std


def _pixels(features: Tensor, shape: ImageShape) -> Inputs:
    mean, std = (torch.tensor(each).view(1, -1, 1, 1) for each in (shape.mean, shape.std))
    return ((features * std + mean).round().clamp(0, 255).to(torch.uint8),)


LENSES: dict[str, Lens] = {"image": Lens(_standardised, _pixels)}  # by modality; others show what changes inputs
