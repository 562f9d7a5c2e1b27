"""The page of duplicates: what was found, and every group with where its rows lie."""

from steelyard.diagnosis.duplicates import Duplicates, TwinGroup, in_words
from steelyard.report.numbers import count
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table
from steelyard.report.words import sentence

SHOWN, MEMBERS = 500, 12  # groups on the page, members of each: the rest is in duplicates.json
HOW = {
    "rows": "Nearly equal rows have the same categories and numbers that differ by next to nothing: less than the "
    "table's own distances explain by chance. Nearly equal texts share 85 % of their pieces of five letters.",
    "images": "Nearly equal images have a similar perceptual hash, and pixels that are far closer than the set's own "
    "distances make likely for different images. Mirrored and cropped copies are not looked for.",
}


def duplicates_page(found: Duplicates) -> str:
    """The page as HTML."""
    lead = f"{count(found.rows)} {found.what} of {found.source}"
    answer = [f"{sentence(text)}." for text in (*found.notes, *in_words(found))]
    parts = [Part("How they are found", HOW[found.what])]
    if found.groups:
        more = f"The first {SHOWN} of {count(len(found.groups))}; " if len(found.groups) > SHOWN else ""
        text = f"{more}those that cross into test come first, then those whose labels differ."
        parts.insert(0, Part("The groups", sentence(text), table=groups_table(found), broad=True))
    return sheet("Duplicates", lead, answer, "", parts, found.command)


def groups_table(found: Duplicates) -> Table:
    """A row per group."""
    columns = ((found.what, False), ("kind", False), ("lie in", False), ("labels", False))
    return Table("Groups of duplicates", columns, tuple(_row(group) for group in found.groups[:SHOWN]))


def _row(group: TwinGroup) -> tuple[Cell, ...]:
    labels = sorted({twin.label for twin in group.twins if twin.label})
    return (
        Cell(members(group)),
        Cell(group.kind),
        Cell(" and ".join(group.parts), look="bad" if group.crosses else ""),
        Cell(", ".join(labels[:6]), look="bad" if group.torn else ""),
    )


def members(group: TwinGroup) -> str:
    """Where the rows of a group came from."""
    shown = ", ".join(twin.origin for twin in group.twins[:MEMBERS])
    return shown + (f" and {len(group.twins) - MEMBERS} more" if len(group.twins) > MEMBERS else "")
