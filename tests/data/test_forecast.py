"""Forecasts: what a window may know, how seasons are found, who may learn from whom."""

import numpy as np
import pandas as pd
import pytest

from steelyard.data.forecast import naive_step
from steelyard.data.layout import Layout
from steelyard.data.ordered import origins
from steelyard.data.season import find_period
from steelyard.data.source import read, read_like
from steelyard.data.split import divide, set_aside
from steelyard.errors import UserError


def daily(days: int = 120, season: int = 0) -> pd.DataFrame:
    """`value` is the number of the day, or a season of that length with noise; `other` ten times that day's number."""
    random = np.random.default_rng(0)
    when = pd.date_range("2024-01-01", periods=days, freq="D").strftime("%Y-%m-%d")
    value = np.arange(float(days))
    if season:
        value = 5 * np.sin(2 * np.pi * np.arange(days) / season) + 0.3 * random.normal(size=days)
    return pd.DataFrame({"day": when, "value": value, "other": np.arange(days) * 10.0, "note": "x"})


# -- windows ------------------------------------------------------------------------------------------------------


def test_a_window_ends_horizon_steps_before_its_target() -> None:
    dataset = read(daily(), "value", layout=Layout(time="day", horizon=3, window=5, period=0))
    assert dataset.series.shape == (120 - 5 + 1 - 3, 2, 5)
    last = dataset.series[:, 0, -1]
    assert (dataset.target - last == 3).all()
    assert (dataset.series[:, 1, -1] == 10 * last).all()
    assert (np.diff(dataset.series[:, 0]) == 1).all()
    assert dataset.origin[0] == "2024-01-05"
    assert (dataset.order == np.stack([last, dataset.target], axis=1)).all()


def test_no_window_holds_what_was_not_known_when_the_forecast_is_made() -> None:
    table = daily(season=7)
    layout = Layout(time="day", horizon=2, window=5, period=7)
    dataset = read(table, "value", layout=layout)
    known = dataset.order[:, 0]
    later = table.copy()
    later.loc[61:, ["value", "other"]] = 1e6  # nothing of day 61 and after may be seen by forecasts made until day 60
    changed = read(later, "value", layout=layout)
    seen = known <= 60
    assert np.array_equal(dataset.series[seen], changed.series[seen], equal_nan=True)
    assert not np.array_equal(dataset.series[~seen], changed.series[~seen], equal_nan=True)


def test_the_channel_of_the_season_says_the_target_one_season_before_its_own_step() -> None:
    table = daily(season=7)
    dataset = read(table, "value", layout=Layout(time="day", horizon=9, window=5, period=7))
    aimed = dataset.order[:, 1]
    assert dataset.series[:, -1, -1] == pytest.approx(table["value"].to_numpy()[aimed - 14])


def test_several_series_are_cut_one_by_one() -> None:
    both = pd.concat([daily(40).assign(shop="a"), daily(40).assign(shop="b")])
    both.loc[both["shop"] == "b", "value"] += 1000
    dataset = read(both, "value", layout=Layout(id="shop", time="day", horizon=1, window=4, period=0))
    assert len(dataset) == 2 * 36
    assert np.ptp(dataset.series[:, 0], axis=1).max() == 3
    assert dataset.origin[-1] == "b, 2024-02-08"


def test_rows_to_predict_reach_to_the_last_one_whose_future_nobody_knows() -> None:
    trained = read(daily(), "value", layout=Layout(time="day", horizon=2, window=5, period=7))
    fresh = read_like(daily(30).drop(columns="note"), trained.schema)
    assert (fresh.origin[-1], fresh.target) == ("2024-01-30", None)
    assert fresh.series[-1, 0].tolist() == [25, 26, 27, 28, 29]
    with pytest.raises(UserError, match="too short for a forecast: the model looks at 6 steps"):
        read_like(daily(4), trained.schema)


def test_time_is_the_only_column_of_dates_or_the_order_of_rows() -> None:
    said = read(daily(), "value", layout=Layout(horizon=1)).notes
    assert "time is column 'day', the only one with dates" in said
    bare = read(daily().drop(columns="day"), "value", layout=Layout(horizon=1)).notes
    assert any("in the order in which they come" in note for note in bare)


def test_gaps_in_the_target_are_no_targets_and_stay_gaps_in_windows() -> None:
    table = daily()
    table.loc[50:52, "value"] = np.nan
    dataset = read(table, "value", layout=Layout(time="day", horizon=1, window=5, period=0))
    assert len(dataset) == 115 - 3
    assert np.isfinite(dataset.target).all()
    assert np.isnan(dataset.series).any()


