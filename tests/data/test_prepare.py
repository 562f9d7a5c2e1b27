import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from steelyard.data.dataset import Column, Dataset, Kind, Schema
from steelyard.data.prepare import FittedTable, TablePreparation


def table(**columns: tuple[Kind, list[object]]) -> Dataset:
    schema = Schema("tabular", "y", tuple(Column(name, kind) for name, (kind, _) in columns.items()))
    types = {"number": "float64", "category": object, "date": "datetime64[ns]"}
    frame = pd.DataFrame({name: pd.Series(values, dtype=types[kind]) for name, (kind, values) in columns.items()})
    return Dataset("toy", schema, None, frame=frame)


def mixed(rows: int = 200, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 10, rows)
    age[rng.random(rows) < 0.1] = np.nan
    towns = [None if rng.random() < 0.1 else str(rng.choice(["Bonn", "Ulm", "Kiel"])) for _ in range(rows)]
    days = pd.Timestamp("2020-02-29 06:00") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D")
    return table(
        age=("number", list(age)),
        income=("number", list(rng.lognormal(10, 2, rows))),
        town=("category", list(towns)),
        since=("date", list(days)),
    )


TREATMENTS = ["robust", "standard", "quantile", "none"]


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_what_stands_in_other_rows_does_not_change_the_fit(treatment: str) -> None:
    data = mixed()
    assert data.frame is not None
    spoilt = data.frame.copy()
    spoilt.loc[100:, "income"] = 1e9
    spoilt.loc[100:, "age"] = np.nan
    spoilt.loc[100:, "town"] = "Atlantis"
    spoilt.loc[100:, "since"] = pd.Timestamp("1999-01-01 11:11")
    train, preparation = np.arange(100), TablePreparation(numbers=treatment)  # type: ignore[arg-type]
    here, there = preparation.fit(data.take(train)), preparation.fit(replace(data, frame=spoilt).take(train))
    assert here.to_dict() == there.to_dict()


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_a_fitted_preparation_survives_json(treatment: str) -> None:
    fitted = TablePreparation(numbers=treatment, min_count=3).fit(mixed())  # type: ignore[arg-type]
    back = FittedTable.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert back == fitted
    for before, after in zip(fitted.transform(mixed(seed=1)), back.transform(mixed(seed=1)), strict=True):
        np.testing.assert_array_equal(before, after)


def test_transform_gives_float32_numbers_and_int64_codes_of_the_shape_it_names() -> None:
    fitted = TablePreparation().fit(mixed())
    numbers, codes = fitted.transform(mixed(50, seed=1))
    assert (numbers.dtype, codes.dtype) == (np.float32, np.int64)
    assert numbers.shape == (50, fitted.shape.numbers)
    assert codes.shape == (50, len(fitted.shape.cardinalities))
    assert (codes.max(axis=0) < fitted.shape.cardinalities).all()


def test_missing_unseen_and_rare_levels_share_code_0() -> None:
    train = table(town=("category", ["Ulm", "Ulm", "Bonn", "Bonn", "Kiel", None]))
    _, codes = (
        TablePreparation(min_count=2)
        .fit(train)
        .transform(table(town=("category", ["Bonn", "Ulm", "Kiel", "Rome", None])))
    )
    assert codes[:, 0].tolist() == [1, 2, 0, 0, 0]


def test_only_the_most_frequent_levels_are_kept() -> None:
    train = table(town=("category", ["a"] * 2 + ["b"] * 4 + ["c"] * 3))
    assert TablePreparation(max_levels=2).fit(train).levels == (("town", ("b", "c")),)


def test_numeric_levels_stand_in_numeric_order() -> None:
    train = table(size=("category", ["10", "9", "2"] * 2))
    assert TablePreparation().fit(train).levels == (("size", ("2", "9", "10")),)


def test_a_column_with_missing_values_on_train_gets_an_indicator() -> None:
    fitted = TablePreparation().fit(
        table(age=("number", [1.0, 2.0, np.nan, 4.0]), size=("number", [1.0, 2.0, 3.0, 4.0]))
    )
    numbers, _ = fitted.transform(table(age=("number", [np.nan, 2.0]), size=("number", [np.nan, 2.0])))
    assert fitted.features == ("age", "size", "age is missing")
    assert numbers[:, 2].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("treatment", ["robust", "standard", "quantile"])
def test_missing_numbers_become_the_train_median(treatment: str) -> None:
    fitted = TablePreparation(numbers=treatment).fit(table(age=("number", [1.0, 2.0, 9.0])))  # type: ignore[arg-type]
    numbers, _ = fitted.transform(table(age=("number", [np.nan, 2.0])))
    assert numbers[0, 0] == numbers[1, 0]


def test_robust_numbers_stay_within_three_and_have_median_zero() -> None:
    wild = np.random.default_rng(0).standard_cauchy(1000) * 1e4
    numbers, _ = (
        TablePreparation(numbers="robust")
        .fit(table(x=("number", list(wild))))
        .transform(table(x=("number", list(wild))))
    )
    assert np.abs(numbers).max() <= 3
    assert abs(np.median(numbers)) < 1e-3


