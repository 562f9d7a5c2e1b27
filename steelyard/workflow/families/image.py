"""Images: classical models on a few averaged pixels, and a residual convolutional network."""

from steelyard.data.batches import Batch
from steelyard.data.dataset import Schema
from steelyard.data.prepare_images import ImagePreparation
from steelyard.knobs import Cosine
from steelyard.networks.image import ResidualCnn
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.optimizers import Sgd
from steelyard.training.precision import Precision
from steelyard.training.stopping import Stopping
from steelyard.workflow.families.start import ESTIMATORS, loss_for, target_scale

LONGEST_SIDE = 32  # pixels: larger photographs cost a multiple on a CPU


def recipes(problem: Problem, schema: Schema, rows: int) -> list[Recipe]:
    """The recipe of each family for `rows` train rows, the cheapest first."""
    prepare = ImagePreparation(size=LONGEST_SIDE, target=target_scale(problem))
    return [*(Recipe(prepare, estimator=e) for e in ESTIMATORS), _cnn(problem, prepare, rows)]


def _cnn(problem: Problem, prepare: ImagePreparation, rows: int) -> Recipe:
    """A plain residual network; size, epochs and rate by the number of rows."""
    size, rate = (256, 0.5) if rows >= 20_000 else (64, 0.2) if rows >= 2_000 else (64, 0.1)
    epochs = max(8, min(20, round(80_000 / rows)))
    return Recipe(
        prepare,
        network=ResidualCnn(),
        loss=loss_for(problem),
        optimizer=Sgd(lr=Cosine(rate, 0.0, warmup=0.1)),
        batch=Batch(size),
        precision=Precision(),
        stopping=Stopping(epochs),
    )
