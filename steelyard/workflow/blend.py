"""Which arms the final model is made of: the best one, or a blend when it is surely better."""

from dataclasses import dataclass

import numpy as np

from steelyard.data.split import RARE_SHARE
from steelyard.finish.ensemble import blend
from steelyard.problem import LIMITS
from steelyard.trials.arms import Tried
from steelyard.weighing.compare import probability_better
from steelyard.weighing.interval import score_of
from steelyard.workflow.bench import Bench
from steelyard.workflow.say import ranked, score_text

SURE = 0.9  # a blend is taken when it beats the best single arm in this share of resamples
LIKELY = 0.6  # where less is asked, since a mean of several models is rarely worse than one of them
FEW = 300  # rows of a rare class in dev: with fewer, dev is hardly ever sure of anything
MEMBERS = 4  # seeds of a network in the final model, if there is time


@dataclass(frozen=True)
class Choice:
    """The arms the final model is made of, their weights, and what they predict together on dev."""

    arms: tuple[Tried, ...]
    weights: tuple[float, ...]
    rows: np.ndarray
    dev: np.ndarray


def choose(bench: Bench, arms: list[Tried], wanted: float = SURE) -> Choice:
    """The best single arm, or a blend of arms when that is surely better on dev and keeps the constraints.

    `wanted`: the share of resamples of dev in which the blend must beat the best single arm; less is asked where dev
    holds few rows of a rare class.
    """
    arms = ranked(bench, arms)
    rows = arms[0].rows[0]
    truth, row_weights = bench.truth[rows], bench.pool.weights_of(rows)
    means = [as_final(t) for t in arms]
    alone = Choice((arms[0],), (1.0,), rows, means[0])
    if len(arms) == 1:
        return alone
    weights = blend(bench.metric, truth, means, row_weights=row_weights)
    used = [i for i, weight in enumerate(weights) if weight > 0]
    unseen = _blended_unseen(bench, truth, means, row_weights)
    if len(used) == 1 or breaks_together(bench, [arms[i] for i in used]) or _breaks_floor(bench, rows, unseen):
        return alone
    wanted = min(wanted, LIKELY) if _few_of_a_class(bench, truth) else wanted
    sure = probability_better(bench.metric, truth, means[0], unseen, row_weights)
    names = " + ".join(f"{weights[i]:.2f} {arms[i].recipe.family}" for i in used)
    score = score_text(score_of(bench.metric, truth, unseen, row_weights))
    if sure < wanted:
        bench.say(
            "finish", f"a blend ({names}: {score}) is better in {sure:.0%} of resamples: not sure enough, left out"
        )
        return alone
    bench.say("finish", f"a blend of {names} scores {score} on dev, better than one model in {sure:.0%} of resamples")
    return Choice(tuple(arms[i] for i in used), tuple(float(weights[i]) for i in used), rows, unseen)


def _blended_unseen(
    bench: Bench, truth: np.ndarray, means: list[np.ndarray], row_weights: np.ndarray | None
) -> np.ndarray:
    """What a blend predicts on dev rows that its weights were not chosen on (five parts in turn)."""
    part = np.random.default_rng(0).permutation(len(truth)) % 5
    found = np.empty_like(means[0], dtype=float)
    for k in range(5):
        kept = None if row_weights is None else row_weights[part != k]
        weights = blend(bench.metric, truth[part != k], [mean[part != k] for mean in means], row_weights=kept)
        found[part == k] = np.sum([w * mean[part == k] for w, mean in zip(weights, means, strict=True)], axis=0)
    return found


def _few_of_a_class(bench: Bench, truth: np.ndarray) -> bool:
    """Whether those rows of dev hold so few of a rare class that a difference between models can hardly be seen."""
    balance = bench.problem.balance
    if balance is None or balance >= RARE_SHARE or bench.problem.task == "multitask":
        return False
    counts = np.bincount(truth) if truth.ndim == 1 else np.nansum(truth, axis=0)
    return int(counts.min()) < FEW


def as_final(tried: Tried) -> np.ndarray:
    """What an arm predicts on dev as it will be in the final model: networks with several seeds, the rest with one."""
    seeds = MEMBERS if tried.recipe.network is not None else 1
    return np.asarray(np.mean(tried.dev[:seeds], axis=0))


def on_train_dev(choice: Choice) -> tuple[np.ndarray, np.ndarray]:
    """Train-dev rows and what the arms of a choice predict there together, seeds and arms averaged as on dev."""
    rows, found = choice.arms[0].train_dev_rows[0], []
    for tried in choice.arms:
        seeds = MEMBERS if tried.recipe.network is not None else 1
        pairs = zip(tried.train_dev_rows[:seeds], tried.train_dev[:seeds], strict=True)
        found.append(np.mean([held for at, held in pairs if np.array_equal(at, rows)], axis=0))
    return rows, np.asarray(np.sum([w * mean for w, mean in zip(choice.weights, found, strict=True)], axis=0))


def breaks_together(bench: Bench, arms: list[Tried]) -> bool:
    """Whether models break a constraint together."""
    return breaks(bench, [tried.measured for tried in arms])


def breaks(bench: Bench, measured: list[dict[str, float]]) -> bool:
    """Whether models with these measures break a limit together: memory is the largest of them, the rest adds up."""
    for constraint in bench.problem.constraints:
        costs = [each[constraint.name] for each in measured if constraint.name in each]
        if costs and not constraint.kept(max(costs) if constraint.name == "memory_mb" else float(np.sum(costs))):
            return True
    return False


def _breaks_floor(bench: Bench, rows: np.ndarray, predictions: np.ndarray) -> bool:
    """Whether what is predicted on those rows of dev breaks a constraint on another metric."""
    truth, weights = bench.truth[rows], bench.pool.weights_of(rows)
    floors = [c for c in bench.problem.constraints if c.name not in LIMITS]
    return not all(c.kept(bench.problem.measure_of(c.name)(truth, predictions, weights)) for c in floors)
