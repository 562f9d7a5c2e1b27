"""The other engines: each trains the same network on the same rows as its users do with data that lie in memory.

An engine that is not installed raises ImportError.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from timing import Prepare, Run
from torch import Tensor, nn
from torch.nn import functional as F

RATE, BETAS, DECAY, EPSILON = 1e-3, (0.9, 0.999), 0.01, 1e-8


@dataclass(frozen=True)
class Task:
    """A multilayer perceptron, rows to learn from (n, features), rows to look at, rows a step, passes over the rows."""

    sizes: tuple[int, ...]
    batch: int
    epochs: int
    x: Tensor
    y: Tensor
    held_x: Tensor
    held_y: Tensor

    @property
    def steps(self) -> int:
        """Steps of a whole run; batches divide the rows."""
        return self.epochs * (len(self.x) // self.batch)

    @property
    def name(self) -> str:
        return f"{'→'.join(map(str, self.sizes))}, batch {self.batch}"


def mlp(sizes: tuple[int, ...]) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def adamw(network: nn.Module) -> torch.optim.Optimizer:
    """AdamW in its fused form, as all engines on torch use it here."""
    return torch.optim.AdamW(network.parameters(), RATE, BETAS, EPSILON, DECAY, fused=True)


class Slices:
    """Batches of tensors in memory, shuffled anew in each pass: the cheapest loader that a trainer can be given."""

    def __init__(self, x: Tensor, y: Tensor, batch: int) -> None:
        self.x, self.y, self.batch = x, y, batch

    def __len__(self) -> int:
        return len(self.x) // self.batch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.randperm(len(self.x)).split(self.batch):
            yield self.x[rows], self.y[rows]


def bare(task: Task) -> Prepare:
    """The loop that one would write by hand: nothing but steps."""

    def prepare() -> Run:
        network = mlp(task.sizes)
        optimizer = adamw(network)

        def run() -> int:
            for _ in range(task.epochs):
                for rows in torch.randperm(len(task.x)).split(task.batch):
                    loss = F.cross_entropy(network(task.x[rows]), task.y[rows])
                    optimizer.zero_grad(set_to_none=True)
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimizer.step()
            return task.steps

        return run

    return prepare


def skorch(task: Task) -> Prepare:
    """skorch as it comes: its DataLoader, its history, accuracy on held rows after each epoch; printing is off."""
    from skorch.dataset import Dataset
    from skorch.helper import predefined_split

    held = Dataset(task.held_x.numpy(), task.held_y.numpy())
    return _skorch(task, train_split=predefined_split(held), iterator_train__shuffle=True)


def skorch_tuned(task: Task) -> Prepare:
    """skorch with batches sliced from memory, without callbacks and held rows."""
    return _skorch(task, train_split=None, iterator_train=_skorch_slices, callbacks="disable")


def _skorch(task: Task, **how: Any) -> Prepare:
    from skorch import NeuralNetClassifier

    def prepare() -> Run:
        net = NeuralNetClassifier(
            mlp(task.sizes),
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.AdamW,
            optimizer__fused=True,
            optimizer__betas=BETAS,
            optimizer__eps=EPSILON,
            optimizer__weight_decay=DECAY,
            lr=RATE,
            batch_size=task.batch,
            max_epochs=task.epochs,
            classes=range(task.sizes[-1]),
            verbose=0,
            **how,
        ).initialize()
        x, y = task.x.numpy(), task.y.numpy()

        def run() -> int:
            net.partial_fit(x, y)
            return task.steps

        return run

    return prepare


def _skorch_slices(dataset: Any, batch_size: int, **_: Any) -> Slices:
    return Slices(torch.from_numpy(dataset.X), torch.from_numpy(dataset.y), batch_size)


def lightning(task: Task) -> Prepare:
    """Lightning's Trainer in its "barebones" form: no logger, checkpoint, bar or look at held rows; sliced batches."""
    import lightning as L

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Module(L.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = mlp(task.sizes)

        def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> Tensor:
            return F.cross_entropy(self.network(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return adamw(self)

    def prepare() -> Run:
        loader = Slices(task.x, task.y, task.batch)

        def run() -> int:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                trainer = L.Trainer(accelerator="cpu", barebones=True, max_epochs=task.epochs)
                trainer.fit(Module(), loader)
            return task.steps

        return run

    return prepare


def keras(task: Task) -> Prepare:
    """Keras 3 on torch: `compile` and `fit` on arrays, without held rows, printing off."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras as K

    def prepare() -> Run:
        *hidden, outputs = task.sizes[1:]
        layers = [K.layers.Dense(units, activation="relu") for units in hidden]
        network = K.Sequential([K.Input((task.sizes[0],)), *layers, K.layers.Dense(outputs)])
        optimizer = K.optimizers.AdamW(RATE, DECAY, *BETAS, epsilon=EPSILON)
        network.compile(optimizer, K.losses.SparseCategoricalCrossentropy(from_logits=True))
        x, y = task.x.numpy(), task.y.numpy()

        def run() -> int:
            network.fit(x, y, batch_size=task.batch, epochs=task.epochs, shuffle=True, verbose=0)
            return task.steps

        return run

    return prepare
