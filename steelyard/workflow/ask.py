"""What a user asks of a run."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steelyard.data.layout import UNSAID, Layout
from steelyard.data.sources import Mix
from steelyard.errors import UserError, suggest
from steelyard.parts import Part
from steelyard.problem import Constraint

DEFAULT_SECONDS = 600.0
DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Ask:
    """All that a run is told. Without a limit it takes `DEFAULT_SECONDS`; `settings` are knobs: (path, text).

    `weights` names the column that says how much each row counts; `costs` are {true class: {predicted class: cost}};
    `order` names the classes of an ordinal target from the lowest. `network` is one of the user's own
    (`networks.given`), and once the data are read the part that stands for it. `source_column` names the column that
    says where each row comes from, `target_source` the sources that the model is for: dev and test hold only these.
    `corrections` are files of labels to change and rows to drop, which lie over the source (`data.corrections`).
    """

    source: Any
    target: str | int | tuple[str | int, ...] | None = None
    test: Any = None
    output: Path | None = None
    time_limit: float | None = None
    trial_limit: int | None = None
    metric: str | None = None
    task: str | None = None
    constraints: tuple[Constraint, ...] = ()
    human_error: float | None = None
    seed: int = 0
    settings: tuple[tuple[str, str], ...] = ()
    exclude: tuple[str, ...] = ()
    jobs: int | None = None
    device: str = "auto"
    command: str = ""
    weights: str | int | None = None
    costs: Mapping[Any, Mapping[Any, Any]] | None = None
    order: tuple[str, ...] = ()
    modality: str | None = None
    layout: Layout = UNSAID
    network: Any = None
    source_column: str | int | None = None
    target_source: tuple[str, ...] = ()
    corrections: tuple[str | Path, ...] = ()

    def __post_init__(self) -> None:
        if self.source_column is not None and not self.target_source:
            raise UserError(
                f"source column '{self.source_column}' needs a target source: name the one the model is for"
            )
        if self.target_source and self.source_column is None:
            raise UserError(
                f"target source '{self.target_source[0]}' needs a source column: name the one that says where each row "
                "is from"
            )
        for name, least in (("seed", 0), ("trial_limit", 1), ("jobs", 1)):
            given = getattr(self, name)
            if given is not None and (given != int(given) or given < least):
                raise UserError(f"{name} is a whole number from {least}, got {given}")
        if self.device not in DEVICES:
            raise UserError(
                f"device is one of {', '.join(DEVICES)}, got '{self.device}'{suggest(self.device, DEVICES)}"
            )
        if self.time_limit is not None and not 0 < self.time_limit < float("inf"):
            raise UserError(f"time_limit is a number of seconds above 0, got {self.time_limit}")

    @property
    def seconds(self) -> float | None:
        """The time limit in force; none when trials are counted instead."""
        return DEFAULT_SECONDS if self.time_limit is None and self.trial_limit is None else self.time_limit

    @property
    def mix(self) -> Mix | None:
        """The sources that are mixed, if any were named."""
        return None if self.source_column is None else Mix(self.source_column, self.target_source)

    @property
    def own(self) -> tuple[tuple[str, Any], ...]:
        """The network of the user's own as a setting."""
        return (("network", self.network),) if isinstance(self.network, Part) else ()

    @property
    def choices(self) -> tuple[tuple[str, Any], ...]:
        """What the user has chosen of recipes: a network, and knobs."""
        return (*self.own, *self.settings)

    def identity(self) -> dict[str, Any]:
        """What must be the same for a finished run to be the answer to this ask, besides the data."""
        return (
            {
                "target": None if self.target is None else str(self.target),
                "seconds": self.seconds,
                "trial_limit": self.trial_limit,
                "metric": self.metric,
                "task": self.task,
                "constraints": [str(c) for c in self.constraints],
                "human_error": self.human_error,
                "seed": self.seed,
                "settings": [list(s) for s in self.settings],
                "exclude": list(self.exclude),
                "weights": None if self.weights is None else str(self.weights),
                "costs": None if self.costs is None else _plain(self.costs),
                "order": list(self.order),
            }
            | self._inputs()
            | {path: part.plain() for path, part in self.own}
            | ({"corrections": [_hash(file) for file in self.corrections]} if self.corrections else {})
        )

    def _inputs(self) -> dict[str, Any]:
        """What was said about the inputs, if anything."""
        column = None if self.source_column is None else str(self.source_column)
        said = {
            "modality": self.modality,
            "layout": self.layout.to_dict(),
            "source_column": column,
            "target_source": list(self.target_source),
        }
        return {name: value for name, value in said.items() if value}


def _plain(costs: Mapping[Any, Mapping[Any, Any]]) -> dict[str, dict[str, float]]:
    """Costs as JSON keeps them."""
    return {str(true): {str(name): float(cost) for name, cost in row.items()} for true, row in costs.items()}


def named(given: Any) -> tuple[str, ...]:
    """One name or several as texts, none for None."""
    if given is None:
        return ()
    several = [given] if isinstance(given, str) or not isinstance(given, Iterable) else given
    return tuple(str(name).strip() for name in several)


def _hash(file: str | Path) -> str:
    """A hash of what a file holds."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]


def seed_of(given: int | None) -> int:
    """The seed that was given; None draws one."""
    return drawn() if given is None else given


def drawn() -> int:
    """A seed that nobody chose; the record of what is done with it holds it, so that it can be done again."""
    return secrets.randbelow(2**31)
