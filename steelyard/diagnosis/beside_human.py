"""A model beside the human level: is it better than people, as good, or worse?"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from steelyard.diagnosis.human_level import HumanLevel
from steelyard.diagnosis.proxy import BayesProxies
from steelyard.problem import Score

Standing = Literal["passes the human level", "is above the human level", "cannot be told from the human level"]


@dataclass(frozen=True)
class Beside:
    """The error of a `model` on `rows` rows, its `difference` from the human level with a 95 % interval."""

    model: Score
    difference: float
    low: float
    high: float
    standing: Standing


@dataclass(frozen=True)
class Human:
    """The human level, and where a run is named the `model` beside it and `proxies` of the Bayes error, apart from it.

    `source` says what it was computed from.
    """

    level: HumanLevel
    source: str
    model: Beside | None = None
    proxies: BayesProxies | None = None
    notes: tuple[str, ...] = ()
    output: str = ""
    command: str = ""


def beside(human: Score, model: Score) -> Beside:
    """The model's error less the human level, smaller errors being better.

    The interval is made of both intervals as if they were independent, which is cautious where the rows are the same
    (Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10).
    """
    gap = model.value - human.value
    low = gap - float(np.hypot(model.value - model.low, human.high - human.value))
    high = gap + float(np.hypot(model.high - model.value, human.value - human.low))
    standing: Standing = "cannot be told from the human level"
    if high < 0:
        standing = "passes the human level"
    elif low > 0:
        standing = "is above the human level"
    return Beside(model, gap, low, high, standing)
