"""Which drawings a record has, and what each says in words."""

from dataclasses import dataclass

from steelyard.diagnosis.words import verdict
from steelyard.metrics import metric
from steelyard.problem import Score
from steelyard.records import Arm, Curve, RunRecord
from steelyard.report.error_tables import HEAT_MAP, error_format
from steelyard.report.figures import (
    Drawing,
    Mark,
    confusion_map,
    error_bars,
    forecast_course,
    intervals,
    learning_curve,
    residual_plots,
)
from steelyard.report.figures.curves import lines
from steelyard.report.numbers import Format
from steelyard.report.tables import (
    effect_format,
    measured,
    ranked_families,
    rungs,
    score_format,
)
from steelyard.report.targets import target_panels, target_scores
from steelyard.report.words import LOOKS, metric_name, turning_point, unit_name

CURVES = 6  # drawn; the table has them all


@dataclass(frozen=True)
class Drawings:
    """Every drawing of the page; None where the record has nothing to draw. `curves` are (name, remark, drawing)."""

    ladder: Drawing | None = None
    families: Drawing | None = None
    effects: Drawing | None = None
    errors: Drawing | None = None
    confusion: Drawing | None = None
    residuals: Drawing | None = None
    course: Drawing | None = None
    targets: Drawing | None = None
    panels: Drawing | None = None
    curves: tuple[tuple[str, str, Drawing], ...] = ()


def drawings(record: RunRecord) -> Drawings:
    """All drawings of a record."""
    return Drawings(
        ladder=_ladder(record),
        families=_families(record),
        effects=_effects(record),
        errors=_errors(record),
        confusion=_confusion(record),
        residuals=_residuals(record),
        course=_course(record),
        targets=target_scores(record),
        panels=target_panels(record),
        curves=tuple(_curve(record, curve) for curve in drawable(record)[:CURVES]),
    )


def _ladder(record: RunRecord) -> Drawing | None:
    write = score_format(record)
    marks = [_mark(arm.name, arm.score, write) for arm in rungs(record) if arm.score]
    if not marks:
        return None
    if record.test:
        marks.append(_mark("on the sealed test set", record.test, write, "second", "D"))
    words = f"Scores from {marks[0].label}, {marks[0].text}, to {marks[-1].label}, {marks[-1].text}"
    return _scores(record, marks, words)


def _families(record: RunRecord) -> Drawing | None:
    write = score_format(record)
    scored = [arm for arm in ranked_families(record) if arm.score]
    if not scored:
        return None
    marks = [_mark(_family(arm), arm.score, write) for arm in scored if arm.score]
    return _scores(record, marks, f"Families ranked on dev, from {marks[0].label} to {marks[-1].label}")


def _family(arm: Arm) -> str:
    return f"{arm.name}, {arm.note}" if arm.note else arm.name


def _mark(name: str, score: Score, write: Format, colour: str = "accent", shape: str = "o") -> Mark:
    return Mark(name, score.value, score.low, score.high, write.score(score), write(score.value), colour, shape)


def _scores(record: RunRecord, marks: list[Mark], words: str) -> Drawing:
    floor = record.baseline.value if record.baseline else None
    greater = metric(record.problem.metric).greater_is_better
    return intervals(marks, words, metric_name(record.problem.metric), greater, floor)


def _effects(record: RunRecord) -> Drawing | None:
    write, found = effect_format(record), measured(record)
    if not found:
        return None
    marks = []
    for w in found:
        look = LOOKS[w.verdict]
        short = f"{look.sign} {write.signed(w.effect)}"
        text = f"{short} ({write.signed(w.low)} to {write.signed(w.high)})"
        marks.append(Mark(w.technique, w.effect, w.low, w.high, text, short, look.colour, look.shape, look.hollow))
    said = ", ".join(f"{w.technique} {w.verdict}" for w in found)
    axis = f"effect on {metric_name(record.problem.metric)}"
    greater = metric(record.problem.metric).greater_is_better
    return intervals(marks, f"Effects with 95 % intervals: {said}", axis, greater, 0.0, centred=True)


def _errors(record: RunRecord) -> Drawing | None:
    table = record.errors
    if table is None:
        return None
    write = error_format(table)
    levels = ", ".join(f"{each.name} {write(each.error.value)}" for each in table.levels)
    words = f"Errors: {levels}; {verdict(table)}"
    return error_bars(table, words, write, unit_name(table.unit))


def _confusion(record: RunRecord) -> Drawing | None:
    classes = record.problem.classes
    if not 2 <= len(record.confusion) <= HEAT_MAP or len(classes) != len(record.confusion):
        return None
    right = sum(row[k] for k, row in enumerate(record.confusion))
    total = sum(map(sum, record.confusion))
    words = f"Confusion matrix of {len(classes)} classes on dev: {right} of {total} examples are right"
    return confusion_map(record.confusion, classes, words)


def _residuals(record: RunRecord) -> Drawing | None:
    if not record.residuals:
        return None
    words = f"Predicted against true {record.problem.target}, and what is left over, on dev"
    return residual_plots(record.residuals, words, record.problem.target)


def _course(record: RunRecord) -> Drawing | None:
    if len(record.course) < 2:
        return None
    first, last = record.course[0][0], record.course[-1][0]
    words = f"{record.problem.target} and its forecast on dev, from {first} to {last}, and what is left over"
    return forecast_course(record.course, words, record.problem.target)


def drawable(record: RunRecord) -> list[Curve]:
    """The curves that are more than a point."""
    return [curve for curve in record.curves if any(len(at) > 1 for at, _ in lines(curve))]


def _curve(record: RunRecord, curve: Curve) -> tuple[str, str, Drawing]:
    turned = turning_point(curve)
    remark = (
        f"Dev loss rises after epoch {turned} while train loss goes on falling: it overfits from there."
        if turned is not None
        else "No overfitting seen: dev loss does not rise while train loss falls."
    )
    name = metric_name(record.problem.metric)
    return curve.name, remark, learning_curve(curve, f"Learning curve of {curve.name}. {remark}", name, turned)
