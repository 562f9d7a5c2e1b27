"""Step 6: scale up until it overfits, so that what is regularised afterwards has the capacity it needs."""

from collections.abc import Iterator

from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.records import Arm, Curve
from steelyard.techniques import NotApplicable, technique
from steelyard.trials.arms import Size, Tried
from steelyard.trials.trial import Outcome
from steelyard.workflow.baseline import arm
from steelyard.workflow.bench import Bench
from steelyard.workflow.families import families
from steelyard.workflow.say import plainly

RUNGS = ("shrinkage", "longer", "wider", "deeper")  # what makes a model bigger, in the order tried
LADDER = 8  # trainings of the plain recipe that the whole ladder costs, about
WORSE = 1.01  # dev loss this many times its lowest means that training went on past the best point
SHARE = 0.2  # of the time left
FEWEST_ROWS, FEWEST_EPOCHS = 1_000, 4  # a smaller study says nothing about the full size


def overfit(bench: Bench, tried: Tried) -> Tried:
    """The arm at the capacity that was best on dev; the ladder ends where it overfits or stops gaining."""
    tried = _start(bench, tried)
    best, rungs = tried, [arm(bench, tried, "start")]
    curves = [curve(tried.recipe.family, tried.outcomes[0])]
    budget = SHARE * bench.left()
    for name, recipe in _bigger(best.recipe, bench.problem):
        if (reason := overfits(best.outcomes[0])) and best is not tried:
            break
        began = bench.clock.now()
        found = bench.try_arms([(recipe, (0,), tried.size)], within=budget)[0]
        budget -= bench.clock.now() - began
        if found is None:
            break
        rungs.append(arm(bench, found, name))
        curves.append(curve(f"{tried.recipe.family}, {name}", found.outcomes[0]))
        if bench.metric.better(bench.score(found).value, bench.score(best).value) and not bench.broken(found):
            best = found
            bench.offer(found)
    reason = next((r for r in (overfits(o) for o in best.outcomes) if r), "")
    _say(bench, tried, best, rungs, reason)
    bench.update(curves=(*bench.record.curves, *curves))
    return best


def _start(bench: Bench, tried: Tried) -> Tried:
    """The arm at full size, or at a size at which the whole ladder fits into its share of the time."""
    if tried.size.full:
        return tried
    plain = families(bench.problem, bench.pool.schema, bench.train_rows, bench.ask.settings)
    recipe = next(r for r in plain if r.family == tried.recipe.family)
    seconds = SHARE * bench.left()
    size = Size(
        *bench.once(f"ladder of {recipe.key}", lambda: list(vars(study_size(bench, recipe, LADDER, seconds)).values()))
    )
    found = bench.try_arms([(recipe, (0,), size)])[0]
    return found or tried


def _bigger(recipe: Recipe, problem: Problem) -> Iterator[tuple[str, Recipe]]:
    """The recipe made bigger, one rung at a time, each from the start so that an effect has a name."""
    for name in RUNGS:
        bigger = technique(name)().apply(recipe, problem)
        if not isinstance(bigger, NotApplicable):
            yield name, bigger


def overfits(outcome: Outcome) -> str:
    """How a trial shows that it overfits, from its curve; empty when it does not."""
    looks = [point for point in outcome.curve if point.dev_loss is not None]
    if len(looks) < 3:
        return ""
    lowest = min(looks, key=lambda point: point.dev_loss or 0.0)
    last = looks[-1]
    assert lowest.dev_loss is not None and last.dev_loss is not None
    if last.dev_loss > WORSE * lowest.dev_loss and last.train_loss < lowest.train_loss:
        return f"dev loss was lowest at epoch {lowest.epoch} of {last.epoch} and rose while train loss went on falling"
    return ""


def curve(name: str, outcome: Outcome) -> Curve:
    """The learning curve of a trial as a record."""
    return Curve(name, tuple((p.epoch, p.train_loss, p.dev_loss, p.dev_score) for p in outcome.curve))


def _say(bench: Bench, start: Tried, best: Tried, rungs: list[Arm], reason: str) -> None:
    family = start.recipe.family
    steps = ", ".join(f"{r.name} {r.score.value:.4g}" for r in rungs if r.score)
    found = "no bigger size is better" if best is start else f"the best size scores {plainly(bench, best)}"
    bench.say("overfit", f"{family} scaled up ({steps}): {found}" + (f"; {reason}" if reason else ""))
    bench.update(ladder=(*bench.record.ladder, arm(bench, best, f"{family}, scaled")))


def study_size(bench: Bench, recipe: Recipe, trials: int, seconds: float) -> Size:
    """The size at which so many trials of an arm fit into `seconds`: full if they do, else fewer rows and epochs.

    Rows and epochs shrink together, so that a small study is a small copy of the full training.
    """
    per_trial = seconds * bench.executor.jobs / max(1, trials * bench.protocol.folds)
    full = bench.costs.predict(recipe, bench.train_rows)
    if full <= per_trial:
        return Size()
    shrink = max(0.01, per_trial / full)
    epochs = getattr(recipe.stopping, "epochs", 1)
    fewer = min(epochs, max(FEWEST_EPOCHS, round(epochs * shrink**0.4)))
    rows = max(FEWEST_ROWS, round(bench.train_rows * shrink * epochs / fewer))
    return Size(None if rows >= bench.train_rows else rows, fewer / epochs)
