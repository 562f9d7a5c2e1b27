"""Runs on rows of several sources: who is asked, what is held out, what is remembered."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, people, quick_options
from safetensors.numpy import load_file, save_file

import steelyard
from steelyard.cli import main
from steelyard.data.source import read
from steelyard.data.sources import Mix
from steelyard.data.split import divide
from steelyard.errors import UserError
from steelyard.records import RunRecord
from steelyard.trials.predictions import Predictions
from steelyard.trials.trial import Outcome
from steelyard.workflow.ask import Ask, named
from steelyard.workflow.define import define
from steelyard.workflow.reopened import final_predictions, reopened
from steelyard.workflow.stored import asked_again


def surveys(rows: int = 240) -> pd.DataFrame:
    """People asked by phone, of whom most are poor, and in two other ways, where most are rich."""
    frame = people(rows)
    phone = np.where(frame["income"] == "low", np.arange(rows) % 3 > 0, np.arange(rows) % 8 == 0)
    return frame.assign(origin=np.where(phone, "phone", np.resize(["studio", "web"], rows)))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("surveys") / "surveys.csv"
    surveys().to_csv(file, index=False)
    return file


def command(source: Path, folder: Path) -> list[str]:
    words = ["run", str(source), "--target", "income", "--source-column", "origin", "--target-source", "phone"]
    return [*words, "--output", str(folder), "--trial-limit", "45", "--jobs", "1", "--quiet", *quick_options()]


@pytest.fixture(scope="module")
def folder(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run; nothing in it may be changed but by another weighing."""
    folder = tmp_path_factory.mktemp("mixed") / "run"
    assert main(command(source, folder)) == 0
    return folder


@pytest.fixture(scope="module")
def record(folder: Path) -> RunRecord:
    return steelyard.load(folder).record


def outcomes(folder: Path) -> list[Outcome]:
    journal = steelyard.load(folder).journal()
    try:
        return [outcome for outcome in journal.outcomes() if outcome.done]
    finally:
        journal.close()


def predicted(folder: Path, key: str) -> Predictions:
    return Predictions.load(folder / "predictions" / f"{key}.safetensors")


def test_the_record_says_which_source_is_in_which_part(record: RunRecord) -> None:
    sources = record.protocol["sources"]
    assert (sources["column"], sources["target"]) == ("origin", ["phone"])
    assert set(sources["rows"]["train"]) == set(sources["rows"]["train_dev"]) == {"phone", "studio", "web"}
    assert set(sources["rows"]["dev"]) == set(sources["rows"]["test"]) == {"phone"}
    assert record.test is not None
    assert sources["rows"]["test"]["phone"] == record.protocol["test"] == record.test.examples


def test_the_story_says_what_is_held_out_and_that_the_last_training_learns_from_it(record: RunRecord) -> None:
    told = " ".join(said.text for said in record.said)
    assert "dev and test hold rows of 'phone' only: dev" in told
    assert "more are held out as train-dev, at random" in told
    assert f"trained on train + train-dev + dev ({record.protocol['pool']} rows)" in told


def test_every_trial_predicts_train_dev_and_never_learns_from_it(folder: Path, source: Path) -> None:
    protocol, pool, _ = divide(read(source, "income", mix=Mix("origin", ("phone",))), 0)
    for outcome in outcomes(folder):
        trial, found = outcome.trial, predicted(folder, outcome.key)
        held = protocol.train_dev(trial.partition, trial.fold)
        assert np.array_equal(found.train_dev_rows, held)
        assert found.train_dev.shape == (len(held), 2)
        assert not set(found.train_rows) & set(held)
        assert (outcome.train_rows == len(pool)) == (trial.fold is None)
    assert any(outcome.trial.fold is None for outcome in outcomes(folder))
    assert any(outcome.trial.recipe.network is not None for outcome in outcomes(folder))


def test_what_the_final_models_arms_predict_on_train_dev_is_kept(folder: Path, source: Path) -> None:
    protocol, _, _ = divide(read(source, "income", mix=Mix("origin", ("phone",))), 0)
    held = np.sort(np.concatenate([protocol.train_dev(0, fold) for fold in range(protocol.folds)]))
    with reopened(folder, 5.0) as bench:
        found = final_predictions(bench)
        assert np.array_equal(found.train_dev_rows, held)
        assert found.train_dev.sum(axis=1) == pytest.approx(np.ones(len(held)), abs=1e-5)
        hits = found.train_dev.argmax(axis=1) == bench.truth[held]
        assert hits.mean() > 0.6
        assert np.array_equal(found.dev_rows, np.flatnonzero(bench.pool.asked))


