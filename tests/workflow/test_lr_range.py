"""The learning-rate range test on a user's data, from Python and from the command line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import people

import steelyard
from steelyard.cli import main
from steelyard.data.source import read
from steelyard.data.split import divide
from steelyard.knobs import parse_knob
from steelyard.records import Said, from_plain, to_plain
from steelyard.training.rate_range import RateRange

SMALL = {"network.width": "16", "network.depth": "1"}
OPTIONS = ["--set", "network.width=16", "--set", "network.depth=1", "--steps", "60"]
Heard = pytest.CaptureFixture[str]


def ranged(source: object, target: str | None, folder: Path, **more: object) -> RateRange:
    return steelyard.rate_range(source, target, output=folder, settings=SMALL, **({"steps": 60} | more))  # type: ignore[arg-type]


def test_neither_dev_nor_test_rows_are_looked_at(tmp_path: Path) -> None:
    frame = people(300)
    dataset = read(frame, "income")
    protocol, pool, test = divide(dataset, 0)
    other = frame.copy()
    unseen = [*test, *pool[protocol.split(0, 0)[1]]]
    other.loc[unseen, ["age", "hours"]] = other.loc[unseen, ["age", "hours"]] * 50 + 7
    assert ranged(other, "income", tmp_path / "a").losses == ranged(frame, "income", tmp_path / "b").losses


def test_the_record_and_the_page_lie_in_the_folder(tmp_path: Path) -> None:
    found = ranged(people(), "income", tmp_path / "out")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["lr_range.html", "lr_range.json"]
    written = json.loads((tmp_path / "out" / "lr_range.json").read_text())
    assert from_plain(written, RateRange) == found
    page = (tmp_path / "out" / "lr_range.html").read_text(encoding="utf-8")
    assert found.setting in page.replace("&#39;", "'")
    assert page.count("<svg") == 2


def test_what_is_suggested_is_a_setting_of_the_network(people_csv: Path, tmp_path: Path) -> None:
    path, _, text = ranged(people_csv, "income", tmp_path / "out").setting.partition("=")
    assert path == "optimizer.lr"
    assert 1e-5 < parse_knob(text).start < 1  # type: ignore[union-attr]
    again = steelyard.rate_range(people_csv, "income", output=tmp_path, settings=SMALL | {path: text}, steps=60)
    assert again.setting == f"{path}={text}"


def test_values_and_images_are_learnt_from_as_well(tmp_path: Path) -> None:
    frame = people()
    values = ranged(frame.assign(income=3 * frame["age"] + frame["hours"]), "income", tmp_path / "values")
    assert values.smoothed[0] > min(values.smoothed)
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (60, 6, 6)).astype(np.uint8)
    images[:30] //= 3
    small = {"network.width": "4"}
    labels = np.repeat(["dark", "light"], 30)
    found = steelyard.rate_range((images, labels), output=tmp_path / "images", settings=small, steps=30, seeds=2)
    assert (found.family, len(found.losses)) == ("residual-cnn", 2)


def test_it_is_told_what_is_tested_and_what_came_of_it(tmp_path: Path) -> None:
    told: list[object] = []
    ranged(people(), "income", tmp_path, watch=told.append)
    texts = [event.text for event in told if isinstance(event, Said)]
    assert any("neither dev nor test rows" in text for text in texts)
    assert texts[-1].startswith("the loss falls fastest at")


def test_the_command_shows_the_marks_and_the_setting_to_use(people_csv: Path, tmp_path: Path, capsys: Heard) -> None:
    command = ["lr-range", str(people_csv), "--target", "income", "--output", str(tmp_path / "out"), *OPTIONS]
    assert main(command) == 0
    heard = capsys.readouterr()
    for words in ("falls fastest", "lowest loss", "--set 'optimizer.lr=cosine(", "lr_range.html"):
        assert words in heard.out
    assert "train rows are learnt from" in heard.err


def test_with_json_the_record_is_printed(people_csv: Path, tmp_path: Path, capsys: Heard) -> None:
    command = ["lr-range", str(people_csv), "--target", "income", "--output", str(tmp_path / "out"), *OPTIONS]
    assert main([*command, "--json", "--quiet", "--seeds", "2"]) == 0
    heard = capsys.readouterr()
    found = from_plain(json.loads(heard.out), RateRange)
    assert len(found.losses) == 2
    assert to_plain(found) == json.loads((tmp_path / "out" / "lr_range.json").read_text())
    assert heard.err == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--low", "1", "--high", "0.1"], ("0 < low < high", "low 1", "high 0.1")),
        (["--low", "0"], ("0 < low",)),
        (["--low", "soon"], ("--low",)),
        (["--high", "inf"], ("high",)),
        (["--steps", "5"], ("steps", "from 20")),
        (["--seeds", "0"], ("--seeds",)),
        (["--low", "1000", "--high", "1e7", "--set", "optimizer.weight_decay=1"], ("diverges", "--low")),
        (["--set", "optimizer.rl=1"], ("did you mean 'optimizer.lr'",)),
        (["--set", "estimator.trees=5"], ("no knob 'estimator.trees'",)),
        (["--target", "incme"], ("did you mean 'income'",)),
        (["--device", "gpu"], ("device",)),
    ],
)
def test_a_wrong_option_gets_one_clear_line(
    options: list[str], words: tuple[str, ...], people_csv: Path, tmp_path: Path, capsys: Heard
) -> None:
    command = ["lr-range", str(people_csv), "--target", "income", "--output", str(tmp_path / "out"), "--quiet"]
    try:
        status = main([*command, *options])
    except SystemExit as end:
        status = int(end.code or 0)
    heard = capsys.readouterr()
    assert (status, heard.out, heard.err.count("\n")) == (2, "", 1), heard
    assert all(word in heard.err for word in words), heard.err


def test_a_file_is_no_folder(people_csv: Path, tmp_path: Path, capsys: Heard) -> None:
    (tmp_path / "out").write_text("mine")
    assert main(["lr-range", str(people_csv), "--target", "income", "--output", str(tmp_path / "out"), "--quiet"]) == 2
    assert "is a file" in capsys.readouterr().err


def test_names_from_the_data_do_not_run_in_the_page(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    frame = pd.DataFrame(people(80)).rename(columns={"income": evil})
    ranged(frame, evil, tmp_path)
    assert "<script" not in (tmp_path / "lr_range.html").read_text(encoding="utf-8")
