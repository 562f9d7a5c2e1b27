"""Step 5: a dumb baseline, then a spot check of families; is there statistical power at all?"""

from dataclasses import replace

import numpy as np

from steelyard.classical import DUMB
from steelyard.data.split import RARE_SHARE
from steelyard.metrics import COST
from steelyard.problem import Modality
from steelyard.recipe import Recipe
from steelyard.records import Arm
from steelyard.training.decision import TunedThreshold
from steelyard.trials.arms import FULL, Size, Tried
from steelyard.weighing.comparison import Comparison
from steelyard.workflow.bench import Bench, Request
from steelyard.workflow.checklist import walk
from steelyard.workflow.families import families
from steelyard.workflow.power import power_of, settle
from steelyard.workflow.say import plainly, ranked

SMALL: dict[Modality, int] = {
    "tabular": 4_000,
    "image": 2_000,
    "text": 4_000,
    "series": 2_000,
    "mixed": 2_000,
}  # train rows of the first round of the spot check
REACH = 4  # families that get a full trial
SHARE = 0.3  # of the time left, for full trials of the spot check
SPOT = 0.6  # of the time left, at most, for the first round of series
DEAR = 0.15  # of that share: a full trial of the only family left is dear above it


def baseline(bench: Bench) -> list[Tried]:
    """The families that were tried, best first, each at the largest size it reached; the dummy alone without power.

    The first usable model is on disk as soon as the dummy is through, and replaced by every better one.
    """
    recipes = families(bench.problem, bench.pool.schema, bench.train_rows, bench.settings)
    floors = [t for t in map(bench.try_here, (r for r in recipes if r.family in DUMB)) if t is not None]
    if not floors:
        return []
    for each in floors:
        bench.offer(each)
    floor = ranked(bench, floors)[0]
    bench.update(baseline=bench.score(floor), dev=bench.score(floor), families=(arm(bench, floor),))
    bench.say("baseline", _floor_words(bench, floors))
    small = _small(bench)
    recipes = _for_rows(bench, small.rows or bench.train_rows)
    first = _round(bench, [(recipe, (0,), small) for recipe in recipes], _until(bench))
    if not first:
        return []
    best, power = first[0], power_of(bench, floor, first)
    if power.verdict != "helps":
        best, power = _with_thresholds(bench, floor, first) or (best, power)
    if power.verdict != "helps":
        walk(bench, best, power)
        bench.update(families=tuple(arm(bench, t) for t in [*first, *floors]))
        settle(bench, floor)
        return [floor]
    bench.say(
        "baseline",
        f"statistical power: {best.recipe.family} beats the baseline by {abs(power.effect):.4g} "
        f"({min(abs(power.low), abs(power.high)):.4g} to {max(abs(power.low), abs(power.high)):.4g})"
        if power.low * power.high > 0
        else "statistical power is there",
    )
    second = _round(bench, _reaching(bench, first)) if small.rows else []
    reached = {t.recipe.family for t in second}
    dear = [t for t in first[:1] if t.recipe.family not in reached]  # the best one, when a full trial of it is dear
    tried = dear + second + [t for t in first if t not in dear and t.recipe.family not in reached]
    shown = [*second, *(t for t in first if t.size.rows is not None or not second)]
    bench.update(families=tuple(arm(bench, t) for t in [*shown, *floors]))
    bench.say("baseline", "ranking on dev: " + "; ".join(f"{t.recipe.family} {plainly(bench, t)}" for t in tried[:6]))
    return tried


def _round(bench: Bench, requests: list[Request], until: float | None = None) -> list[Tried]:
    """Try the requests, cheapest first, and rank them; every better one becomes the model on disk."""
    tried = [t for t in bench.try_arms(requests, until=until) if t is not None]
    for each in tried:
        bench.offer(each)
    return ranked(bench, tried)


def _until(bench: Bench) -> float | None:
    """When the first round ends on the run's clock where several networks are tried in it, of unknown cost."""
    if bench.problem.modality != "series" or bench.ask.seconds is None:
        return None
    return bench.clock.now() + SPOT * bench.left()


