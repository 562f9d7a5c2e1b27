"""Runs in which rows, or mistakes, do not count alike."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import QUICK, people, quick_options

import steelyard
from steelyard.cli import main
from steelyard.errors import UserError
from steelyard.metrics import cost, metric
from steelyard.records import RunRecord
from steelyard.trials.journal import Journal
from steelyard.trials.predictions import Predictions
from steelyard.workflow.stored import asked_again

MISSED = {"yes": {"yes": 0, "no": 10}, "no": {"yes": 1, "no": 0}}  # a "yes" that is missed is dear


def run(folder: Path, frame: pd.DataFrame | Path, **more: object) -> steelyard.Run:
    settings = {k: v for k, v in QUICK.items() if k != "network.depth"}
    return steelyard.run(frame, "y", output=folder, trial_limit=30, settings=settings, jobs=1, **more)  # type: ignore[arg-type]


def two_rules(rows: int = 400) -> pd.DataFrame:
    """Most rows follow a rule that trees see and lines do not, two in five a straight one: those count tenfold."""
    x = np.random.default_rng(0).normal(size=(rows, 3))
    straight = np.arange(rows) % 5 < 2
    yes = np.where(straight, x[:, 0] > 0, x[:, 0] * x[:, 1] > 0)
    frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(counts=np.where(straight, 10.0, 1.0))
    return frame.assign(y=np.where(yes, "yes", "no"))


def plain_rows() -> pd.DataFrame:
    """The same rows without their weights."""
    return two_rules().drop(columns="counts")


@pytest.fixture(scope="module")
def weighted(tmp_path_factory: pytest.TempPathFactory) -> steelyard.Run:
    return run(tmp_path_factory.mktemp("weighted") / "run", two_rules(), weights="counts")


def winner(record: RunRecord) -> str:
    return str(record.winner["members"][0]["family"])


def test_weights_change_the_winner(weighted: steelyard.Run, tmp_path: Path) -> None:
    plain = run(tmp_path / "plain", plain_rows())
    assert plain.record.families[0].family == winner(plain.record) == "boosting"
    assert weighted.record.families[0].family == winner(weighted.record) == "linear"
    assert plain.record.dev is not None
    assert weighted.record.dev is not None
    assert weighted.record.dev.value > plain.record.dev.value


def test_every_trial_is_scored_by_the_weights_of_its_rows(weighted: steelyard.Run) -> None:
    journal = weighted.journal()
    done = [o for o in journal.outcomes() if o.dev_score is not None]
    journal.close()
    frame, rows = two_rules(), pool_rows(weighted)
    truth, counts = (frame["y"] == "yes").to_numpy().astype(int)[rows], frame["counts"].to_numpy()[rows]
    for outcome in done:
        p = Predictions.load(weighted.folder / "predictions" / f"{outcome.key}.safetensors")
        for found, at, predicted in (
            (outcome.dev_score, p.dev_rows, p.dev),
            (outcome.train_score, p.train_rows, p.train),
        ):
            assert found == pytest.approx(metric("accuracy")(truth[at], predicted, counts[at]))
        if outcome.curve:
            assert outcome.curve[-1].dev_score == pytest.approx(outcome.dev_score)


def pool_rows(found: steelyard.Run) -> np.ndarray:
    from steelyard.data.source import read
    from steelyard.data.split import divide

    return divide(read(two_rules(), "y", weights="counts"), found.record.seed)[1]


def test_the_sealed_test_is_scored_by_weights(weighted: steelyard.Run) -> None:
    frame = two_rules()
    test = frame.drop(index=pool_rows(weighted))
    right = weighted.predict(test) == test["y"]
    assert weighted.record.test is not None
    assert weighted.record.test.value == pytest.approx(np.average(right, weights=test["counts"]))


def test_a_model_of_weighted_rows_predicts_rows_without_weights(weighted: steelyard.Run) -> None:
    assert len(weighted.predict(two_rules(20).drop(columns=["counts", "y"]))) == 20


def test_a_constraint_on_a_metric_is_measured_with_weights(tmp_path: Path) -> None:
    found = run(tmp_path / "run", two_rules(), weights="counts", constraints=["accuracy>=1.1"])
    assert found.record.winner == {}
    last, scores = found.record.said[-1].text, [arm.score for arm in (*found.record.families, *found.record.ladder)]
    assert any(score and f"accuracy>=1.1 (measured {score.value:.4g})" in last for score in scores)


def test_a_run_with_other_weights_is_not_answered_from_old_trials(weighted: steelyard.Run) -> None:
    other = two_rules().assign(counts=1.0)
    with pytest.raises(UserError, match="holds the run of other data"):
        run(weighted.folder, other, weights="counts")
    with pytest.raises(UserError, match="holds the run of other data"):
        run(weighted.folder, two_rules())


# -- costs ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> steelyard.Run:
    folder = tmp_path_factory.mktemp("priced")
    plain_rows().to_csv(folder / "rows.csv", index=False)
    return run(folder / "run", folder / "rows.csv", costs=MISSED)


def test_costs_make_their_mean_the_metric_and_smaller_is_better(priced: steelyard.Run) -> None:
    record = priced.record
    assert record.problem.metric == "cost"
    assert record.problem.costs == ((0.0, 1.0), (10.0, 0.0))
    values = [arm.score.value for arm in record.families if arm.score]
    assert values[:-1] == sorted(values[:-1])
    assert record.baseline is not None
    assert record.dev is not None
    assert record.dev.high < record.baseline.low
    assert any("optimise cost (costs were given)" in said.text for said in record.said)


def test_the_cost_is_that_of_the_predicted_labels(priced: steelyard.Run) -> None:
    frame = plain_rows()
    test = frame.drop(index=pool_rows(priced))
    each = [MISSED[true][said] for true, said in zip(test["y"], priced.predict(test), strict=True)]
    assert priced.record.test is not None
    assert priced.record.test.value == pytest.approx(np.mean(each))


def test_costs_stay_with_the_record_the_model_and_the_question(priced: steelyard.Run) -> None:
    assert steelyard.load(priced.folder).record.problem == priced.record.problem
    assert priced.predictor().problem.measure is cost(((0.0, 1.0), (10.0, 0.0)))
    journal = Journal(priced.folder / "journal.db", create=False)
    again = asked_again(journal, priced.folder)
    journal.close()
    assert again.costs == MISSED
    assert again.identity()["costs"] == {"yes": {"yes": 0.0, "no": 10.0}, "no": {"yes": 1.0, "no": 0.0}}


def test_the_same_folder_asked_with_other_costs_scores_anew(tmp_path: Path) -> None:
    first = run(tmp_path / "run", plain_rows(), costs=MISSED)
    cheap = {true: {said: 0.1 * each for said, each in row.items()} for true, row in MISSED.items()}
    second = run(tmp_path / "run", plain_rows(), costs=cheap)
    assert first.record.baseline is not None
    assert second.record.baseline is not None
    assert second.record.baseline.value == pytest.approx(0.1 * first.record.baseline.value)
    assert first.record.test is not None
    assert second.record.test is not None
    assert second.record.test.value < 0.3 * first.record.test.value


def test_costs_leave_the_metric_that_is_asked_for_and_can_be_limited(tmp_path: Path) -> None:
    found = run(tmp_path / "run", plain_rows(), costs=MISSED, metric="f1", constraints=["cost<=0"])
    assert found.record.problem.metric == "f1"
    assert "cost<=0 (measured" in found.record.said[-1].text


def test_the_command_line_reads_weights_and_costs(tmp_path: Path) -> None:
    people(120).assign(counts=2.0).to_csv(tmp_path / "people.csv", index=False)
    (tmp_path / "costs.csv").write_text(",low,high\nlow,0,1\nhigh,4,0\n", encoding="utf-8")
    out = tmp_path / "run"
    given = ["run", str(tmp_path / "people.csv"), "--target", "income", "--weights", "counts"]
    given += ["--costs", str(tmp_path / "costs.csv"), "--output", str(out), "--trial-limit", "15", "--jobs", "1"]
    assert main([*given, *quick_options(), "--quiet", "--json"]) == 0
    record = steelyard.load(out).record
    assert record.problem.costs == ((0.0, 4.0), (1.0, 0.0))  # the classes are high and low
    assert any("'counts' weights the rows" in note for note in record.notes)


def test_costs_of_other_classes_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="name 'maybe' among the true classes"):
        run(tmp_path / "run", plain_rows(), costs=MISSED | {"maybe": {}})
    assert not (tmp_path / "run").exists()