def test_the_dumb_baseline_answers_for_the_target_source(record: RunRecord) -> None:
    frame = surveys()
    phone = (frame["income"][frame["origin"] == "phone"] == "low").mean()
    assert phone > 0.75
    assert record.problem.metric == "accuracy"
    assert record.baseline is not None
    assert record.baseline.value == pytest.approx(phone, abs=0.03)


def test_the_same_command_trains_nothing_again(folder: Path, source: Path) -> None:
    before = [outcome.key for outcome in outcomes(folder)]
    seconds = json.loads((folder / "run.json").read_text())["seconds"]
    assert main(command(source, folder)) == 0
    assert [outcome.key for outcome in outcomes(folder)] == before
    assert json.loads((folder / "run.json").read_text())["seconds"] == seconds


def test_another_target_source_is_another_run(folder: Path, source: Path) -> None:
    with pytest.raises(UserError, match="holds the run of other data"):
        steelyard.run(source, "income", output=folder, source_column="origin", target_source="web")


def test_the_question_is_remembered_with_its_sources(folder: Path) -> None:
    journal = steelyard.load(folder).journal()
    again = asked_again(journal, folder)
    journal.close()
    assert (again.source_column, again.target_source) == ("origin", ("phone",))
    assert again.identity()["target_source"] == ["phone"]
    assert "source_column" not in Ask("rows.csv").identity()


def test_a_run_that_is_opened_again_is_split_by_source_too(folder: Path, record: RunRecord) -> None:
    with reopened(folder, 5.0) as bench:
        assert record.protocol == bench.protocol.to_dict() | {k: record.protocol[k] for k in ("pool", "test")}


def test_several_target_sources_are_asked_for_from_python(tmp_path: Path) -> None:
    run = steelyard.run(
        surveys(60),
        "income",
        output=tmp_path / "run",
        source_column="origin",
        target_source=["phone", "web"],
        trial_limit=5,
        settings=QUICK,
        jobs=1,
    )
    assert run.record.protocol["sources"]["target"] == ["phone", "web"]
    assert len(run.predict(surveys(20).drop(columns=["income", "origin"]))) == 20


def test_a_source_column_and_a_target_source_are_named_together(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(source), "--target", "income", "--source-column", "origin"]) == 2
    assert main(["run", str(source), "--target", "income", "--target-source", "phone"]) == 2
    lines = capsys.readouterr().err.strip().split("\n")
    assert "source column 'origin' needs a target source" in lines[0]
    assert "target source 'phone' needs a source column" in lines[1]
    assert len(lines) == 2


def test_one_name_is_not_taken_for_its_letters() -> None:
    assert named("phone") == ("phone",)
    assert named(["phone", 2019]) == ("phone", "2019")
    assert named(2019) == ("2019",)
    assert named(None) == ()


def test_the_metric_suits_the_target_source() -> None:
    frame = people(600).assign(origin="web")
    rich = np.flatnonzero(frame["income"] == "high")
    poor = np.flatnonzero(frame["income"] == "low")
    frame.loc[[*rich[:6], *poor[:160]], "origin"] = "phone"
    plain = define(Ask(frame, "income"))[1]
    mixed = define(Ask(frame, "income", source_column="origin", target_source=("phone",)))[1]
    assert plain.metric == "accuracy"
    assert mixed.metric == "balanced_accuracy"


def test_predictions_of_older_runs_have_no_train_dev(tmp_path: Path) -> None:
    rows = np.arange(4)
    save_file(dict.fromkeys(("dev_rows", "dev", "train_rows", "train"), rows), tmp_path / "old.safetensors")
    found = Predictions.load(tmp_path / "old.safetensors")
    assert len(found.train_dev_rows) == len(found.train_dev) == 0
    found.save(tmp_path / "new.safetensors")
    assert set(load_file(tmp_path / "new.safetensors")) == set(vars(found))
