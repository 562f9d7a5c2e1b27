"""What every technique must keep, tested the moment its file exists: a new one is covered without a new line here."""

import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from modalities import SmallCourses, SmallListener, SmallReader, SmallWords, courses, texts

from steelyard.classical import Boosting, Forest, Linear, Neighbors
from steelyard.data.batches import Batch
from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.prepare import TablePreparation
from steelyard.data.prepare_images import ImagePreparation
from steelyard.data.prepare_mixed import MixedPreparation
from steelyard.data.prepare_text import TextPreparation
from steelyard.data.sources import Sources
from steelyard.errors import UserError
from steelyard.knobs import parse_knob
from steelyard.networks.image import ResidualCnn
from steelyard.networks.mixed import MixedNetwork
from steelyard.networks.tabular import TabularMlp
from steelyard.networks.text import TextCnn
from steelyard.problem import Head, Problem
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable, Technique, catalogue, combine, technique
from steelyard.training.decision import TunedThreshold
from steelyard.training.losses import CrossEntropy, SquaredError
from steelyard.training.optimizers import AdamW, Sgd
from steelyard.training.start import start
from steelyard.training.stopping import Stopping
from steelyard.training.target_losses import BinaryCrossEntropy, JointLoss, OrdinalCrossEntropy

AILMENTS = {"bias", "variance", "mismatch", "imbalance", "optimization", "speed"}
every_technique = pytest.mark.parametrize("kind", catalogue().values(), ids=list(catalogue()))


# -- small problems -------------------------------------------------------------------------------------------


def table(task: str) -> tuple[Dataset, Problem]:
    """64 rows of three numbers (some missing) and a category; classes of 32, 20 and 12 rows."""
    random = np.random.default_rng(0)
    classes = ("a", "b", "c")
    code = random.permutation(np.repeat([0, 1, 2], [32, 20, 12]))
    frame = pd.DataFrame({f"x{i}": random.normal(size=64) + code * i for i in range(3)})
    frame.loc[::9, "x0"] = np.nan
    frame["colour"] = random.choice(np.array(["red", "green", None], object), 64)
    columns = (*(Column(f"x{i}", "number") for i in range(3)), Column("colour", "category"))
    regression = task == "regression"
    target = frame["x1"].to_numpy() + code if regression else code
    named = () if regression else classes
    dataset = Dataset("small", Schema("tabular", "y", columns), target, named, frame=frame)
    return dataset, Problem(task, "tabular", "y", 64, named, "rmse" if regression else "accuracy")


def several(task: str) -> tuple[Dataset, Problem]:
    """The rows of a table with two labels, with a class and a value of which some are missing, or ordered classes."""
    dataset, problem = table("multiclass")
    assert dataset.frame is not None
    assert dataset.target is not None
    if task == "ordinal":
        return replace(dataset, asks="ordinal"), replace(problem, task="ordinal", metric="mae")
    if task == "multilabel":
        heads = (Head("p", "binary", ("no", "yes")), Head("q", "binary", ("no", "yes")))
        target = np.column_stack([dataset.target > 0, dataset.target > 1]).astype(float)
    else:
        heads = (Head("p", "multiclass", ("a", "b", "c")), Head("q", "regression"))
        target = np.column_stack([dataset.target, dataset.frame["x1"]])
    target[::5, 1] = np.nan
    metric = {"multilabel": "f1_micro", "multitask": "d2"}[task]
    whole = replace(dataset, target=target, classes=(), heads=heads, asks=task)
    return whole, replace(problem, task=task, classes=(), heads=heads, metric=metric)


def two_sources(task: str) -> tuple[Dataset, Problem]:
    """The rows of a table, a third of them from the source that the model is for."""
    dataset, problem = table(task)
    sources = Sources("origin", ("far", "near"), (np.arange(64) % 3 == 0).astype(int), (1,))
    return replace(dataset, sources=sources), replace(problem, mixed_sources=True)