@pytest.mark.parametrize(
    ("target", "how", "message"),
    [
        ("note", {}, "a forecast needs a target of numbers, but 'note' holds 'x'"),
        ("value", {"task": "binary"}, "a forecast predicts numbers"),
        ("day", {}, "the target cannot be 'day'"),
        ("value", {"exclude": ["value"]}, "cannot exclude 'value': it is the target"),
        (None, {}, "name it as target"),
    ],
)
def test_forecasts_that_make_no_sense_are_refused(target: str | None, how: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(daily(), target, layout=Layout(time="day", horizon=1), **how)  # type: ignore[arg-type]


def test_a_test_table_must_come_after_the_training_rows() -> None:
    whole, layout = daily(), Layout(time="day", horizon=2, window=5, period=0)
    dataset = read(whole.iloc[:90], "value", test=whole.iloc[90:], layout=layout)
    assert (dataset.target[dataset.part == "test"] >= 90).all()
    assert (dataset.part == "test").sum() == 30
    with pytest.raises(UserError, match="before the training rows end"):
        read(whole.iloc[30:], "value", test=whole.iloc[:30], layout=layout)


# -- seasons ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("season", [4, 7, 12, 24])
def test_a_season_is_found_with_its_length(season: int) -> None:
    random = np.random.default_rng(season)
    time = np.arange(40 * season)
    values = np.sin(2 * np.pi * time / season) + 0.02 * time + 0.4 * random.normal(size=len(time))
    assert find_period(values)[0] == season


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_random_walks_have_no_season(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(size=600)
    assert find_period(noise)[0] == 0
    assert find_period(np.cumsum(noise), 86_400e9)[0] == 0


def test_the_calendar_says_where_to_look() -> None:
    days = np.arange(4 * 365)
    yearly = np.sin(2 * np.pi * days / 365) + 0.5 * np.random.default_rng(0).normal(size=len(days))
    assert find_period(yearly, 86_400e9)[0] == 365


# -- splits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("horizon", [1, 5])
@pytest.mark.parametrize("partition", [0, 3])
def test_train_knows_nothing_that_came_after_the_first_forecast_of_dev(horizon: int, partition: int) -> None:
    dataset = read(daily(300), "value", layout=Layout(time="day", horizon=horizon, window=6, period=0))
    protocol, pool, test = divide(dataset, 0)
    order = dataset.order
    assert order[pool, 1].max() <= order[test, 0].min()
    assert protocol.kind == "ordered"
    for fold in range(protocol.folds):
        train, dev = protocol.split(partition, fold)
        targets_of_train = order[pool[train], 1]
        assert targets_of_train.max() <= order[pool[dev], 0].min()
        inputs_of_train = dataset.series[pool[train], 0]
        assert not np.isin(dataset.target[pool[dev]], inputs_of_train).any()
        kept, held = set_aside(dataset.take(pool[train]), 0.2, 0)
        assert order[pool[train]][kept, 1].max() <= order[pool[train]][held, 0].min()


def test_origins_roll_forward_and_other_partitions_move_them_over_the_same_rows() -> None:
    order = np.stack([np.arange(400), np.arange(400) + 1], axis=1)
    plain, moved = ([origins(order, 5, fold, stream) for fold in range(5)] for stream in (None, [0, 6, 1]))
    rows = [np.sort(np.concatenate([dev for _, dev in each])) for each in (plain, moved)]
    assert np.array_equal(rows[0], np.arange(200, 400))
    assert np.array_equal(rows[0], rows[1])
    assert [len(train) for train, _ in plain] == sorted((len(train) for train, _ in plain), reverse=True)
    assert any(not np.array_equal(a[1], b[1]) for a, b in zip(plain, moved, strict=True))


def test_a_part_of_the_train_rows_is_the_latest_part() -> None:
    dataset = read(daily(300), "value", layout=Layout(time="day", horizon=1, window=6, period=0))
    protocol, _, _ = divide(dataset, 0)
    train, _ = protocol.split(0, 0)
    assert np.array_equal(protocol.subset(train, 50, 0), train[-50:])


def test_the_naive_step_is_the_error_of_the_last_value() -> None:
    dataset = read(daily(), "value", layout=Layout(time="day", horizon=3, window=5, period=0))
    assert naive_step(dataset, 0) == 3.0
    x = (np.random.default_rng(0).normal(size=(20, 1, 9)), [0, 1] * 10)
    assert naive_step(read(x, None), 0) is None
