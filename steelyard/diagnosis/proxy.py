"""Proxies of the Bayes error, the error of the best rule there can be, for when nobody knows the human level.

None of them is the Bayes error, none is a human level; each says what it bounds and when it misleads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

SOFT = "soft labels"
Kind = Literal["lower bound", "upper bound", "estimate"]


@dataclass(frozen=True)
class Proxy:
    """One proxy: `value` with its 95 % interval, what it is to the Bayes error, and when it misleads."""

    name: str
    kind: Kind
    value: float
    low: float
    high: float
    caveat: str


@dataclass(frozen=True)
class BayesProxies:
    """All proxies that could be computed, in `unit`; `default` names the one an error table may use, and `why`.

    It is None where nothing bounds the Bayes error from below: every upper bound would call all bias unavoidable.
    """

    unit: str
    proxies: tuple[Proxy, ...]
    default: str | None
    why: str
    rows: int

    def of(self, name: str | None) -> Proxy | None:
        """The proxy of that name."""
        return next((each for each in self.proxies if each.name == name), None)

    @property
    def least(self) -> Proxy | None:
        """The lowest upper bound that is the error of something that exists, not of what annotators are taken for."""
        return least_of(self.proxies)

    @property
    def chosen(self) -> Proxy | None:
        """The proxy an error table may use."""
        return self.of(self.default)


def least_of(found: Sequence[Proxy]) -> Proxy | None:
    """The lowest upper bound that does not rest on soft labels."""
    above = [each for each in found if each.kind == "upper bound" and not each.name.startswith(SOFT)]
    return min(above, key=lambda each: each.value, default=None)


def chosen_of(found: Sequence[Proxy]) -> tuple[str | None, str]:
    """Which proxy an error table may use, and why: soft labels, else the lowest of what bounds from below.

    One whose whole interval lies above the error of something that exists contradicts it and is not used.
    """
    least = least_of(found)
    below = [
        each for each in found if each.kind != "upper bound" and each.name.startswith((SOFT, "Cover-Hart", "Gamma"))
    ]
    usable = [each for each in below if least is None or each.low <= least.value]
    if not usable:
        lie = f": all that does lies above the error of {least.name}" if below and least else ""
        return None, f"nothing bounds the Bayes error from below{lie}"
    soft = [each for each in usable if each.name.startswith(SOFT)]
    if soft:
        return soft[0].name, "soft labels say directly how often the likeliest class is not the one that is drawn"
    chosen = min(usable, key=lambda each: each.value)
    over = "the lowest of several, since each may be too high" if len(usable) > 1 else "the only one there is"
    return chosen.name, (
        f"nearest neighbours bound from below ({over}), so that what is avoidable is rather overstated than hidden; by "
        "an upper bound such as the best model no bias would be avoidable"
    )
