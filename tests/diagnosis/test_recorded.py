"""What curves and predictions that a run kept say: each symptom where it is, and nothing on a sound training."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from steelyard.data.prepare import TablePreparation
from steelyard.diagnosis.recorded import Kept, read, readings
from steelyard.problem import Head, Problem, Score
from steelyard.recipe import Recipe
from steelyard.records import Arm, ErrorTable, Gap, Level
from steelyard.trials.trial import Outcome, Point, Trial
from steelyard.weighing.compare import compare

CLASSES = Problem("binary", "tabular", "income", 400, ("high", "low"), "accuracy")
VALUES = Problem("regression", "tabular", "price", 400, (), "rmse")
GUESS = float(np.log(2))
FELL = [0.6, 0.4, 0.3, 0.26, 0.24, 0.23, 0.225, 0.222, 0.221, 0.2205]


def outcome(train: Sequence[float], dev: Sequence[float] | None = None, status: str = "done", why: str = "") -> Outcome:
    looks = train if dev is None else dev
    curve = tuple(Point(i + 1, a, None, b) for i, (a, b) in enumerate(zip(train, looks, strict=True)))
    trial = Trial(Recipe(TablePreparation()), 0)
    return Outcome("key", trial, status, 1.0, 300, curve=curve, message=why)  # type: ignore[arg-type]


def codes(kept: Kept) -> set[str]:
    return {finding.code for finding in read(kept)[0]}


def curve(train: Sequence[float], dev: Sequence[float] | None = None, **more: object) -> Kept:
    return replace(Kept(CLASSES, outcome(train, dev), 2000, GUESS), **more)  # type: ignore[arg-type]


def test_a_sound_training_has_no_symptom() -> None:
    findings, passed, _ = read(curve(FELL))
    assert findings == []
    assert {"SY504", "SY505", "SY506", "SY512"} <= set(passed)


@pytest.mark.parametrize(
    ("kept", "code"),
    [
        (curve([0.69, 0.692, 0.691, 0.6905, 0.69]), "SY504"),
        (curve([0.6, 0.3, 0.5, 0.25, 0.45, 0.25, 0.5, 0.3, 0.45, 0.3, 0.5, 0.28]), "SY505"),
        (Kept(CLASSES, outcome([], status="diverged", why="the training loss is nan at step 4"), 4, GUESS), "SY506"),
        (curve([0.65, 0.6, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3]), "SY512"),
        (curve([0.69, 0.685], steps=12), "SY512"),
    ],
)
def test_a_symptom_of_a_curve_is_seen_and_no_other_one(kept: Kept, code: str) -> None:
    assert codes(kept) == {code}


def test_what_looks_like_a_symptom_and_is_none() -> None:
    up_and_down = [0.6, 0.3, 0.5, 0.25, 0.45, 0.25, 0.5, 0.3, 0.45, 0.3, 0.5, 0.28]
    assert codes(curve(up_and_down, restarts=True)) == set()  # warm restarts
    assert codes(curve([0.1, 0.0999, 0.1, 0.0999])) == set()  # all was learnt in the first epoch
    falling, overfitted = [0.65 - 0.05 * i for i in range(8)], [0.6, 0.5, 0.45, 0.46, 0.5, 0.55, 0.6, 0.7]
    assert codes(curve(falling, overfitted)) == set()  # longer training would not help
    assert codes(curve([0.69, 0.3, 0.1, 0.01, 0.012, 0.01, 0.013, 0.01, 0.012, 0.01])) == set()  # tiny ups and downs


def test_what_is_not_there_is_not_measured_and_says_why() -> None:
    findings, passed, open_ = read(Kept(CLASSES))
    assert findings == [] and passed == []
    assert set(open_) == {each.code for each in readings()}
    assert open_["SY504"] == "because the model was not trained in epochs"
    assert "diverged" in read(Kept(CLASSES, outcome([0.7, np.nan], status="diverged"), 200, GUESS))[2]["SY512"]


def said(problem: Problem, truth: np.ndarray, told: np.ndarray) -> Kept:
    return Kept(problem, truth=truth, said=told)


def test_predictions_that_collapse_and_those_that_do_not() -> None:
    random = np.random.default_rng(0)
    truth = (np.arange(400) % 4 == 0).astype(int)
    sure = np.clip(0.3 + 0.1 * random.normal(size=400), 0.01, 0.45)
    blind = said(CLASSES, truth, np.stack([np.full(400, 0.75), np.full(400, 0.25)], 1))
    ranks = said(CLASSES, truth, np.stack([1 - sure, sure], 1))
    assert [(f.code, f.severity) for f in read(blind)[0]] == [("SY607", "error")]
    assert [(f.code, f.severity) for f in read(ranks)[0]] == [("SY607", "warning")]
    assert "ranking may still be good" in read(ranks)[0][0].saw
    rare = said(CLASSES, (np.arange(400) % 40 == 0).astype(int), blind.said)  # type: ignore[arg-type]
    assert codes(rare) == set()  # to say the common class is what such data are like
    price = 100 * random.normal(size=400)
    assert codes(said(VALUES, price, 3 + 0.05 * price)) == {"SY607"}
    assert codes(said(VALUES, price, 0.3 * price)) == set()
    heads = (Head("a", "regression"), Head("b", "regression"))
    pair = replace(VALUES, task="multioutput", heads=heads)
    both = np.stack([price, price], 1)
    assert "'b'" in read(said(pair, both, np.stack([price, np.zeros(400)], 1)))[0][0].saw


def test_a_dumb_baseline_that_is_not_beaten() -> None:
    random = np.random.default_rng(0)
    truth = np.arange(400) % 2
    floor = np.tile([0.5, 0.5], (400, 1))
    sharp = np.eye(2)[np.where(random.random(400) < 0.9, truth, 1 - truth)]
    blunt = np.eye(2)[random.integers(0, 2, 400)]
    for told, found in ((sharp, set()), (blunt, {"SY509"})):
        power = compare(CLASSES.measure, [truth], [floor], [told])
        assert codes(Kept(CLASSES, power=power)) == found


def test_a_network_that_fits_its_train_rows_worse_than_another_family_fits_dev() -> None:
    others = (Arm("forest", "forest", Score(0.9, 0.87, 0.92, 400), 1.0, 300),)
    small = Kept(CLASSES, train=Score(0.7, 0.65, 0.75, 300), others=others)
    assert codes(small) == {"SY510"}
    assert "forest reaches 0.9" in read(small)[0][0].saw
    assert codes(replace(small, train=Score(0.89, 0.85, 0.92, 300))) == set()
    errors = (Arm("forest", "forest", Score(10.0, 9.0, 11.0, 400), 1.0, 300),)
    assert codes(Kept(VALUES, train=Score(20.0, 18.0, 22.0, 300), others=errors)) == {"SY510"}
    assert codes(Kept(VALUES, train=Score(5.0, 4.0, 6.0, 300), others=errors)) == set()


def test_train_far_ahead_of_dev_is_a_tip() -> None:
    levels = (Level("train", Score(0.01, 0.0, 0.02, 300)), Level("dev", Score(0.2, 0.17, 0.23, 400)))
    gaps = (Gap("bias", "zero", "train", 0.01, 0.0, 0.02, 0.0), Gap("variance", "train", "dev", 0.19, 0.16, 0.22, 1.0))
    table = ErrorTable("error rate", levels, gaps, "variance", 1.0)
    (finding,) = read(Kept(CLASSES, table=table))[0]
    assert (finding.code, finding.severity) == ("SY612", "tip")
    unsure = replace(table, gaps=(gaps[0], replace(gaps[1], probability=0.6)))
    assert codes(Kept(CLASSES, table=unsure)) == set()
