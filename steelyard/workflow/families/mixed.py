"""Tables with texts or images in them: classical models on a few numbers of each, and one network with branches."""

from typing import Any

from steelyard.classical import Dummy
from steelyard.data.batches import Batch
from steelyard.data.dataset import Schema
from steelyard.data.prepare_images import ImagePreparation
from steelyard.data.prepare_mixed import MixedPreparation
from steelyard.data.prepare_text import TextPreparation
from steelyard.knobs import Cosine
from steelyard.networks.image import ResidualCnn
from steelyard.networks.mixed import MixedNetwork
from steelyard.networks.text import TextBag
from steelyard.parts import Estimator
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.optimizers import AdamW
from steelyard.training.precision import Precision
from steelyard.training.stopping import Stopping
from steelyard.workflow.families import tabular
from steelyard.workflow.families.image import LONGEST_SIDE
from steelyard.workflow.families.start import ESTIMATORS, loss_for, target_scale

PIXELS = 8  # a side of the images that classical models see: they tell brightness, colour and rough shape
DIMENSIONS = 50  # of the texts that they see


def recipes(problem: Problem, schema: Schema, rows: int) -> list[Recipe]:
    """The recipe of each family for `rows` train rows, the cheapest first."""
    kinds = {column.kind for column in schema.columns}
    return [*(_classical(problem, kinds, estimator) for estimator in ESTIMATORS), _network(problem, kinds, rows)]


def _classical(problem: Problem, kinds: set[Any], estimator: Estimator) -> Recipe:
    features: Any = "tokens" if isinstance(estimator, Dummy) else "latent"
    text = TextPreparation(features=features, dimensions=DIMENSIONS)
    return Recipe(_preparation(problem, kinds, estimator.wants, text, PIXELS), estimator=estimator)


def _preparation(problem: Problem, kinds: set[Any], wants: str, text: TextPreparation, side: int) -> MixedPreparation:
    return MixedPreparation(
        table=tabular.preparation(problem, wants) if kinds & {"number", "category", "date"} else None,
        text=text if "text" in kinds else None,
        image=ImagePreparation(size=side) if "image" in kinds else None,
        target=target_scale(problem),
    )


def _network(problem: Problem, kinds: set[Any], rows: int) -> Recipe:
    """The plain network of each kind as a branch; size and epochs by the number of rows."""
    size = 256 if rows >= 20_000 else 64 if rows >= 1_000 else 32
    epochs = max(8, min(60, round(40_000 / rows)))
    table = tabular.recipes(problem, Schema("tabular", problem.target), rows)[-1].network
    network = MixedNetwork(
        table=table if kinds & {"number", "category", "date"} else None,  # type: ignore[arg-type]
        text=TextBag() if "text" in kinds else None,
        image=ResidualCnn() if "image" in kinds else None,
    )
    return Recipe(
        _preparation(problem, kinds, "onehot", TextPreparation(), LONGEST_SIDE),
        network=network,
        loss=loss_for(problem),
        optimizer=AdamW(lr=Cosine(2e-3, 0.0, warmup=0.1)),
        batch=Batch(size),
        precision=Precision(),
        stopping=Stopping(epochs),
    )
