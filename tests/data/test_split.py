"""Who is learnt from, who decides, who is sealed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.split import Protocol, divide

SCHEMA = Schema("tabular", "y", (Column("x", "number"),))


def dataset(rows: int, classes: int = 3, seed: int = 0) -> Dataset:
    """Rows whose classes have the shares 1 : 2 : 3 …; a regression when there are no classes."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": random.normal(size=rows)})
    if not classes:
        return Dataset("rows", SCHEMA, random.normal(size=rows), frame=frame)
    shares = np.arange(1, classes + 1) / np.arange(1, classes + 1).sum()
    target = random.permutation(np.searchsorted(np.cumsum(shares), (np.arange(rows) + 0.5) / rows))
    return Dataset("rows", SCHEMA, target, tuple("abcdef"[:classes]), frame=frame)


def parts(given: Dataset, seed: int = 0) -> tuple[Protocol, np.ndarray, np.ndarray]:
    return divide(given, seed)


@pytest.mark.parametrize("rows", [7, 50, 2999, 4000, 60_000])
def test_pool_and_test_are_disjoint_and_complete(rows: int) -> None:
    _, pool, test = parts(dataset(rows))
    assert np.array_equal(np.sort(np.concatenate([pool, test])), np.arange(rows))


@pytest.mark.parametrize(("rows", "sealed"), [(50, 10), (1000, 200), (60_000, 10_000)])
def test_a_fifth_of_the_rows_and_at_most_ten_thousand_are_sealed(rows: int, sealed: int) -> None:
    assert abs(len(parts(dataset(rows))[2]) - sealed) <= 1


@pytest.mark.parametrize("rows", [50, 5000])
@pytest.mark.parametrize("fold", [0, None])
def test_train_and_dev_are_disjoint_sorted_and_complete(rows: int, fold: int | None) -> None:
    protocol, pool, _ = parts(dataset(rows))
    train, dev = protocol.split(0, fold)
    assert np.array_equal(np.sort(np.concatenate([train, dev])), np.arange(len(pool)))
    assert np.array_equal(train, np.sort(train))
    assert np.array_equal(dev, np.sort(dev))
    assert (len(dev) == 0) == (fold is None)


def test_folds_cover_each_row_once() -> None:
    protocol, pool, _ = parts(dataset(203))
    assert protocol.folds == 5
    devs = np.concatenate([protocol.split(3, fold)[1] for fold in range(5)])
    assert np.array_equal(np.sort(devs), np.arange(len(pool)))


def test_every_class_gives_its_share_to_test_dev_and_folds() -> None:
    for rows in (600, 6000):
        given = dataset(rows)
        protocol, pool, test = parts(given)
        whole = np.bincount(given.target) / rows
        for some in (given.target[test], given.target[pool][protocol.split(0, 0)[1]]):
            assert np.bincount(some) == pytest.approx(whole * len(some), abs=2)


def test_the_values_of_a_regression_are_spread_over_all_parts() -> None:
    given = dataset(5000, classes=0)
    protocol, pool, test = parts(given)
    for some in (given.target[test], given.target[pool][protocol.split(0, 0)[1]]):
        assert np.quantile(some, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(given.target, [0.1, 0.5, 0.9]), abs=0.12)


def test_the_same_seed_gives_the_same_split_and_another_seed_another_one() -> None:
    given = dataset(500)
    assert np.array_equal(parts(given)[2], parts(given)[2])
    assert not np.array_equal(parts(given)[2], parts(given, seed=1)[2])
    one, other = (parts(given, seed)[0].split(0, 0)[1] for seed in (0, 0))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("rows", [500, 5000])
def test_another_partition_deals_folds_and_hold_outs_anew(rows: int) -> None:
    protocol = parts(dataset(rows))[0]
    assert not np.array_equal(protocol.split(0, 0)[1], protocol.split(1, 0)[1])
    assert np.array_equal(protocol.split(1, 0)[1], protocol.split(1, 0)[1])