def pictures() -> tuple[Dataset, Problem]:
    """48 colour images of 8×8 pixels, 32 darker and 16 brighter."""
    random = np.random.default_rng(1)
    code = random.permutation(np.repeat([0, 1], [32, 16]))
    images = random.integers(0, 156, (48, 8, 8, 3)) + 100 * code[:, None, None, None]
    schema = Schema("image", "class", shape=(8, 8, 3))
    dataset = Dataset("dots", schema, code, ("dark", "bright"), images=images.astype(np.uint8))
    return dataset, Problem("binary", "image", "class", 48, ("dark", "bright"), "accuracy")


def mixed() -> tuple[Dataset, Problem]:
    """The rows of `table`, each with an image of 8×8 pixels, some of them missing."""
    dataset, problem = table("multiclass")
    images = np.random.default_rng(2).integers(0, 256, (64, 8, 8, 1)).astype(np.uint8)
    there = np.where(np.arange(64) % 7 == 3, np.nan, 1.0)
    schema = Schema("mixed", "y", (*dataset.schema.columns, Column("photo", "image")), (8, 8, 1))
    whole = replace(dataset, schema=schema, frame=dataset.frame.assign(photo=there), images=images)
    return whole, replace(problem, modality="mixed")


def notes_at_sea() -> tuple[Dataset, Problem]:
    """48 texts of 1 to 6 words, of which those about the sea are half as many."""
    random = np.random.default_rng(2)
    code = random.permutation(np.repeat([0, 1], [32, 16]))
    words = (["tree", "leaf", "a", "the"], ["tide", "ship", "a", "the"])
    written = [" ".join(random.choice(words[k], random.integers(1, 7))) for k in code]
    schema = Schema("text", "about", (Column("words", "text"),))
    frame = pd.DataFrame({"words": pd.Series(written, dtype=object)})
    dataset = Dataset("notes", schema, code, ("land", "sea"), frame=frame)
    return dataset, Problem("binary", "text", "about", 48, ("land", "sea"), "accuracy")


def network(**parts: object) -> Recipe:
    plain = {
        "prepare": TablePreparation(),
        "network": TabularMlp(width=8, depth=1, periodic=4),
        "loss": CrossEntropy(),
        "optimizer": AdamW(lr=parse_knob("cosine(0.02, 0)")),
        "batch": Batch(8),
        "stopping": Stopping(epochs=4),
    }
    return Recipe(**(plain | parts))


def classical(estimator: object) -> Recipe:
    return Recipe(TablePreparation(categories=estimator.wants), estimator=estimator)


CASES: dict[str, tuple[Recipe, tuple[Dataset, Problem]]] = {
    "table": (network(), table("multiclass")),
    "table with SGD": (network(optimizer=Sgd(lr=parse_knob("cosine(0.1, 0, warmup=0.1)"))), table("multiclass")),
    "regression": (network(loss=SquaredError()), table("regression")),
    "labels": (network(loss=BinaryCrossEntropy()), several("multilabel")),
    "several targets": (network(loss=JointLoss()), several("multitask")),
    "ordered classes": (network(loss=OrdinalCrossEntropy()), several("ordinal")),
    "images": (network(prepare=ImagePreparation(), network=ResidualCnn(width=4)), pictures()),
    "text": (network(prepare=SmallWords(), network=SmallReader()), texts()),
    "series": (network(prepare=SmallCourses(), network=SmallListener()), courses()),
    "mixed": (
        network(
            prepare=MixedPreparation(table=TablePreparation(), image=ImagePreparation()),
            network=MixedNetwork(
                table=TabularMlp(width=8, depth=1, periodic=4), image=ResidualCnn(width=4), width=8, dropout=0.0
            ),
        ),
        mixed(),
    ),
    "sources": (network(), two_sources("multiclass")),
    "boosting on sources": (classical(Boosting(min_samples_leaf=4, max_leaf_nodes=3)), two_sources("regression")),
    "texts": (network(prepare=TextPreparation(min_count=1), network=TextCnn(4, 4, dropout=0.0)), notes_at_sea()),
    "linear": (classical(Linear()), table("multiclass")),
    "neighbors": (classical(Neighbors()), table("multiclass")),
    "forest": (classical(Forest(trees=3)), table("multiclass")),
    "boosting": (classical(Boosting(min_samples_leaf=4, max_leaf_nodes=3)), table("regression")),
}


