"""The training loop: a generator that yields after every epoch; whoever watches is a plain `for`."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from steelyard.data.batches import Batch, balance
from steelyard.parts import Loss, Network
from steelyard.recipe import Recipe
from steelyard.training.averaging import Ema
from steelyard.training.optimizers import Optimizer
from steelyard.training.stopping import Stopping
from steelyard.training.streams import numpy_stream, torch_stream

Tensors = tuple[Tensor, ...]


class Diverged(ArithmeticError):
    """The loss became infinite or not a number."""


@dataclass(frozen=True)
class Rows:
    """Prepared rows to train on: input tensors (n, …), targets (n, outputs) and class codes (n,) or None."""

    inputs: Tensors
    targets: Tensor
    classes: np.ndarray | None


@dataclass(frozen=True)
class Epoch:
    """What one epoch left: its number from 1, mean training loss, the progress reached and seconds since the start."""

    number: int
    train_loss: float
    progress: float
    seconds: float


@dataclass(frozen=True)
class Plan:
    """The parts of a recipe that training needs, with their types."""

    network: Network
    loss: Loss
    optimizer: Optimizer
    batch: Batch
    stopping: Stopping
    averaging: Ema | None

    @classmethod
    def of(cls, recipe: Recipe) -> "Plan":
        """The plan of a recipe that trains a network; a classical recipe has none."""
        parts = (recipe.network, recipe.loss, recipe.optimizer, recipe.batch, recipe.stopping, recipe.averaging)
        if any(part is None for part in parts[:-1]):
            raise TypeError(
                f"the recipe of {recipe.family} has no training: it needs a loss, an optimizer, batch and stopping"
            )
        return cls(*parts)  # type: ignore[arg-type]


def train(network: nn.Module, recipe: Recipe, rows: Rows, seed: int) -> Iterator[Epoch]:
    """Train a network in place by its recipe; after the last epoch it holds the weights to keep.

    Raises Diverged at the end of an epoch whose loss is not finite.
    """
    plan = Plan.of(recipe)
    optimizer = plan.optimizer.build(network)
    steps = plan.batch.steps(len(rows.targets))
    total = plan.stopping.epochs * steps
    average = plan.averaging.build(network, total) if plan.averaging else None
    order = numpy_stream(seed, "order")
    streams = {part.kind: torch_stream(seed, part.kind) for part in recipe.augment}
    row_weights = _row_weights(plan.loss, rows)
    network.train()
    began, step, number, progress = time.perf_counter(), 0, 0, 0.0
    while step < total and progress < 1:
        number += 1
        summed = torch.zeros(())
        for chosen in plan.batch.epoch(len(rows.targets), rows.classes, order):
            progress = _progress(step, total, plan.stopping.seconds, began)
            plan.network.turn(network, progress)
            picked = torch.from_numpy(chosen)
            inputs = tuple(tensor[picked] for tensor in rows.inputs)
            targets, weights = rows.targets[picked], row_weights[picked]
            for part in recipe.augment:
                inputs = part.on_inputs(inputs, streams[part.kind], progress)
            features = network.encode(*inputs)  # type: ignore[operator]
            for part in recipe.augment:
                features, targets, weights = part.on_features(features, targets, weights, streams[part.kind], progress)
            error = (plan.loss.per_example(network(features), targets, progress) * weights).mean()
            optimizer.zero_grad(set_to_none=True)
            error.backward()  # type: ignore[no-untyped-call]
            plan.optimizer.turn(optimizer, progress)
            optimizer.step()
            plan.optimizer.shrink(optimizer, progress)
            if average:
                average.update(network)
            summed += error.detach()
            step += 1
        mean = float(summed) / steps
        if not np.isfinite(mean):
            raise Diverged(f"the training loss is {mean} in epoch {number}, before step {step}")
        progress = _progress(step, total, plan.stopping.seconds, began)
        if average and (step >= total or progress >= 1):
            average.load_into(network)
        yield Epoch(number, mean, progress, time.perf_counter() - began)


def _progress(step: int, total: int, seconds: float | None, began: float) -> float:
    by_steps = step / total
    return by_steps if seconds is None else min(1.0, max(by_steps, (time.perf_counter() - began) / seconds))


def _row_weights(loss: Loss, rows: Rows) -> Tensor:
    power = getattr(loss, "class_weights", 0.0)
    if rows.classes is None or power == 0:
        return torch.ones(len(rows.targets))
    return torch.from_numpy(balance(rows.classes, power)).float()
