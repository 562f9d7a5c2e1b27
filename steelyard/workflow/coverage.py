"""Coverage of real data by artificial data: the record, and the page and JSON that lie in a folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steelyard.diagnosis.coverage import Coverage, coverage_of
from steelyard.errors import UserError
from steelyard.records import Said
from steelyard.trials.clock import Clock
from steelyard.workflow.laid_down import laid_down
from steelyard.workflow.network import folder_named
from steelyard.workflow.shift import both_sides, names_of

Watch = Callable[[Any], None]
NAME = "coverage"


@dataclass(frozen=True)
class Generated:
    """What is compared: real data and artificial ones; the `target` is no input."""

    real: Any
    artificial: Any
    target: str | int | None = None
    exclude: tuple[str, ...] = ()
    output: Path | None = None
    seed: int = 0
    command: str = ""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UserError(f"seed is a whole number from 0, got {self.seed}")


def coverage_between(asked: Generated, watch: Watch = lambda _: None) -> Coverage:
    """The measures and gaps; coverage.html and coverage.json lie in `output` of the record. Raises UserError."""
    from steelyard.report.coverage import coverage_page, said

    clock = Clock(0.0)
    real, made = both_sides(asked.real, asked.artificial, asked.target, asked.exclude)
    for note in dict.fromkeys((*real.notes, *made.notes)):
        watch(Said("define", note, round(clock.now(), 2)))
    found = coverage_of(real, made, names=names_of(asked.real, asked.artificial), seed=asked.seed)
    folder = folder_named(asked.artificial, asked.output, NAME)
    for text in said(found):
        watch(Said("finish", text, round(clock.now(), 2)))
    return laid_down(found, folder, NAME, coverage_page, asked.command)
