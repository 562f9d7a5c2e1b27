"""Feature probes: what each input knows alone and adds to the others, which know too much, which nothing."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.diagnosis.probes import leaks
from steelyard.diagnosis.probes.leaks import Leak
from steelyard.diagnosis.probes.losses import Rows, Skill, constant, losses, rows_of, skill
from steelyard.diagnosis.probes.singles import alone
from steelyard.diagnosis.probes.together import Fold, folds_of, shuffled, together

Array = np.ndarray
QUICK_ROWS, QUICK_FOLDS, QUICK_COLUMNS = 10_000, 3, 200  # what a run looks at by itself
WORTH = 0.1  # a column that alone takes away less of the error is not suspected in a run
T_FOLDS = 2.776  # Student's t for five folds


@dataclass(frozen=True)
class Input:
    """One column: its skill alone; what its being shuffled costs, as a share of a constant guess's loss, 95 %."""

    name: str
    kind: str
    alone: Skill
    importance: float
    low: float
    high: float
    useless: bool = False


@dataclass(frozen=True)
class Probe:
    """What was found; skills are shares of the loss of a constant guess (`loss` names it) that predictions take away.

    `inputs` stand in the order of their importance. `useless` columns may be left out together: `without` is the skill
    that is left then, beside the `whole` one of all columns; both None where nothing was useless.
    """

    source: str
    target: str
    loss: str
    rows: int
    inputs: tuple[Input, ...]
    whole: Skill
    leaks: tuple[Leak, ...]
    useless: tuple[str, ...]
    without: Skill | None
    seed: int
    notes: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    output: str = ""
    command: str = ""


def probed(dataset: Dataset, seed: int, watch: Callable[[str], None] = lambda _: None) -> Probe:
    """All probes on rows outside the sealed test; the columns of `dataset` that are no numbers, categories or dates
    are not looked at."""
    rows = rows_of(dataset, seed)
    floor = constant(rows)
    watch(f"{len(rows.truth):,} rows outside the sealed test, {rows.folds} folds; each input alone")
    mine = {c.name: losses(rows, alone(rows, c)) for c in dataset.schema.columns if c.kind in KINDS}
    singles = {name: skill(each, floor) for name, each in mine.items()}
    watch("all inputs together, and each shuffled in turn")
    folds = folds_of(rows)
    whole = together(rows, folds, (), seed)
    inputs = _important(rows, folds, singles, float(floor.mean()), seed)
    suspects = leaks.answers(singles, dataset.schema.target) + leaks.makers(rows, dataset.schema.target)
    best = leaks.candidate(singles)
    if best is not None and not suspects:
        watch(f"all inputs but '{best}', which knows most")
        suspects = leaks.dominating(rows, folds, best, mine[best], floor, dataset.schema.target, seed, whole)
    watch("all inputs without those that add nothing")
    useless, left = _without_useless(rows, folds, inputs, whole, seed)
    marked = tuple(Input(i.name, i.kind, i.alone, i.importance, i.low, i.high, i.name in useless) for i in inputs)
    return Probe(
        dataset.name,
        dataset.schema.target,
        "log loss" if rows.classes else "squared error",
        len(rows.truth),
        marked,
        skill(whole, floor),
        tuple(suspects),
        useless,
        None if left is None else skill(left, floor),
        seed,
    )


KINDS = ("number", "category", "date")


def suspected(dataset: Dataset, seed: int) -> list[Leak]:
    """The suspicions a run raises by itself: the same ones, on fewer rows, and only where something stands out."""
    columns = [column for column in dataset.schema.columns if column.kind in KINDS]
    if dataset.frame is None or not 0 < len(columns) <= QUICK_COLUMNS:
        return []
    rows = rows_of(dataset, seed, QUICK_ROWS, QUICK_FOLDS)
    floor = constant(rows)
    mine = {column.name: losses(rows, alone(rows, column)) for column in columns}
    singles = {name: skill(each, floor) for name, each in mine.items()}
    target = dataset.schema.target
    found = leaks.answers(singles, target) + leaks.makers(rows, target)
    best = leaks.candidate(singles)
    if found or best is None or singles[best].value < WORTH:
        return found
    return leaks.dominating(rows, folds_of(rows), best, mine[best], floor, target, seed, None)


def _important(rows: Rows, folds: list[Fold], singles: dict[str, Skill], base: float, seed: int) -> list[Input]:
    """Every column with its importance, the most important first."""
    kinds = {column.name: column.kind for column in rows.data.schema.columns}
    names = list(singles)
    added, which = shuffled(rows, folds, names, seed)
    found = []
    for name in names:
        mean, spread = _interval(added[name], which)
        found.append(
            Input(name, str(kinds[name]), singles[name], mean / base, (mean - spread) / base, (mean + spread) / base)
        )
    return sorted(found, key=lambda each: -each.importance)


def _interval(added: Array, which: Array) -> tuple[float, float]:
    """The mean, and half its 95 % interval: over rows or over folds, whichever is wider."""
    means = np.array([added[which == fold].mean() for fold in np.unique(which)])
    over_rows = 1.96 * added.std() / np.sqrt(len(added))
    over_folds = T_FOLDS * means.std(ddof=1) / np.sqrt(len(means))
    return float(added.mean()), float(max(over_rows, over_folds))


def _without_useless(
    rows: Rows, folds: list[Fold], inputs: list[Input], whole: Array, seed: int
) -> tuple[tuple[str, ...], Array | None]:
    """The columns that may be left out together, and the losses (n,) without them.

    Each one's interval reaches zero; where leaving all of them out surely hurts, since they stood in for one another,
    the more important half of them stays, and so on.
    """
    doubtful = [each.name for each in reversed(inputs) if each.low <= 0]
    doubtful = doubtful[: len(inputs) - 1]
    while doubtful:
        left = together(rows, folds, doubtful, seed)
        if left.mean() <= whole.mean() or not _surely_more(left, whole):
            return tuple(doubtful), left
        doubtful = doubtful[: len(doubtful) // 2]
    return (), None


def _surely_more(one: Array, other: Array) -> bool:
    difference = one - other
    return bool(difference.mean() > 1.96 * difference.std() / np.sqrt(len(difference)))
