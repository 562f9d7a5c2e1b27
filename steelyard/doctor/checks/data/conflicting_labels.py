"""The same inputs with different labels.

Two rows that are alike in all inputs and bear different labels cannot both be learnt: either labels were mixed up, or
what tells the rows apart was left out. Tables of few values rightly hold such rows, for an answer is often not certain;
only where rows would hardly be alike by chance are they counted (Northcutt et al. 2021, arXiv 2103.14749, of labels
in well-known data sets).

Broken: `pd.concat([first, corrected])`, where the corrected rows stand beside the wrong ones. Mended:
`.drop_duplicates(inputs, keep="last")`.
"""

import torch
from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import by_chance, codes, hashes, spread

FEW = 32  # rows
SHARE = 0.02  # of the rows that bear another label than most of their like
BEYOND = 5.0  # times as many as chance would make alike


@check(
    "SY108",
    "The same inputs bear different labels",
    "warning",
    means="no model can be right on both: labels are mixed up, or what tells the rows apart was left out",
    treat="look at those rows; mend their labels, drop doubles, or give the inputs that are missing",
)
def conflicting_labels(case: Case) -> Saw | None:
    batches = spread(case, "train")
    labels, keys = codes(batches), hashes(batches)
    if labels is None or len(labels) != len(keys) or len(keys) < FEW:
        raise NotMeasured(f"there are no {FEW} train rows with one class code each")
    if len(torch.unique(labels)) < 2:
        raise NotMeasured("the rows that were looked at have one class only")
    _, inverse, counts = torch.unique(keys, return_inverse=True, return_counts=True)
    if len(counts) == 1:
        return Saw(
            f"{len(keys)} rows with {len(torch.unique(labels))} different labels are alike in all inputs",
            {"rows": len(keys), "distinct": 1},
            "error",
        )
    against = int(_against(inverse, labels))
    if against < max(SHARE * len(keys), 3):
        return None
    alike = by_chance(batches) * len(keys) ** 2 / 2
    if against < BEYOND * alike:
        raise NotMeasured("the inputs hold few values, so that rows are alike by chance")
    text = f"{against} of {len(keys)} rows bear another label than most rows with the same inputs"
    return Saw(text, {"rows": len(keys), "against": against})


def _against(groups: Tensor, labels: Tensor) -> Tensor:
    """The number of rows that bear another label than most of their group."""
    names, code = torch.unique(labels, return_inverse=True)
    pairs, counts = (groups * len(names) + code).unique(return_counts=True)
    most = torch.zeros(int(groups.max()) + 1, dtype=counts.dtype).scatter_reduce(
        0, pairs // len(names), counts, reduce="amax"
    )
    return len(groups) - most.sum()
