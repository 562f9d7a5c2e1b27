"""The page of label errors: how many are estimated, which swaps are common, the suspects with what they look like."""

import shlex
from pathlib import Path

from steelyard.diagnosis.labels import LabelErrors, Suspect, Target
from steelyard.report.figures import Mark, intervals
from steelyard.report.figures.thumbs import Thumb, thumbs
from steelyard.report.numbers import count, plural
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table

SHOWN = 200  # suspects on the page: labels.json has all
DRAWN = 20  # targets in the drawing of shares


def labels_page(found: LabelErrors) -> str:
    """The page as HTML."""
    lead = f"{count(found.rows)} {found.what} of {found.source} outside the sealed test, predicted by {found.by}"
    return sheet("Label errors", lead, said(found), review_command(found), parts(found), found.command)


def said(found: LabelErrors) -> list[str]:
    """The findings, the most important first."""
    likely = sum(each.likely for each in found.suspects)
    if not likely:
        more = f"; the {len(found.suspects)} that models disagree with most are listed" if found.suspects else ""
        return [f"No label of {count(found.rows)} {found.what} is likely wrong{more}.", found.caveat]
    lines = []
    if len(found.targets) == 1:
        (one,) = found.targets
        lines.append(
            f"{plural(one.found, 'label')} of {count(one.rows)} {'is' if one.found == 1 else 'are'} likely wrong; "
            f"about {_share(one)} of all labels are estimated to be."
        )
    else:
        worst = max(found.targets, key=lambda target: target.share)
        lines.append(
            f"{plural(likely, 'label')} in {plural(len(found.targets), 'target')} are likely wrong; most "
            f"of all in '{worst.name}', where about {_share(worst)} are estimated to be."
        )
    swaps = [(each.name, swap) for each in found.targets for swap in each.swaps[:1]]
    if swaps:
        name, (given, suggested, many) = max(swaps, key=lambda each: each[1][2])
        where = "" if len(found.targets) == 1 else f" ('{name}')"
        lines.append(f"Most often '{given}' is given where '{suggested}' is suggested: {plural(many, 'time')}{where}.")
    return [*lines, found.caveat]


def review_command(found: LabelErrors) -> str:
    """What to type to look at the suspects one by one; nothing where there are none, or their run is not known."""
    folder = Path(found.output).parent if found.output else None
    return shlex.join(["steelyard", "labels", "review", str(folder)]) if folder and found.suspects else ""


def parts(found: LabelErrors) -> list[Part]:
    """The drawings and tables."""
    made = [
        Part(
            "How many labels are wrong",
            "The estimated share of wrong labels with its 95 % interval over the rows; where it is a few percent, no "
            "model can score above what is left, and dev and test are too noisy for differences smaller than that.",
            intervals([_mark(each) for each in found.targets[:DRAWN]], "Share of wrong labels", "share", False, 0.0),
        )
    ]
    pictures = [Thumb(s.image, f"{s.given} → {s.suggested}", s.origin) for s in found.suspects if s.image]
    if pictures:
        text = "The most suspicious images, with the label that is given and the one that is suggested."
        made.append(Part("What they look like", text, thumbs(pictures, "The most suspicious images"), kind="map"))
    if any(each.swaps for each in found.targets):
        text = "A swap that is common says that the two classes are confused with a rule: look at their definitions."
        made.append(Part("Which are taken for which", text, table=swaps_table(found), folded="Every swap"))
    if found.suspects:
        more = f"The first {SHOWN} of {count(len(found.suspects))}; " if len(found.suspects) > SHOWN else ""
        text = f"{more}the lower the score, the surer the models are that the label is not the one that is given."
        text = text[:1].upper() + text[1:]
        made.append(Part("The suspects", text, table=suspects_table(found), sortable=True, broad=True))
    return made


def suspects_table(found: LabelErrors) -> Table:
    """A row per suspect, the most suspicious first."""
    several = len(found.targets) > 1
    seen = any(each.shown for each in found.suspects)
    columns = [("rank", True), ("where", False), ("given", False), ("suggested", False), ("score", True)]
    columns[2:2] = [("target", False)] if several else []
    columns += [("example", False)] if seen else []
    rows = tuple(_row(each, several, seen) for each in found.suspects[:SHOWN])
    return Table("Labels that are likely wrong", tuple(columns), rows)


def _row(each: Suspect, several: bool, seen: bool) -> tuple[Cell, ...]:
    cells = [Cell(str(each.rank), "" if each.likely else "may well be right", each.rank), Cell(each.origin)]
    cells += [Cell(each.target)] if several else []
    cells += [Cell(each.given), Cell(each.suggested), Cell(f"{each.score:.3f}", sort=each.score)]
    return tuple([*cells, Cell(each.shown)] if seen else cells)


def swaps_table(found: LabelErrors) -> Table:
    """A row per swap, the most frequent first in each target."""
    columns = (("target", False), ("given", False), ("suggested", False), ("labels", True))
    rows = tuple(
        (Cell(each.name), Cell(given), Cell(suggested), Cell(count(many), sort=many))
        for each in found.targets
        for given, suggested, many in each.swaps
    )
    return Table("Swaps", columns, rows)


def _mark(each: Target) -> Mark:
    return Mark(each.name, each.share, each.low, each.high, _share(each), f"{each.share:.1%}")


def _share(each: Target) -> str:
    return f"{each.share:.1%} ({each.low:.1%} to {each.high:.1%})"
