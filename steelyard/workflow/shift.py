"""Shift: train against dev, a run's data against production or against the inputs of its test, or any two sources."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.data.source import read, read_like
from steelyard.data.untargeted import read_untargeted
from steelyard.diagnosis.shift import Shift, Shifts, shift_between
from steelyard.errors import UserError
from steelyard.records import Said
from steelyard.trials.clock import Clock
from steelyard.trials.measure import one_thread_here
from steelyard.workflow.ask import Ask
from steelyard.workflow.bench import Bench
from steelyard.workflow.laid_down import laid_down
from steelyard.workflow.network import folder_named
from steelyard.workflow.reopened import reopened
from steelyard.workflow.stored import OF_A_RUN

Watch = Callable[[Any], None]
NAME = "shift"
MINUTE = 60.0  # seconds by which the clock of a run is opened again: nothing is trained
OPENED_BY = "steelyard shift, the inputs of the test rows without their targets"


@dataclass(frozen=True)
class Comparison:
    """What is compared: two sources, or the parts of a run, to which `production` and the `test` inputs may be added.

    `target` is the column with the targets of two sources; a run has its own.
    """

    source: Any
    second: Any = None
    target: str | int | None = None
    production: Any = None
    test: bool = False
    exclude: tuple[str, ...] = ()
    output: Path | None = None
    seed: int = 0
    command: str = ""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UserError(f"seed is a whole number from 0, got {self.seed}")
        if self.second is not None and (self.production is not None or self.test):
            raise UserError("production and test belong to a run: give its folder alone, or two sources without them")
        if self.second is None and (self.target is not None or self.exclude):
            raise UserError("target and exclude belong to two sources: a run has its own; name a second source")


def shift_of(asked: Comparison, ask: Ask | None = None, watch: Watch = lambda _: None) -> Shifts:
    """The comparisons; shift.html and shift.json lie in `output` of the record. Raises UserError.

    `ask` is what the run was asked, where its source is no file.
    """
    if asked.second is not None:
        return _of_sources(asked, watch)
    folder = Path(asked.source)
    with reopened(folder, MINUTE, ask, watch, device="cpu", jobs=1) as bench:
        found = shifts_in(bench, asked.production, asked.test, asked.seed)
    return _written(found, asked, asked.output or folder / OF_A_RUN, watch, 0.0)


def shifts_in(bench: Bench, production: Any = None, test: bool = False, seed: int = 0) -> Shifts:
    """Train against dev of an open run; with `production` (a source as `predict` takes it) or `test`, all of both too.

    Test rows are looked at only when `test` asks for it: at their inputs, which is written into the journal.
    """
    train, dev = bench.protocol.split(0, 0)
    with one_thread_here():
        pairs = [
            shift_between(bench.pool.take(train), bench.pool.take(dev), names=("train", "dev"), seed=seed),
            *([] if production is None else [_with_production(bench, production, seed)]),
            *([_with_test(bench, seed)] if test else []),
        ]
    said = (
        f"the inputs of the {len(bench.sealed):,} test rows were looked at, and the journal says so: not their targets"
    )
    return Shifts(bench.pool.name, tuple(pairs), said if test else "")


def both_sides(one: Any, other: Any, target: str | int | None, exclude: tuple[str, ...]) -> tuple[Dataset, Dataset]:
    """Two sources with the same columns: with a target as a run reads the first, the second like it.

    Without one every column counts, and images keep the classes of their folders.
    """
    if target is None and not exclude:
        try:
            both = read_untargeted(one, other)
        except UserError:
            first = read(one, None)
            return first, read_like(other, first.schema, first.classes, first.heads)
        assert both.part is not None
        first, second = (both.take(np.flatnonzero(both.part == part)) for part in ("train", "test"))
        return first, second
    first = read(one, target, exclude=exclude)
    return first, read_like(other, first.schema, first.classes, first.heads)


def names_of(one: Any, other: Any) -> tuple[str, str]:
    """What two sources are called: the names of files, with as much of their folders as tells them apart."""
    if not all(isinstance(each, str | Path) for each in (one, other)):
        return "first", "second"
    paths = [Path(each).parts for each in (one, other)]
    for length in range(1, max(map(len, paths)) + 1):
        names = ["/".join(parts[-length:]) for parts in paths]
        if names[0] != names[1]:
            return names[0], names[1]
    return "first", "second"


def _of_sources(asked: Comparison, watch: Watch) -> Shifts:
    clock = Clock(0.0)
    first, second = both_sides(asked.source, asked.second, asked.target, asked.exclude)
    notes = tuple(dict.fromkeys((*first.notes, *second.notes)))
    for note in notes:
        watch(Said("define", note, round(clock.now(), 2)))
    names = names_of(asked.source, asked.second)
    with one_thread_here():
        pair = shift_between(first, second, names=names, seed=asked.seed)
    folder = folder_named(asked.source, asked.output, NAME)
    return _written(Shifts(names[0], (pair,), notes=notes), asked, folder, watch, clock.now())


def _with_production(bench: Bench, production: Any, seed: int) -> Shift:
    pool = bench.pool
    other = read_like(production, pool.schema, pool.classes, pool.heads)
    found = shift_between(pool, other, names=("train + dev", "production"), seed=seed)
    return replace(found, notes=(*found.notes, *other.notes))


def _with_test(bench: Bench, seed: int) -> Shift:
    if not len(bench.sealed):
        raise UserError("the run has no test rows: leave test out")
    test = bench.sealed.inputs(OPENED_BY, bench.journal.open_test)
    return shift_between(bench.pool, test, names=("train + dev", "test"), seed=seed)


def _written(found: Shifts, asked: Comparison, folder: Path, watch: Watch, now: float) -> Shifts:
    from steelyard.report.shift import said, shift_page

    for text in said(found):
        watch(Said("finish", text, round(now, 2)))
    return laid_down(found, folder, NAME, shift_page, asked.command)
