"""The training program of a recipe, as the doctor examines any other: a model, its loss, optimizer and batches."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.data.dataset import Dataset
from steelyard.data.prepared import Prepared
from steelyard.knobs import Schedule, value
from steelyard.parts import Loss
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.feed import Feed, Rows, Tensors
from steelyard.training.losses import CrossEntropy, HuberError, SquaredError
from steelyard.training.member import Plan
from steelyard.training.model import Model
from steelyard.training.optimizers import parameters
from steelyard.training.optimizers.fused import FusedAdam, FusedSgd
from steelyard.training.scale import Scale, base_of, learnt
from steelyard.training.start import begin, ready
from steelyard.training.streams import numpy_stream
from steelyard.training.target_losses import BinaryCrossEntropy

ROWS = 20_000  # train rows that are prepared, at most: checks look at the first batches
ENCODED = ("image", "series")  # modalities whose `encode` has no weights
CODED = ("binary", "multiclass", "ordinal")  # tasks whose targets are one class a row
GRID = 100  # steps of training at which the rate is looked at


@dataclass(frozen=True, eq=False)
class Program:
    """What `steelyard.doctor.examine` takes, made from a recipe: train rows are prepared and fed as a trial does it.

    Augmentation and weights of rows are left out; of targets with gaps the complete rows are taken. Images and series
    come as the network itself encodes them: standardised, and with the gaps marked.
    """

    model: nn.Module
    loss: nn.Module
    optimizer: torch.optim.Optimizer
    train: "Batches"
    dev: list[tuple[Tensor, ...]]
    classes: int | None

    def parts(self) -> dict[str, Any]:
        """The arguments of `examine`."""
        return dict(vars(self))


class Whole(nn.Module):
    """A network of ours behind one call: `encode`, then `forward`; where inputs come `encoded`, `forward` alone."""

    def __init__(self, network: nn.Module, encoded: bool) -> None:
        super().__init__()
        self.network, self.encoded = network, encoded

    def forward(self, *inputs: Tensor) -> Tensor:
        features = inputs[0] if self.encoded else self.network.encode(*inputs)  # type: ignore[operator]
        outputs: Tensor = self.network(features)
        return outputs


def program_of(recipe: Recipe, train: Dataset, dev: Dataset, problem: Problem, seed: int) -> Program:
    """The program of a recipe as its training with that seed begins."""
    prepared = ready(recipe, train, problem, seed)
    model, member = begin(recipe, prepared, train, problem, seed)
    return _program(model, member.recipe, prepared.rows, dev, seed)


def program_of_trained(model: Model, train: Dataset, dev: Dataset, seed: int) -> Program:
    """The program of a model that has been trained, on rows that are prepared as it was."""
    assert model.recipe.loss is not None
    rows = _rows(model.problem, model.prepared, model.scale, train)
    recipe = replace(model.recipe, loss=model.recipe.loss.fitted(model.problem, rows.targets))
    return _program(model, recipe, rows, dev, seed)


def _program(model: Model, recipe: Recipe, rows: Rows, dev: Dataset, seed: int) -> Program:
    assert model.network is not None
    rows = complete if len(complete := _complete(rows)) > 1 else rows
    plan, coded = Plan.of(recipe), _coded(model.problem, rows.targets)
    size = plan.batch.size_at(0.0, len(rows))
    apart = _complete(_rows(model.problem, model.prepared, model.scale, dev)) if len(dev) else None
    encoded = model.problem.modality in ENCODED
    shown = Shown(model.network if encoded else None, coded)
    return Program(
        Whole(model.network.train(), encoded),
        loss_of(plan.loss),
        optimizer_of(plan, model.network),
        Batches(rows, plan, seed, shown),
        _in_turn(apart, size, shown) if apart else [],
        len(model.problem.classes) or None if coded else None,
    )


def _rows(problem: Problem, prepared: Prepared, scale: Scale, dataset: Dataset) -> Rows:
    """Rows as a fitted preparation makes them."""
    assert dataset.target is not None
    base = base_of(prepared, dataset)
    target = dataset.target if base is None else dataset.target - base
    inputs = tuple(torch.from_numpy(values) for values in prepared.transform(dataset))
    return Rows(inputs, learnt(problem, scale, target), dataset.target if problem.classes else None)


def _complete(rows: Rows) -> Rows:
    """The rows of which every target is known."""
    known = ~rows.targets.isnan().any(dim=1)
    if bool(known.all()):
        return rows
    there = known.numpy()
    classes = None if rows.classes is None else rows.classes[there]
    return Rows(tuple(tensor[known] for tensor in rows.inputs), rows.targets[known], classes)


def _coded(problem: Problem, targets: Tensor) -> bool:
    """Whether targets are one class a row, so that they can be given as codes."""
    return problem.task in CODED and bool(((targets == 0) | (targets == 1)).all() and (targets.sum(1) == 1).all())


@dataclass(frozen=True, eq=False)
class Shown:
    """How a batch is shown: inputs through `encode` of a network where there is one, targets as class codes or not."""

    network: nn.Module | None
    coded: bool

    def batch(self, inputs: Tensors, targets: Tensor) -> tuple[Tensor, ...]:
        """A batch as the doctor knows them: the inputs, then the target."""
        if self.network is not None:
            with torch.no_grad():
                inputs = (self.network.encode(*inputs),)  # type: ignore[operator]
        return (*inputs, targets.argmax(1) if self.coded else targets)


def _in_turn(rows: Rows, size: int, shown: Shown) -> list[tuple[Tensor, ...]]:
    """Rows in batches, in their order."""
    spans = [slice(begin, begin + size) for begin in range(0, len(rows), size)]
    return [shown.batch(tuple(tensor[span] for tensor in rows.inputs), rows.targets[span]) for span in spans]


class Batches:
    """The batches of an epoch as training draws them, in another order every time they are asked for."""

    def __init__(self, rows: Rows, plan: Plan, seed: int, shown: Shown) -> None:
        self._feed = Feed([rows], [plan.batch], [plan.loss])
        self._order: np.random.Generator = numpy_stream(seed, "order")
        self._shown = shown

    def __len__(self) -> int:
        return self._feed.steps(0.0)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        for step in self._feed.epoch(0.0, [self._order]):
            yield self._shown.batch(step.inputs, step.targets)


# -- the loss, by a name that the doctor knows ------------------------------------------------------------------------


class _Classes(nn.CrossEntropyLoss):
    """Cross-entropy of logits, as a part of a recipe computes it."""

    def __init__(self, part: Loss) -> None:
        super().__init__()
        self.part = part

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        soft = target if target.is_floating_point() else F.one_hot(target, outputs.shape[-1]).to(outputs.dtype)
        return self.part.per_example(outputs, soft, 0.0).mean()


class _Labels(nn.BCEWithLogitsLoss):
    """Cross-entropy of a logit a label, as a part of a recipe computes it."""

    def __init__(self, part: Loss) -> None:
        super().__init__()
        self.part = part

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.part.per_example(outputs, target, 0.0).mean()


class _Values(nn.MSELoss):
    """A distance of values, as a part of a recipe computes it."""

    def __init__(self, part: Loss) -> None:
        super().__init__()
        self.part = part

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.part.per_example(outputs, target, 0.0).mean()


class _Other(nn.Module):
    """Any other loss of a recipe."""

    def __init__(self, part: Loss) -> None:
        super().__init__()
        self.part = part

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        soft = target if target.is_floating_point() else F.one_hot(target, outputs.shape[-1]).to(outputs.dtype)
        return self.part.per_example(outputs, soft, 0.0).mean()


def loss_of(part: Loss) -> nn.Module:
    """The mean loss of a batch by a part, as a kind of torch's loss where it is one: checks know losses by their kind.

    Focal and logit-adjusted losses start elsewhere than cross-entropy does and are taken for another kind.
    """
    if isinstance(part, CrossEntropy):
        plain = not part.shares and value(part.focal, 0.0) == 0
        return _Classes(part) if plain else _Other(part)
    if isinstance(part, BinaryCrossEntropy):
        return _Labels(part)
    return _Values(part) if isinstance(part, SquaredError | HuberError) else _Other(part)


# -- the optimizer ----------------------------------------------------------------------------------------------------


def optimizer_of(plan: Plan, network: nn.Module) -> torch.optim.Optimizer:
    """The optimizer of a recipe at the highest rate of its training.

    Fused kernels are exchanged for torch's own Adam and SGD, which compute the same from the same groups.
    """
    decaying, others = parameters(network)
    optimizer = plan.optimizer.build(decaying, others)
    plan.optimizer.turn(optimizer, peak(plan.optimizer.lr))
    groups = [dict(group) for group in optimizer.param_groups]
    if type(optimizer) is FusedAdam:
        decoupled = optimizer.kernel is torch._fused_adamw_
        return torch.optim.AdamW(groups) if decoupled else torch.optim.Adam(groups)
    return torch.optim.SGD(groups) if type(optimizer) is FusedSgd else optimizer


def peak(rate: float | Schedule) -> float:
    """The progress at which a rate is the highest."""
    rates = [value(rate, place / GRID) for place in range(GRID + 1)]
    return rates.index(max(rates)) / GRID


def rises_again(rate: float | Schedule) -> bool:
    """Whether a rate goes up again once it has been at its highest, as restarts do."""
    rates = np.array([value(rate, place / GRID) for place in range(GRID + 1)])
    after = rates[int(rates.argmax()) :]
    return bool((after > 1.2 * np.minimum.accumulate(after)).any())
