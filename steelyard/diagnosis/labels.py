"""Labels that are likely wrong in a data set: the suspects of every target, in the order in which to look at them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.diagnosis.label_noise import Judged, judge
from steelyard.diagnosis.mistakes import thumbnail
from steelyard.problem import Head, Problem

Array = np.ndarray
LEAST = 20  # suspects there are to look at, where the models disagree with as many labels
LINE, PICTURED = 160, 24  # characters of an example in a line; suspects whose image is kept
CAVEAT = (
    "Suspicion is not proof: a model that errs takes right labels for wrong ones and shares the mistakes it learnt, so "
    "the share is too high where classes are hard to tell apart and too low where mistakes follow a rule. Look at the "
    "rows before changing any."
)


@dataclass(frozen=True)
class Suspect:
    """A label to look at: `row` of the pool, `score` 0..1 (lowest first), `rank` from 1 among all targets.

    It is `likely` wrong, or, where few are, only among those that the models disagree with most. `shown` is the example
    in a line of text; the first ones carry a small `image` of it as a data URI where it is one.
    """

    row: int
    origin: str
    target: str
    given: str
    suggested: str
    score: float
    rank: int
    likely: bool = True
    shown: str = ""
    image: str = ""


@dataclass(frozen=True)
class Target:
    """What is suspected of one target: how many labels of `rows`, the estimated share, and given → suggested, counted.

    `low` and `high` are the 95 % interval of the share over draws of the rows; what the model gets wrong is not in it.
    """

    name: str
    rows: int
    found: int
    share: float
    low: float
    high: float
    swaps: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class LabelErrors:
    """The suspects of a data set, the most suspicious first, with the share of wrong labels in each target.

    `by` says whose predictions they come from; `what` is what a row is called.
    """

    source: str
    what: str
    rows: int
    by: str
    targets: tuple[Target, ...]
    suspects: tuple[Suspect, ...]
    caveat: str = CAVEAT
    output: str = ""
    command: str = ""


def suspects_of(
    problem: Problem, truth: Array, predictions: Array, rows: Array, origin: tuple[str, ...], seed: int = 0
) -> tuple[tuple[Target, ...], tuple[Suspect, ...]]:
    """The targets and the suspects among given labels `truth` (n,) or (n, heads), by out-of-fold `predictions`.

    Predictions are as models give them: (n, classes), (n,) values, or of several targets side by side. `rows` (n,) are
    numbers of rows, `origin` says where all rows of the data set come from.
    """
    if not problem.heads:
        heads: tuple[Head, ...] = (Head(problem.target, problem.task, problem.classes),)
        parts, truth = [predictions], truth[:, None]
    else:
        heads, parts = problem.heads, problem.split(predictions)
    targets, found = [], list[Suspect]()
    for head, part, given in zip(heads, parts, truth.T, strict=True):
        there = ~np.isnan(given.astype(float))
        if not there.any():
            continue
        mine, label = rows[there], given[there]
        judged = judge(head, label, part[there], seed)
        targets.append(_target(head, label, judged))
        doubted = (judged.suggested != label) if head.classes else judged.wrong
        for i in np.flatnonzero(doubted | judged.wrong):
            row, named = int(mine[i]), (_name(head, label[i]), _name(head, judged.suggested[i]))
            place = origin[row] if origin else str(row)
            found.append(Suspect(row, place, head.name, *named, float(judged.score[i]), 0, bool(judged.wrong[i])))
    return tuple(targets), _ranked(found)


def _ranked(found: list[Suspect]) -> tuple[Suspect, ...]:
    """Those that are likely wrong, filled up to `LEAST` with the others, the lowest score first."""
    found = sorted(found, key=lambda each: each.score)
    room = max(0, LEAST - sum(each.likely for each in found))
    spare = {id(each) for each in [each for each in found if not each.likely][:room]}
    kept = [each for each in found if each.likely or id(each) in spare]
    return tuple(replace(each, rank=k) for k, each in enumerate(kept, 1))


def with_examples(suspects: tuple[Suspect, ...], pool: Dataset) -> tuple[Suspect, ...]:
    """The suspects with what there is to see of each."""
    return tuple(replace(each, shown=_line(pool, each.row), image=_image(pool, each)) for each in suspects)


def _line(pool: Dataset, row: int) -> str:
    """The values of a row in a line; none of images and series."""
    if pool.frame is None:
        return ""
    values = pool.frame.iloc[row]
    alone = len(values) == 1
    text = str(values.iloc[0]) if alone else ", ".join(f"{name} = {value}" for name, value in values.items())
    line = " ".join(text.split())
    return line if len(line) <= LINE else f"{line[: LINE - 2].rstrip()} …"


def _image(pool: Dataset, suspect: Suspect) -> str:
    if pool.images is None or suspect.rank > PICTURED:
        return ""
    return thumbnail(np.asarray(pool.images[suspect.row]))


def _target(head: Head, given: Array, judged: Judged) -> Target:
    swaps: dict[tuple[str, str], int] = {}
    if head.classes:
        for i in np.flatnonzero(judged.wrong):
            pair = (_name(head, given[i]), _name(head, judged.suggested[i]))
            swaps[pair] = swaps.get(pair, 0) + 1
    most = sorted(((*pair, many) for pair, many in swaps.items()), key=lambda each: (-each[2], each[:2]))
    return Target(head.name, len(given), int(judged.wrong.sum()), *judged.share, tuple(most[:20]))


def _name(head: Head, code: Any) -> str:
    """A label as a person writes it."""
    return head.classes[int(code)] if head.classes else f"{float(code):.6g}"
