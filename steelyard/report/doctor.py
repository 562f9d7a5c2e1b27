"""Pages of the doctor: an examination with what treats its findings, and each check with why and how to mend it."""

import re

from steelyard.diagnosis.recorded import readings
from steelyard.doctor.check import Check, checks
from steelyard.doctor.finding import Examination, Finding
from steelyard.report.numbers import plural
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table


def doctor_page(found: Examination, command: str) -> str:
    """The page as HTML."""
    counts = f"{plural(len(found.passed), 'check')} passed, {len(found.not_measured)} could not be done"
    lead = f"{plural(len(found.findings), 'finding')}; {counts}; {found.seconds:.1f} s."
    answer = [f"{each.title}: {each.saw}." for each in found.findings] or ["Nothing is wrong, as far as was looked."]
    return sheet("What the doctor found", lead, answer, "", parts(found), command)


def parts(found: Examination) -> list[Part]:
    """The findings, the checks that passed, and those that could not be done."""
    titles = {each.code: each.title for each in readings()} | {each.code: each.title for each in checks()}
    made = []
    if found.findings:
        made.append(Part("Findings", "The gravest first.", table=findings_table(found), broad=True))
    passed = tuple((Cell(code), Cell(titles.get(code, ""))) for code in found.passed)
    made.append(Part("Passed", "What was looked for and not found.", table=_two("not there", passed), folded="Show"))
    open_ = tuple((Cell(code, titles.get(code, "")), Cell(why)) for code, why in found.not_measured.items())
    if open_:
        made.append(Part("Not measured", table=_two("why not", open_), folded="Show"))
    return made


def findings_table(found: Examination) -> Table:
    """A row per finding."""
    columns = (("code", False), ("saw", False), ("means", False), ("treat", False))
    rows = tuple(
        (Cell(each.code, each.severity), Cell(each.saw, each.title), Cell(each.means), Cell(each.treat, _weigh(each)))
        for each in found.findings
    )
    return Table("Findings", columns, rows)


def _weigh(each: Finding) -> str:
    return f"weigh {', '.join(each.remedies)}" if each.remedies else ""


def check_page(check: Check) -> str:
    """What a check looks for, why that matters and how to mend it, as Markdown."""
    what, *rest = re.split(r"\n\s*\n", check.page)
    why = [" ".join(text.split()) for text in rest]
    broken, _, mended = " ".join(why.pop().removeprefix("Broken:").split()).partition("Mended:")
    head = f"# {check.code} · {check.title}\n\n{check.severity}, phase {check.phase}"
    sections = [head, f"**What.** {' '.join(what.split())}", *why, f"**It means:** {check.means}."]
    sections += [f"**How to mend it:** {check.treat}."]
    return "\n\n".join([*sections, _snippet("Broken", broken), _snippet("Mended", mended)]) + "\n"


def _snippet(name: str, text: str) -> str:
    """Code alone stands in a block of its own; code within words stays there."""
    plain = text.strip().rstrip(".")
    alone = re.fullmatch(r"`([^`]+)`", plain)
    if alone is None:
        return f"**{name}:** {plain}."
    code = alone[1].replace("; ", "\n")
    return f"**{name}:**\n\n```python\n{code}\n```"


def _two(second: str, rows: tuple[tuple[Cell, ...], ...]) -> Table:
    return Table("Checks", (("code", False), (second, False)), rows)
