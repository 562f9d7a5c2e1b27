"""`steelyard mistakes`: the sample, tags from the command line, a spreadsheet and the terminal, and what is kept."""

import csv
import io
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from steelyard.cli import main
from steelyard.data.source import read
from steelyard.diagnosis.reasons import Mistakes
from steelyard.problem import Problem
from steelyard.records import from_plain
from steelyard.report.mistakes import mistakes_page
from steelyard.trials.predictions import Predictions
from steelyard.workflow.mistakes import mistakes_of

Heard = pytest.CaptureFixture[str]
EVIL = "<script>alert('x')</script>"


@pytest.fixture
def run(people_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(people_run, tmp_path / "run"))


def listed(run: Path) -> list[dict[str, str]]:
    with (run / "diagnosis" / "mistakes.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def asked(run: Path, capsys: Heard, *options: str) -> Mistakes:
    assert main(["mistakes", str(run), "--quiet", "--json", *options]) == 0
    found: Mistakes = from_plain(json.loads(capsys.readouterr().out), Mistakes)
    return found


def test_the_sample_is_the_models_mistakes_with_their_values(run: Path, capsys: Heard) -> None:
    assert main(["mistakes", str(run), "--quiet", "--n", "8"]) == 0
    assert "No reason is known yet" in capsys.readouterr().out
    rows = listed(run)
    assert 0 < len(rows) <= 8 and all(row["truth"] != row["predicted"] and row["tags"] == "" for row in rows)
    assert {"value: age", "value: colour"} <= set(rows[0])
    again = asked(run, capsys, "--n", "8")
    assert [each.mistake.origin for each in again.examples] == [row["origin"] for row in rows]
    assert again == asked(run, capsys, "--n", "8") and again.mistakes >= len(rows)
    page = (run / "diagnosis" / "mistakes.html").read_text(encoding="utf-8")
    assert page.count('class="mistake"') == len(rows) and "taken for" in page


def test_tags_are_added_kept_and_taken_away(run: Path, capsys: Heard) -> None:
    one, two, three = (row["origin"] for row in _first(run, capsys)[:3])
    found = asked(run, capsys, "--tag", f"{one}=border case, odd", "--tag", f"{two}=border case")
    assert [(each.tag, each.count) for each in found.reasons] == [("border case", 2), ("odd", 1)]
    assert found.reasons[0].ceiling.value == pytest.approx(found.error.value)
    found = asked(run, capsys, "--tag", f"{three}=wrong label", "--tag", f"{one}=")
    assert {each.tag for each in found.reasons} == {"border case", "wrong label"} and found.reviewed == 2
    with (run / "diagnosis" / "tags.csv").open(newline="") as file:
        rows = {row["origin"]: row for row in csv.DictReader(file)}
    assert set(rows) == {two, three} and rows[three]["when"].endswith("+00:00")
    assert {row["origin"]: row["tags"] for row in listed(run)}[three] == "wrong label"
    page = (run / "diagnosis" / "mistakes.html").read_text(encoding="utf-8")
    assert "Every reason" in page and page.count("<svg") == 2
    assert not asked(run, capsys, "--tag", f"{two}=", "--tag", f"{three}=").reasons
    assert not (run / "diagnosis" / "tags.csv").exists()


def _first(run: Path, capsys: Heard) -> list[dict[str, str]]:
    asked(run, capsys)
    return listed(run)


def test_the_list_may_be_filled_in_a_spreadsheet_and_other_lists_imported(run: Path, capsys: Heard) -> None:
    rows = _first(run, capsys)
    text = (run / "diagnosis" / "mistakes.csv").read_text(encoding="utf-8").splitlines()
    text[1] = text[1].replace(f"{rows[0]['origin']},,", f'{rows[0]["origin"]},"dog, blurry",', 1)
    (run / "diagnosis" / "mistakes.csv").write_text("\n".join(text), encoding="utf-8-sig")
    other = run.parent / "other.csv"
    other.write_text(f"tags;origin;by\ncat | dog;{rows[1]['origin']};Ada\n;{rows[2]['origin']};Ada\n")
    found = asked(run, capsys, "--import", str(other))
    told = {each.mistake.origin: each.tags for each in found.examples if each.tags}
    assert told == {rows[0]["origin"]: ("dog", "blurry"), rows[1]["origin"]: ("cat", "dog")}
    with (run / "diagnosis" / "tags.csv").open(newline="") as file:
        assert {row["by"] for row in csv.DictReader(file) if row["tags"] == "cat|dog"} == {"Ada"}
    assert asked(run, capsys).reasons == found.reasons


def test_the_review_asks_one_by_one_keeps_each_answer_and_goes_on_later(
    run: Path, capsys: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = _first(run, capsys)
    monkeypatch.setattr(sys, "stdin", io.StringIO("odd\n\nborder case, odd\nq\nnot read\n"))
    found = asked(run, capsys, "--review")
    assert [each.tags for each in found.examples[:4]] == [("odd",), (), ("border case", "odd"), ()]
    monkeypatch.setattr(sys, "stdin", io.StringIO("dog\n"))  # and the end of the input
    assert main(["mistakes", str(run), "--quiet", "--review"]) == 0
    heard = capsys.readouterr()
    assert (
        f"1 of {len(rows) - 2}  row {rows[1]['origin']}" in heard.err
        and "reasons so far: odd, border case" in heard.err
    )
    assert "'odd': 2 of 3 mistakes" in " ".join(heard.out.split())
    assert {row["origin"]: row["tags"] for row in listed(run)}[rows[1]["origin"]] == "dog"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--tag", "blurry"], "--tag expects ID=TAG,TAG"),
        (["--tag", "none of these=x"], "no example 'none of these' on dev"),
        (["--import", "nowhere.csv"], "no file nowhere.csv"),
    ],
)
def test_what_cannot_be_tagged_is_said_in_a_line(run: Path, capsys: Heard, options: list[str], words: str) -> None:
    assert main(["mistakes", str(run), "--quiet", *options]) == 2
    heard = capsys.readouterr()
    assert words in heard.err and heard.err.count("\n") == 1 and not (run / "diagnosis").exists()


