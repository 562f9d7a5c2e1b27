"""Series: classical models on points and statistics, MiniRocket, and networks over time; forecasts have their floor.

Sources of the networks' settings: Wang et al. 2017 (arXiv 1611.06455) and Ismail Fawaz et al. 2020 (arXiv 1909.04939)
train small sets for very many passes; recurrent networks begin with RMSprop, as cheat sheets pair them.
"""

from dataclasses import replace

from steelyard.classical import LastValue, MiniRocket, SeasonalValue
from steelyard.classical.mini_rocket import available
from steelyard.data.batches import Batch
from steelyard.data.dataset import Schema
from steelyard.data.prepare_series import SEASON, SeriesPreparation
from steelyard.knobs import Cosine
from steelyard.networks.series import InceptionTime, SeriesResnet
from steelyard.networks.series_recurrent import SeriesRnn
from steelyard.networks.series_transformer import SeriesTransformer
from steelyard.parts import Network, Part
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.optimizers import AdamW, Rmsprop
from steelyard.training.precision import Precision
from steelyard.training.stopping import Stopping
from steelyard.workflow.families.start import ESTIMATORS, loss_for, target_scale

STEPS = 700  # of training at least, however few the rows are …
PASSES = (10, 160)  # … in so many passes over them, at least and at most
LONGEST = 1_024  # steps that networks see; longer series are averaged down
RECURRENT = 128  # steps that a recurrent network sees: they come one after the other


def recipes(problem: Problem, schema: Schema, rows: int) -> list[Recipe]:
    """The recipe of each family for `rows` train rows, the cheapest first; a forecast's dumb ones before all others."""
    forecast = schema.layout.forecasts
    plain = SeriesPreparation(target=target_scale(problem))
    learnt = replace(plain, scaling="last", base="last") if forecast and plain.target != "log" else plain
    dumb = [Recipe(plain, estimator=ESTIMATORS[0]), *(_last_values(plain, schema) if forecast else [])]
    classical = [Recipe(learnt, estimator=e) for e in ESTIMATORS[1:]]
    if available() and not forecast:
        classical.append(Recipe(replace(learnt, form="series"), estimator=MiniRocket()))
    return [*dumb, *classical, *_networks(problem, learnt, schema, rows)]


def _last_values(plain: SeriesPreparation, schema: Schema) -> list[Recipe]:
    """What was last, and what was one season before."""
    plain = replace(plain, target="standard")
    found = [Recipe(replace(plain, base="last"), estimator=LastValue())]
    if any(column.name.startswith(SEASON) for column in schema.columns):
        found.append(Recipe(replace(plain, base="season"), estimator=SeasonalValue()))
    return found


def _networks(problem: Problem, prepare: SeriesPreparation, schema: Schema, rows: int) -> list[Recipe]:
    length = LONGEST if schema.length > LONGEST else 0
    short = RECURRENT if schema.length > RECURRENT else 0
    return [
        _recipe(problem, replace(prepare, length=length), SeriesResnet(), _adam(3e-3), rows),
        _recipe(problem, replace(prepare, length=length), InceptionTime(), _adam(3e-3), rows),
        _recipe(problem, replace(prepare, length=length), SeriesTransformer(), _adam(2e-3), rows),
        _recipe(problem, replace(prepare, length=short), SeriesRnn(), Rmsprop(lr=Cosine(2e-3, 0.0, warmup=0.1)), rows),
    ]


def _adam(rate: float) -> Part:
    return AdamW(lr=Cosine(rate, 0.0, warmup=0.1), weight_decay=0.01)


def _recipe(problem: Problem, prepare: SeriesPreparation, network: Network, optimizer: Part, rows: int) -> Recipe:
    """A network; batch and passes by the number of rows: tiny sets need steps more than passes."""
    size = 16 if rows < 1_000 else 32 if rows < 4_000 else 64
    passes = round(STEPS * size / max(1, rows))
    return Recipe(
        prepare,
        network=network,
        loss=loss_for(problem),
        optimizer=optimizer,
        batch=Batch(size),
        precision=Precision(),
        stopping=Stopping(max(PASSES[0], min(PASSES[1], passes))),
    )
