"""Batch size and epochs explored together: what is trained, in which order, what is left out, what is picked."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import people

import steelyard
from steelyard.cli import main
from steelyard.records import from_plain
from steelyard.trials.executor import Began
from steelyard.trials.trial import Outcome
from steelyard.weighing.trade_off import Exploration, Pair

SMALL = {"network.width": "16", "network.depth": "1"}
OPTIONS = ["--set", "network.width=16", "--set", "network.depth=1", "--jobs", "1"]
GRID = {"batch_sizes": (16, 64), "epochs": (1, 6), "seeds": 2}
Heard = pytest.CaptureFixture[str]


def explored(source: object, folder: Path, **more: object) -> tuple[Exploration, list[object]]:
    """An exploration and the events it told."""
    told: list[object] = []
    given = GRID | {"settings": SMALL, "jobs": 1, "time_limit": 300} | more
    return steelyard.explore(source, "income", output=folder, watch=told.append, **given), told  # type: ignore[arg-type]


def whole(told: list[object]) -> list[Outcome]:
    """The trainings on all train rows, in the order in which they ended."""
    return [event for event in told if isinstance(event, Outcome) and event.trial.rows is None]


def pairs(found: Exploration) -> dict[tuple[int, int], Pair]:
    return {pair.place: pair for pair in found.pairs}


@pytest.fixture(scope="module")
def done(people_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Exploration, list[object], Path]:
    """A finished exploration, what it told, and its folder; copy that before changing anything in it."""
    folder = tmp_path_factory.mktemp("explored") / "out"
    return *explored(people_csv, folder), folder


def test_every_pair_is_trained_with_paired_seeds_on_every_fold(done: tuple[Exploration, list[object], Path]) -> None:
    found, told, _ = done
    assert list(pairs(found)) == [(16, 1), (16, 6), (64, 1), (64, 6)]
    assert all(pair.status == "done" and len(pair.by_seed) == 2 for pair in found.pairs)
    trained = {(o.trial.recipe.get("batch.size"), o.trial.recipe.get("stopping.epochs")) for o in whole(told)}
    assert trained == set(pairs(found))
    assert {(o.trial.seed, o.trial.fold) for o in whole(told)} == {(seed, fold) for seed in (0, 1) for fold in range(5)}


def test_steps_and_rates_follow_the_batch_size(done: tuple[Exploration, list[object], Path]) -> None:
    found, _, _ = done
    assert found.rows == 128
    assert {pair.place: pair.steps for pair in found.pairs} == {(16, 1): 8, (16, 6): 48, (64, 1): 2, (64, 6): 12}
    assert (found.rule, found.base[0]) == ("square root", 32)
    assert {pair.rate for pair in found.pairs} == {"cosine(0.000424, 0)", "cosine(0.000849, 0)"}


def test_scores_have_intervals_and_the_time_of_one_training(done: tuple[Exploration, list[object], Path]) -> None:
    for pair in done[0].pairs:
        assert pair.score is not None
        assert pair.score.low < pair.score.value < pair.score.high
        assert pair.score.value == pytest.approx(sum(pair.by_seed) / 2)
        assert pair.score.examples == 160
        assert pair.seconds is not None and pair.seconds > 0


def test_the_pick_is_on_no_account_dearer_than_the_best(done: tuple[Exploration, list[object], Path]) -> None:
    found = done[0]
    best, pick = found.pair(found.best), found.pair(found.pick)
    assert best is not None and pick is not None
    assert best.front and not pick.surely_worse
    assert (pick.seconds or 0) <= (best.seconds or 0)
    assert found.settings == (
        f"batch.size={pick.batch_size}", f"stopping.epochs={pick.epochs}", f"optimizer.lr={pick.rate}",
    )  # fmt: skip


def test_what_is_known_to_be_cheaper_comes_first(done: tuple[Exploration, list[object], Path]) -> None:
    recipes = [outcome.trial.recipe for outcome in whole(done[1])]
    order = list(dict.fromkeys((recipe.get("batch.size"), recipe.get("stopping.epochs")) for recipe in recipes))
    assert order[0] == (64, 1)  # nothing is known yet: the fewest steps
    for size in (16, 64):
        assert order.index((size, 1)) < order.index((size, 6))


def test_the_folder_holds_the_record_the_page_and_the_journal(done: tuple[Exploration, list[object], Path]) -> None:
    found, _, folder = done
    assert from_plain(json.loads((folder / "explore.json").read_text()), Exploration) == found
    page = (folder / "explore.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "stopping.epochs" in page
    assert not (folder / "models").exists()


def test_the_same_again_trains_nothing_and_says_the_same(
    done: tuple[Exploration, list[object], Path], people_csv: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(done[2], tmp_path / "out"))
    again, told = explored(people_csv, folder)
    assert not [event for event in told if isinstance(event, Began)]
    assert again.pairs == done[0].pairs
    assert (again.best, again.pick) == (done[0].best, done[0].pick)


def test_more_pairs_are_added_to_what_is_there_and_what_is_too_dear_is_left_out(
    done: tuple[Exploration, list[object], Path], people_csv: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(done[2], tmp_path / "out"))
    found, told = explored(people_csv, folder, epochs=(1, 2, 500_000))
    assert {o.trial.recipe.get("stopping.epochs") for o in whole(told)} == {2}
    dear = pairs(found)[(16, 500_000)]
    assert (dear.status, dear.score) == ("left out", None)
    assert dear.predicted > 100
    assert any("left out, since" in said.text and "16 × 500000" in said.text for said in found.said)


def test_a_folder_of_something_else_is_left_alone(
    done: tuple[Exploration, list[object], Path], people_run: Path, people_csv: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(steelyard.UserError, match="holds other files"):
        explored(people_csv, tmp_path)
    with pytest.raises(steelyard.UserError, match="left of a run"):
        explored(people_csv, Path(shutil.copytree(people_run, tmp_path / "run")))
    with pytest.raises(steelyard.UserError, match="left of other data"):
        explored(people(180), Path(shutil.copytree(done[2], tmp_path / "other")))


def test_a_rate_that_is_kept_and_values_that_are_predicted(tmp_path: Path) -> None:
    frame = people()
    values = frame.assign(income=3 * frame["age"] + frame["hours"])
    small = {"batch_sizes": (8, 32), "epochs": (2,), "seeds": 1, "keep_rate": True}
    found, _ = explored(values, tmp_path, **small)
    assert (found.problem.metric, found.rule) == ("rmse", "kept")
    assert {pair.rate for pair in found.pairs} == {found.base[2]}
    assert found.pick is not None


def test_where_every_training_diverges_there_is_no_pick(people_csv: Path, tmp_path: Path, capsys: Heard) -> None:
    command = ["explore", str(people_csv), "--target", "income", "--output", str(tmp_path / "out"), *OPTIONS]
    wild = ["--set", "optimizer.lr=1e30", "--batch-sizes", "32", "--epochs", "3", "--seeds", "1", "--quiet"]
    assert main([*command, *wild]) == 1
    assert "no pair was trained to its end" in capsys.readouterr().out
    record = from_plain(json.loads((tmp_path / "out" / "explore.json").read_text()), Exploration)
    assert record.pairs[0].status == "diverged"
    assert "step" in record.pairs[0].reason


def test_the_command_shows_every_pair_and_with_json_prints_the_record(
    done: tuple[Exploration, list[object], Path], people_csv: Path, tmp_path: Path, capsys: Heard
) -> None:
    folder = shutil.copytree(done[2], tmp_path / "out")
    grid = ["--batch-sizes", "16,64", "--epochs", "1,6", "--seeds", "2", "--time-limit", "5m"]
    command = ["explore", str(people_csv), "--target", "income", "--output", str(folder), *grid, *OPTIONS]
    assert main(command) == 0
    heard = capsys.readouterr()
    for words in ("against the best", "pick", "explore.html", "--set batch.size="):
        assert words in heard.out
    assert "5 folds" in heard.err
    assert main([*command, "--json", "--quiet"]) == 0
    heard = capsys.readouterr()
    assert heard.err == ""
    assert from_plain(json.loads(heard.out), Exploration).pairs == done[0].pairs


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--batch-sizes", "512"], ("512", "128 train rows")),
        (["--batch-sizes", "0,4"], ("--batch-sizes",)),
        (["--epochs", "many"], ("--epochs", "many")),
        (["--time-limit", "0"], ("--time-limit",)),
        (["--set", "batch.sise=4"], ("did you mean 'batch.size'",)),
        (["--metric", "rmse"], ("rmse", "binary")),
    ],
)
def test_a_wrong_option_gets_one_clear_line_and_nothing_is_written(
    options: list[str], words: tuple[str, ...], people_csv: Path, tmp_path: Path, capsys: Heard
) -> None:
    command = ["explore", str(people_csv), "--target", "income", "--output", str(tmp_path / "out"), "--quiet"]
    try:
        status = main([*command, "--jobs", "1", *options])
    except SystemExit as end:
        status = int(end.code or 0)
    heard = capsys.readouterr()
    assert (status, heard.out, heard.err.count("\n")) == (2, "", 1), heard
    assert all(word in heard.err for word in words), heard.err
    assert not (tmp_path / "out").exists()
