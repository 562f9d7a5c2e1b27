"""How series lie in a source: which columns say whose value it is and when, and what is asked of the future."""

from dataclasses import asdict, dataclass
from typing import Any

from steelyard.errors import UserError


@dataclass(frozen=True)
class Layout:
    """Where series come from a table: `id` and `time` name its columns.

    `horizon` makes it a forecast: the target so many steps after the last value that is known, from a `window` of so
    many steps; `period` is the length of a season in steps (0: none). None is what nobody said: it is inferred.
    """

    id: str | None = None
    time: str | None = None
    horizon: int | None = None
    window: int | None = None
    period: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("horizon", 1), ("window", 2), ("period", 0)):
            given = getattr(self, name)
            if given is not None and (isinstance(given, bool) or given != int(given) or given < least):
                raise UserError(f"{name} is a whole number of steps from {least}, got {given}")
        for name in ("window", "period"):
            if getattr(self, name) is not None and self.horizon is None:
                raise UserError(f"{name} belongs to a forecast: say how many steps ahead as horizon, or leave it out")
        if self.id is not None and self.time is None and self.horizon is None:
            raise UserError(f"id '{self.id}' tells series apart, but nothing says their order: name a column as time")
        if self.id is not None and self.id == self.time:
            raise UserError(f"id and time are both '{self.id}': expected two columns")

    @property
    def forecasts(self) -> bool:
        """Whether the future of a column is asked for."""
        return self.horizon is not None

    @property
    def given(self) -> bool:
        """Whether anything was said."""
        return self != Layout()

    def to_dict(self) -> dict[str, Any]:
        """What was said, as JSON holds it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


UNSAID = Layout()
