"""Batch size and number of epochs explored together, the cheapest pairs first, on the protocol of a run."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from steelyard.errors import UserError
from steelyard.records import Said, Step, to_plain
from steelyard.report.numbers import duration
from steelyard.trials.arms import FULL, gather, trials_of
from steelyard.trials.clock import Clock
from steelyard.trials.costs import OVERHEAD, Costs
from steelyard.trials.executor import Executor
from steelyard.trials.journal import Journal
from steelyard.trials.trial import Outcome, Trial
from steelyard.weighing.trade_off import Exploration, Pair, cost, pooled_score, weigh_pairs
from steelyard.workflow.ask import Ask
from steelyard.workflow.bench import write_json
from steelyard.workflow.finish import tidy
from steelyard.workflow.grid import Arm, Grid, planned
from steelyard.workflow.lock import only_one
from steelyard.workflow.machine import device_of, jobs_on
from steelyard.workflow.network import Posed, asked, folder_for, pose
from steelyard.workflow.say import score_text

Watch = Callable[[Any], None]
CLOSING = 2.0  # seconds kept for the page
WARM = 200  # rows
GROWS = 0.2  # of the time of a training, at least, grows with its epochs
NAME = "explore"


@dataclass
class Explorer:
    """What an exploration works with."""

    ask: Ask
    posed: Posed
    grid: Grid
    executor: Executor
    journal: Journal
    clock: Clock
    watch: Watch
    record: Exploration
    costs: Costs

    def say(self, step: Step, text: str) -> None:
        """Write down and show one thing."""
        said = Said(step, text, round(self.clock.now(), 2))
        self.journal.say(said)
        self.record = replace(self.record, said=(*self.record.said, said))
        self.watch(said)


def explore_grid(ask: Ask, grid: Grid, watch: Watch = lambda _: None, already: float = 0.0) -> Exploration:
    """Train every pair that the time allows; the record, which lies in the folder with its page.

    The same call again goes on where it was, and trains nothing twice.
    """
    clock, device = Clock(already), device_of(ask.device)
    with Executor(ask.jobs or jobs_on(device), device) as executor:
        posed = pose(ask)
        arms, record = planned(ask, posed, grid)
        folder = folder_for(ask, NAME)
        if any(folder.iterdir()) and not (folder / "journal.db").exists():
            raise UserError(f"{folder} holds other files and no exploration; give --output an empty or new folder")
        with closing(Journal(folder / "journal.db")) as journal, only_one(folder):
            _claim(journal, ask, posed, folder)
            executor.open(
                folder, journal, clock, posed.pool, posed.problem, posed.protocol, watch, posed.recipe.network
            )
            explorer = Explorer(
                ask, posed, grid, executor, journal, clock, watch, replace(record, output=str(folder)), Costs()
            )
            _introduce(explorer)
            found = _judged(explorer, _train(explorer, arms))
            write_json(folder / "explore.json", to_plain(found))
            _draw(folder, found)
            tidy(folder)
            return found


# -- before anything is trained -----------------------------------------------------------------------------------


def _claim(journal: Journal, ask: Ask, posed: Posed, folder: Path) -> None:
    """The folder is that of an exploration of these data; with another limit, what the old one cut is open again."""
    owner = journal.fact("data")
    if owner is not None and (owner != posed.fingerprint or journal.fact(NAME) is None):
        what = "other data" if journal.fact(NAME) else "a run"
        raise UserError(f"{folder} holds what is left of {what}; give another --output, or remove the folder")
    journal.set_fact("data", posed.fingerprint)
    limits = {"seconds": ask.seconds}
    if journal.fact(NAME) != limits:
        journal.forget_limits()
        journal.set_fact(NAME, limits)


def _introduce(explorer: Explorer) -> None:
    record, protocol = explorer.record, explorer.posed.protocol
    for note in explorer.posed.notes:
        explorer.say("define", note)
    explorer.say("define", asked(record.problem, explorer.posed.recipe))
    how = f"{protocol.folds} folds, each row once in dev" if protocol.folds > 1 else "a hold-out for dev"
    explorer.say(
        "protocol", f"{how}; {record.rows} train rows a training, {record.seeds} seeds a pair, the test stays sealed"
    )
    size, epochs, rate = record.base
    follows = (
        "is kept at every batch size" if record.rule == "kept" else f"follows the batch size by the {record.rule} rule"
    )
    explorer.say("measure", f"the plain recipe has batches of {size}, {epochs} epochs, rate {rate}; the rate {follows}")


# -- training -----------------------------------------------------------------------------------------------------


def _train(explorer: Explorer, waiting: list[Arm]) -> list[Arm]:
    """Train the pairs, always the one that is predicted to be cheapest; what does not fit the time is left out."""
    done: list[Arm] = []
    _warm_up(explorer, waiting)
    while waiting:
        waiting = sorted((_priced(explorer, arm) for arm in waiting), key=_price)
        first = waiting[0]
        if not _fits(explorer, first):
            break
        done.append(_trained(explorer, first))
        waiting = waiting[1:]
    if waiting:
        names = ", ".join(f"{arm.pair.name} (about {duration(_total(explorer, arm))})" for arm in waiting)
        explorer.say("finish", f"left out, since they do not fit the time limit: {names}")
    late = [replace(arm, pair=replace(arm.pair, reason="does not fit the time limit")) for arm in waiting]
    return sorted([*done, *late], key=lambda arm: (arm.pair.batch_size, arm.pair.epochs))


def _warm_up(explorer: Explorer, arms: Sequence[Arm]) -> None:
    """Give every fresh worker something small to do, so that the first pair's time is not that of loading code."""
    if any(_fresh(explorer, arm) for arm in arms):
        known = len(explorer.journal.outcomes())  # other seeds at every start: what is known is not done again
        seeds = range(known, known + explorer.executor.jobs)
        recipe = min(arms, key=lambda arm: arm.pair.steps).recipe
        explorer.executor.run([Trial(recipe, seed, 0, 0, WARM) for seed in seeds], _deadline(explorer))


