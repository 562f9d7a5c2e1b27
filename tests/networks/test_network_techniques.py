"""What techniques that act on networks do to a recipe."""

from dataclasses import replace

import pytest

from steelyard.classical import Boosting, Forest, Linear
from steelyard.data.prepare import TablePreparation
from steelyard.data.prepare_images import ImagePreparation
from steelyard.errors import UserError
from steelyard.networks.image import ResidualCnn
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable, technique

PROBLEM = Problem("binary", "tabular", "y", 100, ("no", "yes"), "accuracy")
TABLE = Recipe(TablePreparation(), network=TabularMlp())
IMAGES = Recipe(ImagePreparation(), network=ResidualCnn())


def answer(name, recipe, **settings):
    return technique(name)(**settings).apply(recipe, PROBLEM)


def turned(name, recipe, **settings):
    """The network knobs a technique turns, with where they stand then."""
    changed = answer(name, recipe, **settings)
    return {path.removeprefix("network."): there for path, _, there in recipe.diff(changed)}


def estimator(part):
    return Recipe(TablePreparation(), estimator=part)


@pytest.mark.parametrize("name", ["dropout", "input-dropout", "embedding-dropout", "stochastic-depth"])
def test_each_rate_is_set_alone(name):
    recipe = IMAGES if name == "stochastic-depth" else TABLE
    assert turned(name, recipe, p=0.25) == {name.replace("-", "_"): 0.25}


@pytest.mark.parametrize(
    ("name", "recipe", "reason"),
    [
        ("input-dropout", IMAGES, "residual-cnn has no encoded columns to drop"),
        ("embedding-dropout", IMAGES, "residual-cnn has no embeddings of categories"),
        ("stochastic-depth", TABLE, "tabular-mlp has no residual blocks to leave out"),
        ("normalization", estimator(Linear()), "linear has no layers to normalise"),
        ("activation", estimator(Forest()), "forest has no activations"),
        ("smaller", estimator(Linear()), "linear has no size"),
    ],
)
def test_a_model_without_the_thing_is_told_so(name, recipe, reason):
    assert answer(name, recipe) == NotApplicable(reason)


def test_the_norm_left_open_is_one_the_plain_recipe_does_not_have():
    assert turned("normalization", TABLE) == {"normalization": "batch"}
    assert turned("normalization", IMAGES) == {"normalization": "group"}


def test_the_activation_left_open_suits_the_problem():
    assert turned("activation", TABLE) == {"activation": "selu"}
    assert turned("activation", IMAGES) == {"activation": "silu"}
    numbers = replace(PROBLEM, task="regression", classes=(), metric="rmse")
    assert technique("activation")().apply(TABLE, numbers).get("network.activation") == "mish"


def test_a_norm_can_be_taken_away():
    assert turned("normalization", IMAGES, kind="none") == {"normalization": "none"}


def test_a_norm_or_activation_that_is_there_already_does_not_apply_again():
    assert isinstance(answer("normalization", IMAGES, kind="batch"), NotApplicable)
    assert isinstance(answer("activation", TABLE, to="silu"), NotApplicable)


def test_a_norm_or_activation_the_network_does_not_know_does_not_apply():
    assert isinstance(answer("normalization", TABLE, kind="group"), NotApplicable)
    assert isinstance(answer("activation", IMAGES, to="sigmoid"), NotApplicable)


def test_every_norm_and_activation_that_can_be_asked_for_fits_a_network():
    for name, setting, knob in (("normalization", "kind", "normalization"), ("activation", "to", "activation")):
        kind = technique(name)
        words = [word for word in kind.choices if word not in ("auto", "same")]
        plain = [replace(IMAGES, network=ResidualCnn(normalization="layer", activation="tanh")), TABLE, IMAGES]
        for word in words:
            answers = [kind(**{setting: word}).apply(recipe, PROBLEM) for recipe in plain]
            assert word in [a.get(f"network.{knob}") for a in answers if isinstance(a, Recipe)], word


def test_a_word_that_is_no_norm_or_activation_is_the_users_error():
    with pytest.raises(UserError, match=r"normalization.kind must lie in auto, same, .*, got 'batched'"):
        technique("normalization")(kind="batched")
    with pytest.raises(UserError, match=r"activation.to must lie in auto, same, .*, got 'relux'"):
        technique("activation")(to="relux")


def test_smaller_is_a_narrower_network_fewer_leaves_or_larger_ones():
    assert turned("smaller", TABLE) == {"width": 128}
    assert turned("smaller", IMAGES, factor=0.25) == {"width": 4}
    assert answer("smaller", estimator(Boosting())).get("estimator.max_leaf_nodes") == 16
    assert answer("smaller", estimator(Forest())).get("estimator.min_samples_leaf") == 6


def test_smaller_stops_at_the_smallest_model():
    assert turned("smaller", TABLE, factor=0.01) == {"width": 3}
    assert answer("smaller", IMAGES, factor=0.01).get("network.width") == 1
    assert answer("smaller", estimator(Boosting()), factor=0.01).get("estimator.max_leaf_nodes") == 2
