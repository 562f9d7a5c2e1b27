"""Tables: linear models, nearest neighbours, boosting, a forest, and a multilayer perceptron."""

import math

from steelyard.data.batches import Batch
from steelyard.data.dataset import Schema
from steelyard.data.prepare import TablePreparation
from steelyard.knobs import Cosine
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.optimizers import AdamW
from steelyard.training.precision import Precision
from steelyard.training.stopping import Stopping
from steelyard.workflow.families.start import ESTIMATORS, loss_for, target_scale


def recipes(problem: Problem, schema: Schema, rows: int) -> list[Recipe]:
    """The recipe of each family for `rows` train rows, the cheapest first."""
    return [*(Recipe(preparation(problem, e.wants), estimator=e) for e in ESTIMATORS), _mlp(problem, rows)]


def preparation(problem: Problem, wants: str) -> TablePreparation:
    """How a table is prepared for what a model wants: one-hot or ordinal columns."""
    scale = target_scale(problem)
    if wants == "ordinal":
        return TablePreparation(numbers="none", categories="ordinal", missing=False, target=scale)
    return TablePreparation(numbers="quantile", categories="onehot", target=scale)


def _mlp(problem: Problem, rows: int) -> Recipe:
    """A plain MLP; size, epochs, rate and frequency by the number of rows."""
    size = min(256, max(32, 2 ** round(math.log2(rows / 16))))
    rate = min(8e-3, max(6e-4, 8e-3 * (rows / 16_000) ** 0.75))
    frequency = min(0.5, max(0.1, 0.5 * math.sqrt(rows / 10_000)))
    return Recipe(
        preparation(problem, "onehot"),
        network=TabularMlp(frequency=round(frequency, 3)),
        loss=loss_for(problem),
        optimizer=AdamW(lr=Cosine(float(f"{rate:.3g}"), 0.0)),
        batch=Batch(size),
        precision=Precision(),
        stopping=Stopping(min(16, max(3, round(200_000 / rows)))),
    )
