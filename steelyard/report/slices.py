"""The page of slices: those on which the model errs more than on the rest, and every other one with its error."""

from steelyard.diagnosis.slice_records import Slices
from steelyard.report.numbers import count, plural
from steelyard.report.sheet import Part, sheet
from steelyard.report.slice_tables import DRAWN, drawn, slices_table, written
from steelyard.report.words import sentence

TOLD = 3  # slices in the answer


def slices_page(found: Slices) -> str:
    """The page as HTML."""
    lead = (
        f"{count(found.rows)} {found.things} of dev cut in {count(found.singles + found.pairs)} ways: "
        f"{plural(found.singles, 'condition')}, {plural(found.pairs, 'pair')} of them"
    )
    answer = [sentence(text) for text in said(found)]
    return sheet(
        "Where the model errs more", lead, answer, "", parts(found), found.command, caution=" ".join(found.notes)
    )


def said(found: Slices) -> list[str]:
    """The slices to look at, and what treats them; that there is none, where there is none."""
    write, worse = written(found), found.worse
    whole = f"the {found.unit} on all of dev is {write.score(found.error)}"
    tests = plural(found.singles + found.pairs, "test")
    if not found.slices:
        return [f"{whole}: there are too few {found.things}, or they are too much alike, to cut slices of them."]
    if not worse:
        return [f"No slice errs more than the rest, all {tests} considered: {whole}."]
    lines = []
    for each in worse[:TOLD]:
        expected = f", on fresh {found.things} about {write.signed(each.expected)}" if each.expected is not None else ""
        lines.append(
            f"'{each.name}' ({plural(each.rows, 'row')}): {write(each.error.value)} against {write(each.rest)} on the "
            f"rest{expected}; erring like the rest it would take {write(each.gain)} off the whole error."
        )
    lines.append(f"{plural(len(worse), 'slice')} in all, {tests} considered; {whole}.")
    return [*lines, *remedies(found)]


def remedies(found: Slices) -> list[str]:
    """What may help a slice: look at it, then more data of it, or a column that tells its rows apart."""
    inputs = [each for each in found.worse if each.kind != "class"]
    classes = [each.name.partition(" = ")[2] for each in found.worse if each.name.startswith("true class = ")]
    lines = []
    if inputs:
        lines.append(
            f"What treats a slice: look at its mistakes first (steelyard mistakes); then label more {found.things} of "
            f"it, beginning with '{inputs[0].name}'; or add what tells them apart, if even more of them err alike."
        )
    if classes:
        lines.append(
            f"What treats a class that is missed: label more of class {' or '.join(classes[:TOLD])}; class weights or "
            "a decision threshold trade its mistakes for those of others."
        )
    return lines


def parts(found: Slices) -> list[Part]:
    """The slices that are worse, drawn and in a table; what they hold already; all others."""
    if not found.slices:
        return []
    inputs = [each for each in found.worse if each.kind != "class"]
    classes = [each for each in found.slices if each.kind == "class"]
    repeats = [each for each in found.slices if each.within]
    rest = [each for each in found.slices if each not in found.worse and not each.within and each.kind != "class"]
    made = []
    if inputs:
        text = (
            "Work here first: each errs more than the rest, and not because it lies within another. The line is the "
            "error on all of dev."
        )
        made.append(Part("Slices that are worse", text, drawn(found, inputs, "Error of slices")))
        text = (
            "The rest are all other rows. On fresh rows: the difference that is expected there, without the luck of "
            "the choice. Whole error: what it would change by if the slice erred like the rest. At most 5 % of what is "
            f"called worse is expected to be chance: {found.method}."
        )
        table = slices_table(found, inputs, "Slices that are worse")
        made.append(Part("", text, table=table, sortable=True, broad=True))
    if classes:
        text = (
            "Which classes are missed, and which are said too often; of values, which are hard. Red: worse than others."
        )
        made.append(Part("By what is true and what was said", text, drawn(found, classes, "Error by class")))
    others = rest if inputs else rest[:DRAWN]
    if others:
        text = "None of these is surely worse than the rest: a long bar here is what chance does to few rows."
        made.append(Part("Other slices", text, drawn(found, others, "Error of other slices")))
        made.append(Part("", table=slices_table(found, [*classes, *rest], "Every condition"), folded="Every condition"))
    if repeats:
        text = "Worse than the rest, too, but only for rows of a slice above."
        table = slices_table(found, repeats, "Slices within others")
        made.append(Part("Slices within others", text, table=table, folded=plural(len(repeats), "slice")))
    return made