@pytest.mark.parametrize("rows", [300, 4000])
def test_duplicates_stay_on_one_side(rows: int) -> None:
    twins = np.arange(rows) // 3
    given = replace(dataset(rows), groups=twins)
    protocol, pool, test = parts(given)
    assert not set(twins[pool]) & set(twins[test])
    for fold in range(protocol.folds):
        train, dev = protocol.split(0, fold)
        assert not set(twins[pool][train]) & set(twins[pool][dev])


def test_a_ready_test_is_kept() -> None:
    part = np.array(["train", "test", "train", "train"] * 100)
    _, _, test = parts(replace(dataset(400), part=part))
    assert np.array_equal(test, np.flatnonzero(part == "test"))


def test_a_ready_dev_is_kept() -> None:
    part = np.array(["train", "test", "dev", "train"] * 100)
    protocol, pool, test = parts(replace(dataset(400), part=part))
    train, dev = protocol.split(0, 0)
    assert protocol.folds == 1
    assert np.array_equal(pool[dev], np.flatnonzero(part == "dev"))
    assert np.array_equal(pool[train], np.flatnonzero(part == "train"))
    assert np.array_equal(test, np.flatnonzero(part == "test"))


def test_a_ready_dev_without_a_ready_test_still_seals_a_test() -> None:
    part = np.array(["train", "train", "dev", "train"] * 100)
    protocol, pool, test = parts(replace(dataset(400), part=part))
    assert len(test) == pytest.approx(80, abs=1)
    assert np.array_equal(pool[protocol.split(0, 0)[1]], np.setdiff1d(np.flatnonzero(part == "dev"), test))


def test_a_subset_is_stratified_and_of_the_size_asked_for() -> None:
    given = dataset(5000)
    protocol, pool, _ = parts(given)
    train, _ = protocol.split(0, 0)
    rows = protocol.subset(train, 600, 0)
    assert len(rows) == pytest.approx(600, abs=1)
    assert set(rows) <= set(train)
    shares = np.bincount(given.target[pool][rows]) / len(rows)
    assert shares == pytest.approx(np.bincount(given.target) / len(given), abs=0.01)


def test_a_subset_larger_than_the_rows_is_all_of_them() -> None:
    protocol, _, _ = parts(dataset(500))
    rows = np.arange(100)
    assert protocol.subset(rows, 100, 0) is rows
    assert protocol.subset(rows, None, 0) is rows


# -- rare classes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "rare", "kind"), [(6000, 100, "folds"), (6000, 600, "holdout"), (30_000, 100, "holdout")]
)
def test_a_hold_out_with_few_rows_of_a_rare_class_gives_way_to_folds(rows: int, rare: int, kind: str) -> None:
    given = replace(dataset(rows, 2), target=(np.arange(rows) < rare).astype(np.int64))
    assert parts(given)[0].kind == kind


def test_many_even_classes_of_few_rows_are_not_rare() -> None:
    given = replace(dataset(6000, 2), target=np.arange(6000) % 60, classes=tuple(map(str, range(60))))
    assert parts(given)[0].kind == "holdout"


def test_nested_subsets_lie_in_the_larger_ones_and_keep_the_classes_shares() -> None:
    given = dataset(6000)
    protocol, pool, _ = parts(given)
    train = protocol.split(0, 0)[0]
    smaller, larger = (protocol.nested(train, size, 1) for size in (300, 1200))
    assert (len(smaller), len(larger)) == (300, 1200)
    assert set(smaller) <= set(larger) <= set(train)
    for some in (smaller, larger):
        shares = np.bincount(given.target[pool][some]) / len(some)
        assert np.allclose(shares, np.bincount(given.target) / 6000, atol=0.006)
    assert set(protocol.nested(train, 300, 2)) != set(smaller)
    assert np.array_equal(protocol.nested(train, len(train), 1), train)


def test_a_nested_subset_of_a_class_leaves_all_other_rows() -> None:
    given = dataset(6000)
    protocol, pool, _ = parts(given)
    train = protocol.split(0, 0)[0]
    codes = given.target[pool]
    some, more = (protocol.nested(train, size, 0, of=1) for size in (100, 400))
    assert np.array_equal(some[codes[some] != 1], train[codes[train] != 1])
    assert ((codes[some] == 1).sum(), (codes[more] == 1).sum()) == (100, 400)
    assert set(some) <= set(more)
