"""Missing values that are coded as numbers.

-999, -1 or 9999 for "not known" is a measurement to a network, and a huge one: it sets the mean and spread that columns
are standardised with, and pulls weights towards telling who is missing (scikit-learn's guide on imputation).

Broken: `frame.fillna(-999)`. Mended: `frame.fillna(frame.median())`, with a column of its own for what was missing.
"""

import torch
from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import spread, stacked

ROWS = 64
SHARE = (0.005, 0.5)  # of the rows: fewer are outliers, more are the usual value
KINDS = 12  # other values of the column, at the least, so that it is a measurement and no code
GAP = 2.0  # between that value and the next one, in ranges of all others
COLUMNS = 1024


@check(
    "SY115",
    "Missing values are coded as numbers",
    "warning",
    means="a number that stands for 'not known' is taken for a measurement, and sets the scale of its column",
    treat="fill such values with the median of train, and say in a column of its own that they were missing",
)
def missing_codes(case: Case) -> Saw | None:
    tables = {n: x for n, x in stacked(spread(case, "train")).items() if x.is_floating_point() and x.dim() == 2}
    if not tables or max(map(len, tables.values())) < ROWS:
        raise NotMeasured(f"no input is a table with {ROWS} rows")
    for name, x in tables.items():
        for place, column in enumerate(x.T[:COLUMNS]):
            found = _apart(column[torch.isfinite(column)])
            if found is not None:
                value, share, low, high = found
                text = (
                    f"{share:.1%} of column {place} of {name} are {value:g}; all others lie in {low:.3g} … {high:.3g}"
                )
                return Saw(text, {"input": name, "column": place, "value": value, "share": share})
    return None


def _apart(column: Tensor) -> tuple[float, float, float, float] | None:
    """A value at an end of a column, held by many rows, and far from all others."""
    kinds, counts = torch.unique(column, return_counts=True)
    if len(kinds) <= KINDS:
        return None
    for end, others in ((0, kinds[1:]), (-1, kinds[:-1])):
        share = float(counts[end]) / len(column)
        low, high = float(others[0]), float(others[-1])
        gap = min(abs(float(kinds[end]) - low), abs(float(kinds[end]) - high))
        if counts[end] >= 3 and SHARE[0] <= share <= SHARE[1] and gap > GAP * (high - low):
            return float(kinds[end]), share, low, high
    return None
