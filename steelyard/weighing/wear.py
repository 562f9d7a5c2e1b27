"""Dev wear: what the best of many candidates owes to chance, because it was chosen on the very rows that score it.

Bootstrap bias-corrected selection (BBC-CV; Tsamardinos, Greasidou & Borboudakis 2018, Machine Learning 107, 1895-1922,
doi 10.1007/s10994-018-5714-4): draw the dev rows with replacement, choose the best candidate on the draw, score it on
the rows left out. No model is trained again. Those scores average to what a model chosen in this way scores on new
rows, and their percentiles are its interval.

Assumed: rows are independent of each other; all candidates that were looked at are there, also those that lost; the
choice was "the best dev score wins". Where techniques are kept only when they surely help, the choice follows chance
less than that, and the correction errs on the careful side. It is careful for another reason too: a draw holds
63 % of the rows, on which the best candidate is found less surely. Where models truly differ the optimism comes out too
large, for RMSE up to twice, and the interval is wide (`benchmarks/wear.py`). Nothing is said of looks at models that
are not among the candidates (smaller studies, earlier runs), nor of new data that is unlike dev.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from steelyard.metrics import Metric
from steelyard.problem import Score
from steelyard.records import Wear
from steelyard.weighing.interval import score_of
from steelyard.weighing.redrawn import draws, redrawn, way_of

METHOD = "bootstrap bias-corrected selection (BBC-CV)"
DRAWS, FEWEST = 500, 50  # samples of dev
FEWEST_ROWS = 10  # with less on dev, a draw leaves next to nothing out
CALLS = 4_000  # of a metric that has to be computed draw by draw: a few seconds
RANKED = 50_000_000  # predictions that are ranked, over all draws: a few seconds
Array = np.ndarray


def wear(
    metric: Metric,
    truth: Array,
    candidates: Sequence[Array],
    winner: int = -1,
    looks: int = 0,
    seed: int = 0,
    weights: Array | None = None,
) -> Wear:
    """The winner's dev score, how much of it is expected to be chance, and the score without that.

    `truth` (n,), `weights` (n,) and the predictions of each candidate, (n, classes) or (n,), are of the same dev rows.
    `winner` is the place of the chosen one (default: the best; the first of equals). `optimism` is how much better, in
    the metric's unit, it looks than models chosen on draws do on rows left out. Both are measured on the same rows, so
    that one candidate has an optimism of exactly zero; so has a winner that looks no better than the corrected best.
    """
    if winner < 0:
        winner = int(np.argmax([metric.sign * metric(truth, each, weights) for each in candidates]))
    plain = score_of(metric, truth, candidates[winner], weights)
    found = Wear(looks, len(candidates), plain, 0.0, plain, METHOD)
    if len(candidates) == 1:
        return replace(found, method="one candidate: nothing was chosen")
    if len(truth) < FEWEST_ROWS:
        reason = f"not estimated: {len(truth)} dev rows are too few (at least {FEWEST_ROWS})"
        return replace(found, optimism=None, corrected=None, method=reason)
    chosen, fixed = _left_out(metric, truth, candidates, winner, seed, weights)
    if len(chosen) < 2:
        reason = "not estimated: no draw of the dev rows holds what the metric needs"
        return replace(found, optimism=None, corrected=None, method=reason)
    optimism = metric.sign * float((fixed - chosen).mean())
    if optimism <= 0:
        return found
    return replace(found, optimism=optimism, corrected=_moved(plain, plain.value - metric.sign * optimism, chosen))


def _left_out(
    metric: Metric, truth: Array, candidates: Sequence[Array], winner: int, seed: int, weights: Array | None
) -> tuple[Array, Array]:
    """Of each draw on which the metric is defined: the score on rows left out of the chosen candidate, the winner."""
    counts = draws(len(truth), _times(metric, truth, candidates), seed)
    rest = (counts == 0).astype(float)
    if (
        metric.per_example is None and metric.tasks[0] != "regression" and truth.ndim == 1
    ):  # two classes are needed, inside and outside
        classes = np.eye(int(truth.max()) + 1)[truth]
        both = [((classes.T @ each) > 0).sum(axis=0) > 1 for each in (counts, rest)]
        counts, rest = (each[:, both[0] & both[1]] for each in (counts, rest))
    if weights is not None:  # a row of weight two counts as one drawn twice
        counts, rest = counts * weights[:, None], rest * weights[:, None]
    inside = redrawn(metric, truth, candidates, counts)
    inside = np.where(np.isfinite(inside), metric.sign * inside, -np.inf)
    best = inside.argmax(axis=1)
    fixed = redrawn(metric, truth, [candidates[winner]], rest)[:, 0]
    chosen = fixed.copy()
    for other in set(best.tolist()) - {winner}:
        chosen[best == other] = redrawn(metric, truth, [candidates[other]], rest[:, best == other])[:, 0]
    usable = np.isfinite(inside).any(axis=1) & np.isfinite(chosen) & np.isfinite(fixed)
    return chosen[usable], fixed[usable]


def _times(metric: Metric, truth: Array, candidates: Sequence[Array]) -> int:
    """How many draws: fewer where the metric takes long."""
    way = way_of(metric, truth)
    if metric.per_example is not None or (way and metric.needs != "probabilities"):
        return DRAWS
    most = RANKED // sum(each.size for each in candidates) if way else CALLS // len(candidates)
    return max(FEWEST, min(DRAWS, most))


def _moved(plain: Score, value: float, left_out: Array) -> Score:
    """The corrected score: around it the percentiles of the scores on rows left out, or the plain interval if wider.

    The latter where models make hardly a mistake: rows left out then all say the same.
    """
    low, high = np.percentile(left_out, [2.5, 97.5]) + value - left_out.mean()
    if high - low < plain.high - plain.low:
        low, high = plain.low + value - plain.value, plain.high + value - plain.value
    return Score(value, float(min(low, value)), float(max(high, value)), plain.examples)
