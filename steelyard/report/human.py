"""The page of the human level: how often people are wrong alone and in panels, who differs, where the model stands."""

from steelyard.diagnosis.beside_human import Beside, Human
from steelyard.diagnosis.human_level import GIVEN, RMSE, HumanLevel
from steelyard.problem import Score
from steelyard.report import bayes
from steelyard.report.figures import Drawing, Mark, intervals
from steelyard.report.numbers import Format, count, fitting_scores, plural
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table, scored
from steelyard.report.words import sentence, unit_name

DRAWN, NAMED = 30, 4  # annotators in a drawing, and in words; the table has all
PASSED = (
    "From here on people no longer tell how much of its error is avoidable: read the rows where the panel is right and "
    "the model wrong, have the labels checked by experts, and judge by a proxy of the Bayes error."
)


def human_page(found: Human) -> str:
    """The page as HTML."""
    level = found.level
    lead = f"From {found.source}"
    if level.labels:
        what = "value" if level.unit == RMSE else "label"
        lead += f": {plural(level.labels, what)} of {plural(level.rows, 'row')}, held against {level.reference}"
    answer = [sentence(text) for text in said(found)]
    return sheet("Human level", lead, answer, "", parts(found), found.command)


def said(found: Human) -> list[str]:
    """The findings, the most important first."""
    level, write = found.level, _format(found)
    unit = "RMSE" if level.unit == RMSE else "error"
    lines = [f"The human level is an {unit} of {write.score(level.level)}: {level.of}."]
    if found.model is not None:
        lines += _standing(found.model, write, level)
    if level.single is not None:
        best = f", the best one ({level.best_name}) by {write.score(level.best)}" if level.best else ""
        lines.append(f"One annotator drawn by lot errs by {write.score(level.single)}{best}.")
    if level.consensus:
        lines.append(
            "There are no true labels: annotators are held against the others, who err too, so that their errors look "
            "too large, and mistakes they all make are not seen."
        )
    if level.agreement is not None and level.agreement.rows:
        pairs = level.agreement
        lines.append(
            f"{pairs.raw:.1%} of pairs of labels of one row agree; Krippendorff's alpha is {pairs.krippendorff:.3f}, "
            f"which is {pairs.word}."
        )
    if level.icc is not None:
        lines.append(f"{max(0.0, level.icc):.1%} of the variance of one value lies between rows (ICC, one-way).")
    lines += _deviating(level, write)
    return [*lines, *(f"{sentence(note)}." for note in (*level.notes, *found.notes))]


def parts(found: Human) -> list[Part]:
    """The panels with the model, and the annotators; where a run is named the proxies, apart from both."""
    level, write = found.level, _format(found)
    shown = [Part("People and the model" if found.model else "People", _panels_text(level), _drawing(found, write))]
    shown.append(Part("", table=panel_table(found), under=True))
    if level.annotators:
        shown.append(Part("Every annotator", _annotators_text(level), _people(level, write)))
        shown.append(Part("", table=annotator_table(found), sortable=True, under=True))
    if found.proxies is not None:
        shown += bayes.parts(found.proxies)
    return shown


def panel_table(found: Human) -> Table:
    """One annotator, the best one, the panels, the model."""
    write = _format(found)
    rows = tuple((Cell(name), scored(score, write), Cell(count(score.examples))) for name, score in _ladder(found))
    columns = (("Who", False), (sentence(unit_name(found.level.unit)), True), ("Rows", True))
    return Table("Errors of people" + " and of the model" * (found.model is not None), columns, rows)


def annotator_table(found: Human) -> Table:
    """A row for each annotator, those that err least first."""
    level, write = found.level, _format(found)
    rows = tuple(
        (
            Cell(each.name, "differs" * each.deviates, look="bad" if each.deviates and each.difference > 0 else ""),
            Cell(count(each.labels), sort=each.labels),
            scored(each.error, write),
            Cell(write(each.others), sort=each.others),
            Cell(write.signed(each.difference), f"{write.signed(each.low)} to {write.signed(each.high)}"),
        )
        for each in level.annotators
    )
    columns = (("Annotator", False), ("Rows", True), ("Error", True), ("Others", True), ("Difference", True))
    return Table("Annotators beside the others on the same rows", columns, rows)


