"""Whole runs on small data of every kind, through the Python face."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, people
from PIL import Image

import steelyard
from steelyard.errors import UserError
from steelyard.recipe import Recipe
from steelyard.records import STEPS, Said
from steelyard.trials.trial import Outcome


def quick(source: object, target: str | None, folder: Path, trials: int, **more: object) -> steelyard.Run:
    settings = {k: v for k, v in QUICK.items() if k != "network.depth"} | more.pop("settings", {})  # type: ignore[operator]
    return steelyard.run(source, target, output=folder, trial_limit=trials, settings=settings, jobs=1, **more)  # type: ignore[arg-type]


# -- what a run leaves ------------------------------------------------------------------------------------------


def test_a_run_leaves_a_better_model_with_its_evidence(people_run: Path) -> None:
    record = steelyard.load(people_run).record
    assert record.finished
    assert record.test_openings == 1
    assert record.baseline is not None
    assert record.dev is not None
    assert record.test is not None
    assert record.dev.low > record.baseline.high
    assert record.test.low < record.test.value < record.test.high
    assert (record.test.examples, record.dev.examples) == (40, 160)
    assert {arm.family for arm in record.families} == {
        "dummy", "linear", "neighbors", "boosting", "forest", "tabular-mlp",
    }  # fmt: skip
    assert any(w.pairs for w in record.weighed)
    assert record.errors is not None
    assert record.next_steps


def test_every_step_is_told_in_its_order(people_run: Path) -> None:
    told = list(dict.fromkeys(said.step for said in steelyard.load(people_run).record.said))
    assert told == list(STEPS)


def test_the_folder_holds_the_page_the_recipe_the_model_and_the_journal(people_run: Path) -> None:
    assert "<html" in (people_run / "report.html").read_text(encoding="utf-8")
    recipe = Recipe.read(people_run / "recipe.toml")
    assert recipe.to_dict() == steelyard.load(people_run).record.winner["recipe"]
    assert "steelyard predict" in (people_run / "model" / "README.md").read_text(encoding="utf-8")
    names = {file.suffix for file in (people_run / "model").rglob("*") if file.is_file()}
    assert names <= {".json", ".safetensors", ".skops", ".md"}
    assert not (people_run / "models").exists()


def test_a_run_in_memory_answers_like_one_on_disk(people_run: Path) -> None:
    new = people(20, seed=5).drop(columns="income")
    run = steelyard.load(people_run)
    assert list(run.predict(new)) == list(steelyard.load(str(people_run)).predict_frame(new)["prediction"])
    assert run.predict_proba(new).shape == (20, 2)


def test_loading_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no run"):
        steelyard.load(tmp_path)


# -- predictions ------------------------------------------------------------------------------------------------


def test_predictions_are_a_row_a_row_in_order_with_probabilities_that_sum_to_one(people_run: Path) -> None:
    run, new = steelyard.load(people_run), people(60, seed=5).drop(columns="income")
    frame = run.predict_frame(new)
    assert list(frame.columns) == ["prediction", "probability_high", "probability_low"]
    probabilities = frame[["probability_high", "probability_low"]].to_numpy()
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert list(frame["prediction"]) == list(np.where(probabilities[:, 0] >= probabilities[:, 1], "high", "low"))
    backwards = run.predict_frame(new.iloc[::-1])
    assert backwards["probability_high"].to_numpy()[::-1] == pytest.approx(probabilities[:, 0], abs=1e-6)


def test_unseen_categories_missing_values_and_infinite_ones_are_predicted(people_run: Path) -> None:
    new = people(3, seed=5).drop(columns="income")
    new["colour"] = ["ultraviolet", None, "red"]
    new.loc[0, "age"], new.loc[1, "age"], new.loc[2, "hours"] = np.nan, np.inf, -1e300
    frame = steelyard.load(people_run).predict_frame(new)
    assert len(frame) == 3
    assert np.isfinite(frame.drop(columns="prediction").to_numpy()).all()
    assert any("'colour': 1 values that training did not use" in note for note in frame.attrs["notes"])


def test_columns_may_come_in_any_order_and_with_others(people_run: Path) -> None:
    run, new = steelyard.load(people_run), people(10, seed=5).drop(columns="income")
    shuffled = new[["gain", "colour", "hours", "age"]].assign(more=1)
    assert np.array_equal(run.predict_proba(new), run.predict_proba(shuffled))


def test_a_missing_column_is_named(people_run: Path) -> None:
    with pytest.raises(UserError, match="'hours'"):
        steelyard.load(people_run).predict(people(5).drop(columns="hours"))


# -- kinds of problems ------------------------------------------------------------------------------------------


def test_three_classes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    code = np.arange(180) % 3
    frame = pd.DataFrame(random.normal(size=(180, 3)) + 2 * np.eye(3)[code], columns=list("abc"))
    run = quick(frame.assign(kind=np.array(["ant", "bee", "cat"])[code]), "kind", tmp_path / "run", 10)
    assert run.record.problem.task == "multiclass"
    assert run.record.problem.classes == ("ant", "bee", "cat")
    assert run.record.test is not None
    assert run.record.test.value > 0.6
    assert len(run.record.confusion) == 3
    assert run.predict_proba(frame).sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_values(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(150, 3)), columns=list("abc"))
    frame["price"] = 500 + 90 * frame["a"] - 30 * frame["b"] + random.normal(size=150)
    seen: list[object] = []
    run = quick(frame, "price", tmp_path / "run", 30, watch=seen.append)
    record = run.record
    assert (record.problem.task, record.problem.metric) == ("regression", "rmse")
    assert record.baseline is not None
    assert record.test is not None
    assert record.test.value < 0.2 * record.baseline.value
    assert len(record.residuals) == 120
    assert list(run.predict_frame(frame.head(4)).columns) == ["prediction"]
    with pytest.raises(UserError, match="regression"):
        run.predict_proba(frame)
    assert {type(event) for event in seen} >= {Said, Outcome}
    assert all(event.status == "done" for event in seen if isinstance(event, Outcome))


def test_arrays_of_images(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    code = np.arange(120) % 2
    images = random.integers(0, 120, (120, 8, 8))
    images[:, :, :4] += 100 * code[:, None, None]
    run = quick((images.astype(np.uint8), code), None, tmp_path / "run", 30, settings={"network.width": 8})
    assert run.record.problem.modality == "image"
    assert run.record.test is not None
    assert run.record.test.value > 0.9
    assert "residual-cnn" in {arm.family for arm in run.record.families}
    assert list(run.predict(images[:6].astype(np.uint8))) == ["0", "1"] * 3
    for number in range(1, 13):
        Image.fromarray(images[number].astype(np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "7.png").write_bytes(b"not an image")
    (folder := tmp_path / "flat").mkdir()
    for file in tmp_path.glob("*.png"):
        file.rename(folder / file.name)
    frame = run.predict_frame(folder)
    assert [Path(file).stem for file in frame["file"]] == [str(number) for number in range(1, 13)]
    assert frame["prediction"].isna().tolist() == [number == 7 for number in range(1, 13)]
    assert run.predict_proba(folder).shape == (12, 2)


def test_a_second_source_is_the_test(tmp_path: Path) -> None:
    run = quick(people(), "income", tmp_path / "run", 10, test=people(70, seed=1))
    assert run.record.test is not None
    assert run.record.test.examples == 70


# -- power, constraints, limits ---------------------------------------------------------------------------------


def test_shuffled_labels_have_no_statistical_power_and_the_run_stops_there(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    frame = people(160)
    frame["income"] = random.permutation(frame["income"])
    run = quick(frame, "income", tmp_path / "run", 30)
    assert any("no statistical power" in said.text for said in run.record.said)
    assert any("the doctor finds nothing wrong with them" in said.text for said in run.record.said)
    assert run.record.winner == {}
    assert run.record.weighed == ()
    assert run.record.test_openings == 0


def test_a_constraint_nobody_keeps_leaves_no_winner_and_says_what_was_measured(tmp_path: Path) -> None:
    run = quick(people(), "income", tmp_path / "run", 10, constraints=["size_mb<=0.000001"])
    assert run.record.winner == {}
    assert "size_mb<=1e-06 (measured" in run.record.said[-1].text
    with pytest.raises(UserError, match="no model"):
        run.predict(people(3))


def rings() -> pd.DataFrame:
    """Points inside and outside a circle: trees see it, a straight line does not."""
    random = np.random.default_rng(0)
    points = random.normal(size=(300, 2))
    frame = pd.DataFrame(points, columns=["x", "y"]).assign(z=points[:, 0] + random.normal(size=300))
    return frame.assign(where=np.where((points**2).sum(axis=1) + 0.4 * points[:, 0] > 1.4, "out", "in"))


def test_a_model_that_is_too_big_does_not_win(tmp_path: Path) -> None:
    free = quick(rings(), "where", tmp_path / "free", 30)
    measured = {o.trial.recipe.family: o.measured["size_mb"] for o in free.journal().outcomes()}
    winner = str(free.record.winner["members"][0]["family"])
    assert measured[winner] > measured["linear"]
    bound = (measured[winner] + measured["linear"]) / 2
    small = quick(rings(), "where", tmp_path / "small", 30, constraints=[f"size_mb<={bound}"])
    assert small.record.winner
    assert winner not in {member["family"] for member in small.record.winner["members"]}


def test_a_time_limit_is_kept(tmp_path: Path) -> None:
    began = time.monotonic()
    run = steelyard.run(people(300), "income", output=tmp_path / "run", time_limit=15, jobs=1)
    assert time.monotonic() - began < 15 + 6
    assert run.record.finished
    assert run.record.test is not None


def test_a_wrong_knob_is_said_with_a_suggestion_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no knob 'network.widht' here; did you mean 'network.width'"):
        steelyard.run(people(), "income", output=tmp_path / "run", settings={"network.widht": 8})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"jobs": 0}, {"trial_limit": 0}, {"time_limit": 0}, {"time_limit": np.nan}]
)
def test_numbers_that_make_no_sense_are_refused(wrong: dict[str, float], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        steelyard.run(people(), "income", output=tmp_path / "run", **wrong)  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_a_training_that_diverges_is_left_out_and_the_run_goes_on(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(150, 2)), columns=["a", "b"]).assign(y=lambda f: 3 * f["a"] + f["b"])
    wild = {"optimizer.lr": 1e30}
    run = quick(frame, "y", tmp_path / "run", 30, settings=wild)
    statuses = {o.trial.recipe.family: o.status for o in run.journal().outcomes()}
    assert statuses["tabular-mlp"] == "diverged"
    assert run.record.test is not None
    assert "tabular-mlp" not in {arm.family for arm in run.record.families}
