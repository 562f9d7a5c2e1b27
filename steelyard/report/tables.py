"""Records to rows: every table of the page as plain texts, in the order in which they are read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any

from steelyard.metrics import metric
from steelyard.problem import Score
from steelyard.records import Arm, ErrorTable, RunRecord, Weighed
from steelyard.report.numbers import NONE, Format, count, duration, fitting, fitting_scores
from steelyard.report.words import LOOKS, turning_point, unit_name

HEAT_MAP = 20  # classes at most; more are shown as the pairs that are confused most
PAIRS = 20


@dataclass(frozen=True)
class Cell:
    """What one cell says; `note` stands under it, rows are sorted by `sort`, `look` is a verdict's colour."""

    text: str
    note: str = ""
    sort: float | None = None
    look: str = ""


@dataclass(frozen=True)
class Table:
    """A table as it is shown: `columns` are (title, whether numbers stand in it)."""

    caption: str
    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Cell, ...], ...]


def score_format(record: RunRecord) -> Format:
    """One format for every score of the problem's metric on the page."""
    arms = [arm.score for arm in (*record.families, *record.ladder)]
    return fitting_scores([record.baseline, record.dev, record.test, *arms])


def _scored(score: Score | None, write: Format) -> Cell:
    if score is None:
        return Cell(NONE)
    return Cell(write(score.value), write.interval(score.low, score.high), score.value)


def _seconds(seconds: float) -> Cell:
    return Cell(duration(seconds) if seconds else NONE, sort=seconds)


def ladder_table(record: RunRecord) -> Table:
    """A row per rung, with what it gained over the rung before."""
    write, rows, before = score_format(record), [], None
    finer = Format(write.places + 1 if write.places else 0, write.exponent)
    for arm in record.ladder:
        gain = arm.score.value - before.value if arm.score and before else None
        rows.append(
            (
                Cell(arm.name, _family_note(arm)),
                _scored(arm.score, write),
                Cell(finer.signed(gain), sort=gain),
                _seconds(arm.seconds),
            )
        )
        before = arm.score or before
    if record.test:
        rows.append((Cell("on the sealed test set"), _scored(record.test, write), Cell(NONE), Cell(NONE)))
    columns = (("Model", False), ("Score", True), ("Step", True), ("Time", True))
    return Table("From the baseline to the final model, on dev", columns, tuple(rows))


def _family_note(arm: Arm) -> str:
    family = "" if arm.family == arm.name or arm.name.startswith(f"{arm.family},") else arm.family
    return " · ".join(text for text in (family, arm.note) if text)


def family_table(record: RunRecord) -> Table:
    """The families that were tried, best first; those without a score come last."""
    write = score_format(record)
    rows = tuple(
        (
            Cell(arm.name, arm.note),
            _scored(arm.score, write),
            Cell(count(arm.rows) if arm.rows else NONE, sort=arm.rows),
            _seconds(arm.seconds),
        )
        for arm in ranked_families(record)
    )
    columns = (("Family", False), ("Score", True), ("Train rows", True), ("Time", True))
    return Table("Spot check of the families", columns, rows)


def ranked_families(record: RunRecord) -> list[Arm]:
    """The families, best dev score first."""
    sign = metric(record.problem.metric).sign
    return sorted(record.families, key=lambda a: (a.score is None, -sign * a.score.value if a.score else 0.0))


# -- effects --------------------------------------------------------------------------------------------------


def measured(record: RunRecord) -> list[Weighed]:
    """The techniques whose effect was measured, the best first."""
    sign = metric(record.problem.metric).sign
    found = [w for w in record.weighed if w.verdict != "not applicable"]
    return sorted(found, key=lambda w: -sign * w.effect if isfinite(w.effect) else float("inf"))


def effect_format(record: RunRecord) -> Format:
    """One format for all effects."""
    found = measured(record)
    return fitting([w.effect for w in found], [(w.high - w.low) / 2 for w in found])


