"""The page of coverage: how much of the real data the artificial ones reach, and what they never have."""

from steelyard.diagnosis.coverage import Coverage
from steelyard.diagnosis.coverage.gaps import Gap
from steelyard.diagnosis.coverage.reach import Reach
from steelyard.report.figures import Mark, intervals
from steelyard.report.numbers import NONE, count
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table
from steelyard.report.weighing_words import p_text
from steelyard.report.words import sentence

NAMED, LISTED = 3, 200  # gaps in a sentence, in the table
MEANS = {
    "covers the real data": "nothing says that fresh real data would reach more, or that artificial rows lie off",
    "too narrow": "a model trained on it alone does not see part of the real data",
    "off the real data": "part of it looks like no real row",
    "too narrow and off the real data": "part of it looks like no real row, and part of the real data it never reaches",
}


def coverage_page(found: Coverage) -> str:
    """The page as HTML."""
    rows = f"{count(found.rows[0])} real rows to be covered, by {count(found.rows[1])} artificial or fresh real ones"
    answer = [sentence(text) for text in said(found)]
    return sheet("Is the artificial data too narrow?", rows, answer, "", parts(found), found.command)


def said(found: Coverage) -> list[str]:
    """The findings, a sentence each: the verdict, how much is reached, what never is."""
    cover = next(each for each in found.measures if each.name == "coverage")
    lines = [
        f"The verdict on {found.artificial}: {found.verdict}: {MEANS[found.verdict]}.",
        f"It reaches {cover.artificial:.1%} of the rows of {found.real}, as many fresh real rows reach "
        f"{cover.real:.1%}{_lack(cover)}.",
    ]
    seen = [gap for gap in found.gaps if gap.seen]
    for gap in seen[:NAMED]:
        lines.append(f"In {gap.missed:.1%} of the real rows {_what(gap)}, where it has none.")
    if len(seen) > NAMED:
        lines.append(f"{len(seen) - NAMED} more features have values that it never reaches.")
    return lines


def parts(found: Coverage) -> list[Part]:
    """What is lacking in each measure, then the gaps."""
    marks = [mark for mark in map(_mark, found.measures) if mark is not None]
    text = (
        "What real rows have more of than artificial ones. Coverage: real rows with another one within the distance of "
        f"their {found.neighbours} nearest real rows; precision: rows that lie within that distance of a real one; "
        "density: of how many, over how many there should be; recall: real rows within the neighbourhoods of the "
        "others. Right of 0 the artificial data lack something."
    )
    drawn = intervals(marks, "What the artificial data lack", "lack against fresh real data", False, 0.0)
    listed = found.gaps[:LISTED]
    return [
        Part("What it lacks", text, drawn, measures_table(found)),
        Part(
            "What it never has",
            "Real rows beyond the range of the artificial ones, or with a level that none of these has; beside it what "
            "as many fresh real rows would miss. A spread below 1 means that values lie closer together.",
            table=gaps_table(listed),
            sortable=True,
        ),
    ]


def measures_table(found: Coverage) -> Table:
    """A row per measure."""
    columns = (("Measure", False), ("Artificial", True), ("Fresh real", True), ("Lack", True), ("p-value", True))
    rows = tuple(
        (
            Cell(each.name),
            Cell(f"{each.artificial:.3f}", sort=each.artificial),
            Cell(f"{each.real:.3f}", sort=each.real),
            Cell(f"{each.lack:+.3f}", "" if each.low is None else f"{each.low:+.3f} to {each.high:+.3f}", each.lack),
            Cell(NONE if each.p is None else p_text(each.p)),
        )
        for each in found.measures
    )
    return Table("Reach of the artificial data", columns, rows)


def gaps_table(gaps: tuple[Gap, ...]) -> Table:
    """A row per feature, the widest gap first."""
    columns = (
        ("Feature", False),
        ("Never has", False),
        ("Real rows there", True),
        ("Missed by real", True),
        ("Spread", True),
        ("p, corrected", True),
    )
    rows = tuple(
        (
            Cell(gap.name),
            Cell(gap.what if gap.missed else ""),
            Cell(f"{gap.missed:.1%}", sort=gap.missed),
            Cell(f"{gap.by_real:.1%}", sort=gap.by_real),
            Cell(NONE if gap.spread is None else f"{gap.spread:.2f}", sort=gap.spread),
            Cell(p_text(gap.adjusted), sort=gap.adjusted, look="bad" if gap.seen else ""),
        )
        for gap in gaps
    )
    return Table("What the artificial data never have", columns, rows)


def _mark(each: Reach) -> Mark | None:
    if each.low is None or each.high is None:
        return None
    text = f"{each.lack:+.3f} ({each.low:+.3f} to {each.high:+.3f})"
    colour = "bad" if each.low > 0 else "accent"
    return Mark(each.name, each.lack, each.low, each.high, text, f"{each.lack:+.3f}", colour)


def _lack(each: Reach) -> str:
    return "" if each.low is None else f" (lack {each.lack:+.1%}, {each.low:+.1%} to {each.high:+.1%})"


def _what(gap: Gap) -> str:
    return f"'{gap.name}' is {gap.what}" if gap.spread is not None else f"'{gap.what}' holds"
