"""Step 6: scale up until it overfits, so that what is regularised afterwards has the capacity it needs."""

from steelyard.records import Arm, Curve
from steelyard.trials.arms import Tried
from steelyard.trials.trial import Outcome
from steelyard.workflow.baseline import arm
from steelyard.workflow.bench import Bench
from steelyard.workflow.incumbent import Incumbent, free, recipe_for, size_once
from steelyard.workflow.say import plainly

RUNGS = ("shrinkage", "longer", "wider", "deeper")  # what makes a model bigger, in the order tried
LADDER = 8  # trainings of the plain recipe that the whole ladder costs, about
WORSE = 1.01  # dev loss this many times its lowest means that training went on past the best point
SHARE = 0.2  # of the time left


def overfit(bench: Bench, tried: Tried) -> Incumbent:
    """The family at the capacity that was best on dev; it grows until it overfits, keeping each step that gains."""
    start = _start(bench, tried)
    best, last, rungs = start, start.tried, [arm(bench, start.tried, "start")]
    curves = [curve(start.family, last.outcomes[0])]
    until = bench.clock.now() + SHARE * bench.left()
    for name in RUNGS:
        if overfits(last.outcomes[0]):
            break
        recipe = recipe_for(bench, start.family, (*best.edits, name), start.tried.size.rows or bench.train_rows)
        if recipe == best.tried.recipe or not free(bench, best.tried.recipe, recipe):
            continue
        found = bench.try_arms([(recipe, (0,), start.tried.size)], within=until - bench.clock.now())[0]
        if found is None:
            continue
        last = found
        rungs.append(arm(bench, found, name))
        curves.append(curve(f"{start.family}, {' + '.join((*best.edits, name))}", found.outcomes[0]))
        if bench.metric.better(bench.score(found).value, bench.score(best.tried).value) and not bench.broken(found):
            best = best.improved((*best.edits, name), found)
            bench.offer(found)
    _say(bench, start, best, rungs, overfits(last.outcomes[0]))
    bench.update(curves=(*bench.record.curves, *curves))
    return best


def _start(bench: Bench, tried: Tried) -> Incumbent:
    """The family at full size, or at a size at which the whole ladder fits into its share of the time."""
    start = Incumbent(tried.recipe.family, (), tried, tried if tried.size.full else None)
    if tried.size.full:
        return start
    size = size_once(bench, f"ladder of {start.family}", start, LADDER, SHARE * bench.left())
    recipe = recipe_for(bench, start.family, (), size.rows or bench.train_rows)
    found = bench.try_arms([(recipe, (0,), size)])[0]
    return start.improved((), found) if found else start


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


def _say(bench: Bench, start: Incumbent, best: Incumbent, rungs: list[Arm], reason: str) -> None:
    steps = ", ".join(f"{r.name} {r.score.value:.4g}" for r in rungs if r.score)
    rows = "" if start.tried.size.full else f" on {start.tried.size.rows} rows"
    if best is not start:
        found = f"{' + '.join(best.edits)} scores best, {plainly(bench, best.tried)}"
    else:
        found = "no bigger size was tried" if len(rungs) == 1 else "no bigger size is better"
    bench.say("overfit", f"{start.family} scaled up{rows} ({steps}): {found}" + (f"; {reason}" if reason else ""))
    bench.update(ladder=(*bench.record.ladder, arm(bench, best.tried, f"{start.family}, scaled")))
