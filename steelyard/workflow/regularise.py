"""Step 7: propose what treats the diagnosis, weigh each proposal paired against the incumbent, keep what helps."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from steelyard.data.split import RARE_SHARE
from steelyard.metrics import COST
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.records import ErrorTable, Weighed
from steelyard.techniques import NotApplicable, catalogue
from steelyard.trials.arms import Tried
from steelyard.weighing.compare import LOOKS
from steelyard.weighing.comparison import Comparison
from steelyard.workflow.baseline import arm
from steelyard.workflow.bench import Bench
from steelyard.workflow.error_table import first_seed, table_of
from steelyard.workflow.incumbent import Incumbent, compatible, edit, free, recipe_for, size_once
from steelyard.workflow.race import Race
from steelyard.workflow.say import noise_words, plainly, table_words
from steelyard.workflow.standing import Entry, Standing
from steelyard.workflow.tuning import edits

SEEDS = (0, 1, 2)  # of the base at first
FIRST, LAST = 8, LOOKS[-1]  # pairs: what is still open after the first ones waits until there is nothing else to try
ASIDE = 0.5  # how much a gain counts of what treats something else than the dominant error
ROUNDS = 6


@dataclass(frozen=True)
class Proposal:
    """An edited recipe to weigh; `remedy` if it treats what dominates."""

    name: str
    recipe: Recipe
    remedy: bool = True


@dataclass(frozen=True)
class Result:
    """A proposal that helps, and how it compares with the incumbent."""

    name: str
    tried: Tried
    comparison: Comparison


def regularise(bench: Bench, incumbents: list[Incumbent]) -> list[Incumbent]:
    """The incumbents with what helped in them; the first is given most of the time."""
    kept = []
    for position, incumbent in enumerate(incumbents):
        seconds = bench.left() * (1.0 if position == len(incumbents) - 1 else 0.6)
        kept.append(_improve(bench, incumbent, seconds, f"{position}"))
    return kept


def _improve(bench: Bench, incumbent: Incumbent, seconds: float, name: str) -> Incumbent:
    """Rounds of weighing: techniques until none helps, then knobs a step up and down, then more pairs for what is open.

    What helps starts a new round.
    """
    start, stage = bench.clock.now(), 0
    for turn in range(ROUNDS):
        left = min(bench.left(), start + seconds - bench.clock.now())
        if left <= 0 or bench.spent_out() or stage >= len(STAGES):
            break
        size = size_once(bench, f"study size {name}.{turn}", incumbent, _trials(bench, incumbent), left)
        recipe = recipe_for(bench, incumbent.family, incumbent.edits, size.rows or bench.train_rows)
        propose, up_to = STAGES[stage]
        if propose is _open and not _undecided(bench, incumbent.family):
            break
        base = bench.try_arms([(recipe, SEEDS, size)])[0]
        if base is None:
            break
        table = table_of(bench, first_seed(base))
        if turn == 0:
            _say_diagnosis(bench, base, table)
        base, helped = _weigh_all(bench, base, propose(bench, base, table), up_to, left)
        better = _together(bench, base, incumbent, helped)
        if better is None:
            stage += 1
            incumbent = incumbent.improved(incumbent.edits, base) if size == incumbent.tried.size else incumbent
            continue
        stage, incumbent = 0, better
        bench.offer(better.tried)
        bench.update(
            ladder=(*bench.record.ladder, arm(bench, better.tried, f"{better.family} + {', '.join(better.edits)}"))
        )
    return incumbent


def _trials(bench: Bench, incumbent: Incumbent) -> int:
    """About how many trials a round of weighing takes, dearer ones counted by what they cost."""
    recipe = incumbent.tried.recipe
    proposed = [kind for kind in catalogue().values() if kind.unasked]
    ratios = [kind.time_ratio for kind in proposed if isinstance(kind().apply(recipe, bench.problem), Recipe)]
    return round(len(SEEDS) * (1.5 + sum(ratios)))


def _say_diagnosis(bench: Bench, tried: Tried, table: ErrorTable) -> None:
    rows = "" if tried.size.full else f" studied on {tried.size.rows} rows"
    bench.say(
        "regularise",
        f"{tried.recipe.family}{rows}: {table_words(table)}",
    )
    if bench.record.errors is None:
        bench.update(errors=table)


def _proposals(problem: Problem, recipe: Recipe, table: ErrorTable) -> tuple[list[Proposal], list[Weighed]]:
    """What may be tried on a recipe, remedies for the dominant error first, and what does not apply, with reasons."""
    wanted: set[str] = {table.likely}
    if problem.metric == COST or (problem.balance is not None and problem.balance < RARE_SHARE):
        wanted.add("imbalance")
    found: list[tuple[bool, float, Proposal]] = []
    refused = []
    for name, kind in catalogue().items():
        if not kind.unasked:
            continue
        edited = kind().apply(recipe, problem)
        if isinstance(edited, NotApplicable):
            refused.append(Weighed(name, recipe.family, 0.0, 0.0, 0.0, "not applicable", (), reason=edited.reason))
        elif edited.key != recipe.key:
            remedy = bool(wanted & set(kind.treats))
            found.append((not remedy, kind.time_ratio, Proposal(name, edited, remedy)))
    return [proposal for _, _, proposal in sorted(found, key=lambda each: each[:2])], refused


def _techniques(bench: Bench, base: Tried, table: ErrorTable) -> list[Proposal]:
    """What the catalogue proposes against the diagnosis; what does not apply is recorded with its reason."""
    family = base.recipe.family
    proposals, refused = _proposals(bench.problem, base.recipe, table)
    done = {(w.technique, w.against) for w in bench.record.weighed}
    bench.update(weighed=(*bench.record.weighed, *(w for w in refused if (w.technique, w.against) not in done)))
    named = ", ".join(proposal.name for proposal in proposals)
    if proposals and not any(w.against == family for w in bench.record.weighed if w.pairs):
        bench.say("regularise", f"to weigh on {family}, remedies for {table.likely} first: {named}")
    return proposals


def _knobs(bench: Bench, base: Tried, table: ErrorTable) -> list[Proposal]:
    """Single knobs a step up and down; in a small study they would be tuned to its size, so there are none."""
    weighed = {proposal.recipe.key for proposal in _proposals(bench.problem, base.recipe, table)[0]}
    turned = edits(base.recipe) if base.size.full else []
    return [Proposal(name, recipe) for name, recipe in turned if recipe.key not in weighed]


def _open(bench: Bench, base: Tried, table: ErrorTable) -> list[Proposal]:
    """What is still undecided and points the right way, the largest effect first."""
    names = [w.technique for w in _undecided(bench, base.recipe.family)]
    edited = [(name, edit(bench, base.recipe, name)) for name in names]
    return [Proposal(name, recipe) for name, recipe in edited if isinstance(recipe, Recipe)]


def _undecided(bench: Bench, family: str) -> list[Weighed]:
    sign = bench.metric.sign
    mine = [w for w in bench.record.weighed if w.against == family and w.verdict == "undecided"]
    return sorted((w for w in mine if sign * w.effect > 0), key=lambda w: -sign * w.effect)


STAGES: tuple[tuple[Callable[[Bench, Tried, ErrorTable], list[Proposal]], int], ...] = (
    (_techniques, FIRST),
    (_knobs, FIRST),
    (_open, LAST),
)


def _weigh_all(
    bench: Bench, base: Tried, proposals: list[Proposal], up_to: int, seconds: float
) -> tuple[Tried, list[Result]]:
    """Weigh the proposals in a race; the base with the seeds it got, and those that help, the largest effect first."""
    race = Race(bench, base.recipe, base.size, bench.metric)
    until = bench.clock.now() + seconds
    entries = [
        Entry(p.name, p.recipe, 1.0 if p.remedy else ASIDE) for p in proposals if free(bench, base.recipe, p.recipe)
    ]
    if not entries or not race.start(until):
        return base, []
    assert race.noise is not None and race.tried is not None
    bench.say("regularise", noise_words(race.metric, race.noise, race.least))
    standings = race.run(entries, until, up_to)
    _record_failures(bench, base, [s for s in standings if s.tried is None and s.over])
    compared = [(s, race.comparison(s, base.recipe.family)) for s in standings if s.tried is not None]
    _record(bench, [_weighed(comparison) for _, comparison in compared])
    helped = [Result(s.entry.name, s.tried, c) for s, c in compared if c.wins and s.tried is not None]
    return race.tried, sorted(helped, key=lambda r: -bench.metric.sign * r.comparison.effect)


def _record_failures(bench: Bench, base: Tried, lost: list[Standing]) -> None:
    """A technique whose training diverged or failed is said and recorded, not dropped."""
    for each in lost:
        name, against = each.entry.name, base.recipe.family
        entry = Weighed(name, against, 0.0, 0.0, 0.0, "not applicable", (), reason=each.over)
        bench.update(weighed=(*bench.record.weighed, entry))
        bench.say("regularise", f"{name} on {against}: {each.over}")


def _weighed(c: Comparison) -> Weighed:
    """What the record of a run keeps of a comparison."""
    reason = f"breaks {', '.join(c.breaks)}" if c.breaks else c.reason
    return Weighed(c.name, c.against, c.effect, c.low, c.high, c.verdict, c.pairs, c.time_ratio, c.rows, reason)


def _record(bench: Bench, new: list[Weighed]) -> None:
    """Put the comparisons into the record; a technique weighed again on the same family replaces its older entry."""
    names = {(w.technique, w.against) for w in new}
    old = [w for w in bench.record.weighed if (w.technique, w.against) not in names or w.kept]
    kept = {(w.technique, w.against) for w in old if w.kept}
    bench.update(weighed=(*old, *(w for w in new if (w.technique, w.against) not in kept)))
    for w in sorted(new, key=lambda w: -bench.metric.sign * w.effect):
        bench.say(
            "regularise",
            f"{w.technique} on {w.against}: {w.effect:+.4g} ({w.low:+.4g} to {w.high:+.4g}, {len(w.pairs)} pairs): "
            f"{w.verdict}" + (f"; {w.reason}" if w.reason else ""),
        )


def _together(bench: Bench, base: Tried, incumbent: Incumbent, helped: list[Result]) -> Incumbent | None:
    """What helps, put together and checked together, since techniques interact; None when nothing helps."""
    if not helped:
        return None
    names = compatible(bench, base.recipe, [result.name for result in helped])
    rows, seeds = base.size.rows or bench.train_rows, tuple(range(len(base.dev)))
    choices = list(dict.fromkeys([tuple(names[:1]), tuple(names)]))
    arms = [(recipe_for(bench, incumbent.family, incumbent.edits + extra, rows), seeds, base.size) for extra in choices]
    tried = zip(choices, bench.try_arms(arms), strict=True)
    floor = bench.score(base).value
    kept = [(e, t) for e, t in tried if t and not bench.broken(t) and bench.metric.better(bench.score(t).value, floor)]
    if not kept:
        return None
    extra, best = max(kept, key=lambda each: bench.metric.sign * bench.score(each[1]).value)
    bench.say("regularise", f"kept: {', '.join(extra)}; {incumbent.family} now scores {plainly(bench, best)}")
    marked = tuple(
        replace(w, kept=True) if w.technique in extra and w.against == incumbent.family and w.pairs else w
        for w in bench.record.weighed
    )
    bench.update(weighed=marked)
    return incumbent.improved(incumbent.edits + extra, best)
