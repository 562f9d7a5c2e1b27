"""The page of probes: what is suspicious, what is useless, what each input knows alone and adds to the others."""

from collections.abc import Sequence

from steelyard.diagnosis.probes.losses import Skill
from steelyard.diagnosis.probes.probe import Input, Probe
from steelyard.report.figures import Mark, intervals
from steelyard.report.numbers import NONE, count, plural
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table
from steelyard.report.words import sentence

DRAWN = 30  # inputs in a drawing; the table has all


def probe_page(found: Probe) -> str:
    """The page as HTML."""
    lead = (
        f"{plural(len(found.inputs), 'input')} for {found.target}, {count(found.rows)} rows of {found.source} outside "
        "the sealed test"
    )
    answer = [sentence(text) for text in said(found)]
    return sheet("What the inputs know", lead, answer, "\n".join(found.commands), _parts(found), found.command)


def said(found: Probe) -> list[str]:
    """The suspicions, how well all inputs do together, and without the useless ones."""
    lines = [leak.reason for leak in found.leaks] or ["No input knows suspiciously much."]
    who = "All inputs together" if all(each.importance is not None for each in found.inputs) else "All other inputs"
    lines.append(f"{who} take away {_shown(found.whole)} of the error ({found.loss}) of a constant guess.")
    if found.without is not None:
        names = ", ".join(found.useless)
        lines.append(f"Without {names} it is {_shown(found.without)}: these may be left out.")
    return lines


def remark(each: Input) -> str:
    """What there is to say about an input."""
    return "kept out" if each.importance is None else "useless" if each.useless else ""


def _parts(found: Probe) -> list[Part]:
    alone = sorted(found.inputs, key=lambda each: -each.alone.value)[:DRAWN]
    shuffled = [mark for mark in map(_importance, found.inputs) if mark is not None][:DRAWN]
    first = f"The first {DRAWN} of {len(found.inputs)}. " if len(found.inputs) > DRAWN else ""
    return [
        Part(
            "Each input alone",
            f"{first}The share of the error of a constant guess that means in bins of one column take away, on rows "
            "they were not learnt from, with 95 % intervals.",
            intervals([_alone(each) for each in alone], "Skill of each input alone", "skill alone", True, 0.0),
        ),
        Part(
            "Each input shuffled",
            f"{first}What the loss of a quick model of all inputs rises by when the values of one column are dealt "
            "anew on rows it was not learnt from, as a share of the loss of a constant guess. Grey and hollow: may be "
            "left out. Inputs that say the same hide one another.",
            intervals(shuffled, "Importance of each input among the others", "importance", True, 0.0),
        ),
        Part("Every input", table=inputs_table(found.inputs), sortable=True),
    ]


def _alone(each: Input) -> Mark:
    skill = each.alone
    return Mark(each.name, skill.value, skill.low, skill.high, _shown(skill), f"{skill.value:.3f}")


def _importance(each: Input) -> Mark | None:
    if each.importance is None or each.low is None or each.high is None:
        return None
    text = f"{each.importance:.3f} ({each.low:.3f} to {each.high:.3f})"
    short, colour = f"{each.importance:.3f}", "muted" if each.useless else "accent"
    return Mark(each.name, each.importance, each.low, each.high, text, short, colour, hollow=each.useless)


def inputs_table(inputs: Sequence[Input]) -> Table:
    """A row per input, the most important first."""
    columns = (("input", False), ("kind", False), ("alone", True), ("importance", True), ("", False))
    rows = tuple(
        (Cell(each.name), Cell(each.kind), _alone_cell(each.alone), _importance_cell(each), Cell(remark(each)))
        for each in inputs
    )
    return Table("What each input knows", columns, rows)


def _alone_cell(skill: Skill) -> Cell:
    return Cell(f"{skill.value:.3f}", f"{skill.low:.3f} to {skill.high:.3f}", skill.value)


def _importance_cell(each: Input) -> Cell:
    if each.importance is None:
        return Cell(NONE)
    return Cell(f"{each.importance:.3f}", f"{each.low:.3f} to {each.high:.3f}", each.importance)


def _shown(skill: Skill) -> str:
    return f"{skill.value:.3f} ({skill.low:.3f} to {skill.high:.3f})"
