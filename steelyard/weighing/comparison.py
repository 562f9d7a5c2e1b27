"""What weighing leaves: comparisons of arms with a base, the race that led to them, the noise they rise above.

Every effect is metric(with) - metric(without) in the metric's own unit and sign.
"""

from dataclasses import dataclass, field
from typing import Any

from steelyard.problem import Problem
from steelyard.records import Said, Verdict


@dataclass(frozen=True)
class Effect:
    """An effect with its interval; on `examples` rows of a class or slice where it has a `name`."""

    effect: float
    low: float
    high: float
    verdict: Verdict
    name: str = ""
    examples: int = 0


@dataclass(frozen=True)
class Comparison:
    """One arm against the base, over paired seeds and the same examples.

    `low` to `high` is the interval, corrected for every look and, where several arms were weighed, for their number;
    so is `p_value`. `matters` is the smallest effect worth having: an interval inside ±matters says that there is no
    difference that matters. `pairs` are the scores (without, with) of each seed; `probability` is how likely one
    retraining with the technique beats one without. Ratios are with over without. `equal_time` is the effect against
    a base that was trained for as long. `classes` and `slices` are effects on parts of the examples. `breaks` names
    the constraints that the arm does not keep; with one it cannot win.
    """

    name: str
    against: str
    metric: str
    effect: float
    low: float
    high: float
    verdict: Verdict
    pairs: tuple[tuple[float, float], ...] = ()
    p_value: float = 1.0
    matters: float = 0.0
    probability: float = 0.5
    time_ratio: float = 1.0
    latency_ratio: float = 1.0
    size_ratio: float = 1.0
    equal_time: Effect | None = None
    classes: tuple[Effect, ...] = ()
    slices: tuple[Effect, ...] = ()
    breaks: tuple[str, ...] = ()
    reason: str = ""  # why it was not weighed, or was given up
    rows: int = 0  # train rows of one training
    measured: dict[str, float] = field(default_factory=dict)  # latency, size, memory, seconds of the arm
    knobs: tuple[tuple[str, str, str], ...] = ()  # what differs: (path, without, with)

    @property
    def wins(self) -> bool:
        """Whether it helps and keeps the constraints."""
        return self.verdict == "helps" and not self.breaks


@dataclass(frozen=True)
class Interaction:
    """What two techniques do together beyond the sum of what each does alone: (A+B) - A - B + neither."""

    names: tuple[str, str]
    effect: float
    low: float
    high: float
    verdict: Verdict
    pairs: int


@dataclass(frozen=True)
class Lap:
    """A look at one arm of the race: after so many pairs, at that second, what was known of it."""

    name: str
    pairs: int
    elapsed: float
    effect: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True)
class Noise:
    """What moves a score though nothing was changed: another seed, other examples; standard deviations.

    `by_seed` is that of single trainings of the base, over `seeds` of them; `by_examples` that of a score on as many
    other examples.
    """

    by_seed: float
    by_examples: float
    seeds: int
    examples: int


@dataclass(frozen=True)
class Weighing:
    """All that weighing one or many arms against a base has to say.

    `base` is its name and `recipe` its recipe. `correction` names how the number of arms was paid for, `method` how
    the intervals were made. `race` are all looks in their order.
    """

    problem: Problem
    output: str
    command: str
    base: str
    recipe: dict[str, Any]
    comparisons: tuple[Comparison, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    noise: Noise | None = None
    race: tuple[Lap, ...] = ()
    correction: str = ""
    method: str = ""
    most: int = 0  # pairs at the most
    protocol: dict[str, Any] = field(default_factory=dict)
    said: tuple[Said, ...] = ()
    trials: int = 0
    dev_looks: int = 0
    seconds: float = 0.0
    complete: bool = False  # whether every verdict was reached before time or pairs ran out

    def __getitem__(self, name: str) -> Comparison:
        """The comparison of that name."""
        return next(each for each in self.comparisons if each.name == name)
