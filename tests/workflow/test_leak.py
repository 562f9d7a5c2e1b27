"""What stands in dev and test never reaches what is fitted."""

import gc
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, people

import steelyard
from steelyard.data.dataset import Dataset
from steelyard.data.source import read
from steelyard.data.split import divide
from steelyard.problem import Problem
from steelyard.trials.execute import Site, execute
from steelyard.trials.executor import Executor
from steelyard.trials.predictions import Predictions
from steelyard.trials.trial import Trial
from steelyard.workflow.families import families

SETTINGS = tuple(QUICK.items())
PROBLEM = Problem("binary", "tabular", "income", 200, ("high", "low"), "accuracy")
IMAGES = Problem("binary", "image", "class", 80, ("0", "1"), "accuracy")


def wild(frame: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """The frame with huge numbers and a category never seen in those rows."""
    frame = frame.copy()
    frame.loc[frame.index[rows], ["age", "hours", "gain"]] = 1e9
    frame.loc[frame.index[rows], "colour"] = "ultraviolet"
    return frame


def left(trial: Trial, pool: Dataset, problem: Problem, folder: Path) -> tuple[object, np.ndarray]:
    """The fitted preparation and the predictions on train that a trial leaves."""
    protocol = divide(read(people(), "income") if problem is PROBLEM else pictures(), 0)[0]
    (outcome,) = execute([("key", trial)], Site(pool, problem, protocol, folder), lambda *_: None)
    assert outcome.done
    state = json.loads((folder / "models" / "key" / "model.json").read_text())
    return state["prepared"], Predictions.load(folder / "predictions" / "key.safetensors").train


def pictures() -> Dataset:
    random = np.random.default_rng(0)
    code = np.arange(80) % 2
    return read(((random.integers(0, 150, (80, 8, 8)) + 90 * code[:, None, None]).astype(np.uint8), code), "class")


@pytest.mark.parametrize("number", range(6))
def test_dev_rows_do_not_change_what_a_family_fits_or_predicts_on_train(number: int, tmp_path: Path) -> None:
    given = read(people(), "income")
    protocol, rows, _ = divide(given, 0)
    pool = given.take(rows)
    dev = protocol.split(0, 0)[1]
    assert pool.frame is not None
    assert pool.target is not None
    target = pool.target.copy()
    target[dev] = 1 - target[dev]
    changed = replace(pool, frame=wild(pool.frame, dev), target=target)
    trial = Trial(families(PROBLEM, pool.schema, len(pool), SETTINGS)[number], 0)
    prepared, train = left(trial, pool, PROBLEM, tmp_path / "one")
    prepared_again, train_again = left(trial, changed, PROBLEM, tmp_path / "other")
    assert prepared == prepared_again
    assert np.array_equal(train, train_again)


def test_dev_images_do_not_change_what_a_network_fits_or_predicts_on_train(tmp_path: Path) -> None:
    given = pictures()
    protocol, rows, _ = divide(given, 0)
    pool = given.take(rows)
    assert pool.images is not None
    images = pool.images.copy()
    images[protocol.split(0, 0)[1]] = 255
    trial = Trial(families(IMAGES, pool.schema, len(pool), (("network.width", "8"), ("stopping.epochs", "2")))[-1], 0)
    prepared, train = left(trial, pool, IMAGES, tmp_path / "one")
    prepared_again, train_again = left(trial, replace(pool, images=images), IMAGES, tmp_path / "other")
    assert prepared == prepared_again
    assert np.array_equal(train, train_again)


def test_a_model_trained_on_all_of_the_pool_does_change_with_those_rows(tmp_path: Path) -> None:
    given = read(people(), "income")
    protocol, rows, _ = divide(given, 0)
    pool = given.take(rows)
    assert pool.frame is not None
    changed = replace(pool, frame=wild(pool.frame, protocol.split(0, 0)[1]))
    trial = Trial(families(PROBLEM, pool.schema, len(pool), SETTINGS)[1], 0, fold=None)
    assert left(trial, pool, PROBLEM, tmp_path / "one")[0] != left(trial, changed, PROBLEM, tmp_path / "other")[0]


def test_test_rows_do_not_change_what_is_read_of_the_others() -> None:
    test = people(60, seed=1)
    one, other = (read(people(), "income", test=frame) for frame in (test, wild(test, np.arange(60))))
    assert one.schema == other.schema
    pools = [each.take(divide(each, 0)[1]) for each in (one, other)]
    assert pools[0].frame is not None
    assert pools[0].frame.equals(pools[1].frame)
    assert np.array_equal(pools[0].target, pools[1].target)


def test_the_workers_never_hold_a_test_row(tmp_path: Path) -> None:
    test = people(60, seed=1).assign(age=777_000.0 + np.arange(60))
    seen: list[Dataset] = []

    def watch(_: object) -> None:
        if not seen:
            seen.extend(e._where[0] for e in gc.get_objects() if type(e) is Executor and e._where)

    steelyard.run(people(), "income", test=test, output=tmp_path / "run", trial_limit=5, jobs=1, watch=watch)
    assert seen
    for pool in seen:
        assert len(pool) == 200
        assert pool.frame is not None
        assert pool.frame["age"].max() < 1000
