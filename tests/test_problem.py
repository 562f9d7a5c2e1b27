"""The problem: what it is scored by, and its way to JSON and back."""

import json

import numpy as np

from steelyard.metrics import metric
from steelyard.problem import Constraint, Problem
from steelyard.records import from_plain, to_plain

COSTS = ((0.0, 1.0), (5.0, 0.0))
PRICED = Problem("binary", "tabular", "y", 100, ("a", "b"), "cost", (Constraint("cost", "<=", 2.0),), costs=COSTS)


def test_a_problem_with_costs_survives_json() -> None:
    assert Problem.from_dict(json.loads(json.dumps(PRICED.to_dict()))) == PRICED
    assert from_plain(json.loads(json.dumps(to_plain(PRICED))), Problem) == PRICED


def test_a_problem_that_was_written_before_there_were_costs_is_read() -> None:
    old = {k: v for k, v in PRICED.to_dict().items() if k != "costs"} | {"metric": "f1"}
    assert Problem.from_dict(old).costs is None


def test_the_measure_of_a_problem_is_its_metric_bound_to_its_costs() -> None:
    assert PRICED.measure(np.array([1, 1]), np.eye(2)) == 2.5
    assert PRICED.measure_of("f1") is metric("f1")
    assert Problem("regression", "tabular", "y", 9, (), "rmse").measure is metric("rmse")
