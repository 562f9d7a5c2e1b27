"""Whole runs on several targets at once and on ordered classes: what they leave, predict, resume and refuse."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, quick_options

import steelyard
from steelyard.cli import main
from steelyard.errors import UserError
from steelyard.report.plain import answer
from steelyard.training.model import load

TARGETS = {
    "multilabel": ["loud", "fast"],
    "multioutput": ["heat", "cold"],
    "multitask": ["genre", "loud", "heat"],
    "ordinal": ["grade"],
}
TRIALS = {"multilabel": 14}


@cache
def table(rows: int = 240, seed: int = 0) -> pd.DataFrame:
    """Targets of every kind that follow from three numbers and a category, with a ready split."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3)).round(5)
    frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(key=random.choice(["minor", "major"], rows))
    noise = 0.3 * random.normal(size=(rows, 5))
    frame["loud"] = (x[:, 0] + noise[:, 0] > 0.4).astype(int)
    frame["fast"] = (x[:, 1] + (frame["key"] == "major") + noise[:, 1] > 0.6).astype(int)
    frame["heat"] = (100 * x[:, 0] + 30 * x[:, 1] + noise[:, 2]).round(3)
    frame["cold"] = (x[:, 2] - x[:, 1] + noise[:, 3]).round(4)
    frame["genre"] = np.select([x[:, 2] > 0.6, x[:, 2] < -0.6], ["rock", "folk"], "jazz")
    steps = np.digitize(x[:, 0] + noise[:, 4], [-0.8, 0.0, 0.8])
    frame["grade"] = np.array(["low", "medium", "high", "very high"])[steps]
    frame.loc[frame.index % 11 == 3, "heat"] = np.nan
    return frame.assign(split=np.array(["train"] * 6 + ["dev"] * 2 + ["test"] * 2)[np.arange(rows) % 10])


def source(task: str, rows: int = 240, seed: int = 0) -> pd.DataFrame:
    every = {name for names in TARGETS.values() for name in names}
    return table(rows, seed).drop(columns=sorted(every - set(TARGETS[task])))


def carried_out(task: str, folder: Path, **more: object) -> steelyard.Run:
    settings = QUICK | {"estimator.iterations": "8"}
    how = {"task": "ordinal"} if task == "ordinal" else {}
    return steelyard.run(
        source(task),
        TARGETS[task] if len(TARGETS[task]) > 1 else TARGETS[task][0],
        output=folder,
        settings=settings,
        jobs=1,
        **({"trial_limit": TRIALS.get(task, 9)} | how | more),  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], steelyard.Run]:
    """The finished run of a task, carried out once."""
    return cache(lambda task: carried_out(task, tmp_path_factory.mktemp(task) / "run"))


@pytest.fixture(params=list(TARGETS))
def run(request: pytest.FixtureRequest, finished: Callable[[str], steelyard.Run]) -> steelyard.Run:
    return finished(request.param)


def test_a_run_beats_the_baseline_on_dev_and_on_test(run: steelyard.Run) -> None:
    record = run.record
    assert record.finished
    assert record.dev is not None
    assert record.test is not None
    assert record.baseline is not None
    measure = record.problem.measure
    assert measure.better(record.dev.value, record.baseline.value)
    assert measure.better(record.test.value, record.baseline.value)
    assert record.wear is not None
    assert {arm.family for arm in record.families} >= {"dummy", "linear", "boosting", "forest", "tabular-mlp"}
    assert record.errors is not None
    assert "not applicable" not in {w.verdict for w in record.weighed if w.pairs}


def test_predictions_have_a_column_a_target_and_match_the_saved_arrays(run: steelyard.Run) -> None:
    problem = run.record.problem
    new = source(problem.task, 40, seed=3).drop(columns=["split", *TARGETS[problem.task]])
    frame = run.predict_frame(new)
    expected = {
        "multilabel": ["prediction_loud", "prediction_fast", "probability_loud", "probability_fast"],
        "multioutput": ["prediction_heat", "prediction_cold"],
        "multitask": [
            "prediction_genre", "prediction_loud", "prediction_heat",
            "probability_genre_folk", "probability_genre_jazz", "probability_genre_rock",
            "probability_loud_0", "probability_loud_1",
        ],
        "ordinal": ["prediction", *(f"probability_{name}" for name in ("low", "medium", "high", "very high"))],
    }[problem.task]  # fmt: skip
    assert list(frame.columns) == expected
    assert len(frame) == 40
    assert not frame.isna().any(axis=None)
    said = run.predict(new)
    assert said.shape == ((40,) if problem.task == "ordinal" else (40, len(TARGETS[problem.task])))
    assert np.array_equal(said, steelyard.load(run.folder).predict(new))
    if problem.task == "multioutput":
        with pytest.raises(UserError, match="has no probabilities"):
            run.predict_proba(new)
    else:
        assert run.predict_proba(new).shape == (40, len([name for name in expected if name.startswith("prob")]))


def test_predictions_follow_the_truth(run: steelyard.Run) -> None:
    task, new = run.record.problem.task, table(150, seed=9)
    said = run.predict_frame(new)
    if task == "multioutput":
        assert np.corrcoef(said["prediction_cold"], new["cold"])[0, 1] > 0.5
    elif task == "ordinal":
        rank = {name: k for k, name in enumerate(run.record.problem.classes)}
        off = np.abs(said["prediction"].map(rank) - new["grade"].map(rank))
        assert off.mean() < 0.8
    else:
        assert (said["prediction_loud"] == new["loud"].astype(str)).mean() > 0.75


