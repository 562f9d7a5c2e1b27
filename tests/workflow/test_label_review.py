"""`steelyard labels`: suspects of a finished run, the review on the terminal, a run under the corrections."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import people, people_command

import steelyard
from steelyard import label_errors
from steelyard.cli import main
from steelyard.data.corrections import read_corrections
from steelyard.diagnosis.labels import LabelErrors
from steelyard.records import from_plain
from steelyard.workflow.labels import find_labels

Heard = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


@pytest.fixture(scope="module")
def run(people_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the people in which suspects were looked for."""
    folder = Path(shutil.copytree(people_run, tmp_path_factory.mktemp("labels") / "run"))
    assert main(["labels", "find", str(folder), "--quiet"]) == 0
    return folder


def found(run: Path) -> LabelErrors:
    record: LabelErrors = from_plain(json.loads((run / "diagnosis" / "labels.json").read_text()), LabelErrors)
    return record


def review(run: Path, keys: str, monkeypatch: Patch, *options: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(keys))
    assert main(["labels", "review", str(run), "--by", "ada", *options]) == 0


def test_every_row_outside_the_test_is_judged_and_the_page_says_what_to_type(run: Path, capsys: Heard) -> None:
    record = found(run)
    assert record.rows == 160 and record.suspects and record.suspects[0].rank == 1
    assert record.targets[0].low <= record.targets[0].share <= record.targets[0].high
    page = (run / "diagnosis" / "labels.html").read_text(encoding="utf-8")
    assert "Label errors" in page and "steelyard labels review" in page and "Suspicion is not proof" in page
    assert main(["labels", "find", str(run), "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["suspects"][0]["origin"] == record.suspects[0].origin


def test_a_review_saves_every_answer_goes_back_and_goes_on_where_it_stopped(
    run: Path, monkeypatch: Patch, capsys: Heard
) -> None:
    first, second, third = found(run).suspects[:3]
    review(run, "k\nz\nb\nc\n\nc nobody\nc high\n", monkeypatch)
    heard = capsys.readouterr().out
    assert "no class 'nobody'" in heard and "2 answered now" in heard and f"given {first.given}" in heard
    file = run / "labels" / "corrections.csv"
    one, two = read_corrections(file)
    assert (one.origin, one.action, one.label, one.by) == (first.origin, "change", first.suggested, "ada")
    assert (two.origin, two.given, two.label) == (second.origin, second.given, "high")
    review(run, "s\nq\n", monkeypatch)
    assert f"rank {third.rank}" in capsys.readouterr().out
    assert [each.action for each in read_corrections(file)] == ["change", "change", "skip"]
    review(run, "d\n", monkeypatch, "--skipped")
    assert [each.action for each in read_corrections(file)] == ["change", "change", "drop"]


def test_a_run_under_corrections_says_so_and_can_be_opened_again(
    run: Path, people_csv: Path, tmp_path: Path, capsys: Heard
) -> None:
    suspect = found(run).suspects[0]
    other = "low" if suspect.given == "high" else "high"
    edits = pd.DataFrame({"origin": [suspect.origin], "given": suspect.given, "action": "change", "label": other})
    edits.to_csv(tmp_path / "edits.csv", index=False)
    command = people_command(people_csv, tmp_path / "out", "--jobs", "1", "--corrections", str(tmp_path / "edits.csv"))
    command[command.index("--trial-limit") + 1] = "8"
    assert main(command) == 0
    assert "1 row relabelled, 0 dropped by edits.csv; 0 in test" in " ".join(capsys.readouterr().err.split())
    again = find_labels(tmp_path / "out")
    assert all(each.given == other for each in again.suspects if each.origin == suspect.origin)
    same = main(command)  # the very same ask: answered at once
    assert same == 0
    wrong = steelyard.errors.UserError
    with pytest.raises(wrong, match="other data"):
        steelyard.run(people_csv, "income", output=tmp_path / "out", trial_limit=8)


def test_labels_that_do_not_match_the_source_end_in_one_line(people_csv: Path, tmp_path: Path, capsys: Heard) -> None:
    (tmp_path / "edits.csv").write_text("origin,given,action,label\n3,medium,drop,\n")
    command = people_command(people_csv, tmp_path / "out", "--quiet", "--corrections", str(tmp_path / "edits.csv"))
    assert main(command) == 2
    assert "row '3' is '" in capsys.readouterr().err


def test_a_review_without_suspects_says_what_to_type_first(people_run: Path, capsys: Heard, tmp_path: Path) -> None:
    assert main(["labels", "review", str(tmp_path)]) == 2
    assert f"steelyard labels find {tmp_path}" in capsys.readouterr().err


def test_where_rows_are_held_out_a_model_is_trained_on_folds_and_remembered(tmp_path: Path) -> None:
    frame = people(3800)
    random = np.random.default_rng(0)
    flipped = random.choice(3800, 120, replace=False)
    frame.loc[flipped, "income"] = np.where(frame.loc[flipped, "income"] == "high", "low", "high")
    frame.to_csv(tmp_path / "many.csv", index=False)
    command = people_command(tmp_path / "many.csv", tmp_path / "run", "--jobs", "1", "--quiet")
    command[command.index("--trial-limit") + 1] = "2"
    assert main(command) == 0
    record = find_labels(tmp_path / "run")
    assert record.rows == 3040 and "5 folds" in record.by
    hits = np.mean([int(each.origin) - 1 in set(flipped.tolist()) for each in record.suspects])
    assert hits > 0.3
    heard: list[str] = []
    again = find_labels(tmp_path / "run", watch=lambda event: heard.append(type(event).__name__))
    assert again.suspects == record.suspects and "Began" not in heard


def test_the_same_is_found_from_python(run: Path, tmp_path: Path) -> None:
    record = label_errors(steelyard.load(run), output=tmp_path)
    assert record.suspects == found(run).suspects and (tmp_path / "labels.html").exists()
