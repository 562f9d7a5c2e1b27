"""Slices as rows and as a drawing: their error with its interval, against that of the rest and of all rows."""

from collections.abc import Sequence

from steelyard.diagnosis.misses import RATE
from steelyard.diagnosis.slice_records import Slice, Slices
from steelyard.report.figures import Drawing, Mark, intervals
from steelyard.report.numbers import NONE, Format, count, fitting
from steelyard.report.tables import Cell, Table

DRAWN = 25  # slices in a drawing; the table has all
ROOM = 36  # characters of a name in a drawing


def drawn(found: Slices, slices: Sequence[Slice], words: str) -> Drawing:
    """The error of slices with their intervals, against that of all rows."""
    write = written(found)
    marks = [
        Mark(
            _short(each),
            each.error.value,
            each.error.low,
            each.error.high,
            f"{write.score(each.error)}, {count(each.rows)}",
            write(each.error.value),
            "bad" if each.worse else "muted",
            hollow=not each.worse,
        )
        for each in sorted(slices[:DRAWN], key=lambda each: -each.error.value)
    ]
    return intervals(marks, words, found.unit, False, found.error.value)


def slices_table(found: Slices, slices: Sequence[Slice], caption: str) -> Table:
    """A row per slice."""
    write = written(found)
    columns = (
        ("Slice", False),
        ("Rows", True),
        ("Error", True),
        ("Rest", True),
        ("Difference", True),
        ("On fresh rows", True),
        ("Whole error", True),
        ("p", True),
    )
    return Table(caption, columns, tuple(_row(each, write) for each in slices))


def brief_table(found: Slices) -> Table:
    """The slices that are worse, as a terminal has room for."""
    write = written(found)
    columns = (("Slice", False), ("Rows", True), ("Error", True), ("Rest", True), ("p", True))
    rows = tuple(
        (cells[0], *(Cell(cells[i].text) for i in (1, 2, 3, 7)))
        for cells in (_row(each, write) for each in found.worse)
    )
    return Table("Slices that are worse than the rest", columns, rows)


def _row(each: Slice, write: Format) -> tuple[Cell, ...]:
    difference, error = each.difference, each.error
    span = f"{write.signed(difference.low)} to {write.signed(difference.high)}"
    return (
        Cell(each.name, f"in {each.within}" if each.within else ""),
        Cell(count(each.rows), sort=each.rows),
        Cell(write(error.value), write.interval(error.low, error.high), error.value),
        Cell(write(each.rest), sort=each.rest),
        Cell(write.signed(difference.value), span, difference.value),
        Cell(NONE if each.expected is None else write.signed(each.expected), sort=each.expected),
        Cell(NONE if each.gain is None else write.signed(-each.gain), sort=each.gain),
        Cell("< 0.0001" if each.p_value < 1e-4 else f"{each.p_value:.2g}", sort=each.p_value),
    )


def written(found: Slices) -> Format:
    """One format for all errors."""
    if found.unit == RATE:
        return Format(3)
    return fitting([found.error.value], [(found.error.high - found.error.low) / 2])


def _short(each: Slice) -> str:
    """The slice as a drawing has room for: values stand without the names of their columns where these are long."""
    if len(each.name) <= ROOM:
        return each.name
    room = ROOM // len(each.conditions)
    return " & ".join(_brief(condition, room, each.kind == "cluster") for condition in each.conditions)


def _brief(condition: str, room: int, cut: bool) -> str:
    """A condition in so many characters; its value is what is kept."""
    name, sign, value = condition.rpartition(" = ")
    if len(condition) <= room:
        return condition
    if not sign or cut:
        return f"{condition[: room - 1]}…"
    if value.replace(".", "").lstrip("-").isdigit():  # no name in itself
        return f"{name[: max(3, room - len(value) - 4)]}… = {value}"
    return value if len(value) <= room else f"{value[: room - 1]}…"
