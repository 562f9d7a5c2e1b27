"""Weighing on the data of a run: what may be named, what comes out, what is not trained twice."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from conftest import people, quick_options

import steelyard
from steelyard.cli import main
from steelyard.recipe import Recipe
from steelyard.records import from_plain
from steelyard.trials.trial import Outcome
from steelyard.weighing.comparison import Weighing

SMALL = ["--set", "network.width=16", "--set", "network.depth=1", "--set", "stopping.epochs=3"]
Heard = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def base(people_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the people, for this module alone."""
    return Path(shutil.copytree(people_run, tmp_path_factory.mktemp("weigh") / "run"))


def weighed(run: Path, *names: str, seeds: int = 4, options: tuple[str, ...] = ()) -> Weighing:
    """What the command line leaves of a weighing."""
    out = run.parent / "out"
    command = [
        "weigh",
        *names,
        "--run",
        str(run),
        "--seeds",
        str(seeds),
        "--against",
        "tabular-mlp",
        *SMALL,
        "--jobs",
        "1",
    ]
    assert main([*command, "--quiet", "--output", str(out), *options]) == 0
    found: Weighing = from_plain(json.loads((out / "weighing.json").read_text()), Weighing)
    return found


@pytest.fixture(scope="module")
def done(base: Path) -> Weighing:
    return weighed(base, "mixup+label-smoothing", "optimizer.lr=1e-5", "shrinkage", options=("--slice", "colour"))


def test_techniques_knobs_and_pairs_are_weighed_and_what_does_not_apply_says_why(done: Weighing) -> None:
    names = {c.name for c in done.comparisons}
    assert names == {"mixup", "label-smoothing", "mixup+label-smoothing", "optimizer.lr=1e-5", "shrinkage"}
    assert done["shrinkage"].verdict == "not applicable"
    assert done["shrinkage"].reason
    assert all(3 <= len(done[name].pairs) <= 4 for name in names - {"shrinkage"})
    assert done["optimizer.lr=1e-5"].effect < -0.1
    assert done["optimizer.lr=1e-5"].knobs == (("optimizer.lr", str(done.recipe["optimizer"]["lr"]), "1e-05"),)


def test_the_pair_of_two_edits_has_an_interaction(done: Weighing) -> None:
    (found,) = done.interactions
    assert found.names == ("mixup", "label-smoothing")
    assert found.low <= found.effect <= found.high
    together, first, second = (done[n].effect for n in ("mixup+label-smoothing", "mixup", "label-smoothing"))
    if len({len(done[n].pairs) for n in ("mixup+label-smoothing", "mixup", "label-smoothing")}) == 1:
        assert found.effect == pytest.approx(together - first - second)


def test_the_noise_is_known_before_any_claim(done: Weighing) -> None:
    assert done.noise is not None
    assert done.noise.examples == 160
    assert done.noise.seeds >= 3
    texts = [said.text for said in done.said]
    noise = next(i for i, text in enumerate(texts) if text.startswith("noise floor"))
    claims = [i for i, text in enumerate(texts) if "pairs): " in text]
    assert claims and noise < min(claims)


def test_classes_and_slices_have_effects_of_their_own(done: Weighing) -> None:
    mixup = done["mixup"]
    assert {each.name for each in mixup.classes} == {"high", "low"}
    assert {each.name for each in mixup.slices} == {"colour = red", "colour = green", "colour = blue"}
    assert sum(each.examples for each in mixup.classes) == 160


def test_every_look_is_in_the_race_and_the_correction_is_named(done: Weighing) -> None:
    assert {lap.name for lap in done.race} == {c.name for c in done.comparisons if c.pairs}
    assert "false discovery rate" in done.correction
    assert "Hillis" in done.method


def test_weighing_again_trains_nothing_twice(base: Path, done: Weighing) -> None:
    run, told = steelyard.load(base), list[object]()
    again = steelyard.weigh(
        ["mixup+label-smoothing", "optimizer.lr=1e-5"],
        run,
        against="tabular-mlp",
        settings={"network.width": 16, "network.depth": 1, "stopping.epochs": 3},
        seeds=4,
        jobs=1,
        watch=told.append,
    )
    assert not [event for event in told if isinstance(event, Outcome)]
    assert isinstance(again, steelyard.Weighing)
    assert again["mixup"].pairs == done["mixup"].pairs


