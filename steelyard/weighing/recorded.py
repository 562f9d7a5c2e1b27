"""What techniques were measured to do on the benchmark sets: where a race begins to expect something of them.

The table `effects.json` is written by `benchmarks/race.py --record`. Effects are carried over to other data as shares
of the error that is there: a technique that removed a tenth of the errors on one set is expected to do so on another,
give or take what it did from set to set.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from steelyard.metrics import Metric, metric
from steelyard.weighing.promise import Expected

TABLE = Path(__file__).with_name("effects.json")
STRANGE = 0.1  # of the error: what a record on other data may be off by, at the least


@dataclass(frozen=True)
class Recorded:
    """The effect of a technique on one benchmark set, in the metric's own unit and sign, with its interval.

    `base` is the score without it, by `family` trained on `rows` rows.
    """

    technique: str
    data: str
    modality: str
    family: str
    rows: int
    metric: str
    base: float
    effect: float
    low: float
    high: float
    verdict: str
    pairs: int
    time_ratio: float

    @property
    def share(self) -> float:
        """The share of the error that it removed."""
        measure = metric(self.metric)
        return measure.sign * self.effect / error_of(measure, self.base)


@cache
def recorded() -> tuple[Recorded, ...]:
    """The table, as it is shipped."""
    if not TABLE.exists():
        return ()
    return tuple(Recorded(**row) for row in json.loads(TABLE.read_text(encoding="utf-8")))


def recorded_of(name: str) -> tuple[Recorded, ...]:
    """What was recorded of a technique."""
    return tuple(each for each in recorded() if each.technique == name)


def error_of(measure: Metric, score: float) -> float:
    """A score as an error, never zero: 1 - score where greater is better."""
    return max(1.0 - score if measure.greater_is_better else abs(score), 1e-6)


def expected_of(name: str, modality: str, measure: Metric, score: float) -> Expected | None:
    """The gain to expect on data where the base scores so; None where nothing of the kind was recorded."""
    shares = [each.share for each in recorded_of(name) if each.modality == modality]
    if not shares:
        return None
    apart = float(np.std(shares, ddof=1)) if len(shares) > 1 else 0.0
    error = error_of(measure, score)
    return Expected(float(np.mean(shares)) * error, (apart**2 + STRANGE**2) ** 0.5 * error)
