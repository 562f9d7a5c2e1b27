"""Steelyard's engine as the benchmarks call it: the network and the settings of the rivals."""

from dataclasses import dataclass
from typing import Any

import torch
from rivals import BETAS, DECAY, RATE, Task, mlp
from timing import Prepare, Run
from torch import Tensor, nn

from steelyard.data.batches import Batch
from steelyard.data.prepare import TablePreparation
from steelyard.knobs import knob
from steelyard.metrics import metric
from steelyard.parts import Network
from steelyard.recipe import Recipe
from steelyard.training.feed import Rows
from steelyard.training.fleet import Fleet
from steelyard.training.losses import CrossEntropy
from steelyard.training.member import Member
from steelyard.training.optimizers import AdamW
from steelyard.training.stopping import Patience, Stopping

LOOK = 5  # epochs between two looks at the metric on held rows


@dataclass(frozen=True)
class PlainMlp(Network):
    """The network of all rivals: linear layers with ReLU between them."""

    sizes: tuple[int, ...] = knob((64, 64, 10))

    def build(self, shape: Any, outputs: int) -> nn.Module:
        """A network from features (…, n, sizes[0]) to (…, n, sizes[-1])."""
        return PlainModule(self.sizes)


class PlainModule(nn.Module):
    """`encode` gives rows as they are, `forward` turns them to logits."""

    stackable = True

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = mlp(sizes)

    def encode(self, inputs: Tensor) -> Tensor:
        """The inputs themselves."""
        return inputs

    def forward(self, features: Tensor) -> Tensor:
        """Logits (…, n, classes)."""
        output: Tensor = self.layers(features)
        return output


def recipe(network: Network, batch: int, epochs: int, watched: bool = False) -> Recipe:
    """The settings of the rivals; `watched` runs have a stopping rule, which here never stops them."""
    return Recipe(
        TablePreparation(),
        network=network,
        loss=CrossEntropy(),
        optimizer=AdamW(lr=RATE, weight_decay=DECAY, beta1=BETAS[0], beta2=BETAS[1]),
        batch=Batch(batch),
        stopping=Stopping(epochs, rule=Patience(epochs)) if watched else Stopping(epochs),
    )


def rows(inputs: tuple[Tensor, ...], codes: Tensor, classes: int) -> Rows:
    """Rows with class codes (n,) as the engine wants them: targets are probabilities of the dtype of the inputs."""
    kind = inputs[0].dtype if inputs[0].is_floating_point() else torch.float32
    return Rows(inputs, torch.eye(classes, dtype=kind)[codes], codes.numpy())


def first(given: Rows, count: int) -> Rows:
    """The first rows."""
    classes = None if given.classes is None else given.classes[:count]
    return Rows(tuple(tensor[:count] for tensor in given.inputs), given.targets[:count], classes)


def converted(given: Rows, dtype: torch.dtype) -> Rows:
    """The rows with their floating-point numbers in another format."""
    inputs = tuple(tensor.to(dtype) if tensor.is_floating_point() else tensor for tensor in given.inputs)
    return Rows(inputs, given.targets.to(dtype), given.classes)


def plain(task: Task) -> Prepare:
    """The engine alone: steps, mean training losses, the check that they are finite."""
    given = rows((task.x,), task.y, task.sizes[-1])
    network = PlainMlp(task.sizes)

    def prepare() -> Run:
        member = Member(network.build(None, 0), recipe(network, task.batch, task.epochs), given, 0)

        def run() -> int:
            history = [epoch for (epoch,) in Fleet([member])]
            assert history[-1].ends == "complete"
            return task.steps

        return run

    return prepare


def seeds(task: Task, members: int) -> Prepare:
    """So many seeds of the task in one fleet; a step is one of all members."""
    given, network = rows((task.x,), task.y, task.sizes[-1]), PlainMlp(task.sizes)
    settings = recipe(network, task.batch, task.epochs)

    def prepare() -> Run:
        fleet = [Member(network.build(None, 0), settings, given, seed) for seed in range(members)]

        def run() -> int:
            assert sum(len(epochs) for epochs in Fleet(fleet)) == members * task.epochs
            return task.steps

        return run

    return prepare


def everything(task: Task) -> Prepare:
    """The engine with all that a run of Steelyard has on.

    That is: a history; after each epoch the loss on held rows, a stopping rule that looks at it, the best weights kept
    aside and brought back at the end; every few epochs accuracy and log loss on held rows.
    """
    given, held = rows((task.x,), task.y, task.sizes[-1]), rows((task.held_x,), task.held_y, task.sizes[-1])
    network, truth = PlainMlp(task.sizes), task.held_y.numpy()
    metrics = (metric("accuracy"), metric("log_loss"))

    def prepare() -> Run:
        member = Member(network.build(None, 0), recipe(network, task.batch, task.epochs, True), given, 0, held)

        def run() -> int:
            fleet, history, scores = Fleet([member]), [], []
            for (epoch,) in fleet:
                history.append(epoch)
                if epoch.number % LOOK == 0:
                    predicted = fleet.look({0: held.inputs})[0].softmax(dim=1).numpy()
                    scores.append([each(truth, predicted) for each in metrics])
            assert len(history) == task.epochs and len(scores) == task.epochs // LOOK
            return task.steps

        return run

    return prepare
