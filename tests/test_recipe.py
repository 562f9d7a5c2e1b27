import subprocess
import sys
from dataclasses import replace

import pytest

from steelyard.classical import Forest
from steelyard.data.batches import Batch
from steelyard.data.prepare import TablePreparation
from steelyard.errors import UserError
from steelyard.knobs import Cosine, parse_knob
from steelyard.networks.tabular import TabularMlp
from steelyard.recipe import Recipe
from steelyard.techniques.batch.mixup import Mixup
from steelyard.techniques.inputs.input_noise import InputNoise
from steelyard.training.averaging import Ema
from steelyard.training.losses import CrossEntropy
from steelyard.training.optimizers import AdamW
from steelyard.training.stopping import Stopping

RECIPE = Recipe(
    TablePreparation(),
    network=TabularMlp(),
    loss=CrossEntropy(),
    optimizer=AdamW(lr=Cosine(1 / 300, 0)),
    batch=Batch(),
    augment=(InputNoise(), Mixup()),
    stopping=Stopping(seconds=2.5),
    averaging=Ema(),
)
FOREST = '[prepare]\nkind = "table-preparation"\n[estimator]\nkind = "forest"\n'


# -- text -----------------------------------------------------------------------------------------------------


def test_a_recipe_survives_toml():
    again = Recipe.from_toml(RECIPE.to_toml())
    assert (again, again.key) == (RECIPE, RECIPE.key)


def test_a_classical_recipe_survives_toml_with_its_knob_of_none():
    recipe = Recipe(TablePreparation(), estimator=Forest(max_features=None))
    assert Recipe.from_toml(recipe.to_toml()) == recipe


def test_a_recipe_file_is_read(tmp_path):
    file = tmp_path / "recipe.toml"
    file.write_text(RECIPE.to_toml(), encoding="utf-8")
    assert Recipe.read(file) == RECIPE


def test_a_recipe_is_read_where_none_of_its_parts_was_imported_before():
    code = "import sys; from steelyard.recipe import Recipe; print(Recipe.from_toml(sys.stdin.read()).key)"
    done = subprocess.run(
        [sys.executable, "-c", code], input=RECIPE.to_toml(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == RECIPE.key


def test_what_is_left_out_of_toml_stands_at_its_default():
    recipe = Recipe.from_toml(FOREST + "trees = 7")
    assert recipe == Recipe(TablePreparation(), estimator=Forest(trees=7))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prepare = ", "not valid TOML"),
        ("prepare = 3", "'prepare' of a recipe is a table of knobs, got 3"),
        ("[prepar]", "no slot 'prepar'; did you mean 'prepare'"),
        ('[prepare]\nkind = "table-preparatio"', "no part 'table-preparatio'; did you mean 'table-preparation'"),
        (FOREST + "tree = 3", "'forest' has no knob 'tree'; did you mean 'trees'"),
        (FOREST + 'trees = "many"', "forest.trees expects int, got 'many'"),
        (FOREST + "trees = 2.5", "forest.trees expects int, got 2.5"),
        (FOREST + "trees = true", "forest.trees expects int, got True"),
        ("[prepare]\ntrees = 3", "no part ''"),
        ('[augment]\nmixup = 0.2\n[prepare]\nkind = "table-preparation"', "'augment.mixup' of a recipe is a table"),
        ('[network]\nkind = "tabular-mlp"', "a recipe needs the slot 'prepare'"),
        ('[prepare]\nkind = "forest"', "'forest' does not fit into the slot 'prepare'"),
    ],
)
def test_a_wrong_recipe_is_the_users_error_in_one_line(text, said):
    with pytest.raises(UserError, match=said) as caught:
        Recipe.from_toml(text)
    assert "\n" not in str(caught.value)


