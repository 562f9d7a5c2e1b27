"""Columns that are left out by name, and the share of them that tells most."""

import numpy as np
import pandas as pd
import pytest

from steelyard.classical import Linear
from steelyard.data.prepare import FittedTable, TablePreparation
from steelyard.data.selection import chosen
from steelyard.data.source import read
from steelyard.errors import UserError
from steelyard.recipe import Recipe


def table(task: str = "values") -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(300, 4)), columns=["a", "b", "c", "d"])
    frame["kind"] = random.choice(["x", "y"], 300)
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 400, 300), "D")
    frame.loc[::4, "c"] = np.nan
    signal = 2 * frame["b"] + 3 * (frame["kind"] == "x") + 2.5 * frame["c"].isna() + 0.1 * random.normal(size=300)
    return frame.assign(y=signal if task == "values" else np.where(signal > 2, "yes", "no"))


@pytest.mark.parametrize("task", ["values", "classes"])
def test_the_columns_that_tell_most_are_kept_in_their_order(task: str) -> None:
    dataset = read(table(task), "y")
    assert [column.name for column in chosen(dataset, (), 0.5)] == ["b", "c", "kind"]
    assert [column.name for column in chosen(dataset, (), 0.01)] == ["b"]
    assert [column.name for column in chosen(dataset, ("b",), 0.4)] == ["c", "kind"]
    assert chosen(dataset, (), 1.0) == dataset.schema.columns


def test_what_is_dropped_does_not_reach_the_model() -> None:
    dataset = read(table(), "y")
    fitted = TablePreparation(drop=("b", "kind", "when")).fit(dataset)
    assert fitted.features == ("a", "c", "d", "c is missing")
    excluded = read(table(), "y", exclude=("b", "kind", "when"))
    plain = TablePreparation().fit(excluded)
    assert np.array_equal(fitted.matrix(dataset), plain.matrix(excluded))
    assert FittedTable.from_dict(fitted.to_dict()) == fitted


def test_only_the_rows_given_decide_what_is_kept() -> None:
    frame = table()
    frame.loc[150:, "a"] = frame.loc[150:, "y"]
    dataset = read(frame, "y")
    kept = [[c.name for c in chosen(dataset.take(rows), (), 0.1)] for rows in (np.arange(150), np.arange(150, 300))]
    assert kept == [["b"], ["a"]]


@pytest.mark.parametrize(
    ("drop", "words"),
    [
        (("bb",), "'bb', which is no input"),
        (tuple(table().columns[:-1]), "every input"),
        (("y",), "'y', which"),
    ],
)
def test_dropping_what_is_not_there_or_everything_is_the_users_error(drop: tuple[str, ...], words: str) -> None:
    with pytest.raises(UserError, match=words):
        TablePreparation(drop=drop).fit(read(table(), "y"))


def test_the_knob_is_set_as_text_and_survives_toml() -> None:
    recipe = Recipe(TablePreparation(), estimator=Linear()).set("prepare.drop", "a,kind")
    assert recipe.get("prepare.drop") == ("a", "kind")
    assert Recipe.from_toml(recipe.to_toml()) == recipe
