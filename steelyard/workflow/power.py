"""Statistical power: is the best family better than a dumb baseline by more than chance?

Errors of forecasts that follow each other are alike. There, differences are taken over stretches of time that follow
each other (the comparison of Diebold & Mariano 1995, JBES 13, 253-263, with non-overlapping blocks for the variance),
and all families are judged together, so that the best of many is not taken for better by its luck.
"""

import numpy as np

from steelyard.data.ordered import both
from steelyard.diagnosis.mistakes import course, residuals, worst
from steelyard.trials.arms import Tried
from steelyard.weighing.compare import compare, compared, judge_all
from steelyard.weighing.comparison import Comparison
from steelyard.weighing.crossed import crossed, values
from steelyard.workflow.bench import Bench

STRETCHES = 30  # of dev, at most; each is at least twice as long as the horizon


def power_of(bench: Bench, floor: Tried, others: list[Tried]) -> Comparison:
    """How the first of the others differs from the floor, both seen on the same dev rows."""
    best = others[0]
    truth = [bench.truth[rows] for rows in best.rows]
    if bench.pool.order is None:
        weights = [bench.pool.weights_of(rows) for rows in best.rows]
        return compare(bench.metric, truth, list(floor.dev), list(best.dev), weights=weights)
    blocks = stretches(both(bench.pool.order)[best.rows[0]])
    base = values(bench.metric, truth[0], floor.dev[0], blocks)
    found = [crossed((values(bench.metric, truth[0], each.dev[0], blocks) - base)[None]) for each in others]
    judged = judge_all(found, bench.metric.sign)
    pairs = ((bench.metric(truth[0], floor.dev[0]), bench.metric(truth[0], best.dev[0])),)
    return compared("", "", bench.metric, pairs, found[0], judged[0], 0.0)


def stretches(order: np.ndarray) -> np.ndarray:
    """The stretch of time (n,) that each row of `order` (n, 2) is in, about equally many rows each."""
    ranks = np.unique(order[:, 0], return_inverse=True)[1]
    horizon = int(np.max(order[:, 1] - order[:, 0])) or 1
    count = max(2, min(STRETCHES, (int(ranks.max()) + 1) // (2 * horizon)))
    return np.asarray(ranks * count // (int(ranks.max()) + 1))


def settle(bench: Bench, floor: Tried) -> None:
    """Of forecasts, the dumb one stays the model on disk when none is better: it is an honest answer."""
    if bench.pool.order is None:
        return
    bench.install(bench.executor.model(floor.outcomes[0]), floor.recipe.family, bench.score(floor))
    bench.saved = bench.score(floor)
    rows, said = floor.rows[0], floor.dev[0]
    bench.update(
        dev=bench.saved,
        winner={"family": floor.recipe.family, "recipe": floor.recipe.to_dict()},
        course=course(bench.pool, rows, said),
        residuals=residuals(bench.problem, bench.truth[rows], said),
        mistakes=worst(bench.problem, bench.pool, rows, said),
    )
    what = {"last-value": "the last value", "seasonal-value": "the value one season before"}.get(floor.recipe.family)
    bench.say(
        "baseline",
        f"no model forecasts '{bench.problem.target}' better than {what or 'the mean'}, by more than chance: that dumb "
        "forecast stays the model on disk",
    )