def test_a_missing_recipe_file_is_the_users_error(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        Recipe.read(tmp_path / "none.toml")


# -- knobs ----------------------------------------------------------------------------------------------------


def test_set_converts_text_to_the_type_of_the_knob():
    recipe = RECIPE.set("network.width", "64").set("optimizer.lr", "sgdr(0.1, 0, cycles=3)")
    assert recipe.get("network.width") == 64
    assert recipe.get("optimizer.lr") == parse_knob("sgdr(0.1, 0, cycles=3)")


def test_set_reaches_into_an_augmentation():
    assert RECIPE.set("augment.mixup.alpha", "0.4").augment == (InputNoise(), Mixup(0.4))


def test_set_takes_none_where_a_knob_may_be_open():
    assert RECIPE.set("stopping.seconds", "none").get("stopping.seconds") is None


def test_set_leaves_the_original_untouched():
    before = RECIPE.key
    RECIPE.set("network.width", 64)
    assert RECIPE.key == before


def test_the_same_value_by_text_whole_number_or_float_gives_the_same_key():
    keys = {RECIPE.set("optimizer.weight_decay", given).key for given in ("1", 1, 1.0, "1.0")}
    assert len(keys) == 1


def test_every_knob_can_be_got_by_its_path():
    for path, setting in RECIPE.knobs().items():
        assert RECIPE.get(path) == setting


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("optimizer.rl", "1", "no knob 'optimizer.rl'; did you mean 'optimizer.lr'"),
        ("augment.mixup.alfa", "1", "did you mean 'augment.mixup.alpha'"),
        ("optimizer", "sgd", "'optimizer' names a part, not a knob; knobs of it: optimizer.lr"),
        ("augment.mixup", "1", "'augment.mixup' names a part, not a knob; knobs of it: augment.mixup.alpha"),
        ("network.width", "0", "tabular-mlp.width must lie in 1..4096, got 0"),
        ("network.width", "wide", "network.width expects int, got 'wide'"),
        ("network.activation", "tangent", "network.activation expects one of selu, mish"),
        ("network.scale", "perhaps", "network.scale expects bool"),
        ("network.dropout", "linear(0, 1)", "dropout must lie in 0..0.95"),
        ("optimizer.lr", "-1", "adam-w.lr must lie in 0.., got -1"),
        ("optimizer.lr", "nan", "adam-w.lr must be finite"),
        ("optimizer.lr", "cosine(1e999, 0)", "adam-w.lr must be finite"),
        ("optimizer.lr", True, "optimizer.lr expects float or Schedule, got True"),
    ],
)
def test_a_wrong_knob_is_the_users_error_with_what_to_do(path, text, said):
    with pytest.raises(UserError, match=said):
        RECIPE.set(path, text)


# -- parts ----------------------------------------------------------------------------------------------------


def test_diff_names_the_knobs_that_changed_with_both_values():
    assert RECIPE.diff(RECIPE) == []
    assert RECIPE.diff(RECIPE.set("network.width", 64)) == [("network.width", 256, 64)]


def test_diff_shows_a_part_that_only_one_of_them_has():
    without = replace(RECIPE, augment=(InputNoise(),))
    assert without.diff(RECIPE) == [("augment.mixup", None, "mixup"), ("augment.mixup.alpha", None, 0.2)]
    assert RECIPE.diff(without) == [("augment.mixup", "mixup", None), ("augment.mixup.alpha", 0.2, None)]


def test_augmentations_stand_in_one_order_however_they_were_added():
    plain = replace(RECIPE, augment=())
    one = plain.with_part("augment", Mixup()).with_part("augment", InputNoise())
    assert one == plain.with_part("augment", InputNoise()).with_part("augment", Mixup())
    assert one.with_part("augment", Mixup(0.4)).augment == (InputNoise(), Mixup(0.4))


def test_the_key_changes_with_every_knob():
    keys = {RECIPE.key, RECIPE.set("loss.label_smoothing", 0.1).key, replace(RECIPE, augment=(InputNoise(),)).key}
    assert len(keys) == 3


def test_the_family_is_the_word_for_the_model():
    assert RECIPE.family == "tabular-mlp"
    assert Recipe(TablePreparation(), estimator=Forest()).family == "forest"
