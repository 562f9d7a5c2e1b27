"""Learning curves of a run's model over the number of training rows, of all rows and of those of single classes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.diagnosis.errors import error_metric
from steelyard.diagnosis.growth import ClassGrowth, Growth, LearningCurve
from steelyard.diagnosis.learning_curve import LEAST_SIZES
from steelyard.errors import UserError, suggest
from steelyard.metrics import Metric, labels, metric
from steelyard.recipe import Recipe
from steelyard.trials.arms import FULL, Size, Tried
from steelyard.workflow.arms import the_base
from steelyard.workflow.ask import Ask
from steelyard.workflow.bench import Bench
from steelyard.workflow.curve_points import curve_of, least_of
from steelyard.workflow.laid_down import laid_down
from steelyard.workflow.reopened import reopened
from steelyard.workflow.stored import OF_A_RUN

Watch = Callable[[Any], None]
SHARES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)  # of the train rows; all of them come last
CLASS_SHARES = (1 / 8, 1 / 4, 1 / 2)
LEAST_ROWS, LEAST_OF_CLASS = 40, 5  # train rows from which a size is tried
JUDGED = 20  # dev rows of a class from which its recall is judged
SEEDS, WORST, SECONDS = 3, 2, 60.0


@dataclass(frozen=True)
class Wish:
    """What is asked: trainings of every size, the recipe (None: the run's own), and which classes.

    `classes` are named, else the `worst` so many, by recall. `matters` is the smallest difference in error worth having
    (None: half the standard error of the dev score). `shares` are the sizes, as shares of the train rows;
    without `full` all of them are left out, so that a forecast can be held against them.
    """

    seeds: int = SEEDS
    against: str | None = None
    classes: tuple[str, ...] = ()
    worst: int = WORST
    matters: float | None = None
    shares: tuple[float, ...] = SHARES
    full: bool = True

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UserError(f"seeds is a number from 1, got {self.seeds}")
        if not self.shares or not all(0 < share < 1 for share in self.shares):
            raise UserError("shares are numbers between 0 and 1, such as 0.125,0.25,0.5")


def learning_curve(
    folder: Path,
    wish: Wish,
    seconds: float = SECONDS,
    output: Path | None = None,
    watch: Watch = lambda _: None,
    command: str = "",
    jobs: int | None = None,
    ask: Ask | None = None,
    network: Any = None,
) -> Growth:
    """The learning curves of the run in `folder`; learning_curve.json and .html lie in `output` of the record.

    `ask` is what the run was asked, where its source is no file. Raises UserError.
    """
    with reopened(folder, seconds, ask, watch, jobs=jobs, network=network) as bench:
        found = growth_of(bench, wish)
    from steelyard.report.learning_curve import learning_curve_page

    return laid_down(found, output or folder / OF_A_RUN, "learning_curve", learning_curve_page, command)


def growth_of(bench: Bench, wish: Wish = Wish(), seconds: float | None = None) -> Growth:
    """The learning curves of a run that is open, within so many seconds (None: all that is left).

    Sizes are tried the cheapest first, each with several seeds on nested subsets, on the run's own hold-out or folds;
    what takes too long is left out. The test stays sealed.
    """
    began = bench.clock.now()
    end = began + (bench.left() if seconds is None else min(seconds, bench.left()))
    codes = _codes(bench, wish.classes)
    base = the_base(bench, (), wish.against, ())
    unit, measure = error_metric(bench.problem)
    sizes = [Size(rows, nested=True) for rows in _sizes(bench.train_rows, wish.shares, LEAST_ROWS)]
    tried = _tried(bench, base.recipe, wish.seeds, [*sizes, *([FULL] if wish.full else [])], base.name, end)
    found = Growth(bench.problem.target, base.name, unit, len(_dev_rows(bench)), bench.protocol.folds, None)
    if len(tried) < LEAST_SIZES:
        why = (
            f"{len(tried)} of {len(sizes)} sizes could be tried in the time; a curve needs {LEAST_SIZES}: give it more"
        )
        bench.say("regularise", f"learning curve: {why}")
        return replace(found, reason=why, seconds=bench.clock.now() - began)
    matters = least_of(bench, measure, tried[-1]) if wish.matters is None else wish.matters
    rows = [each.size.rows or bench.train_rows for each in tried]
    curve = curve_of(bench, measure, tried, rows, matters, "all rows")
    bench.say("regularise", f"learning curve of {base.name}: {in_words(curve)}")
    classes = []
    for code in codes or _worst(bench, tried[-1], wish.worst):
        grown = _of_class(bench, base.recipe, wish, code, tried[-1], measure, matters, end)
        if grown is not None:
            bench.say("regularise", f"more rows of class {grown.name}: {in_words(grown.own)}")
            classes.append(grown)
    return replace(
        found,
        whole=curve,
        classes=tuple(classes),
        complete=tried[-1].size.full,
        seconds=bench.clock.now() - began,
    )


def in_words(curve: LearningCurve) -> str:
    """What twice as many rows are expected to do, in a line for the journal."""
    twice = curve.forecasts[0]
    return (
        f"{curve.now.error:.4g} on {curve.now.rows:,} rows; {twice.times:g}× as many: {twice.error:.4g} "
        f"({twice.low80:.4g} to {twice.high80:.4g}, 80 %): {_verdict(curve)}"
    )


def _verdict(curve: LearningCurve) -> str:
    return curve.outlook if curve.outlook == "cannot tell yet" else f"more {curve.outlook}"


def _sizes(rows: int, shares: Sequence[float], least: int) -> list[int]:
    """The sizes that are shares of so many rows, the smallest first; of few rows closer to each other."""
    sizes = [size for size in sorted({round(share * rows) for share in shares}) if size >= least]
    if len(sizes) < LEAST_SIZES and rows >= 2 * least:
        sizes = sorted({round(size) for size in np.geomspace(least, rows, LEAST_SIZES + 1)[:-1]})
    return sizes


def _tried(bench: Bench, recipe: Recipe, seeds: int, sizes: Sequence[Size], name: str, end: float) -> list[Tried]:
    """The sizes that could be tried, in order; where time is short with a single seed, and from there on no more."""
    found: list[Tried] = []
    for size in sizes:
        for many in dict.fromkeys((seeds, 1)):
            left = end - bench.clock.now()
            tried = bench.try_arms([(recipe, tuple(range(many)), size)], within=max(0.0, left), until=end)[0]
            if tried is not None:
                break
        if tried is None:
            break
        error = np.mean([outcome.dev_score for outcome in tried.outcomes if outcome.dev_score is not None])
        rows = f"{size.rows or bench.train_rows:,} rows"
        bench.say("regularise", f"{name} on {rows}: {bench.metric.name} {error:.4g} ({many} seeds)")
        found.append(tried)
    return found


def _of_class(
    bench: Bench, recipe: Recipe, wish: Wish, code: int, last: Tried, measure: Metric, matters: float, end: float
) -> ClassGrowth | None:
    """What more rows of one class would do to its own error and to the whole one; None where that cannot be tried."""
    train = bench.protocol.split(0, 0)[0]
    there = int((bench.truth[train] == code).sum())
    name = bench.problem.classes[code]
    sizes = [Size(rows, nested=True, of=code) for rows in _sizes(there, CLASS_SHARES, LEAST_OF_CLASS)]
    if len(sizes) + 1 < LEAST_SIZES or not last.size.full:
        return None
    tried = [*_tried(bench, recipe, wish.seeds, sizes, f"class {name}", end), last]
    if len(tried) < LEAST_SIZES:
        return None
    rows = [each.size.rows or there for each in tried]
    recall = metric("accuracy")  # on the rows of one class
    own = curve_of(bench, recall, tried, rows, least_of(bench, recall, last, code), name, code)
    return ClassGrowth(name, own, curve_of(bench, measure, tried, rows, matters, name))


def _worst(bench: Bench, last: Tried, most: int) -> list[int]:
    """The classes with the lowest recall, of those with enough dev rows."""
    if not bench.problem.classes or bench.problem.heads or not last.size.full:
        return []
    truth, said = bench.truth[last.rows[0]], labels(last.dev[0])
    counts = np.bincount(truth, minlength=len(bench.problem.classes))
    missed = np.bincount(truth[said != truth], minlength=len(counts)) / np.maximum(1, counts)
    able = [code for code in np.argsort(-missed, kind="stable") if counts[code] >= JUDGED and missed[code] > 0]
    return [int(code) for code in able[:most]]


def _codes(bench: Bench, names: Sequence[str]) -> list[int]:
    """The codes of classes by their names."""
    known = bench.problem.classes
    if names and (not known or bench.problem.heads):
        raise UserError(f"'{bench.problem.target}' has no classes of its own: leave --class out")
    for name in names:
        if name not in known:
            raise UserError(f"there is no class '{name}'{suggest(name, known)}")
    return [known.index(name) for name in names]


def _dev_rows(bench: Bench) -> np.ndarray:
    """The rows that errors are measured on."""
    folds = range(bench.protocol.folds)
    return np.unique(np.concatenate([bench.protocol.split(0, fold)[1] for fold in folds]))
