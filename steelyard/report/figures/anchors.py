"""Anchor boxes: how well k of them fit, and the boxes with the anchors among them."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from steelyard.boxes.anchors import Anchors
from steelyard.report.figures.canvas import COLOURS, NARROW, SMALL, WIDE, Canvas, Drawing, grid
from steelyard.report.numbers import tick

LEFT, TOP = 44.0, 34.0  # pixels
DASHED: Any = (0, (3, 3))


def fit_curve(found: Anchors, words: str) -> Drawing:
    """Mean best IoU by k: of the boxes the anchors were found on, and of boxes in other images with its spread."""
    pictures = []
    for width, high in ((NARROW, 170.0), (WIDE, 220.0)):
        canvas = Canvas(width, TOP + high + 40)
        across = width - LEFT - 10
        axes = canvas.axes(LEFT, TOP, across, high)
        _lines(axes, found)
        canvas.text(LEFT - 36, 12, "mean best IoU", ha="left", fontsize=SMALL + 0.5, fontweight="bold")
        canvas.text(LEFT + across / 2, canvas.height - 9, "anchors", "muted", ha="center", fontsize=SMALL)
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)


def _lines(axes: Axes, found: Anchors) -> None:
    ks = np.array([each.k for each in found.clusterings])
    known = [each for each in found.clusterings if each.held_out is not None]
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.locator_params(axis="y", nbins=5)
    grid(axes, "both")
    if known:
        at = [each.k for each in known]
        mean = np.array([each.held_out for each in known], float)
        spread = 1.96 * np.array([each.standard_error for each in known], float)
        axes.fill_between(at, mean - spread, mean + spread, color=COLOURS["accent"], alpha=0.18, lw=0)
        axes.plot(at, mean, "o-", color=COLOURS["accent"], linewidth=2, markersize=4)
    fitted = [each.mean_iou for each in found.clusterings]
    axes.plot(ks, fitted, "o--" if known else "o-", color=COLOURS["muted"], linewidth=1.4, markersize=3)
    axes.axvline(found.pick, color=COLOURS["good"], linewidth=1.4, linestyle=DASHED)


def box_scatter(found: Anchors, words: str) -> Drawing:
    """Width and height of the boxes, with the anchors of the pick as rectangles' far corners."""
    pictures = []
    for side in (NARROW, 460):
        canvas = Canvas(NARROW if side == NARROW else WIDE, side - 10.0)
        high = canvas.height - TOP - 40
        axes = canvas.axes(LEFT, TOP, side - LEFT - 10, high)
        _points(axes, found)
        unit = "share of the image" if found.unit == "relative" else "pixels"
        canvas.text(LEFT - 36, 12, "height", ha="left", fontsize=SMALL + 0.5, fontweight="bold")
        middle = LEFT + (side - LEFT - 10) / 2
        canvas.text(middle, canvas.height - 9, f"width ({unit})", "muted", ha="center", fontsize=SMALL)
        pictures.append(canvas.svg(words))
    return Drawing(*pictures)


def _points(axes: Axes, found: Anchors) -> None:
    sizes, anchors = np.array(found.sample), np.array(found.of(found.pick).anchors)
    low, high = np.minimum(sizes.min(axis=0), anchors.min(axis=0)), np.maximum(sizes.max(axis=0), anchors.max(axis=0))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low[0] / 1.15, high[0] * 1.15)
    axes.set_ylim(low[1] / 1.15, high[1] * 1.15)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(tick)
    grid(axes, "both")
    axes.scatter(sizes[:, 0], sizes[:, 1], s=7, color=COLOURS["muted"], alpha=0.35, linewidths=0)
    for width, height in anchors:
        start = (low[0] / 1.15, low[1] / 1.15)
        box = Rectangle(start, width - start[0], height - start[1], fill=False, ec=COLOURS["accent"], lw=0.8, alpha=0.5)
        axes.add_patch(box)
    axes.scatter(anchors[:, 0], anchors[:, 1], s=42, color=COLOURS["accent"], edgecolors=COLOURS["paper"], zorder=3)
