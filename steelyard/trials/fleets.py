"""Which trials train together: a pure function of what is asked, so that a resumed run groups them as before."""

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

from steelyard.knobs import Schedule
from steelyard.problem import Problem
from steelyard.trials.trial import Trial

MOST = 32  # members of a fleet on an accelerator
SHARED = ("train_seconds", "memory_mb")  # what can only be measured on a trial of its own
RATES = ("dropout", "input_dropout", "embedding_dropout", "stochastic_depth")  # knobs that change no shape


def grouped(trials: Sequence[Trial], problem: Problem, jobs: int, device: str) -> list[list[Trial]]:
    """The trials in fleets, in order of their first ones; each is in one fleet, with none it does not gain from.

    What can train together is dealt evenly to the processes. A limit on training time or memory is kept by measuring
    every trial alone.
    """
    alone = any(constraint.name in SHARED for constraint in problem.constraints)
    alike: dict[Any, list[Trial]] = {}
    most: dict[Any, int] = {}
    for trial in dict.fromkeys(trials):
        many = 1 if alone else _many(trial, device)
        key = _alike(trial) if many > 1 else len(alike)
        alike.setdefault(key, []).append(trial)
        most[key] = many
    return [fleet for key, group in alike.items() for fleet in _dealt(group, jobs, most[key])]


def _many(trial: Trial, device: str) -> int:
    """How many trials like this one train as one, at most."""
    recipe, batch = trial.recipe, trial.recipe.batch
    if recipe.network is None or batch is None or getattr(recipe.optimizer, "passes", 1) > 1:
        return 1
    if device.startswith("cuda"):
        return MOST
    size = batch.size.at(1.0) if isinstance(batch.size, Schedule) else batch.size  # type: ignore[attr-defined]
    return recipe.network.together(int(size))


def _alike(trial: Trial) -> Any:
    """What trials of one fleet have in common: shapes, batches, rows and epochs."""
    recipe = trial.recipe
    assert recipe.network is not None
    names = [f.name for f in fields(recipe.network)]
    network = replace(recipe.network, **{name: 0.0 for name in RATES if name in names})
    epochs, seconds = recipe.get("stopping.epochs"), recipe.get("stopping.seconds")
    return (network, recipe.batch, recipe.precision, epochs, seconds, trial.rows, trial.of, trial.fold is None)


def _dealt(group: list[Trial], jobs: int, most: int) -> list[list[Trial]]:
    parts = max(min(jobs, len(group)), -(-len(group) // most))
    bounds = [round(i * len(group) / parts) for i in range(parts + 1)]
    return [group[begin:end] for begin, end in pairwise(bounds)]
