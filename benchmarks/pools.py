"""Two arms on many pools of rows drawn from one population, and their difference on fresh rows of it."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import ours
import torch
from ours import PlainMlp
from sklearn.datasets import make_classification

from steelyard.recipe import Recipe
from steelyard.training.feed import Rows
from steelyard.training.fleet import Fleet
from steelyard.training.member import Member

ROWS, FOLDS, PAIRS = 250, 5, 10  # of a pool
FRESH, SCORED = 4_000, 2  # fresh rows, and pairs whose members are scored on them
EPOCHS, BATCH = 6, 25
SIZES = {"without": (20, 24, 3), "with": (20, 8, 3)}  # the arms: the width of the hidden layer
Array = np.ndarray


@cache
def population() -> tuple[Array, Array]:
    """120,000 rows of 20 numbers in three classes, a tenth of them labelled at random."""
    x, y = make_classification(
        120_000, 20, n_informative=8, n_redundant=4, n_classes=3, n_clusters_per_class=3, flip_y=0.1, random_state=0
    )
    return x.astype(np.float32), y


@dataclass(frozen=True, eq=False)
class Fold:
    """The rows a member learns from, and those it is scored on (numbers of the population)."""

    rows: Rows
    dev: Array


def differences_on_pools(pools: int, seed: int) -> tuple[list[Array], float]:
    """Of each pool the differences (pairs, rows), with every pair in folds dealt anew; the mean one on fresh rows."""
    torch.set_num_threads(1)
    x, y = population()
    stream = np.random.default_rng([seed, 1])
    fresh = torch.from_numpy(x[:FRESH])
    found, gains = [], []
    for pool in range(pools):
        numbers = FRESH + stream.choice(len(x) - FRESH, ROWS, replace=False)
        folds = [list(_dealt(numbers, stream)) for _ in range(PAIRS)]
        scores = {}
        for arm, sizes in SIZES.items():
            members, modules = [], []
            for pair, dealt in enumerate(folds):
                for k, fold in enumerate(dealt):
                    torch.manual_seed(seed + 1000 * pool + 10 * pair + k)
                    modules.append(PlainMlp(sizes).build(None, 3))
                    members.append(Member(modules[-1], _recipe(sizes), fold.rows, 1000 * pool + 10 * pair + k))
            for _ in Fleet(members):
                pass
            scores[arm] = (
                _on_dev(modules, folds, numbers),
                [_right(module, fresh, y[:FRESH]).mean() for module in modules[: SCORED * FOLDS]],
            )
        found.append(scores["with"][0] - scores["without"][0])
        gains.append(float(np.mean(scores["with"][1]) - np.mean(scores["without"][1])))
    return found, float(np.mean(gains))


def _dealt(numbers: Array, stream: np.random.Generator) -> list[Fold]:
    x, y = population()
    part = stream.permutation(len(numbers)) % FOLDS
    return [
        Fold(
            ours.rows((torch.from_numpy(x[numbers[part != k]]),), torch.from_numpy(y[numbers[part != k]]), 3),
            numbers[part == k],
        )
        for k in range(FOLDS)
    ]


@cache
def _recipe(sizes: tuple[int, ...]) -> Recipe:
    return ours.recipe(PlainMlp(sizes), BATCH, EPOCHS)


def _on_dev(modules: list[torch.nn.Module], folds: list[list[Fold]], numbers: Array) -> Array:
    """Whether each row of the pool is predicted right when it is in dev: (pairs, rows)."""
    x, y = population()
    place = {int(number): i for i, number in enumerate(numbers)}
    found = np.zeros((len(folds), len(numbers)))
    for pair, dealt in enumerate(folds):
        for k, fold in enumerate(dealt):
            right = _right(modules[pair * FOLDS + k], torch.from_numpy(x[fold.dev]), y[fold.dev])
            found[pair, [place[int(n)] for n in fold.dev]] = right
    return found


@torch.no_grad()
def _right(module: torch.nn.Module, x: torch.Tensor, y: Array) -> Array:
    module.eval()
    outputs = module(module.encode(x))  # type: ignore[operator]
    return np.asarray(outputs.argmax(dim=1).numpy() == y, dtype=float)
