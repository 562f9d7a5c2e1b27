"""What the page shows of several targets: a table with a row for each, their scores, and values against the truth."""

from steelyard.metrics import metric
from steelyard.records import RunRecord, TargetRow
from steelyard.report.figures import Drawing, Mark, intervals
from steelyard.report.figures.panels import Panel, panels
from steelyard.report.numbers import NONE, Format, fitting_scores
from steelyard.report.tables import Cell, Table, scored
from steelyard.report.words import metric_name, sentence

MARKS, PANELS = 40, 12  # drawn; the table has them all


def target_table(record: RunRecord) -> Table:
    """A row per target, the worst first, with every score that some of them have."""
    names = list(dict.fromkeys(name for row in record.targets for name, _ in row.scores))
    formats = {name: _format(record.targets, name) for name in names}
    labels = any(row.share is not None for row in record.targets)
    rows = []
    for row in sorted(record.targets, key=_worst_first):
        given = dict(row.scores)
        share = [Cell(NONE if row.share is None else f"{row.share:.1%}", sort=row.share)] if labels else []
        count = max((score.examples for score in given.values()), default=0)
        cells = [scored(given[name], formats[name]) if name in given else Cell(NONE) for name in names]
        kind = "" if record.problem.task in {"multilabel", "multioutput"} else row.task
        rows.append((Cell(row.name, kind), Cell(f"{count:,}" if count else NONE, sort=count), *share, *cells))
    columns = (
        ("Target", False),
        ("Examples", True),
        *((("Share of yes", True),) if labels else ()),
        *((sentence(metric_name(name)), True) for name in names),
    )
    return Table("Every target on dev, the lowest score first", columns, tuple(rows))


def _worst_first(row: TargetRow) -> float:
    return row.scores[0][1].value if row.scores else float("inf")


def _format(rows: tuple[TargetRow, ...], name: str) -> Format:
    return fitting_scores([score for row in rows for given, score in row.scores if given == name])


def target_scores(record: RunRecord) -> Drawing | None:
    """The first score of every target with its interval, where all have the same one."""
    scored_rows = [row for row in record.targets if row.scores]
    names = {row.scores[0][0] for row in scored_rows}
    if len(names) != 1 or len(scored_rows) < 2:
        return None
    (name,) = names
    write = _format(record.targets, name)
    ranked = sorted(scored_rows, key=_worst_first)[:MARKS]
    marks = [
        Mark(row.name, s.value, s.low, s.high, write.score(s), write(s.value))
        for row, s in ((row, row.scores[0][1]) for row in ranked)
    ]
    words = f"{sentence(metric_name(name))} of every target on dev, from {marks[0].label} to {marks[-1].label}"
    return intervals(marks, words, metric_name(name), metric(name).greater_is_better)


def target_panels(record: RunRecord) -> Drawing | None:
    """Predicted values against true ones, a small panel for each target that holds values."""
    found = [Panel(row.name, row.residuals) for row in record.targets if row.residuals][:PANELS]
    if not found:
        return None
    return panels(found, f"Predicted against true values of {', '.join(panel.title for panel in found)}, on dev")