def test_one_name_gives_one_comparison(base: Path) -> None:
    found = steelyard.weigh("dropout", base, against="tabular-mlp", settings={"stopping.epochs": 1}, seeds=3, jobs=1)
    assert isinstance(found, steelyard.Comparison)
    assert found.name == "dropout"
    assert len(found.pairs) == 3
    assert found.verdict == "undecided" or found.p_value <= 0.05 or abs(found.effect) <= found.matters


def test_recipes_are_weighed_against_each_other(base: Path, tmp_path: Path, done: Weighing) -> None:
    recipe = Recipe.from_dict(done.recipe)
    mine, theirs = tmp_path / "mine.toml", tmp_path / "theirs.toml"
    mine.write_text(recipe.set("optimizer.lr", "1e-5").to_toml())
    theirs.write_text(recipe.to_toml())
    out = tmp_path / "out"
    command = [
        "weigh",
        str(mine),
        "--against",
        str(theirs),
        "--run",
        str(base),
        "--seeds",
        "3",
        "--jobs",
        "1",
        "--quiet",
    ]
    assert main([*command, "--output", str(out)]) == 0
    found: Weighing = from_plain(json.loads((out / "weighing.json").read_text()), Weighing)
    assert (found.base, found["mine"].against) == ("theirs", "theirs")
    assert found["mine"].effect == pytest.approx(done["optimizer.lr=1e-5"].effect, abs=0.15)


def test_an_arm_that_breaks_a_constraint_cannot_win(tmp_path: Path) -> None:
    source = tmp_path / "people.csv"
    people(200).to_csv(source, index=False)
    run = tmp_path / "run"
    limits = ["--trial-limit", "12", "--jobs", "1", "--quiet", "--constraint", "recall>=0.9"]
    main(["run", str(source), "--target", "income", "--output", str(run), *limits, *quick_options()])
    found = weighed(run, "optimizer.lr=1e-5", seeds=3)["optimizer.lr=1e-5"]
    assert found.breaks and "recall>=0.9" in found.breaks[0]
    assert not found.wins


def test_without_a_seed_others_are_drawn_and_said(base: Path) -> None:
    one, other = (weighed(base, "mixup", seeds=3, options=("--no-seed",)) for _ in range(2))
    assert one["mixup"].pairs != other["mixup"].pairs
    assert any("--seed" in said.text for said in one.said)


def test_weighing_by_another_metric(base: Path) -> None:
    found = weighed(base, "label-smoothing", seeds=3, options=("--metric", "log_loss"))
    assert found["label-smoothing"].metric == "log_loss"
    assert all(without > 0 for without, _ in found["label-smoothing"].pairs)


@pytest.mark.parametrize(
    ("names", "options", "word"),
    [
        (["mixap"], [], "did you mean 'mixup'"),
        (["optimizer.rl=1"], [], "no knob 'optimizer.rl'"),
        (["mixup"], ["--seeds", "2"], "seeds is a number from 3"),
        (["mixup"], ["--against", "tabular-mpl"], "did you mean 'tabular-mlp'"),
        (["mine.toml"], [], "mine.toml cannot be read as a recipe"),
        (["mixup"], ["--metric", "rmse"], "this is binary"),
        (["mixup"], ["--slice", "color"], "did you mean 'colour'"),
        (["mixup"], ["--matters", "-1"], "a number from 0"),
    ],
)
def test_a_wrong_word_is_one_line(base: Path, names: list[str], options: list[str], word: str, capsys: Heard) -> None:
    given = [] if "--seeds" in options else ["--seeds", "3"]
    assert main(["weigh", *names, "--run", str(base), "--jobs", "1", "--quiet", *given, *options]) == 2
    error = capsys.readouterr().err
    assert word in error
    assert error.count("\n") == 1


def test_a_folder_without_a_run_is_one_line(tmp_path: Path, capsys: Heard) -> None:
    assert main(["weigh", "mixup", "--run", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err


def test_other_data_than_those_of_the_run_are_refused(tmp_path: Path, capsys: Heard) -> None:
    source, run = tmp_path / "people.csv", tmp_path / "run"
    people(120).to_csv(source, index=False)
    main(
        ["run", str(source), "--target", "income", "--output", str(run), "--trial-limit", "2", "--jobs", "1", "--quiet"]
    )
    pd.read_csv(source).iloc[:-5].to_csv(source, index=False)
    assert main(["weigh", "mixup", "--run", str(run), "--jobs", "1"]) == 2
    assert "the data are others now" in capsys.readouterr().err
