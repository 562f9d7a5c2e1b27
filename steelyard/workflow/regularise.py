"""Step 7: propose what treats the diagnosis, weigh each proposal paired against the incumbent, keep what helps."""

from dataclasses import replace

import numpy as np

from steelyard.diagnosis.errors import error_table
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.records import ErrorTable, Weighed
from steelyard.techniques import NotApplicable, catalogue
from steelyard.trials.arms import Size, Tried
from steelyard.weigh.compare import Comparison, compare
from steelyard.workflow.baseline import arm
from steelyard.workflow.bench import Bench
from steelyard.workflow.define import rarest
from steelyard.workflow.overfit import study_size
from steelyard.workflow.say import number, plainly
from steelyard.workflow.tuning import edits

SEEDS = (0, 1, 2)  # the first look
MORE = (3, 4, 5, 6, 7)  # the second look, for what is promising and undecided
ROUNDS = 6
SMALLEST = 0.1  # of the width of the dev interval: a smaller effect is not worth having

Proposal = tuple[str, Recipe]


def regularise(bench: Bench, incumbents: list[Tried]) -> list[Tried]:
    """The incumbents with what helped in them; the first is given most of the time."""
    kept = []
    for position, incumbent in enumerate(incumbents):
        seconds = bench.left() * (1.0 if position == len(incumbents) - 1 else 0.6)
        kept.append(_improve(bench, incumbent, seconds, f"{position}"))
    return kept


def _improve(bench: Bench, incumbent: Tried, seconds: float, name: str) -> Tried:
    """Rounds of weighing: techniques until none helps, then knobs a step up and down; what helps starts a new round."""
    start, stage = bench.clock.now(), 0
    for turn in range(ROUNDS):
        left = min(bench.left(), start + seconds - bench.clock.now())
        if left <= 0 or bench.spent_out() or stage >= len(STAGES):
            break
        size = _size(bench, incumbent, left, f"study size {name}.{turn}")
        base = bench.try_arms([(incumbent.recipe, SEEDS, size)])[0]
        if base is None:
            break
        table = diagnose(bench, base)
        if turn == 0:
            _say_diagnosis(bench, base, table)
        helped = _weigh_all(bench, base, STAGES[stage](bench, base, table), left)
        better = _together(bench, base, helped)
        if better is None:
            stage, incumbent = stage + 1, _measured(base, incumbent)
            continue
        stage, incumbent = 0, better
        bench.offer(better)
        kept = f"{better.recipe.family} + {', '.join(name for name, _, _ in helped)}"
        bench.update(ladder=(*bench.record.ladder, arm(bench, better, kept)))
    return incumbent


def _measured(base: Tried, incumbent: Tried) -> Tried:
    """The arm with more seeds behind it, unless it is a smaller study of the same recipe."""
    return base if base.size == incumbent.size else incumbent


def _size(bench: Bench, incumbent: Tried, seconds: float, name: str) -> Size:
    """The study size, decided once and remembered, so that a resumed run weighs at the same size."""
    if bench.ask.seconds is None:
        return incumbent.size
    proposals = len(_proposals(bench.problem, incumbent.recipe, None, np.ones(1))[0])
    trials = len(SEEDS) * (proposals + 2)
    decided = bench.once(name, lambda: list(vars(study_size(bench, incumbent.recipe, trials, seconds)).values()))
    return Size(*decided)


def diagnose(bench: Bench, tried: Tried) -> ErrorTable:
    """The error table of an arm, from the predictions of its first seed."""
    train = (bench.truth[tried.train_rows[0]], tried.train[0])
    return error_table(bench.problem, train, (bench.truth[tried.rows[0]], tried.dev[0]))


def _say_diagnosis(bench: Bench, tried: Tried, table: ErrorTable) -> None:
    bench.say(
        "regularise",
        f"{tried.recipe.family}: error ({table.unit}) {number(table.train.value)} on train, "
        f"{number(table.dev.value)} on dev; "
        f"avoidable bias {number(table.bias)}, variance {number(table.variance)}: {table.dominant} dominates",
    )
    if bench.record.errors is None:
        bench.update(errors=table)


def _proposals(
    problem: Problem, recipe: Recipe, table: ErrorTable | None, target: np.ndarray
) -> tuple[list[Proposal], list[Weighed]]:
    """What may be tried on a recipe, remedies for the dominant error first, and what does not apply, with reasons."""
    wanted = {table.dominant} if table else set()
    if problem.task != "regression" and rarest(target.astype(int)) < 0.5:
        wanted.add("imbalance")  # type: ignore[arg-type]
    found: list[tuple[bool, float, Proposal]] = []
    refused = []
    for name, kind in catalogue().items():
        edited = kind().apply(recipe, problem)
        if isinstance(edited, NotApplicable):
            refused.append(Weighed(name, recipe.family, 0.0, 0.0, 0.0, "not applicable", (), reason=edited.reason))
        elif edited.key != recipe.key:
            found.append((not wanted & set(kind.treats), kind.time_ratio, (name, edited)))
    return [proposal for _, _, proposal in sorted(found, key=lambda each: each[:2])], refused


def _techniques(bench: Bench, base: Tried, table: ErrorTable) -> list[Proposal]:
    """What the catalogue proposes against the diagnosis; what does not apply is recorded with its reason."""
    family = base.recipe.family
    proposals, refused = _proposals(bench.problem, base.recipe, table, bench.truth)
    done = {(w.technique, w.against) for w in bench.record.weighed}
    bench.update(weighed=(*bench.record.weighed, *(w for w in refused if (w.technique, w.against) not in done)))
    named = ", ".join(name for name, _ in proposals)
    if proposals and not any(w.against == family for w in bench.record.weighed if w.pairs):
        bench.say("regularise", f"to weigh on {family}, remedies for {table.dominant} first: {named}")
    return proposals


