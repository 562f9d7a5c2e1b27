"""The page of a diagnosis: where the error comes from, what treats it, and what explains it."""

from steelyard.diagnosis.diagnosis import Diagnosis
from steelyard.diagnosis.remedies import Remedy
from steelyard.diagnosis.words import MEANING, NAMES, verdict
from steelyard.records import ErrorTable
from steelyard.report.error_tables import error_format, error_rows
from steelyard.report.figures import error_bars
from steelyard.report.numbers import fitting
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table
from steelyard.report.words import sentence, unit_name

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
    """The findings as sentences."""
    return [sentence(text) + "." for text in found.said]


def parts(found: Diagnosis) -> list[Part]:
    """Every part of the page."""
    made = [_errors(found.errors)]
    if found.remedies:
        made.append(_remedies(found))
    return made


def _errors(table: ErrorTable) -> Part:
    write = error_format(table)
    levels = ", ".join(f"{each.name} {write(each.error.value)}" for each in table.levels)
    words = f"Errors: {levels}; {verdict(table)}"
    terms = "; ".join(f"{NAMES[gap.term]}: {MEANING[gap.term]}" for gap in table.gaps)
    return Part(
        "Where the error comes from",
        f"What each level has over the one before, with 95 % intervals. {sentence(terms)}.",
        error_bars(table, words, write, unit_name(table.unit)),
        error_rows(table),
    )


def _remedies(found: Diagnosis) -> Part:
    return Part(
        f"What treats {NAMES[found.errors.likely]}",
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
