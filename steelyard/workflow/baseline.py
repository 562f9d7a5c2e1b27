"""Step 5: a dumb baseline, then a spot check of families; is there statistical power at all?"""

from steelyard.problem import Modality
from steelyard.recipe import Recipe
from steelyard.records import Arm
from steelyard.trials.arms import FULL, Size, Tried
from steelyard.weighing.compare import compare
from steelyard.weighing.comparison import Comparison
from steelyard.workflow.bench import Bench, Request
from steelyard.workflow.checklist import walk
from steelyard.workflow.families import families
from steelyard.workflow.say import plainly, ranked

SMALL: dict[Modality, int] = {
    "tabular": 4_000,
    "image": 2_000,
    "text": 2_000,
    "series": 2_000,
    "mixed": 2_000,
}  # train rows of the first round of the spot check
NETWORKS: dict[Modality, int] = {"image": 0, "text": 2}  # that get a full trial though others are better: all, else
REACH = 4  # families that get a full trial
SHARE = 0.3  # of the time left, for full trials of the spot check
DEAR = 0.15  # of that share: a full trial of the only family left is dear above it


def baseline(bench: Bench) -> list[Tried]:
    """The families that were tried, best first, each at the largest size it reached; the dummy alone without power.

    The first usable model is on disk as soon as the dummy is through, and replaced by every better one.
    """
    dummy = families(bench.problem, bench.pool.schema, bench.train_rows, bench.settings)[0]
    floor = bench.try_here(dummy)
    if floor is None:
        return []
    bench.offer(floor)
    bench.update(baseline=bench.score(floor), dev=bench.score(floor), families=(arm(bench, floor),))
    bench.say(
        "baseline", f"a dumb baseline (always the same answer) scores {plainly(bench, floor)}; a first model is on disk"
    )
    small = _small(bench)
    first = _round(bench, [(recipe, (0,), small) for recipe in _for_rows(bench, small.rows or bench.train_rows)])
    if not first:
        return []
    best = first[0]
    power = _power(bench, floor, best)
    if power.verdict != "helps":
        walk(bench, best, power)
        bench.update(families=tuple(arm(bench, t) for t in [*first, floor]))
        return [floor]
    bench.say(
        "baseline",
        f"statistical power: {best.recipe.family} beats the baseline by {abs(power.effect):.4g} "
        f"({abs(power.low):.4g} to {abs(power.high):.4g})"
        if power.low * power.high > 0
        else "statistical power is there",
    )
    second = _round(bench, _reaching(bench, first)) if small.rows else []
    reached = {t.recipe.family for t in second}
    dear = [t for t in first[:1] if t.recipe.family not in reached]  # the best one, when a full trial of it is dear
    tried = dear + second + [t for t in first if t not in dear and t.recipe.family not in reached]
    shown = [*second, *(t for t in first if t.size.rows is not None or not second)]
    bench.update(families=tuple(arm(bench, t) for t in [*shown, floor]))
    bench.say("baseline", "ranking on dev: " + "; ".join(f"{t.recipe.family} {plainly(bench, t)}" for t in tried[:6]))
    return tried


def _round(bench: Bench, requests: list[Request]) -> list[Tried]:
    """Try the requests, cheapest first, and rank them; every better one becomes the model on disk."""
    tried = [t for t in bench.try_arms(requests) if t is not None]
    for each in tried:
        bench.offer(each)
    return ranked(bench, tried)


def _small(bench: Bench) -> Size:
    small = SMALL[bench.problem.modality]
    return FULL if bench.train_rows <= small else Size(small)


def _for_rows(bench: Bench, rows: int) -> list[Recipe]:
    """The recipe of every family but the dummy, for so many train rows."""
    return families(bench.problem, bench.pool.schema, rows, bench.settings)[1:]


def _power(bench: Bench, floor: Tried, best: Tried) -> Comparison:
    truth = [bench.truth[rows] for rows in best.rows]
    weights = [bench.pool.weights_of(rows) for rows in best.rows]
    return compare(bench.metric, truth, list(floor.dev), list(best.dev), weights=weights)


def _reaching(bench: Bench, first: list[Tried]) -> list[Request]:
    """Full trials, if time allows, for the families not clearly worse than the best and the best networks (`NETWORKS`).

    Where one family is left and a full trial is dear, there is nothing to decide and the time is kept for weighing.
    """
    near = [t for t in first if _power(bench, first[0], t).verdict != "hurts"][:REACH]
    networks = [t for t in first if t.recipe.network is not None][: NETWORKS.get(bench.problem.modality)]
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
