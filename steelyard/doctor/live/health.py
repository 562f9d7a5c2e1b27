"""What was seen of a run: loss, layers and findings, as records that go to JSON and come back."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from steelyard.doctor.finding import Finding

FORMAT = 1
NAN = float("nan")


@dataclass(frozen=True)
class Course:
    """Values at steps, NaN where a value is not finite."""

    steps: tuple[int, ...] = ()
    values: tuple[float, ...] = ()

    @property
    def last(self) -> float:
        """The last value; NaN where there is none."""
        return self.values[-1] if self.values else NAN

    @property
    def typical(self) -> float:
        """The median of the last ten values that are finite; NaN where there is none."""
        known = sorted([value for value in self.values if math.isfinite(value)][-10:])
        return known[len(known) // 2] if known else NAN


@dataclass(frozen=True)
class Layer:
    """A module, as it was measured at some steps.

    `update` is ‖change of the weights‖ / ‖weights‖ of one step (weights of two dimensions or more, else all of
    the layer's), `gradient` the norm of its gradient, `mean` and `spread` those of what it puts out, `dead` the share
    of its units that were zero on all rows of a step, `saturated` that of outputs near an end.
    """

    name: str
    kind: str
    parameters: int
    update: Course = Course()
    gradient: Course = Course()
    mean: Course = Course()
    spread: Course = Course()
    dead: Course = Course()
    saturated: Course = Course()


@dataclass(frozen=True)
class Health:
    """A run as the doctor saw it; `loss` is the mean over equally many steps each, `dev` that of epochs.

    `state` is falling, settled, flat, rising, oscillating or not finite; `spikes` are losses that stood out.
    """

    steps: int
    every: int
    state: str
    spikes: int
    loss: Course
    dev: Course
    rate: Course
    layers: tuple[Layer, ...]
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return all(finding.severity == "tip" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; numbers that are not finite are null."""
        plain: dict[str, Any] = _plain(asdict(self))
        return {"format": FORMAT, "kind": "health"} | plain

    def to_json(self, path: str | Path) -> None:
        """Write it to a file."""
        Path(path).write_text(json.dumps(self.to_dict(), allow_nan=False), encoding="utf-8")

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "Health":
        """From what `to_dict` gave. Raises ValueError where it is something else."""
        if given.get("kind") != "health" or given.get("format") != FORMAT:
            raise ValueError(f"expected a record of health in format {FORMAT}, as Health.to_json writes it")
        try:
            return cls(
                int(given["steps"]),
                int(given["every"]),
                str(given["state"]),
                int(given["spikes"]),
                _course(given["loss"]),
                _course(given["dev"]),
                _course(given["rate"]),
                tuple(_layer(each) for each in given["layers"]),
                tuple(Finding(**each) for each in given["findings"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"a record of health lacks, or has too much: {error}") from error

    @classmethod
    def from_json(cls, path: str | Path) -> "Health":
        """Read it from a file. Raises ValueError where it is something else."""
        given = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(given, dict):
            raise ValueError("expected a record of health, as Health.to_json writes it")
        return cls.from_dict(given)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _course(given: dict[str, Any]) -> Course:
    values = tuple(NAN if value is None else float(value) for value in given["values"])
    return Course(tuple(int(step) for step in given["steps"]), values)


def _layer(given: dict[str, Any]) -> Layer:
    plain = ("name", "kind", "parameters")
    courses = {each.name: _course(given[each.name]) for each in fields(Layer) if each.name not in plain}
    return Layer(str(given["name"]), str(given["kind"]), int(given["parameters"]), **courses)
