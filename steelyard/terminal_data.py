"""The terminal's view of what is found in data: anchors, duplicates, probes, the cache."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from steelyard.boxes.anchors import Anchors
from steelyard.report.anchors import anchors_text, answered
from steelyard.report.words import sentence


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
