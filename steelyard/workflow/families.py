"""The families of models that are spot-checked, each with its plain starting recipe."""

import math
from typing import Literal

from steelyard.classical import Boosting, Dummy, Forest, Linear, Neighbors
from steelyard.data.batches import Batch
from steelyard.data.dataset import Schema
from steelyard.data.prepare import TablePreparation
from steelyard.data.prepare_images import ImagePreparation
from steelyard.data.selection import check_drop
from steelyard.errors import UserError, suggest
from steelyard.knobs import Cosine
from steelyard.networks.image import ResidualCnn
from steelyard.networks.tabular import TabularMlp
from steelyard.parts import Estimator, Loss, Preparation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.losses import CrossEntropy, SquaredError
from steelyard.training.optimizers import AdamW, Sgd
from steelyard.training.precision import Precision
from steelyard.training.stopping import Stopping

LONGEST_SIDE = 32  # pixels: larger photographs cost a multiple on a CPU


def families(problem: Problem, schema: Schema, rows: int, settings: tuple[tuple[str, str], ...] = ()) -> list[Recipe]:
    """The recipe of each family for `rows` train rows, the cheapest first, with the user's settings where they fit.

    A setting that fits none of them is the user's mistake.
    """
    estimators: list[Estimator] = [Dummy(), Linear(), Neighbors(), Boosting(), Forest()]
    recipes = [Recipe(_preparation(problem, schema, e.wants), estimator=e) for e in estimators]
    recipes.append(_image(problem, schema, rows) if schema.modality == "image" else _table(problem, schema, rows))
    for path, text in settings:
        fitting = [recipe for recipe in recipes if path in recipe.knobs()]
        if not fitting:
            known = {knob for recipe in recipes for knob in recipe.knobs()}
            raise UserError(f"there is no knob '{path}' here{suggest(path, sorted(known))}")
        recipes = [checked(recipe.set(path, text), schema) if recipe in fitting else recipe for recipe in recipes]
    return recipes


def checked(recipe: Recipe, schema: Schema) -> Recipe:
    """The recipe, unless it drops what is no input of the data: then UserError."""
    check_drop(getattr(recipe.prepare, "drop", ()), [column.name for column in schema.columns])
    return recipe


def _preparation(problem: Problem, schema: Schema, wants: str) -> Preparation:
    target: Literal["standard", "log"] = "log" if problem.metric == "rmsle" else "standard"
    if schema.modality == "image":
        return ImagePreparation(size=LONGEST_SIDE, target=target)
    if wants == "ordinal":
        return TablePreparation(numbers="none", categories="ordinal", missing=False, target=target)
    return TablePreparation(numbers="quantile", categories="onehot", target=target)


def _loss(problem: Problem) -> Loss:
    return SquaredError() if problem.task == "regression" else CrossEntropy()


def _table(problem: Problem, schema: Schema, rows: int) -> Recipe:
    """A plain MLP; size, epochs, rate and frequency by the number of rows."""
    size = min(256, max(32, 2 ** round(math.log2(rows / 16))))
    rate = min(8e-3, max(6e-4, 8e-3 * (rows / 16_000) ** 0.75))
    frequency = min(0.5, max(0.1, 0.5 * math.sqrt(rows / 10_000)))
    return Recipe(
        _preparation(problem, schema, "onehot"),
        network=TabularMlp(frequency=round(frequency, 3)),
        loss=_loss(problem),
        optimizer=AdamW(lr=Cosine(float(f"{rate:.3g}"), 0.0)),
        batch=Batch(size),
        precision=Precision(),
        stopping=Stopping(min(16, max(3, round(200_000 / rows)))),
    )


def _image(problem: Problem, schema: Schema, rows: int) -> Recipe:
    """A plain residual network; size, epochs and rate by the number of rows."""
    size, rate = (256, 0.5) if rows >= 20_000 else (64, 0.2) if rows >= 2_000 else (64, 0.1)
    epochs = max(8, min(20, round(80_000 / rows)))
    return Recipe(
        _preparation(problem, schema, "images"),
        network=ResidualCnn(),
        loss=_loss(problem),
        optimizer=Sgd(lr=Cosine(rate, 0.0, warmup=0.1)),
        batch=Batch(size),
        precision=Precision(),
        stopping=Stopping(epochs),
    )
