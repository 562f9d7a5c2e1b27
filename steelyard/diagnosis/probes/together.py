"""Many inputs together: a quick boosted model, without some columns, and with one shuffled."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from steelyard.classical import Boosting
from steelyard.classical.fitted import FittedEstimator
from steelyard.data.prepare import TablePreparation
from steelyard.diagnosis.probes.losses import Rows, losses

Array = np.ndarray
TREES = 200  # of a model at the most
PREPARATION = TablePreparation(numbers="none", categories="ordinal", missing=False)
HELD, PREDICTIONS, REPEATS = 2_000, 400, 5  # rows of a fold that are shuffled; predictions in all; of each column


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold: the matrix of all rows as its preparation makes it, whose column each feature is, and its rows."""

    matrix: Array
    owners: tuple[str, ...]
    categorical: tuple[int, ...]
    learnt: Array
    held: Array


def folds_of(rows: Rows) -> list[Fold]:
    """The folds, each prepared on the rows it learns from."""
    found = []
    for learnt, held in rows.splits():
        fitted = PREPARATION.fit(rows.data.take(learnt))
        matrix = fitted.matrix(rows.data)
        owners = [_owner(name, [name for name, _ in fitted.dates]) for name in fitted.features]
        found.append(Fold(matrix, tuple(owners), fitted.categorical, learnt, held))
    return found


def _owner(feature: str, dates: list[str]) -> str:
    return next((name for name in dates if feature.rpartition(" ")[0] == name), feature)


def together(rows: Rows, folds: list[Fold], without: Collection[str] = (), seed: int = 0) -> Array:
    """Losses (n,) of the quick model on all columns but some."""
    shape = (len(rows.truth), rows.classes) if rows.classes else (len(rows.truth),)
    predictions = np.zeros(shape)
    for fold in folds:
        kept = _kept(fold, without)
        predictions[fold.held] = _model(rows, fold, kept, seed).predict(fold.matrix[fold.held][:, kept])
    return losses(rows, predictions)


def shuffled(rows: Rows, folds: list[Fold], names: list[str], seed: int = 0) -> tuple[dict[str, Array], Array]:
    """What it adds to the loss to shuffle a column (Breiman 2001, "Random Forests", section 10).

    By column the differences (m,) of the held rows that were looked at, and the fold (m,) of each.
    """
    stream = np.random.default_rng(seed)
    repeats = int(np.clip(PREDICTIONS // (len(names) * len(folds)), 1, REPEATS))
    found: dict[str, list[Array]] = {name: [] for name in names}
    which = []
    for number, fold in enumerate(folds):
        kept = _kept(fold, ())
        model = _model(rows, fold, kept, seed)
        held = fold.held if len(fold.held) <= HELD else np.sort(stream.choice(fold.held, HELD, replace=False))
        part = fold.matrix[held]
        plain = _losses(rows, held, model.predict(part))
        which.append(np.full(len(held), number))
        for name in names:
            features = [place for place, owner in enumerate(fold.owners) if owner == name]
            added = np.zeros(len(held))
            for _ in range(repeats):
                changed = part.copy()
                changed[:, features] = part[stream.permutation(len(held))][:, features]
                added += _losses(rows, held, model.predict(changed)) - plain
            found[name].append(added / repeats)
    return {name: np.concatenate(parts) for name, parts in found.items()}, np.concatenate(which)


def _losses(rows: Rows, held: Array, predictions: Array) -> Array:
    return losses(Rows(rows.data, rows.truth[held], rows.fold[held], rows.classes, rows.folds), predictions)


def _kept(fold: Fold, without: Collection[str]) -> list[int]:
    return [place for place, owner in enumerate(fold.owners) if owner not in without]


def _quick(classes: int) -> Boosting:
    """Small trees that stop early; with many classes fewer rounds of larger steps, since every class has its trees."""
    rounds = max(15, min(100, TREES // max(1, classes)))
    return Boosting(min(0.3, 10 / rounds), rounds, 15, l2=1.0, early_stopping="on", patience=5)


def _model(rows: Rows, fold: Fold, kept: list[int], seed: int) -> FittedEstimator:
    task = "regression" if not rows.classes else "binary" if rows.classes == 2 else "multiclass"
    categorical = [place for place, feature in enumerate(kept) if feature in fold.categorical]
    x = fold.matrix[fold.learnt][:, kept]
    return _quick(rows.classes).fit(x, rows.truth[fold.learnt], task, rows.classes, seed, categorical)
