"""Whole runs where a class is rare: the metric, what is proposed, and a threshold that comes with the model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import steelyard
from steelyard.classical import Linear
from steelyard.data.batches import Batch
from steelyard.data.prepare import TablePreparation
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques import catalogue
from steelyard.techniques.technique import NotApplicable
from steelyard.training.losses import CrossEntropy
from steelyard.training.model import load
from steelyard.training.optimizers import AdamW
from steelyard.training.stopping import Stopping
from steelyard.trials.journal import Journal
from steelyard.workflow.ask import Ask
from steelyard.workflow.define import define, measure_words

AGAINST = {
    "class-weights", "decision-threshold", "effective-number", "focal-loss", "logit-adjustment",
    "minority-augmentation", "over-sampling", "square-root-sampling", "under-sampling",
}  # fmt: skip


def rare(rows: int = 600, share: float = 0.04) -> pd.DataFrame:
    """A class of one row in 25 that two numbers tell of, though never surely."""
    random = np.random.default_rng(0)
    yes = np.arange(rows) < share * rows
    frame = pd.DataFrame(random.normal(size=(rows, 2)) + 1.3 * yes[:, None], columns=["a", "b"])
    return frame.assign(y=np.where(yes, "yes", "no")).sample(frac=1, random_state=0, ignore_index=True)


def run(folder: Path, frame: pd.DataFrame, trials: int, **more: object) -> steelyard.Run:
    small = {"network.width": 8, "stopping.epochs": 3, "estimator.trees": 8, "estimator.iterations": 8}
    return steelyard.run(frame, "y", output=folder, trial_limit=trials, settings=small, jobs=1, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> steelyard.Run:
    return run(tmp_path_factory.mktemp("rare") / "run", rare(), 150)


def test_a_run_chooses_balanced_accuracy_and_says_why(finished: steelyard.Run) -> None:
    said = next(each.text for each in finished.record.said if each.step == "measure")
    assert said.startswith(
        "optimise balanced_accuracy ('yes' is 4.0% of the rows, and accuracy would reward ignoring it"
    )


def test_a_run_weighs_what_treats_imbalance_and_keeps_the_threshold(finished: steelyard.Run) -> None:
    weighed = {w.technique: w for w in finished.record.weighed}
    assert any("thresholds of both are moved" in s.text for s in finished.record.said)
    assert weighed["decision-threshold"].verdict == "helps"
    assert set(weighed) >= AGAINST
    assert finished.record.winner["recipe"]["decision"] == {"kind": "tuned-threshold", "share": 1.0}


def test_the_final_model_has_the_mean_of_the_thresholds_tuned_on_dev(finished: steelyard.Run) -> None:
    journal = Journal(finished.folder / "journal.db", create=False)
    outcomes = journal.outcomes()
    journal.close()
    model = load(finished.folder / "model" / "member-0")
    tuned = [o.shift for o in outcomes if o.trial.recipe == model.recipe and o.trial.fold is not None and o.shift]
    assert len(tuned) >= 5
    assert model.shift[1] > 0.2
    assert min(s[1] for s in tuned) < model.shift[1] < max(s[1] for s in tuned)
    assert (finished.predict(rare()) == "yes").mean() > 0.05


def test_shuffled_rare_labels_have_no_statistical_power_wherever_the_threshold_is(tmp_path: Path) -> None:
    frame = rare()
    frame["y"] = np.random.default_rng(1).permutation(frame["y"])
    record = run(tmp_path / "run", frame, 40, metric="f1").record
    assert any("no statistical power" in said.text for said in record.said)
    assert record.test is None


def test_costs_call_for_a_threshold_whether_classes_are_rare_or_not() -> None:
    kind = catalogue()["decision-threshold"]
    costs = ((0.0, 1.0), (9.0, 0.0))
    priced, even = (
        Problem("binary", "tabular", "y", 9, ("n", "y"), m, balance=1.0, costs=costs) for m in ("cost", "f1")
    )
    recipe = Recipe(TablePreparation(), estimator=Linear())
    assert isinstance(kind().apply(recipe, priced), Recipe)
    refused = kind().apply(recipe, even)
    assert isinstance(refused, NotApplicable)
    assert "equally frequent" in refused.reason


def test_nothing_is_proposed_where_classes_are_even_or_there_are_none() -> None:
    network = Recipe(
        TablePreparation(),
        network=TabularMlp(),
        loss=CrossEntropy(),
        optimizer=AdamW(lr=0.01),
        batch=Batch(8),
        stopping=Stopping(2),
    )
    even = Problem("binary", "tabular", "y", 9, ("n", "y"), "f1", balance=0.9)
    values = Problem("regression", "tabular", "y", 9, (), "rmse")
    assert {name for name, kind in catalogue().items() if "imbalance" in kind.treats} == AGAINST
    for name in AGAINST:
        for problem in (even, values):
            assert isinstance(catalogue()[name]().apply(network, problem), NotApplicable), name
        assert isinstance(catalogue()[name]().apply(network, replace(even, balance=0.1)), Recipe), name


def words(frame: pd.DataFrame, **more: str) -> str:
    ask = Ask(frame, "y", **more)  # type: ignore[arg-type]
    dataset, problem = define(ask)
    return measure_words(ask, problem, dataset)


def test_a_metric_of_one_class_says_which_one_and_whether_that_is_the_common_one() -> None:
    assert words(rare(), metric="f1") == "optimise f1 (as asked; of class 'yes')"
    turned = rare().assign(y=lambda f: f["y"].map({"yes": "bad", "no": "good"}))
    assert words(turned, metric="average_precision").endswith("(as asked; of class 'good', the common one)")


def test_even_classes_are_scored_by_accuracy() -> None:
    assert words(rare(share=0.4)) == "optimise accuracy (the classes are balanced enough)"
