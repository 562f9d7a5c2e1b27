"""Where rows come from, when several sources are mixed: the column that says so, and what was found in it."""

from dataclasses import dataclass, replace

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Mix:
    """What is asked: the column that says where each row is from, and the sources that the model is for."""

    column: str | int
    targets: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Sources:
    """Where each row comes from: `codes` (n,) into `names`; `targets` are the codes of what the model is for."""

    column: str
    names: tuple[str, ...]
    codes: Array
    targets: tuple[int, ...]

    @property
    def wanted(self) -> Array:
        """Which rows (n,) bool are of a target source, and so may stand in dev and test."""
        return np.isin(self.codes, self.targets)

    @property
    def words(self) -> str:
        """The target sources in words."""
        return " or ".join(f"'{self.names[code]}'" for code in self.targets)

    def take(self, rows: Array) -> "Sources":
        """Those of some rows."""
        return replace(self, codes=self.codes[rows])

    def counts(self, rows: Array) -> dict[str, int]:
        """How many of the rows are from each source that has any."""
        found = np.bincount(self.codes[rows], minlength=len(self.names))
        return {name: int(count) for name, count in zip(self.names, found, strict=True) if count}
