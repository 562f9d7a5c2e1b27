"""A trial is a recipe on a split with a seed; what it leaves behind is its outcome."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import steelyard
from steelyard.recipe import Recipe

Status = Literal["done", "diverged", "failed", "cut"]
MATTERS = (
    "data",
    "networks",
    "classical",
    "training",
    "techniques",
    "trials/deciding.py",
    "trials/execute.py",
    "trials/shelf.py",
    "parts.py",
    "knobs",
)


@dataclass(frozen=True)
class Trial:
    """One training run to be done.

    `partition` numbers the deal of rows into folds, `fold` the part that is dev (None: train on every row outside
    test); `rows` limits the train rows to a stratified subset (None: all of them). Subsets of one `draw` are nested: a
    smaller one lies in every larger one. With `of` it is the rows of that class alone that are limited.
    """

    recipe: Recipe
    seed: int
    partition: int = 0
    fold: int | None = 0
    rows: int | None = None
    draw: int | None = None
    of: int | None = None

    def key(self, data: str, protocol: dict[str, Any]) -> str:
        """The content hash under which the journal keeps this trial."""
        what = [self.recipe.to_dict(), self.seed, self.partition, self.fold, self.rows, data, protocol, code_version()]
        what += [self._nested()] if self._nested() else []
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:20]

    def to_dict(self) -> dict[str, Any]:
        rest = {"seed": self.seed, "partition": self.partition, "fold": self.fold, "rows": self.rows}
        return {"recipe": self.recipe.to_dict()} | rest | self._nested()

    def _nested(self) -> dict[str, Any]:
        """What only trials on nested subsets have."""
        return {} if self.draw is None else {"draw": self.draw, "of": self.of}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "Trial":
        recipe, nested = Recipe.from_dict(given["recipe"]), (given.get("draw"), given.get("of"))
        return cls(recipe, given["seed"], given["partition"], given["fold"], given["rows"], *nested)


@dataclass(frozen=True)
class Point:
    """One point of a learning curve: after so many epochs, mean losses and the metric on train rows and on dev."""

    epoch: int
    train_loss: float
    dev_score: float | None = None
    dev_loss: float | None = None
    held_loss: float | None = None  # on the rows held for a stopping rule


@dataclass(frozen=True)
class Outcome:
    """What a trial left behind, except its predictions per example, which lie beside it (`predictions.py`).

    `train_score` and `dev_score` are in the metric's own unit; `seconds` is all the work of the trial: where several
    trained `together`, its share of that. `measured` holds what constraints limit (problem.LIMITS); `elapsed` is the
    run's clock when the trial was finished.
    """

    key: str
    trial: Trial
    status: Status
    seconds: float
    train_rows: int
    train_score: float | None = None
    dev_score: float | None = None
    curve: tuple[Point, ...] = ()
    measured: dict[str, float] = field(default_factory=dict)
    message: str = ""
    elapsed: float = 0.0
    together: int = 1
    shift: tuple[float, ...] = ()  # of the log-probabilities, where a threshold was tuned on dev

    @property
    def done(self) -> bool:
        return self.status == "done"

    def to_dict(self) -> dict[str, Any]:
        return vars(self) | {"trial": self.trial.to_dict(), "curve": [list(vars(p).values()) for p in self.curve]}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "Outcome":
        trial, curve = Trial.from_dict(given["trial"]), tuple(Point(*point) for point in given["curve"])
        return cls(**(given | {"trial": trial, "curve": curve, "shift": tuple(given.get("shift", ()))}))


@cache
def code_version() -> str:
    """A hash of the source that can change what a trial yields: another version trains anew."""
    root = Path(steelyard.__file__).parent
    files = [
        f for name in MATTERS for f in ([root / name] if name.endswith(".py") else sorted((root / name).rglob("*.py")))
    ]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
