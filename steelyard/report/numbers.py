"""How numbers are written: the digits an interval justifies, the same decimals down a column, a true minus sign."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, isfinite, log10
from statistics import median

from steelyard.problem import Score

NONE = "–"
SIGNIFICANT = 5  # digits at most, however narrow the interval


@dataclass(frozen=True)
class Format:
    """Writes numbers with fixed `places` after the point, or with an exponent where a person would."""

    places: int
    exponent: bool = False

    def __call__(self, value: float | None) -> str:
        """The number; a dash when there is none."""
        if value is None or value != value:
            return NONE
        if not isfinite(value):
            return "∞" if value > 0 else "−∞"
        text = f"{value:.3e}" if self.exponent else f"{value:,.{self.places}f}"
        if not text.strip("-0.,"):
            text = text.lstrip("-")
        return text.replace("-", "−")

    def signed(self, value: float | None) -> str:
        """The number with its sign, as a difference is written."""
        text = self(value)
        return text if value is None or text[0] in "−–" or not text.strip("0.,") else f"+{text}"

    def interval(self, low: float, high: float) -> str:
        """`0.8681 to 0.8781`."""
        return f"{self(low)} to {self(high)}"

    def score(self, score: Score | None) -> str:
        """`0.8731 (0.8681 to 0.8781)`."""
        return f"{self(score.value)} ({self.interval(score.low, score.high)})" if score else NONE


def fitting(values: Iterable[float | None], halves: Iterable[float] = ()) -> Format:
    """The format for numbers that are read together: two digits of the typical half interval, else four in all."""
    sizes = [abs(v) for v in values if v is not None and isfinite(v) and v != 0]
    widths = [h for h in halves if isfinite(h) and h > 0]
    largest = max(sizes, default=1.0)
    if largest >= 1e7 or largest < 1e-4:
        return Format(0, exponent=True)
    wanted = 1 - floor(log10(median(widths))) if widths else 3 - floor(log10(largest))
    return Format(max(0, min(wanted, SIGNIFICANT - 1 - floor(log10(largest)))))


def fitting_scores(scores: Iterable[Score | None]) -> Format:
    """The format for scores that are read together."""
    known = [score for score in scores if score is not None]
    return fitting([score.value for score in known], [(score.high - score.low) / 2 for score in known])


def count(value: int) -> str:
    """A whole number with separators."""
    return f"{value:,}"


def duration(seconds: float) -> str:
    """Seconds as a person says them: `0.42 s`, `12 s`, `3 min 20 s`, `1 h 12 min`."""
    if not isfinite(seconds):
        return NONE
    if seconds < 9.95:
        return f"{seconds:.2g} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def tick(value: float, _position: float = 0) -> str:
    """A number on an axis: short, without offsets or exponents a person would not write."""
    if abs(value) >= 1e9 or 0 < abs(value) < 1e-5:
        text = f"{value:.2g}"
    elif abs(value) >= 1e6:
        text = f"{value / 1e6:g}M"
    elif abs(value) >= 1e4:
        text = f"{value / 1e3:g}k"
    else:
        text = f"{value:.6g}"
    return text.replace("-", "−")


def plural(number: int, noun: str) -> str:
    """`1 pair`, `3 pairs`."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"
