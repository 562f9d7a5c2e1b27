"""Learning curves of a run: what is trained, what is left in its folder, what the command says."""

import json
import shutil
from pathlib import Path

import pytest

import steelyard
from steelyard.cli import main
from steelyard.diagnosis.growth import Growth
from steelyard.recipe import Recipe
from steelyard.records import from_plain
from steelyard.report.learning_curve import learning_curve_page, parts, said
from steelyard.trials.arms import FULL, Size, trials_of
from steelyard.trials.trial import Outcome, Trial
from steelyard.workflow.learning_curve import Wish, growth_of
from steelyard.workflow.reopened import reopened

Heard = pytest.CaptureFixture[str]
WISH = Wish(seeds=2, against="linear", worst=1)


@pytest.fixture(scope="module")
def run(people_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(people_run, tmp_path_factory.mktemp("growth") / "run"))


@pytest.fixture(scope="module")
def grown(run: Path) -> Growth:
    with reopened(run, 60, jobs=1) as bench:
        return growth_of(bench, WISH)


def test_a_curve_reaches_all_train_rows_and_has_every_seed(grown: Growth) -> None:
    assert grown.whole is not None and grown.complete
    assert grown.whole.now.rows == 128
    assert [each.rows for each in grown.whole.measured] == sorted(each.rows for each in grown.whole.measured)
    assert all(len(each.errors) == 2 for each in grown.whole.measured)
    assert (grown.dev, grown.folds, grown.model) == (160, 5, "linear")


def test_a_class_has_its_own_curve_and_that_of_all_rows(grown: Growth) -> None:
    (each,) = grown.classes
    assert each.name in {"high", "low"}
    assert each.own.now.rows == each.whole.now.rows < 128
    assert each.whole.now.error == pytest.approx(grown.whole.now.error)  # type: ignore[union-attr]


def test_what_was_trained_is_not_trained_again(run: Path, grown: Growth) -> None:
    told: list[object] = []
    with reopened(run, 60, jobs=1, watch=told.append) as bench:
        again = growth_of(bench, WISH)
    assert not [event for event in told if isinstance(event, Outcome)]
    assert again.whole == grown.whole


def test_the_test_is_not_opened_for_it(run: Path, people_run: Path, grown: Growth) -> None:
    assert grown.whole is not None
    assert steelyard.load(run).journal().openings() == steelyard.load(people_run).journal().openings()


def test_without_time_for_a_curve_it_says_so(run: Path) -> None:
    with reopened(run, 60, jobs=1) as bench:
        found = growth_of(bench, Wish(seeds=3, against="forest", shares=(0.4, 0.6)), seconds=0.0)
    assert found.whole is None
    assert "give it more" in found.reason
    assert said(found) and not parts(found)


def test_nested_trials_are_others_than_those_on_subsets_and_old_ones_keep_their_form() -> None:
    recipe = Recipe.__new__(Recipe)
    plain, nested = Trial(recipe, 0, rows=50), Trial(recipe, 0, rows=50, draw=0)
    assert plain != nested
    assert plain._nested() == {}
    assert nested._nested() == {"draw": 0, "of": None}


def test_a_full_size_is_no_subset_and_every_seed_draws_its_own(run: Path) -> None:
    with reopened(run, 60, jobs=1) as bench:
        recipe = Recipe.from_dict(bench.record.winner["recipe"])
        full, some = (trials_of(recipe, (3,), size, bench.protocol)[0] for size in (FULL, Size(50, nested=True)))
        assert (full.draw, some.draw) == (None, 3)
        assert Trial.from_dict(some.to_dict()) == some
        assert Trial.from_dict(full.to_dict()) == full


def test_the_command_leaves_a_record_and_a_page(run: Path, tmp_path: Path, capsys: Heard) -> None:
    command = ["learning-curve", str(run), "--against", "linear", "--seeds", "2", "--class", "high", "--jobs", "1"]
    assert main([*command, "--quiet", "--json", "--output", str(tmp_path)]) == 0
    shown: Growth = from_plain(json.loads(capsys.readouterr().out), Growth)
    kept = from_plain(json.loads((tmp_path / "learning_curve.json").read_text()), Growth)
    assert shown == kept
    assert [each.name for each in shown.classes] == ["high"]
    page = (tmp_path / "learning_curve.html").read_text()
    assert "Will more data help?" in page and page.count("<svg") == 4
    assert main([*command, "--quiet", "--output", str(tmp_path)]) == 0
    assert "80 % interval" in capsys.readouterr().out


def test_the_page_says_each_figure_and_escapes_what_the_data_say(grown: Growth) -> None:
    from dataclasses import replace

    page = learning_curve_page(replace(grown, target="<b>income</b>"))
    assert "<b>income" not in page
    assert all(part.text for part in parts(grown) if part.drawing)
    assert said(grown)[0].startswith(("More data will", "Whether more data will"))


@pytest.mark.parametrize(
    ("options", "word"),
    [(["--class", "hgih"], "did you mean 'high'"), (["--against", "lineer"], "did you mean 'linear'")],
)
def test_a_wrong_word_is_one_line(run: Path, options: list[str], word: str, capsys: Heard) -> None:
    assert main(["learning-curve", str(run), "--jobs", "1", "--quiet", *options]) == 2
    error = capsys.readouterr().err
    assert word in error and error.count("\n") == 1
