"""The learning-rate range test on a user's data: only train rows are looked at."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.errors import UserError
from steelyard.records import Said, Step, to_plain
from steelyard.training.member import Plan
from steelyard.training.rate_range import FEWEST, RateRange, judge, sweep
from steelyard.training.start import begin, ready
from steelyard.trials.clock import Clock
from steelyard.trials.executor import Began, Went
from steelyard.trials.measure import one_thread_here
from steelyard.trials.trial import Trial
from steelyard.workflow.ask import Ask
from steelyard.workflow.bench import write_json
from steelyard.workflow.machine import device_of
from steelyard.workflow.network import Posed, asked, folder_for, pose

Watch = Callable[[Any], None]
NAME = "lr-range"


@dataclass(frozen=True)
class Span:
    """The rates to test: from `low` to `high` in so many steps, each `seeds` times."""

    low: float = 1e-6
    high: float = 10.0
    steps: int = 200
    seeds: int = 3

    def __post_init__(self) -> None:
        if not (math.isfinite(self.high) and 0 < self.low < self.high):
            raise UserError(f"rates go from low to high, 0 < low < high, got low {self.low:g} and high {self.high:g}")
        for name, least in (("steps", 2 * FEWEST), ("seeds", 1)):
            if (given := getattr(self, name)) < least:
                raise UserError(f"{name} is a whole number from {least}, got {given}")

    @property
    def rates(self) -> list[float]:
        """The rates, in equal steps on the logarithmic axis."""
        return [float(rate) for rate in np.geomspace(self.low, self.high, self.steps)]


def find_rate_range(
    ask: Ask, span: Span, watch: Watch = lambda _: None, already: float = 0.0
) -> tuple[RateRange, Path]:
    """The record of a range test, and the page in which it is drawn; the record lies beside it as JSON."""
    clock = Clock(already)

    def say(step: Step, text: str) -> None:
        watch(Said(step, text, round(clock.now(), 2)))

    device, posed = device_of(ask.device), pose(ask)
    folder = folder_for(ask, NAME)
    for note in posed.notes:
        say("define", note)
    say("define", asked(posed.problem, posed.recipe))
    batch = Plan.of(posed.recipe).batch.size_at(0.0, len(posed.train))
    say("protocol", f"{len(posed.train)} train rows are learnt from; neither dev nor test rows are looked at")
    say("measure", f"rates from {span.low:g} to {span.high:g}, {span.steps} steps of {batch} rows, {span.seeds} seeds")
    with one_thread_here():
        found = _tested(posed, span, batch, device, watch)
    say("finish", in_words(found))
    write_json(folder / "lr_range.json", to_plain(found))
    return found, _draw(folder, found, posed, ask)


def in_words(found: RateRange) -> str:
    """Where the loss falls, is lowest and diverges."""
    end = "diverges above" if found.diverged else "withstands all rates, up to"
    said = (
        f"the loss falls fastest at {found.steepest:.2g}, is lowest at {found.lowest:.2g} and {end} {found.largest:.2g}"
    )
    return f"{said}; {found.caveat}" if found.caveat else said


def _tested(posed: Posed, span: Span, batch: int, device: str, watch: Watch) -> RateRange:
    """The test; no more rows are prepared than its steps can see."""
    recipe = posed.recipe.set("stopping.rule", None)  # nothing is held: there is nothing to stop
    learnt = posed.pool.take(posed.protocol.subset(posed.train, span.steps * batch, 0))
    prepared = ready(recipe, learnt, posed.problem, 0)
    members = [begin(recipe, prepared, learnt, posed.problem, seed)[1] for seed in range(span.seeds)]
    watch(Began(NAME, Trial(recipe, 0)))
    found = sweep(members, span.rates, device, lambda share: watch(Went(NAME, share)))
    return judge(found, posed.recipe, batch, len(posed.train))


def _draw(folder: Path, found: RateRange, posed: Posed, ask: Ask) -> Path:
    from steelyard.report.tools import rate_page

    file = folder / "lr_range.html"
    file.write_text(rate_page(found, posed.problem.target, ask.command, in_words(found)), encoding="utf-8")
    return file
