"""Texts: linear models on weighted counts of words, neighbours and trees on fewer numbers, and networks on tokens."""

import math

from steelyard.classical import Dummy, Linear, LinearSvm, Neighbors
from steelyard.data.batches import Batch
from steelyard.data.dataset import Schema
from steelyard.data.prepare_text import TextPreparation
from steelyard.knobs import Cosine
from steelyard.networks.text import TextBag, TextCnn, TextRnn, TextTransformer
from steelyard.parts import Estimator, Network, Part
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.optimizers import AdamW, Rmsprop
from steelyard.training.precision import Precision
from steelyard.training.stopping import Stopping
from steelyard.workflow.families.start import loss_for, target_scale

MANY = 2  # times the epochs for many classes, of which each one is seen in few steps


def recipes(problem: Problem, schema: Schema, rows: int) -> list[Recipe]:
    """The recipe of each family for `rows` train rows, the cheapest first."""
    return [
        _classical(problem, "tokens", Dummy()),
        *_linear(problem),
        _classical(problem, "latent", Neighbors()),
        _network(problem, rows, TextBag(), AdamW(lr=Cosine(1e-2, 0.0)), 6),
        _network(problem, rows, TextCnn(), AdamW(lr=Cosine(2e-3, 0.0)), 6),
        _network(problem, rows, TextTransformer(), AdamW(lr=Cosine(3e-3, 0.0, warmup=0.1)), 6),
        _network(problem, rows, TextRnn(), Rmsprop(lr=Cosine(3e-3, 0.0)), 5),
    ]


def _linear(problem: Problem) -> list[Recipe]:
    if problem.task == "regression":
        return [_classical(problem, "tfidf", Linear())]
    power = 0.5 if problem.outputs <= 10 else 0.0  # of many classes each one has too few rows to tell its words
    return [_classical(problem, "tfidf", LinearSvm(naive_bayes=power))]


def _classical(problem: Problem, features: str, estimator: Estimator) -> Recipe:
    return Recipe(TextPreparation(features=features, target=target_scale(problem)), estimator=estimator)  # type: ignore[arg-type]


def _network(problem: Problem, rows: int, network: Network, optimizer: Part, epochs: int) -> Recipe:
    """A plain network; the size of batches and the epochs by the number of rows."""
    size = 16 if rows < 1_000 else 32 if rows < 3_000 else 64
    epochs = round(epochs * min(4.0, max(0.5, math.sqrt(7_000 / rows))) * (MANY if problem.outputs > 20 else 1))
    return Recipe(
        TextPreparation(target=target_scale(problem)),
        network=network,
        loss=loss_for(problem),
        optimizer=optimizer,
        batch=Batch(size),
        precision=Precision(),
        stopping=Stopping(epochs),
    )
