"""What a run kept of the training of a network: its curve, what it predicted, the dumb baseline on the same rows."""

from dataclasses import replace

import numpy as np

from steelyard.classical import DUMB
from steelyard.diagnosis.recorded import Kept
from steelyard.problem import Problem
from steelyard.training.member import Plan
from steelyard.trials.arms import Size, Tried, gather, trials_of
from steelyard.trials.trial import Outcome
from steelyard.weighing.interval import score_of
from steelyard.workflow.bench import Bench
from steelyard.workflow.error_table import first_seed, table_of
from steelyard.workflow.families import families
from steelyard.workflow.power import power_of
from steelyard.workflow.program import rises_again


def kept_of(bench: Bench, outcome: Outcome) -> Kept:
    """What a run kept of the training of a network."""
    recipe, problem = outcome.trial.recipe, bench.problem
    plan = Plan.of(recipe)
    epochs = outcome.curve[-1].epoch if outcome.curve else 0
    steps = epochs * max(1, outcome.train_rows // plan.batch.size_at(0.0, max(1, outcome.train_rows)))
    others = tuple(arm for arm in bench.record.families if arm.family != recipe.family and arm.family not in DUMB)
    base = Kept(problem, outcome, steps, guess_of(problem, bench.truth), rises_again(plan.optimizer.lr), others=others)
    tried = _tried(bench, outcome)
    if tried is None:
        return base
    floor = _floor(bench)
    rows, train = tried.rows[0], tried.train_rows[0]
    return replace(
        base,
        truth=bench.truth[rows],
        said=tried.dev[0],
        train=score_of(bench.metric, bench.truth[train], tried.train[0], bench.pool.weights_of(train)),
        power=None if floor is None or not np.array_equal(floor.rows[0], rows) else power_of(bench, floor, [tried]),
        table=table_of(bench, first_seed(tried)),
    )


def guess_of(problem: Problem, truth: np.ndarray) -> float | None:
    """What the best constant answer loses, as training losses are measured; None where that is not known."""
    if problem.task in ("regression", "multioutput"):
        return 0.5  # half the variance of standardised targets
    if problem.task in ("binary", "multiclass"):
        shares = np.bincount(truth.astype(int)) / len(truth)
        shares = shares[shares > 0]
        return float(-(shares * np.log(shares)).sum())
    if problem.task == "multilabel":
        yes = np.clip(np.nanmean(truth, axis=0), 1e-12, 1 - 1e-12)
        return float(-(yes * np.log(yes) + (1 - yes) * np.log(1 - yes)).mean())
    return None


def _tried(bench: Bench, outcome: Outcome) -> Tried | None:
    """The arm that an outcome belongs to, its folds together, if all of it is there."""
    trial, folds = outcome.trial, bench.protocol.folds
    found = [o for o in bench.journal.outcomes() if o.done and o.trial == replace(trial, fold=o.trial.fold)]
    mine = sorted((o for o in found if o.trial.fold is not None), key=lambda o: o.trial.fold or 0)
    there = len(mine) == folds and all((bench.folder / "predictions" / f"{o.key}.safetensors").exists() for o in mine)
    return gather(trial.recipe, Size(trial.rows), mine, folds, bench.executor) if there else None


def _floor(bench: Bench) -> Tried | None:
    """The dumb baseline that is to be beaten, as the run tried it."""
    found = []
    for recipe in families(bench.problem, bench.pool.schema, bench.train_rows, bench.settings):
        if recipe.family not in DUMB:
            continue
        first = trials_of(recipe, (0,), Size(), bench.protocol)[0]
        mine = next((o for o in bench.journal.outcomes() if o.done and o.trial == first), None)
        tried = _tried(bench, mine) if mine is not None else None
        if tried is not None:
            found.append(tried)
    return max(found, key=lambda t: bench.metric.sign * bench.score(t).value) if found else None
