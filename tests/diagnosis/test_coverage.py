"""Coverage of real data by artificial data: narrow generators are flagged, fresh samples are not."""

import numpy as np
import pandas as pd
import pytest

from steelyard.diagnosis.coverage import coverage_of
from steelyard.diagnosis.coverage.gaps import _exceeding
from steelyard.errors import UserError

Array = np.ndarray


def sample(rows: int, seed: int) -> Array:
    return np.random.default_rng(seed).normal(size=(rows, 4))


def test_a_fresh_sample_covers_the_real_data() -> None:
    assert [coverage_of(sample(600, seed), sample(300, 100 + seed)).verdict for seed in range(5)] == [
        "covers the real data"
    ] * 5


@pytest.mark.parametrize("kind", ["half as wide", "one side", "few modes"])
def test_a_narrow_generator_is_flagged(kind: str) -> None:
    random = np.random.default_rng(0)
    made = sample(600, 1)
    if kind == "half as wide":
        made = made * 0.5
    elif kind == "one side":
        made = made[made[:, 0] > 0]
    else:
        made = made[random.integers(0, 15, 600)] + 0.05 * made
    found = coverage_of(sample(600, 2), made)
    assert found.verdict == "too narrow" and found.narrow
    lacks = {each.name: each.lack for each in found.measures}
    assert lacks["coverage"] > 0.1 and lacks["recall"] > 0.1


def test_rows_that_look_like_no_real_one_are_off_and_not_narrow() -> None:
    found = coverage_of(sample(600, 0), 2.5 * sample(600, 1))
    assert found.verdict == "off the real data" and not found.narrow


def test_ranges_and_levels_that_are_never_reached_are_named() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"age": random.uniform(20, 80, 800), "size": random.normal(size=800)})
    frame = frame.assign(colour=random.choice(["red", "green", "blue"], 800))
    rest = frame[400:]
    young = rest[(rest["age"] < 60) & (rest["colour"] != "red")]
    found = coverage_of(frame[:400], young)
    seen = {gap.name: gap for gap in found.gaps if gap.seen}
    assert set(seen) == {"age", "colour"}
    assert seen["colour"].what == "colour = red" and 0.25 < seen["age"].missed < 0.42
    assert seen["age"].by_real < 0.05


def test_the_largest_of_a_sample_is_beyond_another_one_as_often_as_chance_has_it() -> None:
    assert _exceeding(1, 50, 50) == pytest.approx(0.5)
    assert _exceeding(10, 50, 50) < 0.001
    assert _exceeding(0, 50, 50) == 1


def test_too_few_rows_are_said() -> None:
    with pytest.raises(UserError, match="at least 60 and 30"):
        coverage_of(sample(40, 0), sample(100, 1))
