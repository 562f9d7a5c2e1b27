"""Test-time augmentation: what is averaged, that company does not matter, and that files keep it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_contract import CASES

from steelyard.data.split import divide
from steelyard.errors import UserError
from steelyard.knobs import parse_knob
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable, combine, technique
from steelyard.techniques.batch.mixup import Mixup
from steelyard.techniques.inputs.flips import Flips
from steelyard.techniques.inputs.input_noise import InputNoise
from steelyard.techniques.inputs.jitter import Jitter
from steelyard.training.model import forward, load
from steelyard.training.start import start
from steelyard.training.views import Changed, Crop, looks
from steelyard.trials.execute import Site, execute
from steelyard.trials.measure import CALLS, latencies
from steelyard.trials.predictions import Predictions
from steelyard.trials.trial import Trial

Tta = technique("test-time-augmentation")
NETWORKS = [case for case, (recipe, _) in CASES.items() if recipe.network is not None]


def with_views(case, augment=(), **settings):
    recipe, (_, problem) = CASES[case]
    return Tta(**settings).apply(replace(recipe, augment=tuple(augment)), problem)


def trained(case, recipe):
    dataset, problem = CASES[case][1]
    model, epochs = start(recipe, dataset, problem, 0)
    for _ in epochs:
        pass
    return model, dataset


def tensors(model, dataset):
    return tuple(torch.from_numpy(values) for values in model.prepared.transform(dataset))


@pytest.mark.parametrize("case", NETWORKS)
def test_a_prediction_is_the_mean_over_the_views_and_the_first_is_the_plain_one(case):
    model, dataset = trained(case, with_views(case, views=5))
    inputs = tensors(model, dataset)
    views = looks(model.recipe, model.problem.modality, inputs)
    each = [model.answers(forward(model.network, inputs, view)) for view in views]
    assert len(each) == 5
    plain = replace(model, recipe=replace(model.recipe, tta=None)).predict(dataset)
    np.testing.assert_array_equal(each[0], plain)
    assert any(not np.array_equal(view, plain) for view in each[1:])
    np.testing.assert_allclose(model.predict(dataset), np.mean(each, 0), rtol=1e-6)
    assert model.predict(dataset).dtype == plain.dtype


@pytest.mark.parametrize("case", NETWORKS)
def test_a_row_is_predicted_alike_alone_and_in_any_company_and_again(case):
    model, dataset = trained(case, with_views(case))
    whole = model.predict(dataset)
    np.testing.assert_array_equal(model.predict(dataset), whole)
    np.testing.assert_allclose(model.predict(dataset.take(np.array([7]))), whole[7:8], rtol=1e-5, atol=1e-6)
    some = np.array([40, 7, 7, 3])
    np.testing.assert_allclose(model.predict(dataset.take(some)), whole[some], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", ["table", "regression", "images"])
def test_a_saved_model_predicts_the_same_when_it_is_loaded(case, tmp_path):
    model, dataset = trained(case, with_views(case, views=3))
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.recipe.tta == Tta(views=3)
    np.testing.assert_array_equal(again.predict(dataset), model.predict(dataset))


def test_views_are_changed_by_the_augmentations_the_network_learnt_with():
    model, dataset = trained("images", with_views("images", [Flips(flip=1.0)], views=3))
    pixels = tensors(model, dataset)
    plain, *others = (forward(model.network, pixels, look) for look in looks(model.recipe, "image", pixels))
    mirrored = forward(model.network, (pixels[0].flip(3),))
    for other in others:
        torch.testing.assert_close(other, mirrored)
    assert not torch.allclose(plain, mirrored)


def test_parts_that_need_other_examples_are_left_out_of_views():
    gentle = Tta().by((), "tabular")
    assert Tta().by((Mixup(), technique("swap-noise")()), "tabular") == gentle == (InputNoise(),)
    assert Tta().by((InputNoise(0.2), Mixup()), "tabular") == (InputNoise(0.2),)
    assert Tta().by((), "series") == (Jitter(),)


def test_views_are_as_strong_as_training_was_at_its_end():
    table = tensors(*trained("table", with_views("table")))
    rising, faded = ([InputNoise(parse_knob(text))] for text in ("linear(0, 0.3)", "linear(0.3, 0)"))
    assert len(looks(with_views("table", faded), "tabular", table)) == 1, "only the plain view"
    _, look, *_ = looks(with_views("table", rising), "tabular", table)
    assert isinstance(look, Changed)
    (noise,) = look.noise[0][1]
    assert noise.shape == (1, table[0].shape[1]) and 0.05 < noise.std() < 0.8


def test_crops_are_the_middle_and_the_corners_at_their_own_size():
    model, dataset = trained("images", with_views("images", views=1, crop=0.75))
    (images,) = tensors(model, dataset)
    plain, *crops = looks(model.recipe, "image", (images,))
    seen = [(crop.rows.start, crop.rows.stop, crop.columns.start, crop.columns.stop) for crop in crops]
    assert all(isinstance(crop, Crop) for crop in crops)
    assert seen == [(1, 7, 1, 7), (0, 6, 0, 6), (0, 6, 2, 8), (2, 8, 0, 6), (2, 8, 2, 8)]
    middle = forward(model.network, (images,), crops[0])
    torch.testing.assert_close(middle, forward(model.network, (images[:, :, 1:7, 1:7],)))
    assert not np.array_equal(model.predict(dataset), model.answers(forward(model.network, (images,), plain)))


def test_no_rows_are_predicted_as_none():
    model, dataset = trained("table", with_views("table"))
    assert model.predict(dataset.take(np.array([], int))).shape == (0, 3)


def test_what_a_trial_stores_for_dev_is_what_its_saved_model_predicts(tmp_path):
    dataset, problem = CASES["table"][1]
    protocol, rows, _ = divide(dataset, 0)
    pool = dataset.take(rows)
    site = Site(pool, problem, protocol, tmp_path)
    recipes = {"plain": CASES["table"][0], "views": with_views("table", [InputNoise(0.5)])}
    recipes["plain"] = replace(recipes["views"], tta=None)
    execute([(key, Trial(recipe, 0)) for key, recipe in recipes.items()], site, lambda *_: None)
    stored = {key: Predictions.load(tmp_path / "predictions" / f"{key}.safetensors") for key in recipes}
    assert not np.array_equal(stored["plain"].dev, stored["views"].dev)
    for key in recipes:
        again = load(tmp_path / "models" / key).predict(pool.take(stored[key].dev_rows))
        np.testing.assert_allclose(again, stored[key].dev, rtol=1e-5, atol=1e-6)


def test_every_view_is_computed_whenever_something_is_predicted_so_that_it_counts_in_the_latency():
    model, dataset = trained("table", with_views("table", views=6))
    calls = []
    model.network.register_forward_hook(lambda *_: calls.append(1))
    latencies(model, dataset)
    assert len(calls) % 6 == 0 and len(calls) >= 6 * CALLS[0]


def test_it_says_where_it_does_not_fit():
    recipe, (_, problem) = CASES["table"]
    assert "crops are cut out of images" in Tta(crop=0.8).apply(recipe, problem).reason
    linear, (_, tabular) = CASES["linear"]
    assert "linear is not a network" in Tta().apply(linear, tabular).reason
    assert isinstance(Tta().apply(recipe, replace(problem, modality="mixed")), NotApplicable)


def test_it_combines_with_augmentations_in_either_order_and_survives_toml():
    recipe, (_, problem) = CASES["table"]
    both = combine(recipe, [Tta(), InputNoise()], problem)
    assert both == combine(recipe, [InputNoise(), Tta()], problem)
    assert Recipe.from_toml(both.to_toml()) == both
    assert both.set("tta.views", "3").tta == Tta(views=3)
    with pytest.raises(UserError, match="does not fit into the slot 'tta'"):
        Recipe.from_toml(both.to_toml().replace('kind = "test-time-augmentation"', 'kind = "mixup"'))