def _standing(model: Beside, write: Format, level: HumanLevel) -> list[str]:
    gap = f"{write.signed(model.difference)} ({write.signed(model.low)} to {write.signed(model.high)})"
    lines = [f"The model, with {write.score(model.model)}, {model.standing}: {gap}."]
    if model.standing.startswith("passes"):
        lines.append(PASSED)
    elif model.standing.startswith("is above"):
        lines.append("About that much of its error is avoidable: people make more of the inputs than it does.")
    return lines


def _deviating(level: HumanLevel, write: Format) -> list[str]:
    """Who errs more or less than the others, those that err most first."""
    strange = sorted((each for each in level.annotators if each.deviates), key=lambda each: -each.difference)
    lines = [
        f"On the same rows as the others, {each.name} errs {'more' if each.difference > 0 else 'less'}: "
        f"{write.signed(each.difference)} ({write.signed(each.low)} to {write.signed(each.high)})."
        for each in strange[:NAMED]
    ]
    if len(strange) > NAMED:
        lines.append(f"{plural(len(strange) - NAMED, 'annotator')} more differ{'s' * (len(strange) == NAMED + 1)}.")
    return lines


def _ladder(found: Human) -> list[tuple[str, Score]]:
    level = found.level
    rows = [(sentence(panel.name), panel.error) for panel in level.panels]
    if rows and level.single is not None:
        rows[0] = (rows[0][0], level.single)
    if level.best is not None:
        rows.insert(1, (f"Best annotator ({level.best_name})", level.best))
    if level.of == GIVEN:
        rows.append(("Human level", level.level))
    return [*rows, ("The model", found.model.model)] if found.model is not None else rows


def _drawing(found: Human, write: Format) -> Drawing:
    model = found.model.model if found.model is not None else None
    marks = [
        Mark(name, s.value, s.low, s.high, write.score(s), write(s.value), *(("second", "s") if s is model else ()))
        for name, s in _ladder(found)
    ]
    words = "Errors of one annotator and of panels" + (", and of the model" if model else "")
    return intervals(marks, words, unit_name(found.level.unit), False, found.level.level.value)


def _people(level: HumanLevel, write: Format) -> Drawing:
    marks = [
        Mark(
            e.name,
            e.error.value,
            e.error.low,
            e.error.high,
            write.score(e.error),
            write(e.error.value),
            "bad" if e.deviates and e.difference > 0 else "accent",
            hollow=not e.deviates,
        )
        for e in level.annotators[:DRAWN]
    ]
    return intervals(marks, "Error of every annotator", unit_name(level.unit), False)


def _panels_text(level: HumanLevel) -> str:
    if not level.panels:
        return "The dashed line is the human level: what the model errs by beyond it can be avoided."
    how = "mean" if level.unit == RMSE else "majority, ties by lot"
    best = "The best annotator is measured on rows they were not chosen by. " if level.best else ""
    return (
        f"Panels are drawn by lot among those who said something of a row and answer by {how}; with 95 % intervals. "
        f"{best}The dashed line is the human level: what a model errs by beyond it can be avoided."
    )


def _annotators_text(level: HumanLevel) -> str:
    first = f"The first {DRAWN} of {len(level.annotators)}. " if len(level.annotators) > DRAWN else ""
    return (
        f"{first}Filled: differs from the others on the same rows by more than chance (at most 5 % of those named are "
        "expected not to); red: errs more, so ask them or leave their labels out."
    )


def _format(found: Human) -> Format:
    return fitting_scores([score for _, score in _ladder(found)])
