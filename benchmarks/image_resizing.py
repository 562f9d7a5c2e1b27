"""Trainings on images that grow from small to full size, against images of full size."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from steelyard.data.batches import Batch
from steelyard.data.dataset import Dataset
from steelyard.data.prepare_images import ImagePreparation
from steelyard.data.source import read
from steelyard.knobs import parse_knob
from steelyard.networks.image import ResidualCnn
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.inputs.progressive_resizing import ProgressiveResizing
from steelyard.training.losses import CrossEntropy
from steelyard.training.optimizers import AdamW
from steelyard.training.start import start
from steelyard.training.stopping import Stopping

SHORTER = 0.8  # of the epochs: about the time that resizing takes
HALF = "piecewise((0, 0.5), (0.75, 1))"


@dataclass(frozen=True)
class Training:
    """Accuracy on the test rows, and processor seconds of the training."""

    accuracy: float
    seconds: float


def trainings(source: Path, rows: int, epochs: int, seeds: int) -> dict[str, list[Training]]:
    """Every arm with every seed, in turns."""
    data = read(source, None)
    assert data.part is not None
    train = np.flatnonzero(data.part == "train")
    train, test = data.take(train[:: len(train) // rows][:rows]), data.take(np.flatnonzero(data.part == "test"))
    problem = Problem("multiclass", "image", "class", rows, data.classes, "accuracy")
    plain = _recipe(epochs)
    arms = {
        "full size": plain,
        f"full size, {round(SHORTER * epochs)} epochs": _recipe(round(SHORTER * epochs)),
        "progressive resizing": _applied(ProgressiveResizing(), plain, problem),
        "progressive resizing from half the sides": _applied(ProgressiveResizing(parse_knob(HALF)), plain, problem),
    }
    found: dict[str, list[Training]] = {name: [] for name in arms}
    for seed in range(seeds):
        for name, recipe in arms.items():
            found[name].append(_training(recipe, train, test, problem, seed))
    return found


def _recipe(epochs: int) -> Recipe:
    return Recipe(
        ImagePreparation(),
        network=ResidualCnn(width=16),
        loss=CrossEntropy(),
        optimizer=AdamW(lr=parse_knob("cosine(0.003, 0, warmup=0.1)")),
        batch=Batch(128),
        stopping=Stopping(epochs=epochs),
    )


def _applied(technique: ProgressiveResizing, recipe: Recipe, problem: Problem) -> Recipe:
    changed = technique.apply(recipe, problem)
    assert isinstance(changed, Recipe)
    return changed


def _training(recipe: Recipe, train: Dataset, test: Dataset, problem: Problem, seed: int) -> Training:
    began = time.process_time()
    model, epochs = start(recipe, train, problem, seed)
    for _ in epochs:
        pass
    seconds = time.process_time() - began
    return Training(float((model.predict(test).argmax(1) == test.target).mean()), seconds)
