"""The final trainings: on train + dev, or, where a full training is dear, once at full size beside the plain recipe."""

from collections import Counter
from dataclasses import dataclass

from steelyard.recipe import Recipe
from steelyard.trials.arms import FULL, Tried, gather
from steelyard.trials.trial import Outcome, Trial
from steelyard.workflow.bench import CLOSING, Bench
from steelyard.workflow.blend import LIKELY, MEMBERS, Choice, breaks, breaks_together, choose
from steelyard.workflow.incumbent import Incumbent, recipe_for
from steelyard.workflow.say import plainly

HOPE = 2.0  # training at full size may be faster than small trials foretold; if it is not, the clock ends it
MARGIN = 0.92  # of the time left that a time-bounded final training may take


@dataclass(frozen=True)
class Final:
    """The trained models of a choice and their weights."""

    choice: Choice
    outcomes: list[Outcome]
    weights: list[float]


def refit(bench: Bench, choice: Choice) -> Final:
    """The chosen arms trained on all rows outside test, networks with several seeds; what was cut stays as it was."""
    seeds = [_members(bench, tried) for tried in choice.arms]
    if breaks_together(bench, [tried for tried, count in zip(choice.arms, seeds, strict=True) for _ in range(count)]):
        seeds = [1] * len(choice.arms)
    wanted = [
        (Trial(tried.recipe, seed, fold=None), number)
        for number, (tried, count) in enumerate(zip(choice.arms, seeds, strict=True))
        for seed in range(count)
    ]
    wanted.sort(key=lambda each: each[0].seed)  # one of each first, should the time run out
    deadline = None if bench.ask.seconds is None else bench.ask.seconds - CLOSING / 2
    outcomes = bench.run([trial for trial, _ in wanted], deadline, models=True)
    done = [(o, number) for o, (_, number) in zip(outcomes, wanted, strict=True) if o.done]
    trained = len(done)
    if breaks(bench, [o.measured for o, _ in done]):
        done, trained = [], 0
    there = {number for _, number in done}
    done += [(t.outcomes[0], number) for number, t in enumerate(choice.arms) if number not in there]
    counts = Counter(number for _, number in done)
    parts = "train + dev" if bench.protocol.sources is None else "train + train-dev + dev"
    bench.say(
        "finish",
        f"trained on {parts} ({len(bench.pool)} rows): {trained} of the {len(done)} models of the final one"
        + ("" if trained == len(done) else "; the rest learnt from train alone"),
    )
    return Final(choice, [o for o, _ in done], [choice.weights[number] / counts[number] for _, number in done])


def _members(bench: Bench, tried: Tried) -> int:
    """How many seeds of an arm the final model holds: one of a classical model, several of a network if time allows."""
    if tried.recipe.network is None:
        return 1
    if bench.ask.seconds is None:
        return 2
    seconds = bench.ask.seconds - CLOSING - bench.clock.now()
    each = bench.costs.predict(tried.recipe, len(bench.pool)) * 1.1
    afford = int(seconds * bench.executor.jobs / max(each, 1e-6))
    return int(bench.once(f"members {tried.recipe.key}", lambda: max(1, min(MEMBERS, afford))))


def confirm(bench: Bench, leader: Incumbent, full: list[Tried]) -> Final:
    """Where a full training is dear: what was kept is trained once at full size beside the plain recipe.

    The two run side by side, each annealed to end in time; the better one, or both together, is the final model.
    """
    kept, plain = (recipe_for(bench, leader.family, edits, bench.train_rows) for edits in (leader.edits, ()))
    timed, timed_plain = _timed(bench, kept), _timed(bench, plain)
    trials = [Trial(timed, 0)]
    if bench.executor.jobs > 1 or bench.ask.seconds is None:
        trials.append(Trial(timed_plain, 0 if timed_plain != timed else 1))
    outcomes = bench.run(trials, None if bench.ask.seconds is None else bench.ask.seconds - CLOSING / 2, models=True)
    tried = [gather(o.trial.recipe, FULL, [o], 1, bench.executor) for o in outcomes]
    arms = [t for t in tried if t is not None and not bench.broken(t)] + full
    if not arms:
        bench.say("finish", "no training at full size ended in time: the best smaller one stays")
        small = leader.tried
        return Final(Choice((small,), (1.0,), small.rows[0], small.dev[0]), [small.outcomes[0]], [1.0])
    words = "; ".join(f"{n} {plainly(bench, t)}" for n, t in zip(("kept", "plain"), tried, strict=False) if t)
    bench.say("finish", f"confirmed at full size ({bench.train_rows} rows): {words}")
    choice = choose(bench, arms, LIKELY)  # the two were trained anyway
    return Final(choice, [t.outcomes[0] for t in choice.arms], list(choice.weights))


def _timed(bench: Bench, recipe: Recipe) -> Recipe:
    """The recipe with as many epochs as may fit into the time left, and a clock that anneals it in time."""
    if bench.ask.seconds is None or recipe.stopping is None:
        return recipe
    left = (bench.ask.seconds - CLOSING - bench.clock.now()) * MARGIN
    seconds = float(bench.once("final seconds", lambda: round(max(1.0, left), 1)))
    wanted = int(recipe.get("stopping.epochs"))
    per_epoch = bench.costs.predict(recipe, bench.train_rows) / wanted
    most = wanted if any(path == "stopping.epochs" for path, _ in bench.ask.settings) else 2 * wanted
    fitting = bench.once(f"final epochs {recipe.key}", lambda: max(1, min(most, int(seconds * HOPE / per_epoch))))
    return recipe.set("stopping.epochs", int(fitting)).set("stopping.seconds", seconds)
