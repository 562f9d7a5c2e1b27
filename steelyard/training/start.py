"""From rows and a recipe to a model that is about to be trained."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from steelyard.classical import DUMB
from steelyard.classical.several import fit
from steelyard.data.dataset import Dataset
from steelyard.data.prepared import Prepared
from steelyard.data.split import set_aside
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.feed import Rows
from steelyard.training.fleet import Fleet
from steelyard.training.loop import Epoch
from steelyard.training.member import Member
from steelyard.training.model import Model
from steelyard.training.scale import Scale, base_of, learnt, scale_of
from steelyard.training.streams import seed_of
from steelyard.training.suspects import Treated


class Diverged(ArithmeticError):
    """The loss became infinite or not a number."""


@dataclass(frozen=True, eq=False)
class Ready:
    """Rows that are prepared for recipes: those to learn from, and those held for a stopping rule if it wants any."""

    prepared: Prepared
    scale: Scale
    rows: Rows
    held: Rows | None


def question(recipe: Recipe, seed: int) -> tuple[Any, ...]:
    """What `ready` depends on besides the rows: equal questions have equal answers, which trials share."""
    held = _held(recipe)
    return (recipe.prepare, held, recipe.labels, recipe.sources, seed if held or recipe.labels else None)


def ready(recipe: Recipe, dataset: Dataset, problem: Problem, seed: int) -> Ready:
    """The rows of a data set prepared for a network; the preparation is fitted on those that are learnt from."""
    held = _held(recipe)
    if not held:
        return _ready(recipe, dataset, None, problem, seed)
    kept, aside = set_aside(dataset, held, seed)
    return _ready(recipe, dataset.take(kept), dataset.take(aside), problem, seed)


def _held(recipe: Recipe) -> float | None:
    """The share of rows that the stopping rule of a recipe looks at; None without a rule."""
    return None if getattr(recipe.stopping, "rule", None) is None else float(recipe.stopping.held)  # type: ignore[union-attr]


def _ready(recipe: Recipe, learnt: Dataset, aside: Dataset | None, problem: Problem, seed: int) -> Ready:
    treated = _treated(recipe, learnt, problem, seed)
    learnt = treated.dataset
    prepared: Prepared = recipe.prepare.fit(learnt)
    scale = _scale(recipe, prepared, learnt, problem)
    rows = _softened(_rows(prepared, scale, learnt, problem), treated)
    return Ready(prepared, scale, rows, None if aside is None else _rows(prepared, scale, aside, problem))


def _treated(recipe: Recipe, dataset: Dataset, problem: Problem, seed: int) -> Treated:
    """The rows to learn from: suspicious labels are treated and sources weighed where the recipe says so."""
    found = Treated(dataset)
    if recipe.labels is not None:
        found = recipe.labels.treated(dataset, problem, recipe.prepare, seed)
    weights = None if recipe.sources is None else recipe.sources.weights(found.dataset)
    if weights is None:
        return found
    return replace(found, weights=weights if found.weights is None else weights * found.weights)


def _softened(rows: Rows, treated: Treated) -> Rows:
    """The rows with the weights and the softer targets of a treatment."""
    if treated.soft is not None:
        soft = torch.from_numpy(treated.soft).float()
        rows = replace(rows, targets=torch.where(soft.isnan(), rows.targets, soft))
    return rows if treated.weights is None else replace(rows, weights=treated.weights)


def _scale(recipe: Recipe, prepared: Prepared, dataset: Dataset, problem: Problem) -> Scale:
    log = getattr(recipe.prepare, "target", "standard") == "log"
    return scale_of(problem, _target(prepared, dataset), log, centred=base_of(prepared, dataset) is not None)


def _target(prepared: Prepared, dataset: Dataset) -> np.ndarray:
    """The targets, or what they differ by from what the preparation has them learnt from."""
    assert dataset.target is not None
    base = base_of(prepared, dataset)
    return dataset.target if base is None else dataset.target - base


def _rows(prepared: Prepared, scale: Scale, dataset: Dataset, problem: Problem) -> Rows:
    """Inputs as tensors; the target as outputs are compared with it; class codes where there is one target."""
    assert dataset.target is not None
    inputs = tuple(torch.from_numpy(values) for values in prepared.transform(dataset))
    codes = dataset.target if problem.classes else None
    return Rows(inputs, learnt(problem, scale, _target(prepared, dataset)), codes)


def begin(recipe: Recipe, ready: Ready, dataset: Dataset, problem: Problem, seed: int) -> tuple[Model, Member]:
    """An untrained model, and the member of a fleet that trains its network in place."""
    assert recipe.network is not None and recipe.loss is not None
    torch.manual_seed(seed_of(seed, "init"))
    network = recipe.network.build(ready.prepared.shape, problem.outputs)
    model = Model(problem, dataset.schema, recipe, ready.prepared, ready.scale, network)
    trained = replace(recipe, loss=recipe.loss.fitted(problem, ready.rows.targets))
    return model, Member(network, trained, ready.rows, seed, ready.held)


def fitted(recipe: Recipe, dataset: Dataset, problem: Problem, seed: int) -> Model:
    """A classical model, fitted."""
    assert recipe.estimator is not None and dataset.target is not None
    if recipe.estimator.kind in DUMB and dataset.asked.any() and not dataset.asked.all():
        dataset = dataset.take(np.flatnonzero(dataset.asked))  # what is to be beaten is one answer to what is asked
    treated = _treated(recipe, dataset, problem, seed)
    dataset = treated.dataset
    assert dataset.target is not None
    prepared: Prepared = recipe.prepare.fit(dataset)
    scale = _scale(recipe, prepared, dataset, problem)
    target = scale.forward(_target(prepared, dataset)) if scale else dataset.target
    columns = getattr(prepared, "categorical", ()) if recipe.estimator.wants == "ordinal" else ()
    drawn, x = seed_of(seed, "fit") % 2**31, prepared.matrix(dataset)
    estimator = fit(recipe.estimator, x, target, problem, drawn, columns, treated.weights)
    return replace(Model(problem, dataset.schema, recipe, prepared, scale), estimator=estimator)


def start(recipe: Recipe, dataset: Dataset, problem: Problem, seed: int) -> tuple[Model, Iterator[Epoch]]:
    """A model and the epochs that train it in place as they are consumed; an estimator comes fitted, without epochs.

    The epochs raise Diverged after one whose loss is not finite.
    """
    if recipe.estimator is not None:
        return fitted(recipe, dataset, problem, seed), iter(())
    model, member = begin(recipe, ready(recipe, dataset, problem, seed), dataset, problem, seed)
    return model, _alone(member)


def _alone(member: Member) -> Iterator[Epoch]:
    for (epoch,) in Fleet([member]):
        if epoch.ends == "diverged":
            raise Diverged(epoch.message)
        yield epoch
