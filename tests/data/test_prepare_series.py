"""Series prepared: scaled by train, gaps kept for networks and bridged for classical models, saved as plain values."""

import json

import numpy as np
import pandas as pd
import pytest

from steelyard.data.course import resampled, statistics
from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.layout import Layout
from steelyard.data.prepare_series import SeriesPreparation
from steelyard.data.source import read
from steelyard.errors import UserError

RANDOM = np.random.default_rng(0)


def held(values: np.ndarray) -> Dataset:
    columns = tuple(Column(f"c{i}", "number") for i in range(values.shape[1]))
    schema = Schema("series", "class", columns, length=values.shape[2])
    return Dataset("made", schema, np.arange(len(values)) % 2, ("a", "b"), series=values.astype(np.float32))


def gappy() -> np.ndarray:
    values = RANDOM.normal(3, 5, (30, 2, 20))
    values[::3, :, 12:] = np.nan
    values[1, 0, 4:7] = np.nan
    return values


def test_channels_get_mean_zero_and_spread_one_on_train_and_gaps_stay() -> None:
    values = gappy()
    (found,) = SeriesPreparation().fit(held(values)).transform(held(values))
    assert found.dtype == np.float32
    assert np.array_equal(np.isnan(found), np.isnan(values))
    assert np.nanmean(found, axis=(0, 2)) == pytest.approx(0, abs=1e-5)
    assert np.nanstd(found, axis=(0, 2)) == pytest.approx(1, abs=1e-5)


def test_new_rows_are_scaled_by_what_train_held() -> None:
    fitted = SeriesPreparation().fit(held(gappy()))
    one, two = fitted.transform(held(np.full((1, 2, 20), 3.0)))[0], fitted.transform(held(np.full((5, 2, 9), 3.0)))[0]
    assert one[0, :, 0].tolist() == two[3, :, 4].tolist()


def test_every_case_can_be_scaled_by_its_own() -> None:
    values = gappy() * np.arange(1, 31)[:, None, None]
    (found,) = SeriesPreparation(scaling="case").fit(held(values)).transform(held(values))
    assert np.nanstd(found, axis=2) == pytest.approx(1, abs=1e-4)


def test_the_matrix_has_no_gaps_and_as_many_columns_for_any_length() -> None:
    fitted = SeriesPreparation().fit(held(gappy()))
    wide = fitted.matrix(held(gappy()))
    assert np.isfinite(wide).all()
    assert fitted.matrix(held(RANDOM.normal(size=(3, 2, 50)))).shape == (3, wide.shape[1])
    assert fitted.matrix(held(np.full((2, 2, 20), np.nan))).shape == (2, wide.shape[1])
    assert np.isfinite(fitted.matrix(held(np.full((2, 2, 20), np.nan)))).all()


def test_the_statistics_of_a_case_do_not_depend_on_its_padding() -> None:
    values = gappy()
    longer = np.concatenate([values, np.full((30, 2, 7), np.nan)], axis=2)
    assert np.allclose(statistics(values, 20), statistics(longer, 20))
    assert np.array_equal(resampled(values, 16), resampled(longer, 16))


def test_resampling_bridges_gaps_by_straight_lines() -> None:
    case = np.array([[[0.0, np.nan, 2.0, 3.0, np.nan, np.nan]]])
    assert resampled(case, 4)[0, 0].tolist() == [0, 1, 2, 3]
    assert resampled(case, 7)[0, 0].tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]


def test_longer_series_are_averaged_down_and_shorter_ones_kept() -> None:
    fitted = SeriesPreparation(length=5, scaling="none").fit(held(np.tile(np.arange(20.0), (4, 1, 1))))
    assert fitted.transform(held(np.tile(np.arange(20.0), (4, 1, 1))))[0][0, 0].tolist() == [1.5, 5.5, 9.5, 13.5, 17.5]
    assert fitted.transform(held(np.zeros((4, 1, 3))))[0].shape == (4, 1, 3)


@pytest.mark.parametrize("part", [SeriesPreparation(), SeriesPreparation(scaling="last", base="last", form="series")])
def test_saved_and_restored_it_gives_the_same(part: SeriesPreparation) -> None:
    dataset = held(gappy())
    fitted = part.fit(dataset)
    again = part.restored(json.loads(json.dumps(fitted.to_dict())))
    assert again == fitted
    assert np.array_equal(again.matrix(dataset), fitted.matrix(dataset))


def test_other_channels_than_those_of_train_are_refused() -> None:
    with pytest.raises(UserError, match="learnt from 2 channels, got 1"):
        SeriesPreparation().fit(held(gappy())).transform(held(np.zeros((2, 1, 20))))


def test_levels_that_drift_stay_in_the_range_that_was_learnt() -> None:
    table = pd.DataFrame({"v": np.arange(400.0) + RANDOM.normal(size=400)})
    dataset = read(table, "v", layout=Layout(horizon=1, window=8, period=0))
    early, late = dataset.take(np.arange(100)), dataset.take(np.arange(300, 390))
    apart = SeriesPreparation(scaling="last").fit(early)
    plain = SeriesPreparation(scaling="channel").fit(early)
    assert np.abs(apart.transform(late)[0]).max() < 5
    assert np.abs(plain.transform(late)[0]).max() > 6


def test_a_forecast_is_the_difference_from_the_last_value_or_the_one_a_season_before() -> None:
    values = np.sin(np.arange(200) * 2 * np.pi / 7)
    dataset = read(pd.DataFrame({"v": values}), "v", layout=Layout(horizon=2, window=5, period=7))
    last, season = (SeriesPreparation(base=base).fit(dataset).base(dataset) for base in ("last", "season"))
    assert np.array_equal(last, dataset.series[:, 0, -1])
    assert season == pytest.approx(dataset.target)
    assert SeriesPreparation().fit(dataset).base(dataset) is None
