"""What another pair is worth: when an arm is given up, which arms go first, what races expect."""

import json

import numpy as np
import pytest

from steelyard.metrics import metric
from steelyard.techniques import catalogue
from steelyard.weighing.compare import discoveries
from steelyard.weighing.crossed import Crossed
from steelyard.weighing.promise import Expected, gain, outlook, stronger_half, why_futile
from steelyard.weighing.recorded import TABLE, expected_of, recorded
from steelyard.weighing.sequential import LOOKS


def found(mean: float, seeds: float, examples: float, pairs: int = 6) -> Crossed:
    return Crossed(mean, seeds / pairs + examples, pairs - 1, pairs, seeds**0.5, examples)


def test_a_clear_trend_will_be_decided_and_none_will_not() -> None:
    assert outlook(found(0.02, 1e-5, 0.0), LOOKS, 0.001) > 0.9
    assert outlook(found(0.001, 1e-3, 0.0), LOOKS, 0.001) < 0.3


def test_seeds_cannot_decide_what_examples_leave_open() -> None:
    blocked = found(0.01, 1e-6, 1e-4)
    assert outlook(blocked, LOOKS, 0.001) < 0.1
    assert "400 dev examples are too few" in why_futile(blocked, 400)
    assert "pairs" in why_futile(found(0.001, 1e-3, 0.0), 400)


def test_an_effect_near_zero_may_still_be_found_not_to_matter() -> None:
    assert outlook(found(0.0, 1e-5, 0.0), LOOKS, 0.01) > 0.9


def test_at_the_last_look_there_is_nothing_to_wait_for() -> None:
    assert outlook(found(0.02, 1e-5, 0.0, pairs=29), LOOKS, 0.0) == 0.0


def test_what_was_measured_outweighs_what_was_expected() -> None:
    hoped = Expected(0.05, 0.02)
    assert gain(hoped, found(-0.03, 1e-6, 0.0), 1) < 0.001 < gain(hoped, None, 1)
    assert gain(hoped, found(-0.03, 1e-6, 0.0), -1) == pytest.approx(0.03, abs=0.001)


def test_the_stronger_half_comes_in_order() -> None:
    assert stronger_half([0.1, 0.5, 0.3, 0.0, 0.4]) == [1, 4, 2]


def test_false_discoveries_are_corrected_as_published() -> None:
    """The fifteen p-values of Benjamini & Hochberg 1995, section 3.2: four discoveries at 5 %."""
    published = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
                 0.7590, 1.0]  # fmt: skip
    shuffled = np.random.default_rng(0).permutation(15)
    corrected = np.array(discoveries([published[i] for i in shuffled]))
    assert sorted(np.array(published)[shuffled][corrected <= 0.05]) == published[:4]


def test_the_shipped_table_names_techniques_and_gives_expectations() -> None:
    rows = json.loads(TABLE.read_text(encoding="utf-8"))
    assert len(rows) == len(recorded()) >= 60
    assert {row["technique"] for row in rows} <= set(catalogue())
    near = expected_of("label-smoothing", "tabular", metric("accuracy"), 0.9)
    far = expected_of("label-smoothing", "tabular", metric("accuracy"), 0.99)
    assert near is not None and far is not None
    assert near.gain == pytest.approx(10 * far.gain)
    assert expected_of("label-smoothing", "sound", metric("accuracy"), 0.9) is None
