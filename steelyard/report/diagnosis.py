"""The page of a diagnosis: where the error comes from, what treats it, and what explains it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from steelyard.diagnosis.diagnosis import Diagnosis
from steelyard.diagnosis.remedies import Remedy
from steelyard.diagnosis.words import MEANING, called, verdict
from steelyard.records import ErrorTable
from steelyard.report import bayes, human, labels, learning_curve, mistakes, shift, slices
from steelyard.report.error_tables import error_format, error_rows
from steelyard.report.figures import error_bars
from steelyard.report.numbers import fitting
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table
from steelyard.report.words import sentence, unit_name, wear_line

KNOWN = {
    "weighed here": "weighed in this run",
    "recorded elsewhere": "measured on benchmark data",
    "not known": "nothing is known of it: a guess",
}


def diagnosis_page(found: Diagnosis) -> str:
    """The page as HTML."""
    lead = "Every difference between two levels of error has a cause of its own, and remedies of its own."
    commands = "\n".join(each.command for each in found.remedies[:3] if each.command)
    return sheet("What holds the model back", lead, answers(found), commands, parts(found), found.command)


def answers(found: Diagnosis) -> list[str]:
    """The findings as sentences: what the error table says, then the first finding of every other part."""
    lines = [_closed(sentence(text)) for text in found.said]
    if found.wear is not None:
        lines.append(f"Dev was {wear_line(found.wear.looks, found.wear)}.")
    lines += [_closed(sentence(said[0])) for _, said, _ in _explained(found) if said]
    return [*lines, *(f"Not measured ({name}): {_closed(why)}" for name, why in found.skipped)]


def parts(found: Diagnosis) -> list[Part]:
    """Every part of the page, each with its findings."""
    made = [_errors(found.errors)]
    if found.remedies:
        made.append(_remedies(found))
    for title, said, shown in _explained(found):
        made.append(Part(title, " ".join(_closed(sentence(text)) for text in said)))
        made += [replace(part, under=True) for part in shown]
    return made


def _explained(found: Diagnosis) -> Iterator[tuple[str, list[str], list[Part]]]:
    """What explains the errors: the title, the findings and the figures of every part that was measured."""
    rooms: list[tuple[str, Any, Any]] = [
        ("People", found.human, human),
        ("The smallest error there can be", found.proxies, bayes),
        ("Would more rows help?", found.growth, learning_curve),
        ("Are the parts alike?", found.shift, shift),
        ("Labels that are likely wrong", found.labels, labels),
        ("Where it errs most", found.slices, slices),
        ("A sample of its mistakes", found.mistakes, mistakes),
    ]
    for title, record, room in rooms:
        if record is not None:
            yield title, room.said(record), room.parts(record)


def _closed(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _errors(table: ErrorTable) -> Part:
    write = error_format(table)
    levels = ", ".join(f"{each.name} {write(each.error.value)}" for each in table.levels)
    words = f"Errors: {levels}; {verdict(table)}"
    terms = "; ".join(f"{called(gap)}: {MEANING[gap.term]}" for gap in table.gaps)
    return Part(
        "Where the error comes from",
        f"What each level has over the one before, with 95 % intervals. {sentence(terms)}.",
        error_bars(table, words, write, unit_name(table.unit)),
        error_rows(table),
    )


def _remedies(found: Diagnosis) -> Part:
    return Part(
        f"What treats {found.treated}",
        "Techniques that apply to the model, the largest gain to be hoped for by its cost first. What is recorded "
        "elsewhere need not hold here: weighing says.",
        table=remedy_table(found.remedies),
        sortable=True,
    )


def remedy_table(remedies: tuple[Remedy, ...]) -> Table:
    """A row per remedy."""
    write = fitting([each.gain for each in remedies])
    columns = (("technique", False), ("expected gain", True), ("give or take", True), ("time", True), ("known", False))
    rows = tuple(
        (
            Cell(each.technique),
            Cell(write.signed(each.gain), sort=each.gain),
            Cell(write(each.spread), sort=each.spread),
            Cell(f"{each.time_ratio:.2g}×", sort=each.time_ratio),
            Cell(KNOWN[each.known]),
        )
        for each in remedies
    )
    return Table("Remedies", columns, rows)
