"""What treats the dominant error: techniques, ranked by what they are known to do and what they cost."""

from dataclasses import dataclass
from typing import Literal

from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.records import Term, Weighed
from steelyard.techniques import NotApplicable, catalogue
from steelyard.weighing.recorded import expected_of

UNKNOWN = 0.02  # the share of the error that a technique nobody recorded here is expected to remove


@dataclass(frozen=True)
class Remedy:
    """A technique against an error, in the metric's unit: what it is expected to gain, give or take `spread`.

    `known` says from where: weighed in this run, recorded on benchmark data, or nothing is known of it. `time_ratio` is
    what training takes with it over without. `command` weighs it.
    """

    technique: str
    gain: float
    spread: float
    known: Literal["weighed here", "recorded elsewhere", "not known"]
    time_ratio: float
    command: str = ""


def remedies(
    term: Term, problem: Problem, recipe: Recipe, score: float, weighed: tuple[Weighed, ...] = (), folder: str = ""
) -> tuple[Remedy, ...]:
    """The techniques that treat a term and apply to the recipe, the largest expected gain for its cost first.

    `score` is the recipe's own in the problem's metric. What was weighed on the recipe's family and does not help is
    left out; what is part of the recipe already does not apply.
    """
    sign, found = problem.measure.sign, []
    here = {w.technique: w for w in weighed if w.against == recipe.family and w.pairs}
    for name, kind in catalogue().items():
        if term not in kind.treats or not kind.unasked:
            continue
        edited = kind().apply(recipe, problem)
        if isinstance(edited, NotApplicable) or edited.key == recipe.key:
            continue
        command = f"steelyard weigh {name} --run {folder}" if folder else ""
        mine = here.get(name)
        if mine is not None:
            if mine.verdict in ("hurts", "no difference that matters"):
                continue
            spread = (mine.high - mine.low) / 4
            found.append(Remedy(name, sign * mine.effect, spread, "weighed here", mine.time_ratio, command))
            continue
        expected = expected_of(name, problem.modality, problem.measure, score)
        if expected is None:
            error = abs(1.0 - score) if problem.measure.greater_is_better else abs(score)
            found.append(Remedy(name, UNKNOWN * error, 0.1 * error, "not known", kind.time_ratio, command))
        else:
            found.append(Remedy(name, expected.gain, expected.spread, "recorded elsewhere", kind.time_ratio, command))
    return tuple(sorted(found, key=lambda each: (-_hope(each), each.technique)))


def _hope(each: Remedy) -> float:
    """The gain that may reasonably be hoped for, by the time that it takes."""
    return (each.gain + 0.5 * each.spread) / max(each.time_ratio, 0.1)
