"""Score against cost: which of many arms are worth their price, and the cheapest one that is as good as any."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from steelyard.metrics import Metric
from steelyard.problem import Problem, Score
from steelyard.records import Said
from steelyard.trials.arms import Tried
from steelyard.weighing.compare import compare
from steelyard.weighing.interval import score_of


@dataclass(frozen=True)
class Pair:
    """One batch size with one number of epochs, and what came of training it.

    `steps` are those of one training, `seconds` what one takes (where several trained together, its share) and
    `predicted` what it was expected to take. `status` is "done", "left out" for want of time, or how a training of it
    ended; `reason` says more. `score` is the mean over seeds on dev with its interval over examples, `by_seed` the
    single ones. `effect` is the score minus that of the best pair, with its interval from `low` to `high`;
    `surely_worse` if that lies on the wrong side of zero. On the `front` no other pair is both better and cheaper.
    """

    batch_size: int
    epochs: int
    rate: str
    steps: int
    predicted: float = 0.0
    status: str = "left out"
    reason: str = ""
    seconds: float | None = None
    score: Score | None = None
    by_seed: tuple[float, ...] = ()
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    surely_worse: bool = False
    front: bool = False

    @property
    def place(self) -> tuple[int, int]:
        return self.batch_size, self.epochs

    @property
    def name(self) -> str:
        return f"{self.batch_size} × {self.epochs}"


@dataclass(frozen=True)
class Exploration:
    """Batch sizes and epochs explored together.

    `best` and `pick` are (batch size, epochs): the best dev score, and the cheapest pair not surely worse than it;
    `settings` is what to `--set` for the pick. `rule` says how the rate followed the batch size from that of `base`
    (batch size, epochs, rate) on. `rows` are the train rows of one training.
    """

    problem: Problem
    output: str
    command: str
    family: str
    optimizer: str
    base: tuple[int, int, str]
    rule: str
    seeds: int
    rows: int
    protocol: dict[str, Any] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    best: tuple[int, int] | None = None
    pick: tuple[int, int] | None = None
    settings: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    seconds: float = 0.0

    def pair(self, place: tuple[int, int] | None) -> Pair | None:
        """The pair at (batch size, epochs)."""
        return next((pair for pair in self.pairs if pair.place == place), None)


def pooled_score(metric: Metric, truth: np.ndarray, tried: Tried) -> tuple[Score, tuple[float, ...]]:
    """The dev score of an arm, and of each of its seeds: their mean has the interval of the first seed's examples."""
    each = tuple(metric(truth[rows], dev) for rows, dev in zip(tried.rows, tried.dev, strict=True))
    first, mean = score_of(metric, truth[tried.rows[0]], tried.dev[0]), float(np.mean(each))
    shift = mean - first.value
    return Score(mean, first.low + shift, first.high + shift, first.examples), each


def weigh_pairs(
    metric: Metric, truth: np.ndarray, trained: Sequence[tuple[Pair, Tried | None]]
) -> tuple[list[Pair], Pair | None, Pair | None]:
    """The pairs, each weighed against the best one; the best one, and the cheapest that is not surely worse.

    A pair is looked at once, so its interval is not widened. The best of many owes its place in part to luck, which
    errs on the side of calling others worse.
    """
    done = [(pair, tried) for pair, tried in trained if tried is not None and pair.score is not None]
    if not done:
        return [pair for pair, _ in trained], None, None
    values = {pair.place: metric.sign * pair.score.value for pair, _ in done if pair.score}
    best, top = max(done, key=lambda each: values[each[0].place])
    front = on_front([cost(pair) for pair, _ in done], [values[pair.place] for pair, _ in done])
    weighed = {}
    for (pair, tried), there in zip(done, front, strict=True):
        found = compare(metric, [truth[rows] for rows in top.rows], list(top.dev), list(tried.dev))
        worse = found.verdict == "hurts"
        weighed[pair.place] = replace(
            pair, effect=found.effect, low=found.low, high=found.high, surely_worse=worse, front=there
        )
    pick = min((pair for pair in weighed.values() if not pair.surely_worse), key=lambda pair: (cost(pair), pair.steps))
    return [weighed.get(pair.place, pair) for pair, _ in trained], weighed[best.place], pick


def cost(pair: Pair) -> float:
    """Seconds one training takes; infinite where none was measured."""
    return float("inf") if pair.seconds is None else pair.seconds


def on_front(costs: Sequence[float], values: Sequence[float]) -> list[bool]:
    """Which points are on the Pareto front: nothing is as cheap and as valuable, and better in one of the two."""
    points = list(zip(costs, values, strict=True))
    return [not any(c <= mine and v >= worth and (c, v) != (mine, worth) for c, v in points) for mine, worth in points]
