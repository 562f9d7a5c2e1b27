"""Whole runs on series: classes of the archive's files, a forecast that can be learnt, and one that cannot."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import steelyard
from steelyard.cli import main
from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.layout import Layout
from steelyard.errors import UserError
from steelyard.problem import Problem
from steelyard.report.page import page
from steelyard.workflow.families import families
from steelyard.workflow.power import stretches

SETTINGS = {"stopping.epochs": "2", "estimator.trees": "5", "network.width": "4"}


def bumps(folder: Path) -> tuple[Path, np.ndarray]:
    """A .ts file of 40 series of 12 steps, with a bump before or after the middle; every fifth is shorter."""
    random = np.random.default_rng(0)
    values = 0.2 * random.normal(size=(40, 12))
    values[np.arange(40), np.where(np.arange(40) % 2, 3, 7)] += 4
    lines = [
        ",".join(f"{v:.3f}" for v in row[: 10 if i % 5 == 0 else 12]) + f":{'left' if i % 2 else 'right'}"
        for i, row in enumerate(values)
    ]
    file = folder / "bumps.ts"
    file.write_text("@problemName bumps\n@classLabel true left right\n@data\n" + "\n".join(lines) + "\n")
    return file, values


def walk(folder: Path, season: bool = False, days: int = 150) -> Path:
    """A random walk, or a season of seven days with noise."""
    steps = np.random.default_rng(1).normal(size=days)
    values = 6 * np.sin(2 * np.pi * np.arange(days) / 7) + steps if season else np.cumsum(steps)
    file = folder / "walk.csv"
    when = pd.date_range("2024-01-01", periods=days, freq="D").strftime("%Y-%m-%d")
    pd.DataFrame({"day": when, "level": values.round(4)}).to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> steelyard.Run:
    folder = tmp_path_factory.mktemp("bumps")
    file, _ = bumps(folder)
    return steelyard.run(file, output=folder / "run", trial_limit=15, settings=SETTINGS, jobs=1)


def test_a_run_on_a_ts_file_leaves_a_model_that_predicts_series(classes: steelyard.Run, tmp_path: Path) -> None:
    _, values = bumps(tmp_path)
    record = classes.record
    assert record.finished
    assert (record.problem.modality, record.problem.classes) == ("series", ("left", "right"))
    assert record.test is not None
    assert record.test.value > 0.8
    predicted = classes.predict(values[:, None].astype(np.float32))
    assert (predicted == np.where(np.arange(40) % 2, "left", "right")).mean() > 0.9


def test_the_page_of_a_run_on_series_speaks_of_series(classes: steelyard.Run) -> None:
    html = page(classes.record)
    assert "Binary classification of 40 series" in html
    told = " ".join(said.text for said in classes.record.said)
    assert "series of 1 channel and up to 12 steps" in told


def test_a_season_is_forecast_better_than_by_dumb_forecasts(tmp_path: Path) -> None:
    file = walk(tmp_path, season=True, days=400)
    run = steelyard.run(
        file, "level", time="day", horizon=2, metric="mase", output=tmp_path / "run", trial_limit=25, jobs=1,
        settings=SETTINGS,
    )  # fmt: skip
    record = run.record
    assert {"last-value", "seasonal-value"} <= {arm.family for arm in record.families}
    assert record.test is not None
    assert record.test.value < 1
    assert record.course[0][0] < record.course[-1][0]
    assert "truth (line) and forecast (dots)" in page(record)
    frame = run.predict_frame(file)
    assert list(frame.columns) == ["known_until", "prediction"]
    assert frame["known_until"].iloc[-1] == "2025-02-03"
    assert np.isfinite(frame["prediction"]).all()


def test_of_a_random_walk_it_is_said_that_the_last_value_is_not_beaten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = walk(tmp_path), tmp_path / "run"
    options = [word for knob, text in SETTINGS.items() for word in ("--set", f"{knob}={text}")]
    command = ["run", str(file), "--target", "level", "--time", "day", "--horizon", "1", "--output", str(folder)]
    assert main([*command, "--trial-limit", "25", "--jobs", "1", "--quiet", *options]) == 0
    assert "last-value" in capsys.readouterr().out
    run = steelyard.load(folder)
    assert run.record.winner["family"] == "last-value"
    assert run.record.test is None
    assert any("no model forecasts 'level' better than the last value" in said.text for said in run.record.said)
    frame = run.predict_frame(file)
    levels = pd.read_csv(file)["level"].to_numpy()
    assert frame["prediction"].to_numpy() == pytest.approx(levels[-len(frame) :])


# -- pieces -------------------------------------------------------------------------------------------------------


def test_the_families_of_series_and_of_forecasts() -> None:
    plain = Schema("series", "class", (Column("value", "number"),), length=30)
    problem = Problem("binary", "series", "class", 100, ("a", "b"), "accuracy")
    kinds = [recipe.family for recipe in families(problem, plain, 100)]
    assert {"series-resnet", "inception-time", "series-transformer", "series-rnn"} <= set(kinds)
    ahead = Schema("series", "v", plain.columns, layout=Layout(horizon=1, window=30, period=0), length=30)
    forecast = families(Problem("regression", "series", "v", 100, (), "rmse"), ahead, 100)
    assert [recipe.family for recipe in forecast[:2]] == ["dummy", "last-value"]
    assert {recipe.get("prepare.base") for recipe in forecast[1:]} == {"last"}
    assert forecast[0].get("prepare.base") == "none"


def test_stretches_are_longer_than_the_horizon_and_follow_each_other() -> None:
    order = np.stack([np.arange(100), np.arange(100) + 10], axis=1)
    found = stretches(order)
    assert (np.diff(found) >= 0).all()
    assert np.bincount(found).min() >= 20


def test_mase_is_only_for_forecasts(tmp_path: Path) -> None:
    pd.DataFrame({"x": range(40), "y": np.arange(40.0) ** 2}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UserError, match="metric 'mase' is for forecasts"):
        steelyard.run(tmp_path / "t.csv", "y", metric="mase", output=tmp_path / "run", trial_limit=5)


def test_a_schema_of_series_survives_json() -> None:
    schema = Schema("series", "v", (Column("v", "number"),), layout=Layout(time="t", horizon=2, window=5), length=5)
    assert Schema.from_dict(schema.to_dict()) == schema


def test_a_mistake_on_a_series_is_shown_as_a_small_drawing() -> None:
    from steelyard.diagnosis.mistakes import worst

    series = np.random.default_rng(0).normal(size=(6, 2, 9)).astype(np.float32)
    series[0, 0, 4:6] = np.nan
    schema = Schema("series", "class", (Column("a", "number"), Column("b", "number")), length=9)
    pool = Dataset("made", schema, np.zeros(6, np.int64), ("a", "b"), series=series)
    wrong = np.tile([[0.2, 0.8]], (6, 1))
    problem = Problem("binary", "series", "class", 6, ("a", "b"), "accuracy")
    found = worst(problem, pool, np.arange(6), wrong)
    assert all(mistake.image.startswith("data:image/png;base64,") for mistake in found)
    assert found[0].image != found[1].image
