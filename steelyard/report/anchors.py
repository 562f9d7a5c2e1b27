"""The page of anchor boxes: how well k of them fit, the boxes with the anchors, every number."""

from steelyard.boxes.anchors import Anchors, Clustering
from steelyard.report.figures.anchors import box_scatter, fit_curve
from steelyard.report.numbers import NONE, count
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table
from steelyard.report.words import sentence


def anchors_page(found: Anchors) -> str:
    """The page as HTML."""
    unit = "shares of the image" if found.unit == "relative" else "pixels"
    lead = f"{count(found.boxes)} boxes in {count(found.images)} images of {found.source}, sizes in {unit}"
    answer = [f"{sentence(answered(found))}.", f"Sizes are {unit}: {found.why}.", *found.notes]
    curve = Part(
        "How well k anchors fit",
        "The mean over boxes of the IoU with the anchor that fits best. Solid: boxes of images that the anchors were "
        "not found on, with a 95 % interval over images. Dashed: the boxes they were found on. The green line is the "
        "pick: the fewest anchors within one standard error, or 0.01, of the best.",
        fit_curve(found, f"Mean best IoU by number of anchors; the pick is {found.pick}"),
    )
    scatter = Part(
        f"The boxes and the {found.pick} anchors",
        "A point for every box, by width and height; both axes are logarithmic. Large points are the anchors.",
        box_scatter(found, f"Sizes of boxes with {found.pick} anchors"),
    )
    every = Part("Every k", table=anchors_table(found))
    shown = anchors_text(found.of(found.pick))
    return sheet("Anchor boxes", lead, answer, shown, [curve, scatter, every], found.command)


def answered(found: Anchors) -> str:
    """The pick, and how well it fits."""
    best = found.of(found.pick)
    if best.held_out is None or best.standard_error is None:
        return f"{best.k} anchors fit with a mean best IoU of {best.mean_iou:.3f}"
    low, high = best.held_out - 1.96 * best.standard_error, best.held_out + 1.96 * best.standard_error
    return (
        f"{best.k} anchors fit boxes of other images with a mean best IoU of {best.held_out:.3f} "
        f"({low:.3f} to {high:.3f})"
    )


def anchors_text(each: Clustering) -> str:
    """The anchors as configurations of detectors take them: `w,h  w,h`."""
    return "  ".join(f"{width:.4g},{height:.4g}" for width, height in each.anchors)


def anchors_table(found: Anchors) -> Table:
    """A row per k."""
    columns = (("k", True), ("mean best IoU", True), ("on other images", True), ("anchors: width,height", False))
    rows = tuple(
        (Cell(str(each.k)), Cell(f"{each.mean_iou:.3f}"), _held(each), _sizes(each)) for each in found.clusterings
    )
    return Table("Anchors by k", columns, rows)


def _held(each: Clustering) -> Cell:
    if each.held_out is None or each.standard_error is None:
        return Cell(NONE)
    spread = 1.96 * each.standard_error
    return Cell(f"{each.held_out:.3f}", f"{each.held_out - spread:.3f} to {each.held_out + spread:.3f}")


def _sizes(each: Clustering) -> Cell:
    return Cell(anchors_text(each), "shares of boxes: " + ", ".join(f"{share:.0%}" for share in each.shares))