def test_quantile_numbers_are_nearly_normal_whatever_their_distribution() -> None:
    skewed = np.random.default_rng(0).lognormal(0, 3, 5000)
    data = table(x=("number", list(skewed)))
    numbers, _ = TablePreparation(numbers="quantile").fit(data).transform(data)
    assert abs(numbers.mean()) < 0.02
    assert abs(numbers.std() - 1) < 0.05


def test_a_value_that_covers_many_ranks_gets_their_middle_score() -> None:
    data = table(x=("number", [0.0] * 80 + [float(i) for i in range(1, 21)]))
    numbers, _ = TablePreparation(numbers="quantile").fit(data).transform(data)
    assert numbers[0, 0] == pytest.approx(-0.253, abs=0.02)  # the normal score of rank 40 %


def test_numbers_without_treatment_keep_nan_and_get_no_indicator() -> None:
    data = table(x=("number", [1.5, np.nan]))
    fitted = TablePreparation(numbers="none").fit(data)
    numbers, _ = fitted.transform(data)
    np.testing.assert_array_equal(numbers, np.array([[1.5], [np.nan]], np.float32))


@pytest.mark.parametrize("treatment", TREATMENTS)
@pytest.mark.parametrize(
    "values", [[7.0] * 4, [np.nan] * 4, [0.0, 0.0, 0.0, 1e308], [-1e308, 1e308, 1.0, 2.0], [0.0, 5e-324] * 2]
)
def test_odd_columns_give_finite_numbers(treatment: str, values: list[float]) -> None:
    data = table(x=("number", list(values)), y=("number", [1.0, 2.0, 3.0, 4.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        numbers, _ = TablePreparation(numbers=treatment).fit(data).transform(data)  # type: ignore[arg-type]
    assert np.isfinite(numbers[~np.isnan(numbers)]).all()
    assert treatment == "none" or not np.isnan(numbers).any()


@pytest.mark.parametrize("treatment", ["robust", "standard", "quantile"])
@pytest.mark.parametrize("unit", [1e-30, 1e-9, 1e12])
def test_the_unit_of_a_column_does_not_matter(treatment: str, unit: float) -> None:
    values = np.random.default_rng(0).normal(5, 2, 300)
    plain, scaled = table(x=("number", list(values))), table(x=("number", list(values * unit)))
    preparation = TablePreparation(numbers=treatment)  # type: ignore[arg-type]
    here, _ = preparation.fit(plain).transform(plain)
    there, _ = preparation.fit(scaled).transform(scaled)
    np.testing.assert_allclose(here, there, rtol=1e-4, atol=1e-5)


def test_every_distinct_value_of_a_rare_tail_keeps_its_own_score() -> None:
    data = table(x=("number", [0.0] * 10_000 + [100.0, 101.0, 102.0, 5000.0]))
    numbers, _ = TablePreparation(numbers="quantile").fit(data).transform(data)
    assert len(np.unique(numbers)) == 5


def test_dates_become_year_month_weekday_and_days() -> None:
    data = table(since=("date", ["2024-02-29", "1970-01-01", None]))
    numbers, _ = TablePreparation(numbers="none").fit(data).transform(data)
    np.testing.assert_array_equal(numbers[:2], [[2024, 2, 3, 19782], [1970, 1, 3, 0]])
    assert np.isnan(numbers[2]).all()


def test_the_hour_is_used_where_train_dates_have_a_time_of_day() -> None:
    data = table(since=("date", ["2024-02-29 18:30", "2024-03-01"]))
    fitted = TablePreparation(numbers="none").fit(data)
    assert fitted.features[-1] == "since hour"
    assert fitted.transform(data)[0][:, -1].tolist() == [18.5, 0.0]


def test_the_onehot_matrix_has_a_column_per_level_and_none_for_code_0() -> None:
    data = table(town=("category", ["Ulm", "Ulm", "Bonn", "Bonn", None]))
    fitted = TablePreparation(categories="onehot").fit(data)
    assert fitted.features == ("town = Bonn", "town = Ulm")
    assert fitted.matrix(data).tolist() == [[0, 1], [0, 1], [1, 0], [1, 0], [0, 0]]
    assert fitted.categorical == ()


def test_the_ordinal_matrix_holds_codes_and_says_where() -> None:
    data = table(x=("number", [1.0, 2.0, 3.0]), town=("category", ["Ulm", "Ulm", None]))
    fitted = TablePreparation(numbers="none", categories="ordinal").fit(data)
    assert fitted.matrix(data).tolist() == [[1, 1], [2, 1], [3, 0]]
    assert [fitted.features[j] for j in fitted.categorical] == ["town"]


def test_a_table_of_categories_alone_and_one_of_numbers_alone_can_be_prepared() -> None:
    texts, numbers = table(a=("category", ["u", "u"])), table(a=("number", [1.0, 2.0]))
    assert TablePreparation().fit(texts).matrix(texts).shape == (2, 1)
    assert TablePreparation().fit(numbers).transform(numbers)[1].shape == (2, 0)
