"""What a run kept of the training of a network: its curve, what it predicted, the dumb baseline on the same rows."""

from dataclasses import replace

import numpy as np

from steelyard.classical import DUMB
from steelyard.diagnosis.recorded import Kept
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.member import Plan
from steelyard.trials.arms import Size, Tried, gather
from steelyard.trials.trial import Outcome, Trial
from steelyard.weighing.interval import score_of
from steelyard.workflow.bench import Bench
from steelyard.workflow.error_table import first_seed, table_of
from steelyard.workflow.power import power_of
from steelyard.workflow.program import rises_again
from steelyard.workflow.reopened import final_predictions


def kept_of(bench: Bench, outcome: Outcome | None) -> Kept:
    """What a run kept of the training of a network; None: of its final model, whatever that is."""
    problem, family = bench.problem, str(bench.record.winner.get("family", ""))
    if outcome is None:
        base, tried, trial = Kept(problem), _final(bench), None
    else:
        trial, family = outcome.trial, outcome.trial.recipe.family
        plan, epochs = Plan.of(trial.recipe), outcome.curve[-1].epoch if outcome.curve else 0
        steps = epochs * max(1, outcome.train_rows // plan.batch.size_at(0.0, max(1, outcome.train_rows)))
        base = Kept(problem, outcome, steps, guess_of(problem, bench.truth), rises_again(plan.optimizer.lr))
        tried = _arm(bench, trial)
    if tried is None:
        return base
    rows, train = tried.rows[0], tried.train_rows[0]
    floor = _floor(bench, trial, rows)
    return replace(
        base,
        truth=bench.truth[rows],
        said=tried.dev[0],
        train=score_of(bench.metric, bench.truth[train], tried.train[0], bench.pool.weights_of(train)),
        power=None if floor is None else power_of(bench, floor, [tried]),
        table=table_of(bench, first_seed(tried)),
        others=tuple(a for a in bench.record.families if a.family not in {*family.split(" + "), *DUMB}),
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


def _arm(bench: Bench, trial: Trial) -> Tried | None:
    """The arm that a trial belongs to, all its folds together; where others are missing, of the one fold alone."""
    there = [o for o in bench.journal.outcomes() if o.done and o.trial == replace(trial, fold=o.trial.fold)]
    folds = sorted((o for o in there if o.trial.fold is not None), key=lambda o: o.trial.fold or 0)
    if len(folds) < bench.protocol.folds:
        folds = [o for o in folds if o.trial == trial]
    kept = all((bench.folder / "predictions" / f"{o.key}.safetensors").exists() for o in folds)
    return gather(trial.recipe, Size(trial.rows), folds, len(folds), bench.executor) if folds and kept else None


def _final(bench: Bench) -> Tried | None:
    """What the arms of the final model predicted together, as an arm."""
    recipe = bench.record.winner.get("recipe")
    if recipe is None or not bench.executor.final_predictions.exists():
        return None
    said = final_predictions(bench)
    return Tried(Recipe.from_dict(recipe), Size(), (), (said.dev_rows,), (said.dev,), (said.train_rows,), (said.train,))


def _floor(bench: Bench, trial: Trial | None, rows: np.ndarray) -> Tried | None:
    """The dumb baseline to be beaten on those dev rows, as the run tried it."""
    dumb = [o for o in bench.journal.outcomes() if o.done and o.trial.recipe.family in DUMB and o.trial.fold == 0]
    if trial is not None:
        dumb = [o for o in dumb if o.trial.partition == trial.partition]
    arms = [arm for o in dumb if o.trial.rows is None and (arm := _on(bench, o.trial, rows)) is not None]
    return max(arms, key=lambda arm: bench.metric.sign * bench.score(arm).value) if arms else None


def _on(bench: Bench, trial: Trial, rows: np.ndarray) -> Tried | None:
    """The arm of a trial on just those dev rows; None where it did not predict all of them."""
    arm = _arm(bench, trial)
    if arm is None or not np.isin(rows, arm.rows[0]).all():
        return None
    places = np.searchsorted(arm.rows[0], rows)
    return replace(arm, rows=(rows,), dev=(arm.dev[0][places],))
