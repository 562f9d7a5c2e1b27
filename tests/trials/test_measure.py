"""What a prediction takes: by the examples a model is given, not by the clock of the machine."""

import time
from pathlib import Path

import numpy as np
import pandas as pd

from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.problem import LIMITS
from steelyard.trials.measure import BATCH, CALLS, WARM_UP, latencies

ROWS = Dataset(
    "rows", Schema("tabular", "y", (Column("a", "number"),)), None, frame=pd.DataFrame({"a": np.arange(5.0)})
)


class Sleeper:
    """A predictor that takes ten milliseconds a call, whatever it is given."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def predict(self, dataset: Dataset) -> np.ndarray:
        self.calls.append(len(dataset))
        time.sleep(0.01)
        return np.zeros(len(dataset))

    def save(self, folder: Path) -> None:
        raise NotImplementedError


def test_one_example_and_a_batch_are_measured_after_a_warm_up() -> None:
    sleeper = Sleeper()
    found = latencies(sleeper, ROWS)
    assert 10 <= found["latency_ms"] <= found["latency_p95_ms"]
    assert found["batch_latency_ms"] < found["latency_ms"] / (BATCH / 4)
    assert set(sleeper.calls) == {1, BATCH}
    assert CALLS[0] + WARM_UP <= sleeper.calls.count(1) <= CALLS[1] + WARM_UP


def test_every_latency_can_be_limited() -> None:
    assert set(latencies(Sleeper(), ROWS)) <= set(LIMITS)
    assert f" {BATCH} " in LIMITS["batch_latency_ms"]


def test_fewer_calls_are_made_when_they_take_long() -> None:
    sleeper = Sleeper()
    latencies(sleeper, ROWS)
    assert sleeper.calls.count(1) == CALLS[0] + WARM_UP
