"""Splits of mixed sources: disjoint, stratified, reproducible; the target source alone in dev and test."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.ordered import both
from steelyard.data.sources import Sources
from steelyard.data.split import Protocol, divide
from steelyard.errors import UserError

SCHEMA = Schema("tabular", "y", (Column("x", "number"),))
NAMES = ("phone", "studio", "web")
KINDS = {"folds": (900, 1.0), "holdout": (8000, 1.0), "few": (30_000, 0.01)}  # rows, how many of a third are phones
SEEDS = range(8)


def dataset(rows: int, seed: int = 0, phones: float = 1.0, twins: bool = False, classes: int = 3) -> Dataset:
    """Rows of three sources, the first of which is the target; twins lie in one source or in two."""
    random = np.random.default_rng(seed)
    codes = np.where(random.random(rows) < phones / 3, 0, random.integers(1, 3, rows))
    target = random.integers(0, classes, rows) if classes else random.normal(size=rows)
    return Dataset(
        "rows",
        SCHEMA,
        target,
        tuple("abcdef"[:classes]),
        frame=pd.DataFrame({"x": random.normal(size=rows)}),
        groups=np.sort(random.integers(0, 2 * rows // 3, rows)) if twins else None,
        sources=Sources("origin", NAMES, codes, (0,)),
    )


def parts(protocol: Protocol, partition: int = 0, fold: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    train, dev = protocol.split(partition, fold)
    return train, protocol.train_dev(partition, fold), dev


@pytest.fixture(params=[*KINDS, "regression"])
def kind(request: pytest.FixtureRequest) -> tuple[int, float, int]:
    rows, phones = KINDS.get(request.param, (8000, 1.0))
    return rows, phones, 0 if request.param == "regression" else 3


def test_few_target_rows_take_turns_in_dev_unless_the_rows_to_learn_from_are_many() -> None:
    found = {name: divide(dataset(rows, phones=phones), 0)[0].kind for name, (rows, phones) in KINDS.items()}
    assert found == {"folds": "folds", "holdout": "holdout", "few": "holdout"}


def test_dev_and_test_hold_rows_of_the_target_source_only(kind: tuple[int, float, int]) -> None:
    rows, phones, classes = kind
    for seed in SEEDS:
        given = dataset(rows, seed, phones, twins=True, classes=classes)
        assert given.sources is not None
        protocol, pool, test = divide(given, seed)
        assert set(given.sources.codes[test]) == {0}
        for fold in range(protocol.folds):
            _, dev = protocol.split(1, fold)
            assert set(given.sources.codes[pool[dev]]) == {0}


def test_the_parts_are_disjoint_sorted_and_together_all_rows(kind: tuple[int, float, int]) -> None:
    rows, phones, classes = kind
    for seed in SEEDS:
        protocol, pool, test = divide(dataset(rows, seed, phones, classes=classes), seed)
        assert np.array_equal(np.sort(np.concatenate([pool, test])), np.arange(rows))
        for fold in range(protocol.folds):
            found = parts(protocol, seed % 3, fold)
            assert all(len(each) and np.array_equal(each, np.sort(each)) for each in found)
            assert np.array_equal(np.sort(np.concatenate(found)), np.arange(len(pool)))


def test_no_group_lies_in_two_parts_and_only_twins_of_dev_and_test_are_in_none(kind: tuple[int, float, int]) -> None:
    rows, phones, classes = kind
    for seed in SEEDS:
        given = dataset(rows, seed, phones, twins=True, classes=classes)
        assert given.groups is not None
        assert given.sources is not None
        protocol, pool, test = divide(given, seed)
        out = np.setdiff1d(np.arange(rows), np.concatenate([pool, test]))
        assert not set(given.groups[pool]) & set(given.groups[test])
        assert set(given.groups[out]) <= set(given.groups[test])
        assert not given.sources.wanted[out].any()
        groups = given.groups[pool]
        for fold in range(protocol.folds):
            train, held, dev = parts(protocol, 2, fold)
            one, other, third = (set(groups[each]) for each in (train, held, dev))
            assert not one & other and not one & third and not other & third
            left = np.setdiff1d(np.arange(len(pool)), np.concatenate([train, held, dev]))
            assert set(groups[left]) <= third
            assert not given.sources.wanted[pool[left]].any()


def test_train_dev_is_a_tenth_of_the_rows_like_train_in_sources_and_classes(kind: tuple[int, float, int]) -> None:
    rows, phones, classes = kind
    for seed in SEEDS:
        given = dataset(rows, seed, phones, classes=classes)
        assert given.sources is not None and given.target is not None
        protocol, pool, _ = divide(given, seed)
        for fold in range(protocol.folds):
            train, held, _ = parts(protocol, 0, fold)
            assert len(held) / (len(held) + len(train)) == pytest.approx(0.1, abs=0.005)
            for codes in (given.sources.codes, given.target if classes else given.target > 0):
                there = [np.bincount(codes[pool[each]].astype(int), minlength=3) / len(each) for each in (train, held)]
                assert there[0] == pytest.approx(there[1], abs=2.5 / len(held))


def test_every_class_gives_its_share_to_dev_and_test(kind: tuple[int, float, int]) -> None:
    rows, phones, classes = kind
    for seed in SEEDS:
        given = dataset(rows, seed, phones, classes=max(classes, 2))
        assert given.sources is not None and given.target is not None
        protocol, pool, test = divide(given, seed)
        whole = np.bincount(given.target[given.sources.wanted]) / given.sources.wanted.sum()
        for some in (test, *(pool[protocol.split(0, fold)[1]] for fold in range(protocol.folds))):
            assert np.bincount(given.target[some], minlength=len(whole)) == pytest.approx(whole * len(some), abs=2.1)


def test_over_the_folds_each_target_row_is_once_in_dev_and_no_row_twice_in_train_dev() -> None:
    for seed in SEEDS:
        given = dataset(900, seed, twins=True)
        protocol, pool, _ = divide(given, seed)
        assert given.sources is not None
        devs = np.concatenate([protocol.split(seed, fold)[1] for fold in range(protocol.folds)])
        held = np.concatenate([protocol.train_dev(seed, fold) for fold in range(protocol.folds)])
        assert np.array_equal(np.sort(devs), np.flatnonzero(given.sources.wanted[pool]))
        assert len(held) == len(set(held))


def test_other_deals_of_the_folds_have_the_same_rows_in_train_dev_but_in_other_folds() -> None:
    protocol, _, _ = divide(dataset(900, twins=True), 0)
    deals = [[protocol.train_dev(deal, fold) for fold in range(protocol.folds)] for deal in range(4)]
    whole = [np.sort(np.concatenate(deal)) for deal in deals]
    assert all(np.array_equal(whole[0], each) for each in whole)
    assert not np.array_equal(deals[0][0], deals[1][0])


def test_the_same_seed_gives_the_same_parts_and_another_seed_or_deal_others(kind: tuple[int, float, int]) -> None:
    rows, phones, classes = kind
    given = dataset(rows, phones=phones, classes=classes)
    one, again, other = (divide(given, seed) for seed in (0, 0, 1))
    assert np.array_equal(one[2], again[2])
    assert not np.array_equal(one[2], other[2])
    for each, same, anew in zip(parts(one[0]), parts(again[0]), parts(one[0], 1), strict=True):
        assert np.array_equal(each, same)
        assert not np.array_equal(each, anew)


def test_all_rows_train_in_the_last_training() -> None:
    protocol, pool, _ = divide(dataset(900), 0)
    train, dev = protocol.split(0, None)
    assert np.array_equal(train, np.arange(len(pool)))
    assert len(dev) == len(protocol.train_dev(0, None)) == 0


def test_without_sources_nothing_is_held_out_as_train_dev_and_nothing_more_is_recorded() -> None:
    given = replace(dataset(900), sources=None)
    protocol, _, _ = divide(given, 0)
    assert len(protocol.train_dev(0, 0)) == 0
    assert "sources" not in protocol.to_dict()


def test_the_protocol_says_how_many_rows_of_which_source_are_in_which_part() -> None:
    given = dataset(900)
    assert given.sources is not None
    protocol, pool, test = divide(given, 0)
    said = protocol.to_dict()["sources"]
    assert isinstance(said, dict)
    assert said["column"] == "origin"
    assert said["target"] == ["phone"]
    assert said["rows"]["test"] == {"phone": len(test)}
    for name, rows in zip(("train", "train_dev", "dev"), parts(protocol), strict=True):
        assert said["rows"][name] == given.sources.counts(pool[rows])


def test_several_target_sources_share_dev_and_test() -> None:
    given = dataset(6000)
    assert given.sources is not None
    given = replace(given, sources=replace(given.sources, targets=(0, 2)))
    protocol, pool, test = divide(given, 0)
    for rows in (test, pool[protocol.split(0, 0)[1]]):
        assert set(given.sources.codes[rows]) == {0, 2}


def test_a_ready_test_and_dev_are_kept_and_train_dev_comes_from_the_rest() -> None:
    given = dataset(900)
    part = np.where(given.asked & (np.arange(900) % 3 == 0), "test", "train")
    part[given.asked & (np.arange(900) % 3 == 1)] = "dev"
    protocol, pool, test = divide(replace(given, part=part), 0)
    train, held, dev = parts(protocol)
    assert np.array_equal(test, np.flatnonzero(part == "test"))
    assert np.array_equal(pool[dev], np.flatnonzero(part == "dev"))
    assert set(part[pool[np.concatenate([train, held])]]) == {"train"}
    assert len(held) > 0


def test_a_small_subset_of_train_has_the_sources_in_their_shares() -> None:
    given = dataset(6000)
    assert given.sources is not None
    protocol, pool, _ = divide(given, 0)
    train, _ = protocol.split(0, 0)
    some = protocol.subset(train, 300, 0)
    shares = [np.bincount(given.sources.codes[pool[each]]) / len(each) for each in (train, some)]
    assert shares[0] == pytest.approx(shares[1], abs=0.01)


# -- rows with a time ---------------------------------------------------------------------------------------------


def in_time(rows: int, seed: int = 0, horizon: int = 3) -> Dataset:
    """Rows one after the other, the answer of each known some steps later, the sources mixed over time."""
    asked = np.arange(rows)
    return replace(dataset(rows, seed, classes=0), order=np.stack([asked, asked + horizon], axis=1))


@pytest.mark.parametrize("rows", [400, 9000])
def test_rows_with_a_time_are_in_dev_and_test_of_the_target_source_and_come_last(rows: int) -> None:
    for seed in SEEDS:
        given = in_time(rows, seed)
        assert given.sources is not None
        protocol, pool, test = divide(given, seed)
        order = both(given.order)
        assert given.sources.wanted[test].all()
        assert len(test) == pytest.approx(0.2 * given.sources.wanted.sum(), abs=2)
        assert order[pool, 1].max() <= order[test, 0].min()
        for fold in range(protocol.folds):
            train, held, dev = (pool[each] for each in parts(protocol, seed % 3, fold))
            assert given.sources.wanted[dev].all()
            assert order[np.concatenate([train, held]), 1].max() <= order[dev, 0].min()
            assert order[train, 1].max() <= order[held, 0].min()
            assert set(given.sources.codes[train]) == {0, 1, 2}
            assert len(held) / (len(train) + len(held)) == pytest.approx(0.1, abs=0.03)


def test_other_sources_that_only_come_later_cannot_be_mixed_in() -> None:
    given = in_time(400)
    assert given.sources is not None
    late = np.where(np.arange(400) < 200, 0, 1)
    with pytest.raises(UserError, match="all rows of other sources come after those of 'phone'"):
        divide(replace(given, sources=replace(given.sources, codes=late)), 0)


def test_a_target_source_without_rows_before_the_test_cannot_be_split_by_time() -> None:
    given = in_time(400)
    assert given.sources is not None
    few = np.where(np.arange(400) < 380, 1, 0)
    with pytest.raises(UserError, match="16 rows of 'phone' come before the test: at least 20"):
        divide(
            replace(given, order=np.stack([np.arange(400)] * 2, axis=1), sources=replace(given.sources, codes=few)), 0
        )
