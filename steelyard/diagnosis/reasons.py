"""Error analysis: a random sample of mistakes, the reasons a person finds for them, and what mending each would bring.

Source: Ng, "Machine Learning Yearning", chapters 13-19: look at about 100 mistakes of dev, note every reason that each
has, count; the share of a reason times the error is the ceiling of what mending it can bring.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from steelyard.problem import Problem, Score
from steelyard.records import Mistake
from steelyard.weighing.interval import wilson

SAMPLE = 100
Array = np.ndarray


@dataclass(frozen=True)
class Example:
    """One sampled mistake; `share` of the dev error is what it stands for, `tags` the reasons somebody gave it."""

    mistake: Mistake
    share: float
    tags: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Reason:
    """How many of the mistakes looked at have a reason, their `share` of the error, and the `ceiling` of mending it.

    The interval of the share is about the mistakes on this dev set, of which the sample saw some. That of the ceiling
    is about examples yet to come: it has the luck of the sample and that of dev. Its unit is that of the error.
    """

    tag: str
    count: int
    share: Score
    ceiling: Score


@dataclass(frozen=True)
class Mistakes:
    """A sample of the mistakes on dev with their reasons, the commonest first.

    `error` is the dev error in the `unit`, `mistakes` how many of the `rows` are mistakes (of values all are, and the
    sample takes an example the likelier the more it adds to the error), `reviewed` how many of the sample have tags.
    """

    problem: Problem
    unit: str
    error: Score
    rows: int
    mistakes: int
    examples: tuple[Example, ...]
    reasons: tuple[Reason, ...] = ()
    reviewed: int = 0
    seed: int = 0
    command: str = ""
    output: str = ""


def sample(loss: Array, n: int = SAMPLE, seed: int = 0) -> tuple[Array, Array]:
    """At most `n` examples in random order, and the share of the whole loss (n,) that each stands for.

    Systematic sampling with probability proportional to the loss, of examples in random order (Madow 1949, Annals of
    Mathematical Statistics 20, 333-354): where all mistakes count alike it is a simple random sample of them. One that
    adds more than an n-th of the loss may be hit more than once, and stands for as much. Where there are no more than
    `n` examples with a loss, all are taken.
    """
    random = np.random.default_rng(seed)
    found = random.permutation(np.flatnonzero(loss > 0))
    if len(found) <= n:
        return found, loss[found] / (loss.sum() or 1.0)
    ends = np.cumsum(loss[found])
    marks = (random.uniform() + np.arange(n)) * ends[-1] / n
    hits = np.bincount(np.minimum(np.searchsorted(ends, marks, side="right"), len(found) - 1), minlength=len(found))
    taken = random.permutation(np.flatnonzero(hits))
    return found[taken], hits[taken] / n


def with_reasons(found: Mistakes, tags: dict[str, tuple[tuple[str, ...], str]]) -> Mistakes:
    """The record with the tags and the note of each origin, and its table of reasons."""
    examples = tuple(
        replace(each, tags=given[0], note=given[1])
        for each in found.examples
        for given in [tags.get(each.mistake.origin, ((), ""))]
    )
    known = [each for each in examples if each.tags]
    names = {tag for each in known for tag in each.tags}
    reasons = [reason(known, tag, found.error, found.mistakes) for tag in names]
    reasons.sort(key=lambda each: (-each.share.value, each.tag))
    return replace(found, examples=examples, reasons=tuple(reasons), reviewed=len(known))


def reason(reviewed: Sequence[Example], tag: str, error: Score, mistakes: int) -> Reason:
    """What mending one reason would bring at the most, from all examples that were looked at.

    The interval of the share is Wilson's for the effective number of examples, with the correction for a sample that
    is no small part of all `mistakes` where these count alike. The ceiling is a product of two estimates; its interval
    joins theirs (MOVER: Zou & Donner 2008, Statistics in Medicine 27, 1693-1702), the share without that correction.
    """
    shares = np.array([each.share for each in reviewed])
    has = np.array([tag in each.tags for each in reviewed])
    share, number = float(shares[has].sum() / shares.sum()), float(shares.sum() ** 2 / (shares**2).sum())
    alike, several = bool(np.allclose(shares, shares[0])), len(reviewed)
    left = (mistakes - several) / max(1, mistakes - 1) if alike else 1.0  # the finite population correction
    here = wilson(share, number / left) if left > 0 else (share, share)
    low, high = wilson(share, number)
    value = error.value * share
    down = sqrt((error.value * (share - low)) ** 2 + (share * (error.value - error.low)) ** 2)
    up = sqrt((error.value * (high - share)) ** 2 + (share * (error.high - error.value)) ** 2)
    ceiling = Score(value, max(0.0, value - down), min(value + up, error.high), several)
    return Reason(tag, int(has.sum()), Score(share, *here, several), ceiling)
