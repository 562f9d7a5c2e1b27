"""`steelyard shift` and `steelyard coverage`: two sources, a run against production and its test inputs; the pages."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from conftest import people

from steelyard.cli import main
from steelyard.diagnosis.coverage import Coverage
from steelyard.diagnosis.shift import Shifts
from steelyard.records import from_plain
from steelyard.trials.journal import Journal
from steelyard.workflow.shift import names_of

Heard = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def run(people_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the people, for this module alone."""
    return Path(shutil.copytree(people_run, tmp_path_factory.mktemp("shift") / "run"))


def written(frame: pd.DataFrame, file: Path) -> str:
    frame.to_csv(file, index=False)
    return str(file)


def asked(heard: Heard, *command: str) -> Shifts:
    assert main([*command, "--json", "--quiet"]) == 0
    found: Shifts = from_plain(json.loads(heard.readouterr().out), Shifts)
    return found


def test_train_and_dev_of_a_run_are_compared_and_the_test_stays_sealed(run: Path, capsys: Heard) -> None:
    with closing(Journal(run / "journal.db", create=False)) as journal:
        before = journal.openings()
        found = asked(capsys, "shift", str(run))
        assert journal.openings() == before
    assert [(pair.first, pair.second) for pair in found.pairs] == [("train", "dev")]
    assert not found.opened and found.pairs[0].verdict == "no shift seen"
    assert (run / "diagnosis" / "shift.html").exists()


def test_production_is_compared_with_all_rows_outside_the_test(run: Path, tmp_path: Path, capsys: Heard) -> None:
    older = people(150, seed=9).assign(age=lambda frame: frame["age"] + 2).drop(columns="income")
    source = written(older, tmp_path / "new.csv")
    found = asked(capsys, "shift", str(run), "--production", source, "--output", str(tmp_path / "out"))
    pair = found.pairs[1]
    assert (pair.second, pair.verdict) == ("production", "inputs differ")
    assert pair.tells[0].name == "age" and pair.inputs.low > 0.5
    page = (tmp_path / "out" / "shift.html").read_text()
    assert "age is higher" in page and "<script" in page


def test_the_inputs_of_the_test_are_looked_at_on_request_only_and_the_journal_says_so(
    run: Path, tmp_path: Path, capsys: Heard
) -> None:
    found = asked(capsys, "shift", str(run), "--test", "--output", str(tmp_path / "out"))
    assert found.pairs[1].second == "test" and "the journal says so" in found.opened
    assert found.pairs[1].target is None, "targets of test rows are not looked at"
    with closing(Journal(run / "journal.db", create=False)) as journal:
        assert [by for _, by in journal.openings()][-1].startswith("steelyard shift, the inputs")


def test_two_sources_need_no_run(tmp_path: Path, capsys: Heard) -> None:
    one = written(people(200, seed=1), tmp_path / "one.csv")
    poor = people(900, seed=2)
    other = written(poor[(poor["income"] == "low") | (poor.index % 8 == 0)][:200], tmp_path / "other.csv")
    out = tmp_path / "out"
    found = asked(capsys, "shift", one, other, "--target", "income", "--output", str(out))
    assert found.pairs[0].verdict == "label shift"
    assert (found.pairs[0].first, found.pairs[0].second) == ("one.csv", "other.csv")
    assert json.loads((out / "shift.json").read_text())["pairs"][0]["verdict"] == "label shift"


def test_the_terminal_names_the_verdict_and_the_page(tmp_path: Path, capsys: Heard) -> None:
    frame = people(120, seed=1).drop(columns="income")
    one, other = written(frame[:60], tmp_path / "one.csv"), written(frame[60:], tmp_path / "other.csv")
    assert main(["shift", one, other, "--quiet", "--output", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert "no shift seen" in shown and "shift.html" in shown


def test_what_a_source_holds_is_escaped(tmp_path: Path, capsys: Heard) -> None:
    names = {"age": "<script>alert(1)</script>"}
    one = people(120, seed=1).drop(columns="income")
    other = one.assign(age=one["age"] + 3)
    files = [written(each.rename(columns=names), tmp_path / f"{k}.csv") for k, each in enumerate((one, other))]
    asked(capsys, "shift", *files, "--output", str(tmp_path / "out"))
    page = (tmp_path / "out" / "shift.html").read_text()
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["a.csv", "b.csv", "--test"], "belong to a run"),
        (["a.csv", "--target", "y"], "belong to two sources"),
        (["nowhere"], "holds no run"),
    ],
)
def test_a_wrong_question_is_told_in_one_line(command: list[str], words: str, capsys: Heard) -> None:
    assert main(["shift", *command]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_a_narrow_generator_is_named_on_the_page_of_coverage(tmp_path: Path, capsys: Heard) -> None:
    frame = people(400, seed=1)
    narrow = people(800, seed=2)
    made = written(narrow[(narrow["age"] > 0) & (narrow["colour"] != "red")], tmp_path / "made.csv")
    real, out = written(frame, tmp_path / "real.csv"), tmp_path / "out"
    command = ["coverage", real, made, "--target", "income", "--output", str(out), "--quiet"]
    assert main([*command, "--json"]) == 0
    found: Coverage = from_plain(json.loads(capsys.readouterr().out), Coverage)
    assert found.verdict == "too narrow"
    assert {gap.name for gap in found.gaps if gap.seen} >= {"age", "colour"}
    page = (out / "coverage.html").read_text()
    assert "too narrow" in page and "&#39;age&#39; is below" in page
    assert main(command) == 0
    assert "too narrow" in capsys.readouterr().out


def test_sources_are_called_by_what_tells_their_paths_apart() -> None:
    assert names_of("a/train.csv", "b/train.csv") == ("a/train.csv", "b/train.csv")
    assert names_of("train.csv", Path("new.csv")) == ("train.csv", "new.csv")
    assert names_of([1], [2]) == ("first", "second")