def _deadline(explorer: Explorer) -> float | None:
    return None if explorer.ask.seconds is None else explorer.ask.seconds - CLOSING


def _fresh(explorer: Explorer, arm: Arm) -> int:
    """How many trainings of a pair the journal does not know yet."""
    trials = trials_of(arm.recipe, tuple(range(explorer.grid.seeds)), FULL, explorer.posed.protocol)
    return sum(not explorer.executor.known(trial) for trial in trials)


def _price(arm: Arm) -> tuple[float, int]:
    return arm.pair.predicted, arm.pair.steps


def _priced(explorer: Explorer, arm: Arm) -> Arm:
    return replace(arm, pair=replace(arm.pair, predicted=explorer.costs.predict(arm.recipe, explorer.record.rows)))


def _total(explorer: Explorer, arm: Arm) -> float:
    """Predicted seconds until what the journal does not know of a pair is trained, side by side."""
    fresh = _fresh(explorer, arm)
    return arm.pair.predicted * fresh / min(explorer.executor.jobs, max(1, fresh))


def _fits(explorer: Explorer, arm: Arm) -> bool:
    deadline, seconds = _deadline(explorer), _total(explorer, arm)
    return deadline is None or seconds == 0 or explorer.clock.now() + seconds <= deadline


def _trained(explorer: Explorer, arm: Arm) -> Arm:
    """A pair with its outcomes: a score, or why it has none."""
    protocol = explorer.posed.protocol
    trials = trials_of(arm.recipe, tuple(range(explorer.grid.seeds)), FULL, protocol)
    outcomes = explorer.executor.run(trials, _deadline(explorer))
    for outcome in outcomes:  # a share of a fleet may be less than what a trial alone needs at least
        explorer.costs.learn(replace(outcome, seconds=max(outcome.seconds, OVERHEAD + GROWS * outcome.seconds)))
    tried = gather(arm.recipe, FULL, outcomes, protocol.folds, explorer.executor)
    if tried is None:
        lost = next(outcome for outcome in outcomes if not outcome.done)
        pair = replace(arm.pair, status=lost.status, reason=lost.message, seconds=_seconds(outcomes))
        explorer.say("regularise", f"{pair.name}: {pair.status}: {pair.reason}")
        return replace(arm, pair=pair)
    score, each = pooled_score(explorer.record.problem.measure, _truth(explorer), tried)
    pair = replace(arm.pair, status="done", seconds=tried.seconds, score=score, by_seed=each)
    explorer.say("regularise", f"{pair.name}: {score_text(score)}, {duration(tried.seconds)} a training")
    return replace(arm, pair=pair, tried=tried)


def _seconds(outcomes: Sequence[Outcome]) -> float | None:
    whole = sorted(outcome.seconds for outcome in outcomes if outcome.status != "cut")
    return whole[len(whole) // 2] if whole else None


def _truth(explorer: Explorer) -> Any:
    assert explorer.posed.pool.target is not None
    return explorer.posed.pool.target


# -- judging ------------------------------------------------------------------------------------------------------


def _judged(explorer: Explorer, arms: list[Arm]) -> Exploration:
    """The record: every pair against the best one, the front, the pick."""
    measure = explorer.record.problem.measure
    pairs, best, pick = weigh_pairs(measure, _truth(explorer), [(arm.pair, arm.tried) for arm in arms])
    record = replace(explorer.record, pairs=tuple(pairs))
    if best is None or pick is None:
        explorer.say("finish", "no pair was trained to its end")
        return replace(record, said=explorer.record.said, seconds=explorer.clock.now())
    _conclude(explorer, pairs, best, pick)
    return replace(
        record,
        best=best.place,
        pick=pick.place,
        settings=(f"batch.size={pick.batch_size}", f"stopping.epochs={pick.epochs}", f"optimizer.lr={pick.rate}"),
        said=explorer.record.said,
        seconds=explorer.clock.now(),
    )


def _conclude(explorer: Explorer, pairs: Sequence[Pair], best: Pair, pick: Pair) -> None:
    """Say what is on the front, what is best and what is picked."""
    assert best.score is not None
    names = ", ".join(p.name for p in sorted((p for p in pairs if p.front), key=cost))
    explorer.say("finish", f"on the front, where nothing is both better and cheaper: {names}")
    said = f"best is {best.name}, {score_text(best.score)}"
    if pick.place != best.place:
        effect = f"{pick.effect:+.4g} ({pick.low:+.4g} to {pick.high:+.4g})"
        share = f"{cost(pick) / cost(best):.2g}"
        explorer.say("finish", f"{said}; {pick.name} takes {share} of its time and is not surely worse: {effect}")
    elif any(pair.score and cost(pair) < cost(best) for pair in pairs):
        explorer.say("finish", f"{said}; every cheaper pair is surely worse")
    else:
        explorer.say("finish", f"{said}; it is the cheapest, too")


def _draw(folder: Path, found: Exploration) -> None:
    from steelyard.report.tools import exploration_page

    (folder / "explore.html").write_text(exploration_page(found), encoding="utf-8")