def test_the_same_call_again_answers_at_once_with_the_same_record(run: steelyard.Run) -> None:
    stamp = (run.folder / "journal.db").stat().st_mtime_ns
    again = carried_out(run.record.problem.task, run.folder)
    assert again.record == run.record
    assert stamp <= (run.folder / "journal.db").stat().st_mtime_ns
    assert steelyard.load(run.folder).record == run.record


def test_each_target_is_told_by_itself(run: steelyard.Run) -> None:
    record = run.record
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    plain = json.loads(json.dumps(answer(record)))
    if record.problem.task == "ordinal":
        assert record.targets == ()
        assert len(record.confusion) == 4
        assert "targets" not in plain
        return
    assert [row.name for row in record.targets] == TARGETS[record.problem.task]
    assert all(score.low <= score.value <= score.high for row in record.targets for _, score in row.scores)
    assert [each["name"] for each in plain["targets"]] == [each["name"] for each in plain["problem"]["targets"]]
    assert "Every target on dev" in page
    assert record.confusion == record.residuals == ()
    assert all(mistake.truth and mistake.predicted for mistake in record.mistakes)


def test_the_model_on_disk_is_json_and_safetensors_and_knows_its_targets(run: steelyard.Run) -> None:
    names = {file.suffix for file in (run.folder / "model").rglob("*") if file.is_file()}
    assert names <= {".json", ".safetensors", ".md"}
    model = load(next(iter(sorted((run.folder / "model").glob("member-*")))))
    assert model.problem.heads == run.record.problem.heads
    assert model.schema.targets == (tuple(TARGETS[model.problem.task]) if model.problem.heads else ())


def test_a_run_that_was_cut_goes_on_to_the_same_bits(finished: Callable[[str], steelyard.Run], tmp_path: Path) -> None:
    def predictions(folder: Path) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in (folder / "predictions").iterdir()}

    carried_out("multitask", tmp_path / "cut", trial_limit=3)
    cut = predictions(tmp_path / "cut")
    whole = carried_out("multitask", tmp_path / "cut")
    assert cut.items() <= predictions(tmp_path / "cut").items()
    straight = finished("multitask")
    assert predictions(straight.folder).items() <= predictions(tmp_path / "cut").items()
    assert straight.record.winner == whole.record.winner


# -- weighing ----------------------------------------------------------------------------------------------------


def test_techniques_are_weighed_on_several_targets(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "music.csv", index=False)
    out = tmp_path / "run"
    common = ["--output", str(out), "--trial-limit", "8", "--jobs", "1", "--quiet", *quick_options()]
    targets = ["--target", "genre", "--target", "heat", "--exclude", "grade"]
    assert main(["run", str(tmp_path / "music.csv"), *targets, *common]) == 0
    found = steelyard.weigh(
        ["learned-loss-weights", "label-smoothing", "nominal-loss", "over-sampling"],
        out,
        against="tabular-mlp",
        seeds=3,
    )
    assert isinstance(found, steelyard.Weighing)
    assert found["learned-loss-weights"].pairs
    assert "order of classes" in found["nominal-loss"].reason
    assert "several targets" in found["over-sampling"].reason


# -- the command line --------------------------------------------------------------------------------------------


def test_lists_of_labels_go_in_and_come_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = source("multilabel")
    tags = [[n for n in ("loud", "fast") if row[n]] for _, row in frame.iterrows()]
    frame.drop(columns=["loud", "fast"]).assign(tags=["|".join(t) or "|" for t in tags]).to_csv(
        tmp_path / "m.csv", index=False
    )
    options = ["--trial-limit", "6", "--jobs", "1", "--quiet", "--json", *quick_options()]
    command = [
        "run",
        str(tmp_path / "m.csv"),
        "--target",
        "tags",
        "--task",
        "multilabel",
        "--output",
        str(tmp_path / "r"),
    ]
    assert main([*command, *options]) == 0
    answered = json.loads(capsys.readouterr().out)
    assert answered["problem"]["task"] == "multilabel"
    assert answered["metric"] == "f1_micro"
    assert main(["predict", str(tmp_path / "r"), str(tmp_path / "m.csv"), "--output", str(tmp_path / "p.csv")]) == 0
    said = pd.read_csv(tmp_path / "p.csv")
    assert set(json.loads(said["prediction"][0])) <= {"fast", "loud"}
    given = said["prediction"].map(json.loads).map(set)
    assert (given.map(lambda each: "loud" in each) == (said["prediction_loud"] == "yes")).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "heat", "--target", "heat"], "named twice"),
        (["--target", "heat,coldd"], "did you mean 'cold'"),
        (["--target", "heat", "--target", "cold", "--task", "binary"], "is for one target, and 2 are named"),
        (["--target", "heat", "--target", "cold", "--metric", "accuracy"], "this is multioutput"),
        (["--target", "loud", "--target", "fast", "--metric", "d2"], "scores multitask problems; this is multilabel"),
        (["--target", "heat", "--target", "cold", "--human-error", "0.1"], "this is multioutput"),
        (["--target", "genre", "--task", "ordinal"], "--order folk,jazz,rock"),
        (["--target", "genre", "--order", "folk,jazz,pop"], "names 'pop', which target 'genre' has not"),
        (["--target", "heat", "--target", "cold", "--set", "loss.weights=1,2,3"], "for each of 2 targets"),
        (["--target", "heat", "--task", "multilabel"], "needs several targets, or a column of lists"),
        (["--target", "heat", "--task", "multitarget"], "invalid choice"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table().to_csv(tmp_path / "music.csv", index=False)
    command = ["run", str(tmp_path / "music.csv"), *arguments, "--output", str(tmp_path / "r"), "--quiet"]
    try:
        code = main([*command, "--trial-limit", "8", "--jobs", "1"])
    except SystemExit as end:
        code = end.code  # type: ignore[assignment]
    shown = capsys.readouterr()
    assert code == 2
    assert words in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""