def test_a_table_without_the_columns_is_said(run: Path, capsys: Heard, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    assert main(["mistakes", str(run), "--quiet", "--import", str(tmp_path / "x.csv")]) == 2
    assert "has no column origin and no column tags" in capsys.readouterr().err


def bench(
    source: object, problem: Problem, predictions: np.ndarray, folder: Path, target: str | None
) -> SimpleNamespace:
    """What is read of a finished run, without one."""
    pool = read(source, target)
    file = folder / "final.safetensors"
    Predictions(np.arange(len(pool)), predictions, np.arange(1), predictions[:1]).save(file)
    return SimpleNamespace(
        pool=pool, problem=problem, truth=pool.target, folder=folder, executor=SimpleNamespace(final_predictions=file)
    )


def test_mistakes_of_values_stand_for_the_error_they_make(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=200), "y": random.normal(size=200)})
    problem = Problem("regression", "tabular", "y", 200, (), "rmse")
    said = frame["y"].to_numpy() + np.where(np.arange(200) < 20, 5.0, 0.1)
    found = mistakes_of(bench(frame, problem, said, tmp_path, "y"), 30)  # type: ignore[arg-type]
    assert found.unit == "mean absolute error" and found.error.value == pytest.approx(0.59)
    far = sum(each.share for each in found.examples if each.mistake.error > 1)
    assert far == pytest.approx(100 / 118, abs=0.05)
    page = mistakes_page(found)
    assert "predicted as" in page and "off by" in page


def test_images_are_shown_and_what_comes_from_data_is_escaped(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    images, names = random.integers(0, 255, (60, 6, 6), dtype=np.uint8), np.array([EVIL, "b"])[np.arange(60) % 2]
    made = bench(
        (images, names),
        Problem("binary", "image", "class", 60, (EVIL, "b"), "accuracy"),
        np.tile([0.4, 0.6], (60, 1)),
        tmp_path,
        None,
    )
    made.problem = Problem("binary", "image", "class", 60, made.pool.classes, "accuracy")
    found = mistakes_of(made)
    assert found.mistakes == 30 and all(each.mistake.image.startswith("data:image/png") for each in found.examples)
    page = mistakes_page(found)
    assert EVIL not in page and "&lt;script&gt;" in page and page.count("<img") == 30
