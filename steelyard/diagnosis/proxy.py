"""Proxies of the Bayes error, the error of the best rule there can be, for when nobody knows the human level.

None of them is the Bayes error, none is a human level; each says what it bounds and when it misleads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

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
    def chosen(self) -> Proxy | None:
        """The proxy an error table may use."""
        return self.of(self.default)


def chosen_of(found: Sequence[Proxy]) -> tuple[str | None, str]:
    """Which proxy an error table may use, and why."""
    above = min((each.value for each in found if each.kind == "upper bound"), default=float("inf"))
    direct = [each for each in found if each.name in {"soft labels", "soft labels, plain"}]
    below = [each for each in found if each.name.startswith(("Cover-Hart", "Gamma")) and each.kind != "upper bound"]
    usable = direct[:1] or [each for each in below if each.low <= above]
    if not usable:
        lowest = "" if not below else ": the neighbours' bounds lie above the error of a rule that exists"
        return None, f"nothing bounds the Bayes error from below{lowest}"
    chosen = min(usable, key=lambda each: each.value)
    if direct:
        return chosen.name, "soft labels say directly how often the likeliest class is not the one that is drawn"
    over = "the lowest of several, since each may be too high" if len(usable) > 1 else "the only one there is"
    return chosen.name, (
        f"it bounds from below ({over}): what is avoidable is rather overstated than hidden, while an upper bound such "
        "as the best model would call all bias unavoidable"
    )
