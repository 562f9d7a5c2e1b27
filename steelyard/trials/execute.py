"""Do trials: split, fit, predict, measure; those that are given together are trained together."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.data.split import Protocol
from steelyard.problem import Problem
from steelyard.training.feed import Tensors
from steelyard.training.fleet import Fleet
from steelyard.training.model import Model
from steelyard.training.start import begin, fitted
from steelyard.trials.deciding import decide
from steelyard.trials.measure import forget_peak, latencies, peak_memory_mb
from steelyard.trials.predictions import Predictions
from steelyard.trials.shelf import Laid, Shelf, Split
from steelyard.trials.trial import Outcome, Status, Trial
from steelyard.trials.watching import Watched, follow

Watch = Callable[[str, float], None]  # (key, progress)
Keyed = tuple[str, Trial]


Done = tuple[Outcome, Model, Laid | None]


@dataclass(frozen=True, eq=False)
class Site:
    """Where trials are done: the rows outside the sealed test, and the folder for what they leave.

    The predictions of a trial lie in `folder`/predictions and its model in `folder`/models, under its key.
    """

    pool: Dataset
    problem: Problem
    protocol: Protocol
    folder: Path
    device: str = "cpu"
    shelf: Shelf = field(default_factory=Shelf)


def execute(trials: Sequence[Keyed], site: Site, watch: Watch) -> list[Outcome]:
    """Train trials together, and measure each; the time they shared is shared out evenly.

    Latency is measured once for each recipe among them.
    """
    began = time.perf_counter()
    forget_peak()
    splits = [site.shelf.split(trial, site.pool, site.protocol) for _, trial in trials]
    train = _classical if trials[0][1].recipe.network is None else _networks
    done = train(trials, splits, site, watch)
    shared = (time.perf_counter() - began) / len(trials)
    known: dict[str, dict[str, float]] = {}
    outcomes = []
    for split, (outcome, model, laid) in zip(splits, done, strict=True):
        outcome = replace(outcome, seconds=shared, together=len(trials))
        outcomes.append(outcome if outcome.status != "done" else _measured(outcome, model, split, laid, site, known))
    return outcomes


def _classical(trials: Sequence[Keyed], splits: Sequence[Split], site: Site, watch: Watch) -> list[Done]:
    return [
        (
            Outcome(key, trial, "done", 0.0, len(split.train_rows)),
            fitted(trial.recipe, split.train, site.problem, trial.seed),
            None,
        )
        for (key, trial), split in zip(trials, splits, strict=True)
    ]


def _networks(trials: Sequence[Keyed], splits: Sequence[Split], site: Site, watch: Watch) -> list[Done]:
    laid = [site.shelf.laid(trial, split, site.problem) for (_, trial), split in zip(trials, splits, strict=True)]
    begun = [
        begin(trial.recipe, each.ready, split.train, site.problem, trial.seed)
        for (_, trial), split, each in zip(trials, splits, laid, strict=True)
    ]
    watched = [
        Watched.of(model, split.dev, each.dev, len(split.train_rows))
        for (model, _), split, each in zip(begun, splits, laid, strict=True)
    ]
    fleet = Fleet([member for _, member in begun], site.device)
    follow(fleet, watched, site.problem, lambda epoch: watch(trials[epoch.member][0], epoch.progress))
    return [
        (_ended(key, trial, len(split.train_rows), mine), mine.model, each)
        for (key, trial), split, mine, each in zip(trials, splits, watched, laid, strict=True)
    ]


def _ended(key: str, trial: Trial, rows: int, watched: Watched) -> Outcome:
    """How a training ended."""
    last = watched.last
    assert last is not None
    pieces = f"memory ran out: batches were computed {last.micro} rows at a time" if last.micro else ""
    message = "; ".join(text for text in (last.message, pieces) if text)
    status: Status = "diverged" if last.ends == "diverged" else "done"
    return Outcome(key, trial, status, 0.0, rows, curve=tuple(watched.curve), message=message)


def _measured(
    outcome: Outcome, model: Model, split: Split, laid: Laid | None, site: Site, known: dict[str, dict[str, float]]
) -> Outcome:
    """The outcome of a trained model with its scores; its files are written. `known` are the latencies by recipe."""
    began, recipe = time.perf_counter(), outcome.trial.recipe
    dev = _predict(model, split.dev, laid.dev if laid else None, site.problem)
    train = _predict(model, split.sample, laid.sample if laid else None, site.problem)
    held = _predict(model, split.train_dev, laid.train_dev if laid else None, site.problem)
    if not all(np.isfinite(each).all() for each in (dev, train, held)):
        return replace(outcome, status="diverged", message="predictions are not finite")
    if recipe.decision is not None:
        decided = decide(recipe.decision, model, split, dev, train, outcome.trial.seed)
        model, dev, train = decided.model, decided.dev, decided.train
        held = model.decided(held)
        said = "; ".join(text for text in (outcome.message, decided.message) if text)
        outcome = replace(outcome, shift=model.shift, message=said)
    saved = site.folder / "models" / outcome.key
    model.save(saved)
    kept = Predictions(split.dev_rows, dev, split.sample_rows, train, split.train_dev_rows, held)
    kept.save(site.folder / "predictions" / f"{outcome.key}.safetensors")
    if recipe.key not in known:
        known[recipe.key] = latencies(model, site.pool)
    measured = known[recipe.key] | {
        "size_mb": sum(f.stat().st_size for f in saved.iterdir()) / 1e6,
        "memory_mb": peak_memory_mb(),
        "train_seconds": outcome.seconds,
    }
    score = site.problem.measure
    assert split.dev.target is not None and split.sample.target is not None
    return replace(
        outcome,
        seconds=outcome.seconds + time.perf_counter() - began,
        train_score=score(split.sample.target, train, split.sample.weights),
        dev_score=score(split.dev.target, dev, split.dev.weights) if len(split.dev_rows) else None,
        measured=measured,
    )


def _predict(model: Model, rows: Dataset, inputs: Tensors | None, problem: Problem) -> np.ndarray:
    if not len(rows):
        return np.zeros(0) if problem.task == "regression" else np.zeros((0, problem.outputs), np.float32)
    if inputs is None or model.network is None:
        return model.predict(rows)
    return model.respond(inputs, model.base(rows))