def effect_table(record: RunRecord) -> Table:
    """A row per technique that was measured."""
    write = effect_format(record)
    rows = tuple(
        (
            Cell(w.technique, w.reason),
            Cell(write.signed(w.effect), f"{write.signed(w.low)} to {write.signed(w.high)}", w.effect),
            Cell(f"{LOOKS[w.verdict].sign} {w.verdict}", "kept" if w.kept else "", look=LOOKS[w.verdict].colour),
            Cell(count(len(w.pairs)), sort=len(w.pairs)),
            Cell(f"{w.time_ratio:.2f}×", sort=w.time_ratio),
            Cell(w.against, f"{count(w.rows)} train rows" if w.rows else ""),
        )
        for w in measured(record)
    )
    columns = (
        ("Technique", False),
        ("Effect", True),
        ("Verdict", False),
        ("Pairs", True),
        ("Time", True),
        ("Against", False),
    )
    return Table("Effect of every technique weighed", columns, rows)


def pair_table(record: RunRecord) -> Table:
    """The raw scores behind every effect."""
    write = score_format(record)
    rows = tuple(
        (
            Cell(w.technique),
            Cell(count(i), sort=i),
            Cell(write(without), sort=without),
            Cell(write(with_it), sort=with_it),
            Cell(write.signed(with_it - without), sort=with_it - without),
        )
        for w in measured(record)
        for i, (without, with_it) in enumerate(w.pairs, 1)
    )
    columns = (("Technique", False), ("Pair", True), ("Without", True), ("With", True), ("Difference", True))
    return Table("Every pair, same seed and same examples", columns, rows)


# -- errors ---------------------------------------------------------------------------------------------------


def error_format(table: ErrorTable) -> Format:
    """One format for all errors."""
    return fitting_scores([table.train, table.dev, table.test])


def error_rows(table: ErrorTable) -> Table:
    """Human, train, dev and test error, and the steps between them."""
    write = error_format(table)
    human = Cell(write(table.human), "" if table.human is not None else "not given, counted as 0", table.human)
    rows = [
        (Cell("human level"), human, Cell(NONE)),
        (Cell("train"), _scored(table.train, write), Cell(write.signed(table.bias), "bias")),
        (Cell("dev"), _scored(table.dev, write), Cell(write.signed(table.variance), "variance")),
    ]
    if table.test:
        step = table.test.value - table.dev.value
        rows.append((Cell("test"), _scored(table.test, write), Cell(write.signed(step), "over dev")))
    columns = (("Error on", False), (unit_name(table.unit), True), ("Step", True))
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
        taken = Cell(names[wrong[1]], f"{count(wrong[0])} times") if wrong[0] else Cell(NONE)
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


# -- the rest -------------------------------------------------------------------------------------------------


def curve_table(record: RunRecord) -> Table:
    """What each learning curve says, for those who do not see it."""
    rows = []
    write = fitting([p[2] for curve in record.curves for p in curve.points])
    score = score_format(record)
    sign = metric(record.problem.metric).sign
    for curve in record.curves:
        losses = [(p[2], p[0]) for p in curve.points if p[2] is not None and isfinite(p[2])]
        scores = [(sign * p[3], -p[0]) for p in curve.points if p[3] is not None and isfinite(p[3])]
        lowest, best = min(losses, default=None), max(scores, default=None)
        turned = turning_point(curve)
        rows.append(
            (
                Cell(curve.name),
                Cell(count(curve.points[-1][0]) if curve.points else NONE),
                Cell(write(lowest[0]), f"epoch {lowest[1]}") if lowest else Cell(NONE),
                Cell(write(losses[-1][0])) if losses else Cell(NONE),
                Cell(score(sign * best[0]), f"epoch {-best[1]}") if best else Cell(NONE),
                Cell(f"overfits after epoch {turned}" if turned is not None else "no overfitting seen"),
            )
        )
    columns = (
        ("Model", False),
        ("Epochs", True),
        ("Lowest dev loss", True),
        ("Last dev loss", True),
        ("Best on dev", True),
        ("", False),
    )
    return Table("The learning curves in numbers", columns, tuple(rows))


def knobs(tree: Any, path: str = "") -> Iterable[tuple[str, str]]:
    """A nested recipe as (dotted path, value); whatever it holds."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from knobs(value, f"{path}.{name}" if path else str(name))
    elif tree not in (None, "", ()):
        yield path, str(tree)
