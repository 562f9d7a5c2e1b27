"""The record of the human level: how often (or how far) people are wrong.

The level is that of the best panel, since the lowest human error that is known bounds the unavoidable one from above.
Source: Ng, "Machine Learning Yearning", chapters 33-35.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.diagnosis.agreement import Agreement
from steelyard.diagnosis.annotators import Annotator
from steelyard.diagnosis.panels import Panel
from steelyard.errors import UserError
from steelyard.problem import Score
from steelyard.weighing.interval import wilson

GIVEN = "the number that was given"
RATE, RMSE = "error rate", "rmse"


@dataclass(frozen=True)
class HumanLevel:
    """`level` is what counts as the human level, `of` whose it is; all in `unit`, smaller is better.

    `reference` is what a label is held against; `consensus`: that is what the others said, no truth. `single` is one
    annotator drawn by lot, over rows and annotators where it is known who labelled what; `best` the best one, on rows
    that they were not chosen by. `panels` are majorities (means, of values) of more and more annotators. None and
    empty where a number was given.
    """

    unit: str
    level: Score
    of: str
    reference: str = ""
    consensus: bool = False
    rows: int = 0
    labels: int = 0
    single: Score | None = None
    best: Score | None = None
    best_name: str = ""
    panels: tuple[Panel, ...] = ()
    agreement: Agreement | None = None
    icc: float | None = None
    annotators: tuple[Annotator, ...] = ()
    notes: tuple[str, ...] = ()


def stated(
    error: float, examples: int | None = None, interval: tuple[float, float] | None = None, values: bool = False
) -> HumanLevel:
    """The human level that is given as a number: an error rate from 0 to 1 or, of `values`, an RMSE from 0.

    A rate measured on so many `examples` gets Wilson's interval. Raises UserError.
    """
    if not 0 <= error <= (sys.float_info.max if values else 1):
        raise UserError(f"the human error is {'an RMSE from 0' if values else 'a rate from 0 to 1'}, got {error:g}")
    if interval is not None and not interval[0] <= error <= interval[1]:
        raise UserError(f"the interval {interval[0]:g} to {interval[1]:g} does not hold the human error {error:g}")
    if examples is not None and examples < 1:
        raise UserError(f"the number of examples is a whole number from 1, got {examples}")
    counted = interval is None and examples is not None and not values
    low, high = wilson(error, examples) if counted and examples else interval or (error, error)
    exact = interval is None and not counted
    note = "the human level came without an interval or a number of examples: it is taken as exact"
    return HumanLevel(RMSE if values else RATE, Score(error, low, high, examples or 0), GIVEN, notes=(note,) * exact)


def lowest(ladder: Sequence[Panel], best: Score | None) -> tuple[Score, str]:
    """The human level among panels, and its name; the best annotator's where all of its interval is below them."""
    first = min(ladder, key=lambda panel: panel.error.value)
    if best is not None and best.high < first.error.value:
        return best, "the best annotator"
    return first.error, first.name


def left_out(rows: int, consensus: bool) -> tuple[str, ...]:
    """A note on rows that cannot be used."""
    least = "two labels" if consensus else "a label"
    return (
        f"{rows:,} {'row has' if rows == 1 else 'rows have'} not {least} and {'is' if rows == 1 else 'are'} left out",
    ) * (rows > 0)
