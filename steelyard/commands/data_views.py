"""The terminal's view of what is found in data: anchors, duplicates, probes, the cache."""

import time
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from steelyard.boxes.anchors import Anchors
from steelyard.data.cache import SIZE_VARIABLE, VARIABLE, Contents
from steelyard.diagnosis.duplicates import Duplicates, in_words
from steelyard.diagnosis.probes.probe import Probe
from steelyard.report.anchors import anchors_text, answered
from steelyard.report.duplicates import members
from steelyard.report.probe import remark, said
from steelyard.report.words import sentence

GROUPS = 20  # shown: the page and the JSON hold all


def _out() -> Console:
    return Console(highlight=False, soft_wrap=True)


def show_anchors(found: Anchors) -> None:
    """Mean best IoU by k, and the anchors of the pick."""
    table = Table(box=None, pad_edge=False)
    for name in ("k", "mean best IoU", "on other images", "95 % interval"):
        table.add_column(name, justify="right")
    for each in found.clusterings:
        held, spread = each.held_out, 1.96 * (each.standard_error or 0.0)
        interval = "" if held is None else f"{held - spread:.3f} to {held + spread:.3f}"
        mark = " ←" if each.k == found.pick else ""
        table.add_row(f"{each.k}", f"{each.mean_iou:.3f}", "–" if held is None else f"{held:.3f}", interval + mark)
    console = _out()
    console.print(table)
    console.print(f"{sentence(answered(found))}.")
    console.print(f"anchors  {anchors_text(found.of(found.pick))}")
    unit = "shares of the image's width and height" if found.unit == "relative" else "pixels"
    console.print(f"unit     {unit}: {escape(found.why)}")
    console.print(f"page     {escape(found.output)}/anchors.html")


def show_duplicates(found: Duplicates) -> None:
    """The first groups, and what was found in all."""
    console = _out()
    if found.groups:
        table = Table(box=None, pad_edge=False)
        for name in (found.what, "kind", "lie in", "labels"):
            table.add_column(name)
        for group in found.groups[:GROUPS]:
            labels = ", ".join(sorted({twin.label for twin in group.twins if twin.label})[:6])
            crossing = f"[red]{' and '.join(group.parts)}[/red]" if group.crosses else " and ".join(group.parts)
            table.add_row(
                escape(members(group)),
                group.kind,
                crossing,
                f"[red]{escape(labels)}[/red]" if group.torn else escape(labels),
            )
        console.print(table)
        if len(found.groups) > GROUPS:
            console.print(f"… and {len(found.groups) - GROUPS:,} groups more")
    for text in (*found.notes, *in_words(found)):
        console.print(escape(f"{sentence(text)}."))
    console.print(f"page  {escape(found.output)}/duplicates.html")


def show_probe(found: Probe) -> None:
    """What each input knows, then what is suspicious and what is useless, and what to type."""
    table = Table(box=None, pad_edge=False)
    for name in ("input", "alone", "importance", ""):
        table.add_column(name, justify="left" if name in {"input", ""} else "right", no_wrap=name != "input")
    for each in found.inputs[:GROUPS]:
        alone = f"{each.alone.value:.3f} ({each.alone.low:.3f} to {each.alone.high:.3f})"
        importance = (
            f"{each.importance:.3f} ({each.low:.3f} to {each.high:.3f})" if each.importance is not None else "–"
        )
        table.add_row(escape(each.name), alone, importance, remark(each))
    console = _out()
    console.print(table)
    if len(found.inputs) > GROUPS:
        console.print(f"… and {len(found.inputs) - GROUPS:,} inputs more")
    for leak in found.leaks:
        console.print(f"[red]{escape(leak.reason)}[/red]")
    for text in said(found)[0 if not found.leaks else len(found.leaks) :]:
        console.print(escape(text))
    for command in found.commands:
        console.print(f"try   {escape(command)}")
    console.print(f"page  {escape(found.output)}/probe.html")


def show_cache(found: Contents) -> None:
    """Where the cache is, how large it is and may be, and its entries."""
    console = _out()
    if not found.folder:
        console.print(f"the cache is switched off ({VARIABLE}), or there is no home folder for it")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("entry", "holds", "size", "last used"):
        table.add_column(name, justify="right" if name == "size" else "left")
    for each in found.entries:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.used))
        table.add_row(each.key[:8], each.holds or "cannot be read", _megabytes(each.size), used)
    if found.entries:
        console.print(table)
    limit = f"of {found.limit / 1e9:,.1f} GB at the most ({SIZE_VARIABLE} sets it)"
    kept = "entry" if len(found.entries) == 1 else "entries"
    console.print(f"{len(found.entries)} {kept}, {_megabytes(found.size)} {limit}")
    console.print(f"folder  {escape(found.folder)}")


def show_cleared(done: dict[str, Any]) -> None:
    """What was removed."""
    entries = done["entries"]
    what = f"{entries} {'entry' if entries == 1 else 'entries'} ({_megabytes(done['bytes'])}) removed"
    _out().print(f"{what} from {escape(done['folder'])}" if done["folder"] else "the cache is switched off")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