def _knobs(bench: Bench, base: Tried, table: ErrorTable) -> list[Proposal]:
    """Single knobs a step up and down."""
    return edits(base.recipe)


STAGES = (_techniques, _knobs)


def _weigh_all(
    bench: Bench, base: Tried, proposals: list[Proposal], seconds: float
) -> list[tuple[str, Recipe, Weighed]]:
    """Weigh every proposal the time allows; those that help, the largest effect first."""
    tried = bench.try_arms([(recipe, SEEDS, base.size) for _, recipe in proposals], within=seconds)
    results = [(n, r, t, weigh(bench, base, t)) for (n, r), t in zip(proposals, tried, strict=True) if t is not None]
    promising = [each for each in results if _promising(bench, each[3])]
    if promising:
        results = _second_look(bench, base, results, promising)
    _record(bench, base, results)
    helped = [
        (n, r, _weighed(bench, n, base, t, c)) for n, r, t, c in results if c.verdict == "helps" and not bench.broken(t)
    ]
    return sorted(helped, key=lambda each: -bench.metric.sign * each[2].effect)


def _second_look(
    bench: Bench,
    base: Tried,
    results: list[tuple[str, Recipe, Tried, Comparison]],
    promising: list[tuple[str, Recipe, Tried, Comparison]],
) -> list[tuple[str, Recipe, Tried, Comparison]]:
    """More pairs for what is promising and undecided."""
    seeds = SEEDS + MORE
    wanted = [(base.recipe, seeds, base.size), *((recipe, seeds, base.size) for _, recipe, _, _ in promising)]
    more = bench.try_arms(wanted)
    if more[0] is None:
        return results
    again = {name: found for (name, *_), found in zip(promising, more[1:], strict=True) if found is not None}
    longer = more[0]
    return [(n, r, again.get(n, t), weigh(bench, longer, again[n]) if n in again else c) for n, r, t, c in results]


def _promising(bench: Bench, comparison: Comparison) -> bool:
    return (
        comparison.verdict == "undecided"
        and bench.metric.sign * comparison.effect > 0
        and len(set(comparison.pairs)) > 1
    )


def weigh(bench: Bench, base: Tried, tried: Tried) -> Comparison:
    """An arm against the incumbent, over the seeds both have."""
    seeds = min(len(base.dev), len(tried.dev))
    truth = [bench.truth[rows] for rows in base.rows[:seeds]]
    score = bench.score(base)
    matters = SMALLEST * (score.high - score.low)
    return compare(bench.metric, truth, list(base.dev[:seeds]), list(tried.dev[:seeds]), matters)


def _weighed(bench: Bench, name: str, base: Tried, tried: Tried, c: Comparison, kept: bool = False) -> Weighed:
    broken = bench.broken(tried)
    return Weighed(
        name,
        base.recipe.family,
        c.effect,
        c.low,
        c.high,
        c.verdict,
        c.pairs,
        tried.seconds / base.seconds,
        tried.outcomes[0].train_rows,
        f"breaks {', '.join(broken)}" if broken else "",
        kept,
    )


def _record(bench: Bench, base: Tried, results: list[tuple[str, Recipe, Tried, Comparison]]) -> None:
    """Put the comparisons into the record; a technique weighed again on the same family replaces its older entry."""
    new = [_weighed(bench, name, base, tried, c) for name, _, tried, c in results]
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


def _together(bench: Bench, base: Tried, helped: list[tuple[str, Recipe, Weighed]]) -> Tried | None:
    """What helps, put together and checked together, since techniques interact; None when nothing helps."""
    if not helped:
        return None
    recipes = [helped[0][1]]
    for _, recipe, _ in helped[1:]:
        recipes.append(_merged(base.recipe, recipes[-1], recipe))
    names = [name for name, _, _ in helped]
    seeds = tuple(range(len(base.dev)))
    wanted = list(dict.fromkeys([recipes[0], recipes[-1]]))
    tried = [t for t in bench.try_arms([(recipe, seeds, base.size) for recipe in wanted]) if t is not None]
    kept = [
        t for t in tried if not bench.broken(t) and bench.metric.better(bench.score(t).value, bench.score(base).value)
    ]
    if not kept:
        return None
    best = max(kept, key=lambda t: bench.metric.sign * bench.score(t).value)
    chosen = names if best.recipe == recipes[-1] else names[:1]
    bench.say("regularise", f"kept: {', '.join(chosen)}; {best.recipe.family} now scores {plainly(bench, best)}")
    marked = tuple(
        replace(w, kept=True) if w.technique in chosen and w.against == base.recipe.family and w.pairs else w
        for w in bench.record.weighed
    )
    bench.update(weighed=marked)
    return best


def _merged(base: Recipe, one: Recipe, other: Recipe) -> Recipe:
    """`one` with the knobs in which `other` differs from `base`; parts that `other` adds are added."""
    merged = one
    for part in other.augment:
        if part not in base.augment:
            merged = merged.with_part("augment", part)
    if other.averaging != base.averaging and other.averaging is not None:
        merged = merged.with_part("averaging", other.averaging)
    known = merged.knobs()
    for path, _, there in base.diff(other):
        if path in known and "." in path and there is not None:
            merged = merged.set(path, there)
    return merged
