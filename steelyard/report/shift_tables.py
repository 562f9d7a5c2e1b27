"""The tables of shift: the pairs of sources, every feature, the shares of the classes."""

import numpy as np

from steelyard.diagnosis.shift import Shift, Shifts
from steelyard.diagnosis.shift.tells import Tell
from steelyard.report.numbers import NONE, count
from steelyard.report.tables import Cell, Table
from steelyard.report.weighing_words import p_text

LISTED = 200  # rows of a table


def pairs_table(found: Shifts) -> Table:
    """A row per pair."""
    columns = (("Sources", False), ("Rows", True), ("AUC", True), ("p-value", True), ("Verdict", False))
    rows = tuple(
        (
            Cell(f"{pair.first} and {pair.second}"),
            Cell(" and ".join(map(count, pair.inputs.rows))),
            Cell(f"{pair.inputs.auc:.3f}", f"{pair.inputs.low:.3f} to {pair.inputs.high:.3f}", pair.inputs.auc),
            Cell(p_text(pair.inputs.p), sort=pair.inputs.p),
            Cell(pair.verdict, look="bad" if pair.seen else "good"),
        )
        for pair in found.pairs
    )
    return Table("Sources told apart", columns, rows)


def short_table(pair: Shift) -> Table:
    """What fits on a terminal: the features that are seen to differ, each alone."""
    columns = (("Feature", False), (pair.first, True), (pair.second, True), ("AUC alone", True))
    rows = tuple(_row(tell)[:4] for tell in pair.tells if tell.seen)
    return Table(f"What gives {pair.second} away from {pair.first}", columns, rows)


def tells_table(pair: Shift) -> Table:
    """A row per feature, the most telling first."""
    columns = (
        ("Feature", False),
        (pair.first, True),
        (pair.second, True),
        ("AUC alone", True),
        ("Importance", True),
        ("Effect", True),
        ("p, corrected", True),
    )
    return Table(f"What gives {pair.second} away from {pair.first}", columns, tuple(map(_row, pair.tells[:LISTED])))


def target_table(pair: Shift) -> Table | None:
    """A row per class; None where the target holds values."""
    assert pair.target is not None
    if not pair.target.shares:
        return None
    columns = (("Class", False), (pair.first, True), (pair.second, True), ("Difference", True))
    rows = tuple(
        (
            Cell(share.name),
            Cell(f"{share.first:.1%}", sort=share.first),
            Cell(f"{share.second:.1%}", sort=share.second),
            Cell(f"{share.second - share.first:+.1%}", f"{share.low:+.1%} to {share.high:+.1%}"),
        )
        for share in pair.target.shares[:LISTED]
    )
    return Table("Shares of the classes", columns, rows)


def _row(tell: Tell) -> tuple[Cell, ...]:
    importance = Cell(NONE)
    if tell.importance is not None:
        note = f"{tell.importance_low:.3f} to {tell.importance_high:.3f}"
        importance = Cell(f"{tell.importance:.3f}", note, tell.importance)
    return (
        Cell(tell.what or tell.name),
        *(Cell(typical(tell, value), sort=value) for value in tell.typical),
        Cell(f"{tell.auc:.3f}", f"{tell.low:.3f} to {tell.high:.3f}", abs(tell.auc - 0.5)),
        importance,
        Cell(f"{tell.effect:.3f}", tell.test, tell.effect),
        Cell(p_text(tell.adjusted), sort=tell.adjusted, look="bad" if tell.seen else ""),
    )


def typical(tell: Tell, value: float) -> str:
    """A median or a share as a reader writes it."""
    if tell.kind == "date":
        return str(np.datetime64(int(np.floor(value)), "D"))
    return f"{value:.4g}" if tell.kind == "number" else f"{value:.1%}"
