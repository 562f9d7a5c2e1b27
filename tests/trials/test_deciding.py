"""Trials that move the threshold: what they leave, and the models that predict with it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steelyard.classical import Linear
from steelyard.data.batches import Batch
from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.prepare import TablePreparation
from steelyard.data.split import divide
from steelyard.errors import UserError
from steelyard.finish.ensemble import Ensemble, load_predictor
from steelyard.metrics import metric
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.decision import TunedThreshold, folds_of, moved
from steelyard.training.losses import CrossEntropy
from steelyard.training.model import load
from steelyard.training.optimizers import AdamW
from steelyard.training.stopping import Stopping
from steelyard.trials.deciding import with_mean_shift
from steelyard.trials.execute import Site, execute
from steelyard.trials.predictions import Predictions
from steelyard.trials.trial import Outcome, Trial

NETWORK = Recipe(
    TablePreparation(),
    network=TabularMlp(width=8, depth=1, periodic=0),
    loss=CrossEntropy(),
    optimizer=AdamW(lr=0.02),
    batch=Batch(32),
    stopping=Stopping(epochs=3),
)
CLASSICAL = Recipe(TablePreparation(), estimator=Linear())


def site(folder: Path, name: str = "f1") -> Site:
    """400 rows, one in ten of a class that two numbers tell of."""
    random = np.random.default_rng(0)
    code = (np.arange(400) % 10 == 0).astype(np.int64)
    frame = pd.DataFrame(random.normal(size=(400, 2)) + 1.2 * code[:, None], columns=["a", "b"])
    schema = Schema("tabular", "y", (Column("a", "number"), Column("b", "number")))
    dataset = Dataset("rare", schema, code, ("no", "yes"), frame=frame)
    protocol, pool, _ = divide(dataset, 0)
    problem = Problem("binary", "tabular", "y", 400, ("no", "yes"), name, balance=0.2)
    return Site(dataset.take(pool), problem, protocol, folder)


def done(recipe: Recipe, place: Site, fold: int | None = 0) -> tuple[Outcome, Predictions]:
    name = f"{recipe.family}-{recipe.decision is not None}-{fold}"
    (outcome,) = execute([(name, Trial(recipe, 3, fold=fold))], place, lambda *_: None)
    return outcome, Predictions.load(place.folder / "predictions" / f"{outcome.key}.safetensors")


@pytest.mark.parametrize("recipe", [NETWORK, CLASSICAL], ids=["network", "classical"])
def test_a_trial_leaves_cross_fitted_predictions_and_a_model_tuned_on_all_of_dev(
    recipe: Recipe, tmp_path: Path
) -> None:
    place = site(tmp_path)
    _, plain = done(recipe, place)
    outcome, kept = done(replace(recipe, decision=TunedThreshold()), place)
    assert place.pool.target is not None
    truth, measure = place.pool.target[plain.dev_rows], metric("f1")
    shift = TunedThreshold().tune(measure, truth, plain.dev)
    assert shift.any()
    assert outcome.shift == pytest.approx(tuple(shift))
    assert np.array_equal(kept.dev, TunedThreshold().cross_fitted(measure, truth, plain.dev, None, 3))
    assert outcome.dev_score == pytest.approx(measure(truth, kept.dev))
    assert np.array_equal(kept.train, moved(plain.train, shift))
    here = folds_of(truth, 3) == 0
    assert np.array_equal(
        kept.dev[here], moved(plain.dev[here], TunedThreshold().tune(measure, truth[~here], plain.dev[~here]))
    )


@pytest.mark.parametrize("recipe", [NETWORK, CLASSICAL], ids=["network", "classical"])
def test_a_loaded_model_predicts_with_its_threshold_to_the_bit(recipe: Recipe, tmp_path: Path) -> None:
    place = site(tmp_path)
    _, plain = done(recipe, place)
    outcome, _ = done(replace(recipe, decision=TunedThreshold()), place)
    rows = place.pool.take(plain.dev_rows)
    loaded = load(tmp_path / "models" / outcome.key)
    assert np.array_equal(loaded.predict(rows), moved(plain.dev, np.array(outcome.shift)))
    Ensemble((loaded,), (1.0,)).save(tmp_path / "whole")
    assert np.array_equal(load_predictor(tmp_path / "whole").predict(rows), loaded.predict(rows))


def test_a_model_trained_on_dev_too_gets_the_mean_of_what_its_recipe_was_tuned_to(tmp_path: Path) -> None:
    place, recipe = site(tmp_path), replace(CLASSICAL, decision=TunedThreshold())
    tuned = [done(recipe, place, fold)[0].shift for fold in range(3)]
    final, _ = done(recipe, place, None)
    assert final.shift == ()
    model = load(tmp_path / "models" / final.key)
    whole = with_mean_shift(model, [*tuned, ()])
    assert whole.shift == pytest.approx(np.mean(tuned, axis=0))
    assert with_mean_shift(model, []) == model
    assert with_mean_shift(replace(model, shift=(-1.0, 1.0)), tuned).shift == (-1.0, 1.0)


def test_a_metric_of_probabilities_moves_nothing_and_says_so(tmp_path: Path) -> None:
    place = site(tmp_path, "roc_auc")
    outcome, kept = done(replace(CLASSICAL, decision=TunedThreshold()), place)
    assert outcome.message == "no threshold was tuned: roc_auc does not look at labels"
    assert outcome.shift == ()
    assert np.array_equal(kept.dev, done(CLASSICAL, place)[1].dev)


def test_the_journal_remembers_the_threshold(tmp_path: Path) -> None:
    outcome, _ = done(replace(CLASSICAL, decision=TunedThreshold()), site(tmp_path))
    known = json.loads(json.dumps(outcome.to_dict()))
    assert Outcome.from_dict(known) == outcome
    del known["shift"]
    assert Outcome.from_dict(known).shift == ()  # written before there were any


@pytest.mark.parametrize("shift", [[1.0], [0.0, float("nan")], "ab"])
def test_a_model_with_a_damaged_threshold_is_refused(shift: object, tmp_path: Path) -> None:
    outcome, _ = done(replace(CLASSICAL, decision=TunedThreshold()), site(tmp_path))
    file = tmp_path / "models" / outcome.key / "model.json"
    state = json.loads(file.read_text()) | {"shift": shift}
    file.write_text(json.dumps(state))
    with pytest.raises(UserError, match="is damaged"):
        load(file.parent)


def test_a_recipe_with_another_part_as_its_decision_is_refused() -> None:
    text = replace(CLASSICAL, decision=TunedThreshold()).to_toml()
    assert Recipe.from_toml(text).get("decision.share") == 1.0
    with pytest.raises(UserError, match="does not fit into the slot 'decision'"):
        Recipe.from_toml(text.replace("tuned-threshold", "batch").replace("share = 1.0", ""))