def _small(bench: Bench) -> Size:
    small = SMALL[bench.problem.modality]
    return FULL if bench.train_rows <= small else Size(small)


def _for_rows(bench: Bench, rows: int) -> list[Recipe]:
    """The recipe of every family but the dumb ones, for so many train rows."""
    recipes = families(bench.problem, bench.pool.schema, rows, bench.settings)
    return [recipe for recipe in recipes if recipe.family not in DUMB]


def _floor_words(bench: Bench, floors: list[Tried]) -> str:
    """What the dumb baselines score, and which of them is to be beaten."""
    if len(floors) == 1:
        return f"a dumb baseline (always the same answer) scores {plainly(bench, floors[0])}; a first model is on disk"
    best = ranked(bench, floors)[0]
    names = {"dummy": "the mean", "last-value": "the last value", "seasonal-value": "the value one season before"}
    each = "; ".join(f"{names[t.recipe.family]} {plainly(bench, t)}" for t in floors)
    return f"dumb forecasts score: {each}. To be beaten is {names[best.recipe.family]}; it is the first model on disk"


def _with_thresholds(bench: Bench, floor: Tried, tried: list[Tried]) -> tuple[Tried, Comparison] | None:
    """The best family once its threshold is moved, and how it compares with the baseline; None where it does not help.

    Where a class is rare, or mistakes cost differently, models know more than the label they think the likeliest says.
    """
    problem, part = bench.problem, TunedThreshold()
    if bench.metric.needs != "labels" or not (problem.metric == COST or (problem.balance or 1.0) < RARE_SHARE):
        return None
    every = [replace(each, dev=_thresholds_moved(bench, part, each)) for each in tried]
    best = max(every, key=lambda each: bench.metric.sign * bench.metric(bench.truth[each.rows[0]], each.dev[0]))
    power = power_of(bench, replace(floor, dev=_thresholds_moved(bench, part, floor)), [best])
    if power.verdict != "helps":
        return None
    name = best.recipe.family
    bench.say(
        "baseline", f"as they are no models beat the baseline; {name} does where the thresholds of both are moved"
    )
    return best, power


def _thresholds_moved(bench: Bench, part: TunedThreshold, tried: Tried) -> tuple[np.ndarray, ...]:
    """What an arm predicts on dev with thresholds that were tuned on other rows of dev, for every seed."""
    each = zip(tried.rows, tried.dev, strict=True)
    return tuple(
        part.cross_fitted(bench.metric, bench.truth[rows], dev, bench.pool.weights_of(rows), 0) for rows, dev in each
    )


def _reaching(bench: Bench, first: list[Tried]) -> list[Request]:
    """Full trials for the families not clearly worse than the best, and for networks on all but images, if time allows.

    Where one family is left and a full trial is dear, there is nothing to decide and the time is kept for weighing.
    """
    near = [t for t in first if power_of(bench, first[0], [t]).verdict != "hurts"][:REACH]
    networks = [t for t in first if t.recipe.network is not None and bench.problem.modality != "image"]
    chosen = {t.recipe.family for t in [*near, *networks]}
    recipes = [recipe for recipe in _for_rows(bench, bench.train_rows) if recipe.family in chosen]
    budget = SHARE * bench.left() * bench.executor.jobs
    if len(recipes) == 1 and bench.cost(recipes[0], FULL) > DEAR * budget:
        return []
    requests: list[Request] = []
    for recipe in sorted(recipes, key=lambda r: bench.cost(r, FULL)):
        seconds = bench.cost(recipe, FULL)
        if seconds <= budget:
            budget -= seconds
            requests.append((recipe, (0,), FULL))
    return requests


def arm(bench: Bench, tried: Tried, name: str = "", note: str = "") -> Arm:
    """The record of an arm."""
    rows = tried.outcomes[0].train_rows
    said = note or ("" if tried.size.full else f"on {rows} rows")
    return Arm(name or tried.recipe.family, tried.recipe.family, bench.score(tried), tried.seconds, rows, said)