def answers(technique_: Technique) -> dict[str, Recipe | NotApplicable]:
    return {case: technique_.apply(recipe, problem) for case, (recipe, (_, problem)) in CASES.items()}


def applied(technique_: Technique) -> dict[str, Recipe]:
    return {case: answer for case, answer in answers(technique_).items() if isinstance(answer, Recipe)}


def trained(case: str, recipe: Recipe, seed: int = 0) -> dict[str, np.ndarray]:
    """The final weights of a network and its predictions, or the predictions of an estimator."""
    dataset, problem = CASES[case][1]
    model, epochs = start(recipe, dataset, problem, seed)
    for _ in epochs:
        pass
    if isinstance(recipe.decision, TunedThreshold):  # by the targets of other rows: where all is right, none moves
        shift = recipe.decision.tune(problem.measure, np.roll(dataset.target, 3), model.predict(dataset))
        model = replace(model, shift=tuple(shift.tolist()))
    state = {} if model.network is None else {k: v.numpy() for k, v in model.network.state_dict().items()}
    return state | {"predictions": model.predict(dataset)}


once = cache(trained)  # for runs that several tests look at


def same_bits(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    equal = (one[k].shape == other[k].shape and one[k].tobytes() == other[k].tobytes() for k in one)
    return one.keys() == other.keys() and all(equal)


# -- what training shows --------------------------------------------------------------------------------------


@every_technique
def test_it_trains_and_stays_finite(kind):
    for case, recipe in applied(kind()).items():
        assert all(np.isfinite(values).all() for values in once(case, recipe).values()), case


@every_technique
def test_switched_off_it_trains_to_the_same_bits_as_the_plain_recipe(kind):
    assert kind.off, "it names no settings at which it is off"
    off = applied(kind(**kind.off))
    assert off.keys() == applied(kind()).keys()
    for case, recipe in off.items():
        assert same_bits(trained(case, recipe), once(case, CASES[case][0])), case


@every_technique
def test_switched_on_it_changes_the_model(kind):
    for case, recipe in applied(kind()).items():
        assert not same_bits(once(case, recipe), once(case, CASES[case][0])), case


@every_technique
def test_the_same_seed_gives_the_same_bits(kind):
    for case, recipe in applied(kind()).items():
        assert same_bits(trained(case, recipe), once(case, recipe)), case


# -- what a person is told ------------------------------------------------------------------------------------


@every_technique
def test_it_applies_somewhere_and_gives_a_reason_elsewhere(kind):
    given = answers(kind())
    assert any(isinstance(answer, Recipe) for answer in given.values())
    for answer in given.values():
        assert isinstance(answer, Recipe) or len(answer.reason.split()) >= 3


@every_technique
def test_applied_again_it_moves_further_or_says_that_it_is_there(kind):
    for case, recipe in applied(kind()).items():
        again = kind().apply(recipe, CASES[case][1][1])
        assert isinstance(again, NotApplicable) or again != recipe


@every_technique
def test_the_card_says_what_it_does_when_it_helps_when_it_hurts_and_what_it_costs(kind):
    card = kind.card()
    first = card.split("\n")[0]
    assert re.match(r"[A-Z]\w+s\b", first), "the first sentence starts with what it does"
    for word in ("Helps when ", "Hurts when ", "Costs "):
        assert card.count(f"\n{word}") == 1, word
    assert card.index("Helps when") < card.index("Hurts when") < card.index("Costs ")


@every_technique
def test_it_names_its_source(kind):
    assert re.search(r"\b(19|20)\d\d\b", kind.source())
    assert len(kind.source()) > 40


@every_technique
def test_it_says_what_it_treats_and_how_long_it_takes(kind):
    assert kind.treats and set(kind.treats) <= AILMENTS
    assert 0.1 < kind.time_ratio < 20


@every_technique
def test_file_class_and_command_line_name_are_the_same_word(kind):
    file = kind.__module__.rpartition(".")[2]
    assert kind.__name__ == "".join(word.capitalize() for word in file.split("_"))
    assert kind.name() == file.replace("_", "-")
    assert technique(kind.name()) is kind


# -- text -----------------------------------------------------------------------------------------------------


@every_technique
def test_the_changed_recipe_survives_toml(kind):
    for recipe in applied(kind()).values():
        again = Recipe.from_toml(recipe.to_toml())
        assert (again, again.key) == (recipe, recipe.key)


@every_technique
def test_its_settings_survive_text(kind):
    for technique_ in (kind(), kind(**kind.off)):
        given = {name: str(setting) for name, setting in vars(technique_).items()}
        assert kind.read(given) == technique_


@every_technique
def test_an_unknown_setting_and_one_out_of_range_are_the_users_error(kind):
    name = next(iter(kind.off))
    with pytest.raises(UserError, match=name):
        kind.read({f"{name}x": "1"})
    with pytest.raises(UserError, match=f"{name} (must lie in|expects)"):
        kind.read({name: "-1"})


# -- together -------------------------------------------------------------------------------------------------


def pairs() -> list[tuple[Technique, Technique, Recipe, Problem, set[str]]]:
    """All pairs of techniques that apply to one case, with the knobs that both turn."""
    found = []
    for case, (recipe, (_, problem)) in CASES.items():
        alone = [(kind(), kind().apply(recipe, problem)) for kind in catalogue().values()]
        turned = [(t, {path for path, _, _ in recipe.diff(r)}) for t, r in alone if isinstance(r, Recipe)]
        found += [(a, b, recipe, problem, x & y) for (a, x), (b, y) in combinations(turned, 2) if case != "neighbors"]
    return found


def test_two_techniques_that_turn_the_same_knob_clash_and_both_are_named():
    clashes = [pair for pair in pairs() if pair[-1]]
    assert clashes
    for one, other, recipe, problem, _ in clashes:
        with pytest.raises(UserError, match=f"{one.name()} and {other.name()} both turn"):
            combine(recipe, [one, other], problem)


def test_techniques_that_turn_different_knobs_combine_in_either_order():
    for one, other, recipe, problem, shared in pairs():
        if not shared:
            both = combine(recipe, [one, other], problem)
            assert both == combine(recipe, [other, one], problem)
            assert both not in (one.apply(recipe, problem), other.apply(recipe, problem))


def test_combining_one_that_does_not_apply_is_an_error_with_its_reason():
    recipe, (_, problem) = CASES["table"]
    with pytest.raises(UserError, match="flips does not apply: it mirrors images"):
        combine(recipe, [technique("flips")()], problem)


def test_an_unknown_technique_is_an_error_with_a_suggestion():
    with pytest.raises(UserError, match="did you mean 'mixup'"):
        technique("mixupp")


def test_everything_that_applies_to_a_case_trains_together():
    for case in ("table", "images", "regression"):
        recipe, (_, problem) = CASES[case]
        chosen: list[Technique] = []
        for kind in catalogue().values():
            try:
                combine(recipe, [*chosen, kind()], problem)
            except UserError:
                continue
            chosen.append(kind())
        assert len(chosen) >= 8
        result = trained(case, combine(recipe, chosen, problem))
        assert all(np.isfinite(values).all() for values in result.values())


def test_the_catalogue_is_read_without_loading_torch():
    code = (
        "import sys; from steelyard.techniques import catalogue; assert catalogue(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
