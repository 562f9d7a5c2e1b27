"""Classes of very different size.

Where one class has nearly all rows, a constant answer has a fine accuracy, and rare classes add little to the loss.
That is how the world is, no bug; but the accuracy must be held against what a constant answer gets (He and Garcia
2009, "Learning from Imbalanced Data", section 2).

Broken: `accuracy = 0.97` reported alone. Mended: balanced accuracy or average precision, and weights of classes.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import codes, spread

FEW = 64  # rows
CONSTANT = 0.8  # of the rows in one class
TIMES = 20.0  # the largest class over the smallest
MANY = 200  # classes: words of a language are rightly of all sizes


@check(
    "SY110",
    "Classes are imbalanced",
    "tip",
    means="accuracy says little: a constant answer has a high one, and rare classes hardly count in the loss",
    treat="report balanced accuracy or average precision; weigh classes, or draw rare ones more often",
)
def imbalanced_classes(case: Case) -> Saw | None:
    labels = codes(spread(case, "train"))
    if labels is None or len(labels) < FEW:
        raise NotMeasured(f"there are no {FEW} train rows with one class code each")
    names, counts = torch.unique(labels, return_counts=True)
    if not 2 <= len(names) <= MANY:
        raise NotMeasured("there is one class, or there are hundreds")
    share, times = float(counts.max()) / len(labels), float(counts.max()) / float(counts.min())
    if share < CONSTANT and not (times >= TIMES and float(counts.max()) >= 3 * len(labels) / len(names)):
        return None
    most, least = int(names[counts.argmax()]), int(names[counts.argmin()])
    text = (
        f"always saying {most} is right on {share:.0%} of rows; class {least} has {int(counts.min())} of {len(labels)}"
    )
    return Saw(text, {"constant": share, "times": times})
