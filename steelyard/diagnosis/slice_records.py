"""A slice of the data with its error beside that of the rest, and all slices of a model."""

from dataclasses import dataclass

from steelyard.diagnosis.conditions import Kind
from steelyard.problem import Score

METHOD = (
    "each against the rest: Fisher's exact test of shares, Welch's of means; false discovery rate 5 %, half of it for "
    "single conditions, half for pairs (Benjamini and Hochberg 1995), intervals at the level this leaves (Benjamini "
    "and Yekutieli 2005); expected on fresh rows: mean of the likelihood given the choice (Ghosh et al. 2008)"
)


@dataclass(frozen=True)
class Slice:
    """Rows that meet all `conditions`, with their error beside that of the `rest`.

    `worse`: its error is higher than that of the rest, all tests considered; `p_value` is corrected for them.
    `difference` is slice less rest, its interval at the corrected level; `expected` what that is on fresh rows, the
    luck of the choice taken away; `gain` what the whole error would fall by if the slice erred like the rest. A worse
    slice that says nothing beyond others has the name of one of these in `within`.
    """

    name: str
    conditions: tuple[str, ...]
    kind: Kind
    rows: int
    error: Score
    rest: float
    difference: Score
    p_value: float
    worse: bool = False
    expected: float | None = None
    gain: float | None = None
    within: str = ""


@dataclass(frozen=True)
class Slices:
    """What was found among `rows` of dev: all single conditions and the pairs that are worse, the worst first.

    `singles` and `pairs` are how many were tested; `unit` is that of every error, `error` that of all rows.
    """

    unit: str
    error: Score
    rows: int
    slices: tuple[Slice, ...]
    singles: int
    pairs: int
    method: str = METHOD
    notes: tuple[str, ...] = ()
    things: str = "rows"
    command: str = ""
    output: str = ""

    @property
    def worse(self) -> tuple[Slice, ...]:
        """The slices to look at: worse than the rest, and not because they lie within another one."""
        return tuple(each for each in self.slices if each.worse and not each.within)
