"""Records to rows: every table of the page as plain texts, in the order in which they are read."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Any

from steelyard.metrics import metric
from steelyard.problem import Score
from steelyard.records import Arm, RunRecord, Weighed
from steelyard.report.numbers import NONE, Format, count, duration, fitting, fitting_scores
from steelyard.report.words import LOOKS, turning_point


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


def scored(score: Score | None, write: Format) -> Cell:
    if score is None:
        return Cell(NONE)
    return Cell(write(score.value), write.interval(score.low, score.high), score.value)


def _seconds(seconds: float) -> Cell:
    return Cell(duration(seconds) if seconds else NONE, sort=seconds)


def rungs(record: RunRecord) -> list[Arm]:
    """The ladder from the dumb baseline on, which a record may keep apart from its ladder."""
    floor = record.baseline
    if not record.ladder or floor is None or any(arm.family == "dummy" for arm in record.ladder):
        return list(record.ladder)
    return [Arm("dumb baseline", "dummy", floor, 0.0, 0), *record.ladder]


def ladder_table(record: RunRecord) -> Table:
    """A row per rung, with what it gained over the best rung before."""
    write, rows = score_format(record), []
    finer = Format(max(write.places, min(write.places + 1, 4)) if write.places else 0, write.exponent)
    best: Score | None = None
    better = metric(record.problem.metric).better
    for arm in rungs(record):
        gain = arm.score.value - best.value if arm.score and best else None
        rows.append(
            (
                Cell(arm.name, _family_note(arm)),
                scored(arm.score, write),
                Cell(finer.signed(gain), sort=gain),
                _seconds(arm.seconds),
            )
        )
        if arm.score and (best is None or better(arm.score.value, best.value)):
            best = arm.score
    if record.test:
        rows.append((Cell("on the sealed test set"), scored(record.test, write), Cell(NONE), Cell(NONE)))
    columns = (("Model", False), ("Score", True), ("Gain", True), ("Time", True))
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
            scored(arm.score, write),
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
