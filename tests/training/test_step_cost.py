"""What a training step asks for, in calls and operators: counts, which are the same on every machine, never times."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
STEPS = 40  # of an epoch
MODULES = ("ours", "rivals", "timing", "counting")


@pytest.fixture(scope="module")
def bench() -> Iterator[dict[str, Any]]:
    """The modules of the benchmark that reports these counts."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield {name: import_module(name) for name in MODULES}
    finally:
        sys.path.remove(str(BENCHMARKS))
        for name in MODULES:
            sys.modules.pop(name, None)


def task(bench: dict[str, Any], depth: int = 2) -> Any:
    """Steps of a multilayer perceptron with so many hidden layers."""
    stream = torch.Generator().manual_seed(0)
    x, y = torch.randn(16 * STEPS, 8, generator=stream), torch.randint(0, 3, (16 * STEPS,), generator=stream)
    return bench["rivals"].Task((8, *[8] * depth, 3), 16, 1, x, y, x[:64], y[:64])


def cost(bench: dict[str, Any], engine: Any, given: Any, epochs: int = 1) -> Any:
    """Counts per step, what an epoch costs shared among its steps."""
    return bench["counting"].per_step(engine(replace(given, epochs=epochs)), engine(replace(given, epochs=2 * epochs)))


def test_a_step_makes_no_more_calls_than_a_loop_written_by_hand(bench: dict[str, Any]) -> None:
    bare = cost(bench, bench["rivals"].bare, task(bench))
    ours = cost(bench, bench["ours"].plain, task(bench))
    assert ours.python <= bare.python
    assert ours.c <= bare.c


def test_a_step_stays_within_its_calls_and_operators(bench: dict[str, Any]) -> None:
    ours = cost(bench, bench["ours"].plain, task(bench))
    assert ours.python <= 135
    assert ours.c <= 105
    assert ours.operators <= 64


def test_history_looks_metrics_and_stopping_add_little_to_a_step(bench: dict[str, Any]) -> None:
    alone = cost(bench, bench["ours"].plain, task(bench))
    watched = cost(bench, bench["ours"].everything, task(bench), bench["ours"].LOOK)
    assert watched.python - alone.python <= 8
    assert watched.operators - alone.operators <= 1.5


def test_a_layer_adds_the_same_to_a_step_as_in_a_loop_written_by_hand(bench: dict[str, Any]) -> None:
    shallow, deep = task(bench), task(bench, depth=4)
    added = [
        cost(bench, engine, deep).operators - cost(bench, engine, shallow).operators
        for engine in (bench["rivals"].bare, bench["ours"].plain)
    ]
    assert added[1] <= added[0] + 0.5


def test_members_of_a_fleet_add_no_operators_to_its_steps(bench: dict[str, Any]) -> None:
    def operators(members: int) -> float:
        return float(cost(bench, lambda given: bench["ours"].seeds(given, members), task(bench)).operators)

    few, many = operators(3), operators(12)
    assert few <= 60
    assert (many - few) * STEPS / 9 <= 13  # what the end of an epoch asks of each member
