"""Inputs that hold one value only.

A column that was filled, clipped or divided away says nothing, and standardising it divides by zero. Rare columns, as
words of a text or pixels of a border, are all zero on a few hundred rows, too, and no fault.

Broken: `x = (x > 255).float()` on pixels of 0 … 255. Mended: the threshold that was meant.
"""

from torch import Tensor

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import stacked

FEW = 16  # rows
MANY = 0.5  # of the columns of a table
NEARLY_ALL = 0.98  # of the columns where most values are that one, as in pictures and counts of words
BACKGROUND = 0.5  # of all values, from which one value is the background
SIDE = ("mask", "type", "segment", "position", "length", "weight")  # inputs that may rightly be the same everywhere


@check(
    "SY104",
    "Inputs are constant",
    "warning",
    means="what does not vary cannot tell rows apart",
    treat="look at what the preprocessing leaves of the inputs, a column at a time",
)
def constant_inputs(case: Case) -> Saw | None:
    given = {name: rows for name, rows in stacked(case.batches).items() if rows.numel()}
    if not given:
        raise NotMeasured("there are no train batches with tensors as inputs")
    if max(map(len, given.values())) < FEW:
        raise NotMeasured(f"fewer than {FEW} rows were looked at")
    flat = {name: rows.reshape(len(rows), -1) for name, rows in given.items()}
    still = {name: _constant(rows) for name, rows in flat.items()}
    if all(bool(each.all()) for each in still.values()):
        return Saw(f"all inputs are the same on {len(next(iter(flat.values())))} rows", {"share": 1.0}, "error")
    for name, rows in flat.items():
        if any(word in name for word in SIDE) or _flag(rows):
            continue
        share = float(still[name].float().mean())
        if share > (NEARLY_ALL if _background(rows, still[name]) else MANY):
            text = f"{share:.0%} of {rows.shape[1]} columns of {name} have one value on {len(rows)} rows"
            return Saw(text, {"input": name, "share": share}, "error" if share == 1 else None)
        if rows.shape[1] >= 4 and rows.is_floating_point() and bool((rows == rows[:, :1]).all()):
            return Saw(f"every row of {name} holds one value, {rows.shape[1]} times", {"input": name})
    return None


def _constant(rows: Tensor) -> Tensor:
    """Which columns hold one value."""
    return (rows == rows[:1]).all(0)


def _flag(rows: Tensor) -> bool:
    """Whether an input is one number, the same for all rows and places: a switch or a mask of ones."""
    return bool((rows == rows[0, 0]).all()) and float(rows[0, 0]) in (0.0, 1.0)


def _background(rows: Tensor, still: Tensor) -> bool:
    """Whether the constant columns hold what is the most frequent value anyway."""
    if not bool(still.any()):
        return False
    value = rows[0, still].float().median()
    moving = rows[:, ~still].float()
    alike = float((rows[0, still].float() == value).float().mean()) > 0.9
    return alike and rows.shape[1] > 16 and moving.numel() > 0 and float((moving == value).float().mean()) > BACKGROUND
