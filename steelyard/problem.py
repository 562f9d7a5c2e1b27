"""What is predicted and how it is scored: the problem, its score records and the constraints a winner must keep."""

import re
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from steelyard.errors import UserError, suggest

if TYPE_CHECKING:
    from steelyard.metrics import Metric

Task = Literal["binary", "multiclass", "regression", "ordinal", "multilabel", "multioutput", "multitask"]
Modality = Literal["tabular", "image", "text", "series", "mixed"]

THINGS: dict[Modality, tuple[str, str]] = {  # what one row of a data set is called, and several of them
    "tabular": ("row", "table rows"),
    "image": ("image", "images"),
    "text": ("text", "texts"),
    "series": ("series", "series"),
    "mixed": ("row", "table rows"),
}
BALANCED = 0.8
LIMITS = {
    "latency_ms": "milliseconds to predict one example alone, the median of many calls",
    "latency_p95_ms": "milliseconds to predict one example alone that 95 of 100 calls stay below",
    "batch_latency_ms": "milliseconds an example when 64 are predicted at once",
    "size_mb": "megabytes of the model on disk",
    "memory_mb": "peak megabytes of the training process",
    "train_seconds": "seconds to train the model once",
}


@dataclass(frozen=True)
class Score:
    """A score with its 95 % interval and the number of examples behind it, in the metric's own unit and sign."""

    value: float
    low: float
    high: float
    examples: int

    @property
    def interval(self) -> tuple[float, float]:
        return (self.low, self.high)

    def to_dict(self) -> dict[str, Any]:
        return {"score": self.value, "interval": [self.low, self.high], "examples": self.examples}


@dataclass(frozen=True)
class Constraint:
    """A satisficing measure: `name` is one of `LIMITS` or a metric, `sign` is `<=` or `>=`."""

    name: str
    sign: Literal["<=", ">="]
    bound: float

    @classmethod
    def parse(cls, text: str) -> "Constraint":
        """A constraint from text such as `latency_ms<=5` or `recall>=0.8`."""
        found = re.fullmatch(r"\s*(\w+)\s*(<=|>=)\s*([-+.\deE]+)\s*", text)
        try:
            bound = float(found.group(3)) if found else 0.0
        except ValueError:
            found = None
        if not found:
            raise UserError(f"cannot read constraint '{text}': expected NAME<=NUMBER or NAME>=NUMBER, as latency_ms<=5")
        from steelyard.metrics import ALIASES, COST, D2, MASE, METRICS

        name = ALIASES.get(found.group(1), found.group(1))
        known = [*LIMITS, *METRICS, COST, D2, MASE]
        if name not in known:
            raise UserError(f"there is no measure '{name}' to constrain{suggest(name, known)}")
        return cls(name, "<=" if found.group(2) == "<=" else ">=", bound)

    def kept(self, measured: float) -> bool:
        """Whether a measured value keeps the constraint."""
        return measured <= self.bound if self.sign == "<=" else measured >= self.bound

    def __str__(self) -> str:
        return f"{self.name}{self.sign}{self.bound:g}"


@dataclass(frozen=True)
class Head:
    """One of several targets: its name, its own task and its classes (none for values); a label has two, no and yes."""

    name: str
    task: Task
    classes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers are put out for it beside other kinds of targets: one a class, or one value."""
        return len(self.classes) or 1


@dataclass(frozen=True)
class Problem:
    """What is asked: filled in by inference, every field open to the user's word.

    `rows` counts the rows with a target; `classes` are the names in the order of their codes (empty in regression);
    `heads` are the targets of "multilabel" (several yes or no), "multioutput" (several values) and "multitask" (both,
    and classes), which predict all of them at once; for a single target there are none.
    `human_error` is the error rate of the best humans (or experts) in the unit of 1 - accuracy, when it is known;
    `balance` the share of the rarest class over the share it would have if all were equal (1: balanced);
    `costs` what each true class (row) predicted as each class (column) costs, in the order of `classes`; `step` what
    a naive forecast errs by on the average before the test, in the target's unit;
    `mixed_sources` whether rows of other sources than the one the model is for are learnt from.
    """

    task: Task
    modality: Modality
    target: str
    rows: int
    classes: tuple[str, ...]
    metric: str
    constraints: tuple[Constraint, ...] = ()
    human_error: float | None = None
    balance: float | None = None
    costs: tuple[tuple[float, ...], ...] | None = None
    heads: tuple[Head, ...] = ()
    step: float | None = None
    mixed_sources: bool = False

    @property
    def measure(self) -> "Metric":
        """The metric to optimise, bound to the costs where it is "cost"."""
        return self.measure_of(self.metric)

    def measure_of(self, name: str) -> "Metric":
        """The metric of that name, able to score this problem: bound to its costs, its targets or its naive step."""
        from steelyard.metrics import COST, D2, MASE, cost, d2, mase, metric

        if name == D2 and self.task == "multitask":
            return d2(tuple(head.width for head in self.heads))
        if name == MASE and self.step is not None:
            return mase(self.step)
        return cost(self.costs) if name == COST and self.costs is not None else metric(name)

    @property
    def things(self) -> tuple[str, str]:
        """What one row of the data set is called, and several of them."""
        return THINGS[self.modality] if self.step is None else ("window", "windows over time")

    @property
    def balanced(self) -> bool:
        """Whether the classes are known to be about equally frequent: there is nothing to balance."""
        return self.balance is not None and self.balance >= BALANCED

    @property
    def outputs(self) -> int:
        """How many numbers a model puts out for one example."""
        if self.task == "multitask":
            return sum(head.width for head in self.heads)
        return len(self.heads) or len(self.classes) or 1

    def split(self, outputs: Any) -> list[Any]:
        """What is put out (n, outputs), array or tensor, as a part (n, width) for each head."""
        widths = [head.width if self.task == "multitask" else 1 for head in self.heads]
        ends = list(accumulate(widths))
        return [outputs[:, end - width : end] for width, end in zip(widths, ends, strict=True)]

    @property
    def kind(self) -> str:
        """The task in words: `multiclass, 3 classes`, `multilabel, 6 labels`."""
        if self.heads:
            return f"{self.task}, {len(self.heads)} {'labels' if self.task == 'multilabel' else 'targets'}"
        return f"{self.task}, {len(self.classes)} classes" if self.classes else self.task

    def to_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"classes": list(self.classes), "constraints": [str(c) for c in self.constraints]}
        plain["heads"] = [{"name": h.name, "task": h.task, "classes": list(h.classes)} for h in self.heads]
        return asdict(self) | plain | {"costs": None if self.costs is None else [list(row) for row in self.costs]}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "Problem":
        rest = {k: v for k, v in given.items() if k not in {"classes", "constraints", "costs", "heads"}}
        constraints = tuple(Constraint.parse(text) for text in given.get("constraints", []))
        costs = None if given.get("costs") is None else tuple(tuple(map(float, row)) for row in given["costs"])
        heads = tuple(Head(h["name"], h["task"], tuple(h["classes"])) for h in given.get("heads", ()))
        return cls(**rest, classes=tuple(given["classes"]), constraints=constraints, costs=costs, heads=heads)
