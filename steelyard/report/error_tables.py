"""The tables of errors: where the error comes from, which classes are confused, how far values are off."""

from collections.abc import Sequence
from math import isfinite, sqrt

from steelyard.diagnosis.words import LEVELS, called
from steelyard.records import ErrorTable, RunRecord
from steelyard.report.numbers import NONE, Format, count, fitting, fitting_scores
from steelyard.report.tables import Cell, Table, scored
from steelyard.report.words import unit_name

HEAT_MAP = 20  # classes at most; more are shown as the pairs that are confused most
PAIRS = 20


def error_format(table: ErrorTable) -> Format:
    """One format for all errors."""
    return fitting_scores([each.error for each in table.levels])


def error_rows(table: ErrorTable) -> Table:
    """The error at every level with its interval, and the step that leads there from the level before."""
    write = error_format(table)
    rows = []
    for each in table.levels:
        gap = next((gap for gap in table.gaps if gap.end == each.name), None)
        step = Cell(write.signed(gap.value), write.interval(gap.low, gap.high), gap.value) if gap else Cell(NONE)
        chance = Cell(f"{gap.probability:.2f}", sort=gap.probability) if gap else Cell(NONE)
        error = scored(each.error, write) if each.error.high > each.error.low else Cell(write(each.error.value))
        rows.append((Cell(each.name, LEVELS[each.name]), error, Cell(called(gap) if gap else NONE), step, chance))
    columns = (("Error on", False), (unit_name(table.unit), True), ("Part", False), ("Step", True), ("Largest?", True))
    return Table("The error table: smaller is better", columns, tuple(rows))


def class_table(record: RunRecord) -> Table:
    """Recall, precision and the most frequent mistake of every class, the worst first."""
    matrix, names = record.confusion, _class_names(record)
    predicted = [sum(row[k] for row in matrix) for k in range(len(matrix))]
    rows = []
    for k, (row, name) in enumerate(zip(matrix, names, strict=True)):
        wrong = max((n, j) for j, n in enumerate(row) if j != k) if len(row) > 1 else (0, 0)
        recall = row[k] / sum(row) if sum(row) else None
        precision = row[k] / predicted[k] if predicted[k] else None
        taken = Cell(names[wrong[1]], f"{count(wrong[0])}×") if wrong[0] else Cell(NONE)
        shares = [Cell(NONE if s is None else f"{s:.3f}", sort=s) for s in (recall, precision)]
        rows.append((Cell(name), Cell(count(sum(row)), sort=sum(row)), *shares, taken))
    rows.sort(key=lambda cells: cells[2].sort if cells[2].sort is not None else 2.0)
    columns = (
        ("Class", False),
        ("Examples", True),
        ("Recall", True),
        ("Precision", True),
        ("Most often taken for", False),
    )
    return Table("Every class on dev, the lowest recall first", columns, tuple(rows))


def _class_names(record: RunRecord) -> list[str]:
    """A name per row of the confusion matrix, even when the record names too few."""
    known = record.problem.classes
    return [known[k] if k < len(known) else f"class {k}" for k in range(len(record.confusion))]


def confused_table(record: RunRecord) -> Table:
    """The pairs of classes that are confused most."""
    names = _class_names(record)
    pairs = sorted(
        ((n, i, j) for i, row in enumerate(record.confusion) for j, n in enumerate(row) if i != j and n), reverse=True
    )
    rows = tuple(
        (
            Cell(names[i]),
            Cell(names[j]),
            Cell(count(n), sort=n),
            Cell(f"{n / sum(record.confusion[i]):.3f}", sort=n / sum(record.confusion[i])),
        )
        for n, i, j in pairs[:PAIRS]
    )
    columns = (("Truth", False), ("Predicted", False), ("Times", True), ("Share of truth", True))
    return Table("The pairs that are confused most, on dev", columns, rows)


def residual_table(record: RunRecord) -> Table:
    """How far the predictions are off in each fifth of the truth."""
    points = sorted(point for point in record.residuals if all(map(isfinite, point)))
    groups = [points[len(points) * k // 5 : len(points) * (k + 1) // 5] for k in range(5)]
    figures = [_group(group) for group in groups if group]
    write = fitting([value for group in figures for value in group[:2]])
    off = fitting([value for group in figures for value in group[2:4]])
    rows = tuple(
        (
            Cell(write.interval(low, high), sort=low),
            Cell(count(len(group)), sort=len(group)),
            Cell(off.signed(mean), sort=mean),
            Cell(off(root), sort=root),
        )
        for group, (low, high, mean, root) in zip((g for g in groups if g), figures, strict=True)
    )
    columns = ((f"Truth ({record.problem.target})", False), ("Examples", True), ("Mean error", True), ("RMSE", True))
    return Table("Errors by fifths of the truth, on dev", columns, rows)


def _group(points: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    """Lowest and highest truth, mean error, root mean squared error."""
    errors = [predicted - truth for truth, predicted in points]
    mean = sum(errors) / len(errors)
    return points[0][0], points[-1][0], mean, sqrt(sum(e * e for e in errors) / len(errors))
