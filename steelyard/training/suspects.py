"""Suspicious labels among train rows: found by quick models cross-fitted inside train, so that dev has no say in them.

Every row is predicted by models that were fitted on the other four fifths of the train rows. The less likely its label
then is right (`label_noise`), or the further its value lies from the prediction, the more suspicious it is.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from steelyard.classical import Linear, Neighbors
from steelyard.classical.several import fit
from steelyard.data.dataset import Dataset
from steelyard.data.prepare import TablePreparation
from steelyard.data.prepare_mixed import BRANCHES, MixedPreparation
from steelyard.data.prepare_series import SeriesPreparation
from steelyard.data.prepare_text import TextPreparation
from steelyard.data.split import dealt
from steelyard.knobs import knob
from steelyard.parts import Labels, Preparation
from steelyard.problem import Problem
from steelyard.training.label_noise import chance_right

Array = np.ndarray
FOLDS = 5
NEAR_ROWS, NEAR_FEATURES = 20_000, 1_024  # up to which neighbours are asked beside a linear model
MOST = 0.5  # of the rows of a class: no class may vanish


@dataclass(frozen=True)
class Treated:
    """Train rows after a treatment: what is left of them, and weights (rows,) or softer targets where it made any.

    `soft` is (rows, classes): in place of the given class, probabilities; NaN where the given one stays.
    """

    dataset: Dataset
    weights: Array | None = None
    soft: Array | None = None


@dataclass(frozen=True)
class SuspectLabels(Labels):
    """Treats the `share` of train labels that are most suspicious: at 0 none.

    "prune" leaves these rows out, or of several targets only the suspicious one; "weigh" has them count `strength` less
    in the loss; "relabel" moves their targets by `strength` towards what was predicted (Reed et al. 2015, "Training
    Deep Neural Networks on Noisy Labels with Bootstrapping", section 3.2, arXiv 1412.6596).
    """

    treatment: Literal["prune", "weigh", "relabel"] = "prune"
    share: float = knob(0.05, 0.0, 0.9)
    strength: float = knob(0.8, 0.0, 1.0)

    def treated(self, dataset: Dataset, problem: Problem, prepare: Preparation, seed: int) -> Treated:
        """The train rows with their suspicious labels treated."""
        if self.share == 0 or (self.strength == 0 and self.treatment != "prune"):
            return Treated(dataset)
        predicted = cross_fitted(dataset, problem, prepare, seed)
        assert dataset.target is not None
        if problem.heads:
            return Treated(_without_cells(dataset, problem, predicted, self.share))
        worst = most_suspicious(dataset.target, predicted, self.share)
        if self.treatment == "prune":
            return Treated(dataset.take(np.flatnonzero(~worst)))
        if self.treatment == "weigh":
            weights = np.where(worst, 1 - self.strength, 1.0)
            return Treated(dataset, weights / weights.mean())
        soft = np.full(predicted.shape, np.nan)
        given = np.eye(predicted.shape[1])[dataset.target[worst]]
        soft[worst] = (1 - self.strength) * given + self.strength * predicted[worst]
        return Treated(dataset, soft=soft)


def cross_fitted(dataset: Dataset, problem: Problem, prepare: Preparation, seed: int) -> Array:
    """What quick models predict of each row that they were not fitted on, as models predict: (n, outputs) or (n,)."""
    fold, found = dealt(dataset, FOLDS, seed), None
    plain = _plain(prepare)
    for k in range(FOLDS):
        here = np.flatnonzero(fold == k)
        if not len(here):
            continue
        rest = dataset.take(np.flatnonzero(fold != k))
        fitted = plain.fit(rest)
        predicted = _predicted(fitted.matrix(rest), rest, problem, fitted.matrix(dataset.take(here)), seed)
        if found is None:
            found = np.zeros((len(dataset), *predicted.shape[1:]))
        found[here] = predicted
    assert found is not None
    return found


def _predicted(x: Any, rows: Dataset, problem: Problem, asked: Any, seed: int) -> Array:
    estimators: list[Any] = [Linear()]
    if isinstance(x, np.ndarray) and len(x) <= NEAR_ROWS and x.shape[1] <= NEAR_FEATURES:
        estimators.append(Neighbors())
    assert rows.target is not None
    fitted = [fit(each, x, rows.target, problem, seed) for each in estimators]
    return np.asarray(np.mean([each.predict(asked) for each in fitted], axis=0), np.float64)


def _plain(prepare: Preparation) -> Preparation:
    """The preparation whose matrix a linear model can use."""
    if isinstance(prepare, TextPreparation):
        return replace(prepare, features="tfidf")
    if isinstance(prepare, TablePreparation):
        return replace(prepare, numbers="quantile", categories="onehot")
    if isinstance(prepare, SeriesPreparation):
        return replace(prepare, form="summary")
    if isinstance(prepare, MixedPreparation):
        parts: dict[str, Any] = {name: _plain(part) for name in BRANCHES if (part := getattr(prepare, name))}
        return replace(prepare, **parts)
    return prepare


def most_suspicious(given: Array, predicted: Array, share: float) -> Array:
    """Which labels (n,) bool are least likely right: a share of all, at least one, at most half of any class.

    `given` are codes beside probabilities (n, k), or values beside values (n,).
    """
    if predicted.ndim == 1:
        order = np.argsort(-np.abs(given - predicted), kind="stable")
    else:
        order = np.argsort(chance_right(given, predicted), kind="stable")
        counts, queued = np.bincount(given), given[order]
        place = np.empty(len(order), np.int64)
        for k, count in enumerate(counts):
            place[queued == k] = np.arange(count)
        order = order[place < MOST * counts[queued]]
    chosen = np.zeros(len(given), bool)
    chosen[order[: max(1, round(share * len(given)))]] = True
    return chosen


def _without_cells(dataset: Dataset, problem: Problem, predicted: Array, share: float) -> Dataset:
    """The rows without the suspicious ones among their targets, target by target."""
    assert dataset.target is not None
    target = dataset.target.copy()
    for k, (head, part) in enumerate(zip(problem.heads, problem.split(predicted), strict=True)):
        there = np.flatnonzero(~np.isnan(target[:, k]))
        if not len(there):
            continue
        given, answers = target[there, k], part[there]
        if head.classes:
            both = np.hstack([1 - answers, answers]) if answers.shape[1] == 1 else answers
            worst = most_suspicious(given.astype(np.int64), both, share)
        else:
            worst = most_suspicious(given, answers[:, 0], share)
        target[there[worst], k] = np.nan
    return replace(dataset, target=target)
