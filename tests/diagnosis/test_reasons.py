"""A sample of mistakes, their reasons and the ceilings of mending them."""

import numpy as np
import pytest

from steelyard.diagnosis.misses import mean_of, misses
from steelyard.diagnosis.reasons import Example, Mistakes, reason, sample, with_reasons
from steelyard.problem import Head, Problem, Score
from steelyard.records import Mistake, from_plain, to_plain

PROBLEM = Problem("binary", "tabular", "y", 1000, ("a", "b"), "accuracy")


def example(number: int, *tags: str, share: float = 0.01) -> Example:
    return Example(Mistake(str(number), "a", "b", 0.9), share, tags)


def test_a_sample_is_of_mistakes_alone_and_the_same_for_the_same_seed() -> None:
    loss = (np.arange(5000) % 7 == 0) * 1.0
    one, shares = sample(loss, 100, 3)
    assert len(set(one)) == 100 and (loss[one] == 1).all()
    np.testing.assert_allclose(shares, 0.01)
    np.testing.assert_array_equal(one, sample(loss, 100, 3)[0])
    assert set(one) != set(sample(loss, 100, 4)[0])


def test_every_mistake_is_as_likely_as_the_others_and_comes_at_any_place() -> None:
    loss = np.array([0.0] * 20 + [1.0] * 30)
    drawn = [sample(loss, 10, seed)[0] for seed in range(600)]
    counts = np.bincount(np.concatenate(drawn), minlength=50)
    first = np.bincount([rows[0] for rows in drawn], minlength=50)
    assert not counts[:20].any()
    assert (np.abs(counts[20:] - 200) < 60).all()  # 5 spreads
    assert (np.abs(first[20:] - 20) < 24).all()


def test_where_mistakes_are_few_all_are_taken_with_their_shares() -> None:
    rows, shares = sample(np.array([0.0, 3.0, 1.0, 0.0]), 100, 0)
    assert dict(zip(rows.tolist(), shares.tolist(), strict=True)) == {1: 0.75, 2: 0.25}
    assert len(sample(np.zeros(5), 100, 0)[0]) == 0


def test_values_are_drawn_the_likelier_the_further_off_and_shares_stay_right() -> None:
    random = np.random.default_rng(0)
    loss, has = random.gamma(0.5, size=3000), random.uniform(size=3000) < 0.3
    loss[has] *= 4
    true = float(loss[has].sum() / loss.sum())
    told = [float(shares[has[rows]].sum()) for rows, shares in (sample(loss, 100, seed) for seed in range(200))]
    assert abs(np.mean(told) - true) < 0.01
    assert all(abs(sample(loss, 100, seed)[1].sum() - 1) < 1e-9 for seed in range(5))


def test_the_ceiling_is_the_share_times_the_error_with_the_luck_of_both() -> None:
    found = reason(
        [example(i, "blurry" if i < 20 else "dog") for i in range(100)], "blurry", mean_of(np.eye(1, 10)[0]), 1000
    )
    assert found.count == 20
    np.testing.assert_allclose((found.share.value, found.ceiling.value), (0.2, 0.02))
    sure = reason(
        [example(i, "blurry" if i < 20 else "dog") for i in range(100)], "blurry", Score(0.1, 0.1, 0.1, 9), 1000
    )
    assert sure.ceiling.low > found.ceiling.low and sure.ceiling.high < found.ceiling.high


def test_a_share_of_all_mistakes_is_no_estimate_any_more() -> None:
    examples = [example(i, "blurry" if i < 20 else "dog") for i in range(100)]
    error = Score(0.1, 0.08, 0.12, 1000)
    whole, most, part = (reason(examples, "blurry", error, many).share for many in (100, 110, 100000))
    assert whole.interval == (whole.value, whole.value)
    assert part.low < most.low < 0.2 < most.high < part.high


@pytest.mark.parametrize(("rows", "error", "share"), [(1000, 0.1, 0.2), (400, 0.3, 0.5)])
def test_the_interval_of_the_ceiling_holds_the_truth_as_often_as_it_says(rows: int, error: float, share: float) -> None:
    random, inside, tries = np.random.default_rng(0), 0, 500
    for seed in range(tries):
        loss = (random.uniform(size=rows) < error) * 1.0
        has = random.uniform(size=rows) < share
        chosen, shares = sample(loss, 60, seed)
        seen = [example(row, "it" if has[row] else "no", share=s) for row, s in zip(chosen, shares, strict=True)]
        ceiling = reason(seen, "it", mean_of(loss), int(loss.sum())).ceiling
        inside += ceiling.low <= error * share <= ceiling.high
    assert 0.92 <= inside / tries <= 0.985


def test_only_examples_with_tags_count_and_the_commonest_reason_comes_first() -> None:
    found = Mistakes(PROBLEM, "error rate", Score(0.1, 0.08, 0.12, 1000), 1000, 100, tuple(map(example, range(10))))
    tagged = with_reasons(found, {"1": (("dog",), ""), "2": (("dog", "blurry"), "see"), "99": (("cat",), "")})
    assert [each.tag for each in tagged.reasons] == ["dog", "blurry"] and tagged.reviewed == 2
    assert tagged.reasons[0].share.value == 1.0 and tagged.examples[2].note == "see"
    assert from_plain(to_plain(tagged), Mistakes) == tagged
    assert with_reasons(tagged, {}) == found


def test_misses_are_counted_in_the_unit_of_the_task() -> None:
    truth = np.array([0, 1, 1])
    told = misses(PROBLEM, truth, np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]))
    assert told.unit == "error rate" and told.counted and told.loss.tolist() == [0, 1, 0]
    values = Problem("regression", "tabular", "y", 3, (), "rmse")
    told = misses(values, np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 2.5]))
    assert told.unit == "mean absolute error" and told.loss.tolist() == [0, 2, 0.5] and not told.counted
    heads = tuple(Head(name, "binary", ("no", "yes")) for name in "ab")
    labels = Problem("multilabel", "tabular", "a, b", 2, (), "f1_macro", heads=heads)
    told = misses(labels, np.array([[1.0, 0.0], [np.nan, 1.0]]), np.array([[0.9, 0.2], [0.9, 0.4]]))
    assert told.loss.tolist() == [0, 1] and told.unit == "share of rows with a wrong label"


def test_the_mean_of_values_has_the_interval_of_students_t() -> None:
    random = np.random.default_rng(0)
    held = [mean_of(random.normal(3, 1, 40)) for _ in range(400)]
    assert 0.92 <= np.mean([each.low <= 3 <= each.high for each in held]) <= 0.98
    weights = np.array([1.0, 1.0, 2.0])
    assert mean_of(np.array([1.0, 2.0, 5.0]), weights).value == pytest.approx(13 / 4)
