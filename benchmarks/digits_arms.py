"""Arms on small digits: a perceptron learns them by heart, plain or with one technique, and says what it predicts.

Everything but the technique is the same in all arms: rows, first weights and order by seed, epochs, batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from sklearn.datasets import load_digits

from steelyard.data.batches import Batch
from steelyard.data.dataset import Dataset
from steelyard.data.prepare import TablePreparation
from steelyard.data.source import read
from steelyard.knobs import Cosine, Cyclic
from steelyard.metrics import labels
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable, Technique
from steelyard.training.fleet import Fleet
from steelyard.training.losses import CrossEntropy
from steelyard.training.optimizers import Sgd
from steelyard.training.start import begin, ready
from steelyard.training.stopping import Stopping

Array = np.ndarray
Form = Literal["constant", "cosine", "snapshots"]
TRAIN = 400  # rows to learn from
CYCLES = 5  # of snapshots
TOGETHER = 32  # members of a fleet


# -- the setting ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Digits:
    """scikit-learn's 1,797 digits: rows to draw those to learn from, rows to choose rates by, rows to test on."""

    dataset: Dataset
    pool: Array
    aside: Array
    tested: Array

    @classmethod
    def load(cls) -> "Digits":
        """The three parts are the same in every run."""
        bunch = load_digits()
        dataset = read((bunch.data / 16, bunch.target), None)
        return cls(dataset, *np.split(np.random.default_rng(0).permutation(len(dataset)), [597, 797]))

    def drawn(self, draw: int, wrong: float) -> Dataset:
        """Rows to learn from, with a share of labels redrawn among the other classes."""
        rows = np.random.default_rng([draw, 0]).choice(self.pool, TRAIN, replace=False)
        chosen, random = self.dataset.take(np.sort(rows)), np.random.default_rng([draw, 1])
        assert chosen.target is not None
        target, many = chosen.target.copy(), len(chosen.classes)
        flipped = random.permutation(TRAIN)[: round(wrong * TRAIN)]
        target[flipped] = (target[flipped] + random.integers(1, many, len(flipped))) % many
        return replace(chosen, target=target)


@dataclass(frozen=True)
class Arm:
    """A technique added to the plain network, or none; the form of the rate; the share of wrong labels.

    With the form "snapshots" a run predicts the mean of what it predicts at the ends of its cycles.
    """

    added: Technique | None = None
    form: Form = "constant"
    wrong: float = 0.0

    def recipe(self, rate: float, epochs: int, problem: Problem) -> Recipe:
        """The recipe at a rate."""
        forms = {"constant": rate, "cosine": Cosine(rate, 0.0), "snapshots": Cyclic(rate, 0.0, cycles=CYCLES)}
        plain = Recipe(
            TablePreparation(numbers="none", missing=False),
            network=TabularMlp(width=64, depth=2, activation="relu", periodic=0, scale=False),
            loss=CrossEntropy(),
            optimizer=Sgd(lr=forms[self.form]),
            batch=Batch(32),
            stopping=Stopping(epochs),
        )
        found = self.added.apply(plain, problem) if self.added else plain
        assert not isinstance(found, NotApplicable), found
        return found


# -- training -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Ran:
    """What the runs of an arm predict (runs, rows, classes); the shares of train labels they know; epochs they took."""

    predicted: Array
    known: Array
    epochs: Array


def trained(
    digits: Digits, arm: Arm, rate: float, epochs: int, seeds: Sequence[int], scored: Array, draws: Sequence[int] = ()
) -> Ran:
    """Train one run a seed, which draws the rows as well where no `draws` are given."""
    found: list[Ran] = []
    pairs = list(zip(seeds, draws or seeds, strict=True))
    for begins in range(0, len(pairs), TOGETHER):
        found.append(_fleet(digits, arm, rate, epochs, pairs[begins : begins + TOGETHER], digits.dataset.take(scored)))
    return Ran(*(np.concatenate([getattr(ran, name) for ran in found]) for name in ("predicted", "known", "epochs")))


def _fleet(
    digits: Digits, arm: Arm, rate: float, epochs: int, pairs: Sequence[tuple[int, int]], scored: Dataset
) -> Ran:
    problem = Problem("multiclass", "tabular", "y", TRAIN, digits.dataset.classes, "accuracy")
    recipe = arm.recipe(rate, epochs, problem)
    drawn = [digits.drawn(draw, arm.wrong) for _, draw in pairs]
    begun = [
        begin(recipe, ready(recipe, rows, problem, seed), rows, problem, seed)
        for rows, (seed, _) in zip(drawn, pairs, strict=True)
    ]
    models, members = zip(*begun, strict=True)
    inputs = tuple(torch.from_numpy(values) for values in models[0].prepared.transform(scored))  # nothing is fitted
    rates = recipe.get("optimizer.lr")
    minima = {round(share * epochs) for share in rates.ends()} if isinstance(rates, Cyclic) else set()
    snapshots, took, fleet = [], np.zeros(len(pairs), dtype=int), Fleet(members)
    for ended in fleet:
        for epoch in ended:
            took[epoch.member] = epoch.number
        if ended[0].number in minima:
            seen = fleet.look({epoch.member: inputs for epoch in ended})
            snapshots.append([models[member].answers(seen[member]) for member in range(len(pairs))])
    known = [np.mean(labels(m.predict(rows)) == rows.target) for m, rows in zip(models, drawn, strict=True)]
    predicted = np.mean(snapshots, axis=0) if minima else np.array([model.predict(scored) for model in models])
    return Ran(predicted, np.array(known), took)


def points(digits: Digits, rows: Array, predicted: Array) -> Array:
    """100 for every hit, 0 for every miss (…, rows), of probabilities (…, rows, classes)."""
    assert digits.dataset.target is not None
    return 100.0 * (predicted.argmax(axis=-1) == digits.dataset.target[rows])
