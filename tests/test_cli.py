"""The command line as a user and an attacker would call it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import people, people_command, quick_options
from PIL import Image

from steelyard.cli import main

Said = pytest.CaptureFixture[str]


def refused(said: Said, arguments: list[str], *words: str) -> None:
    """The command ends with 2, one line on standard error and nothing on standard output."""
    try:
        status = main(arguments)
    except SystemExit as end:
        status = end.code  # type: ignore[assignment]
    found = said.readouterr()
    assert status == 2, found
    assert found.out == ""
    assert found.err.count("\n") == 1, found.err
    assert found.err.startswith("steelyard")
    assert "Traceback" not in found.err
    assert all(word in found.err for word in words), found.err


# -- bad input --------------------------------------------------------------------------------------------------


def csv(folder: Path, content: pd.DataFrame | str | bytes, name: str = "data.csv") -> str:
    file = folder / name
    if isinstance(content, pd.DataFrame):
        content.to_csv(file, index=False)
    else:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(file)


BAD: dict[str, tuple[Callable[[Path], str], tuple[str, ...]]] = {
    "missing file": (lambda f: str(f / "nowhere.csv"), ("nowhere.csv",)),
    "wrong target": (
        lambda f: csv(f, people(20).rename(columns={"income": "incomes"})),
        ("'income'", "did you mean 'incomes'?"),
    ),
    "no rows": (lambda f: csv(f, "age,income\n"), ("data.csv",)),
    "no bytes": (lambda f: csv(f, ""), ("data.csv",)),
    "one class only": (lambda f: csv(f, people(40).assign(income="high")), ("income",)),
    "three rows": (lambda f: csv(f, people(3)), ("3 usable rows", "at least")),
    "target all missing": (lambda f: csv(f, people(40).assign(income=None)), ("income",)),
    "broken parquet": (lambda f: csv(f, b"PAR1 and then nothing", "data.parquet"), ("data.parquet",)),
    "half a parquet": (lambda f: half_a_parquet(f), ("data.parquet",)),
    "no columns but the target": (lambda f: csv(f, people(40)[["income"]]), ("only the target",)),
    "bytes": (lambda f: csv(f, bytes(range(256)) * 40), ("data.csv",)),
    "a broken zip": (lambda f: csv(f, b"PK\x03\x04 nothing", "data.zip"), ("data.zip",)),
    "an empty folder": (lambda f: str(f), ("holds no images",)),
}


def half_a_parquet(folder: Path) -> str:
    people(60).to_parquet(folder / "whole")
    whole = (folder / "whole").read_bytes()
    (folder / "whole").unlink()
    return csv(folder, whole[: len(whole) // 2], "data.parquet")


@pytest.mark.parametrize("name", BAD)
def test_bad_data_gets_one_clear_line_and_nothing_is_written(name: str, tmp_path: Path, capsys: Said) -> None:
    make, words = BAD[name]
    (tmp_path / "in").mkdir()
    source = make(tmp_path / "in")
    refused(capsys, ["run", source, "--target", "income", "--output", str(tmp_path / "out"), "--jobs", "1"], *words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--metric", "acuracy"], ("'acuracy'", "did you mean 'accuracy'")),
        (["--metric", "rmse"], ("rmse", "binary")),
        (["--task", "regresion"], ("--task", "regresion")),
        (["--task", "regression"], ("needs numbers",)),
        (["--constraint", "latency<=5"], ("'latency'", "latency_ms")),
        (["--constraint", "latency_ms=5"], ("latency_ms=5", "NAME<=NUMBER")),
        (["--constraint", "rmse<=5"], ("rmse",)),
        (["--set", "network.widht=8"], ("did you mean 'network.width'",)),
        (["--set", "network.width=wide"], ("network.width", "wide")),
        (["--set", "network.width=-1"], ("width", "-1")),
        (["--set", "network.width"], ("KNOB=VALUE",)),
        (["--exclude", "agee"], ("'agee'", "did you mean 'age'")),
        (["--human-error", "2"], ("--human-error",)),
        (["--human-error", "nan"], ("--human-error",)),
        (["--weights", "agee"], ("'agee'", "did you mean 'age'")),
        (["--weights", "colour"], ("'colour' holds", "name another column")),
        (["--weights", "age"], ("'age' is negative in",)),
        (["--weights", "income"], ("it is the target",)),
        (["--costs", "nowhere.csv"], ("nowhere.csv", "No such file")),
        (["--metric", "cost"], ("'cost'", "give --costs FILE")),
        (["--constraint", "cost<=1"], ("constraint on 'cost'", "give --costs FILE")),
        (["--time-limit", "0"], ("--time-limit",)),
        (["--time-limit", "soon"], ("--time-limit",)),
        (["--time-limit", "nan"], ("--time-limit",)),
        (["--trial-limit", "0"], ("--trial-limit",)),
        (["--time-limit", "5", "--trial-limit", "5"], ("not allowed",)),
        (["--jobs", "0"], ("--jobs",)),
        (["--seed", "x"], ("--seed",)),
        (["--seed", "-1"], ("seed", "-1")),
        (["--test", "nowhere.csv"], ("nowhere.csv",)),
        (["--bogus"], ("--bogus",)),
    ],
)
def test_a_wrong_option_gets_one_clear_line(
    options: list[str], words: tuple[str, ...], people_csv: Path, tmp_path: Path, capsys: Said
) -> None:
    given = ["run", str(people_csv), "--target", "income", "--output", str(tmp_path / "out"), *options]
    refused(capsys, given if "--jobs" in options else [*given, "--jobs", "1"], *words)
    assert not (tmp_path / "out").exists()


def test_a_table_needs_a_target(people_csv: Path, tmp_path: Path, capsys: Said) -> None:
    refused(capsys, ["run", str(people_csv), "--output", str(tmp_path / "out"), "--jobs", "1"], "name the column")


def test_a_folder_that_holds_other_things_is_left_alone(people_csv: Path, tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    refused(capsys, [*people_command(people_csv, tmp_path), "--jobs", "1"], "holds other files")
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_folder(people_csv: Path, tmp_path: Path, capsys: Said) -> None:
    file = tmp_path / "out"
    file.write_text("mine")
    refused(capsys, [*people_command(people_csv, file), "--jobs", "1"], "is a file")
    assert file.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_said(people_csv: Path, tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "file").write_text("mine")
    refused(capsys, [*people_command(people_csv, tmp_path / "file" / "out"), "--jobs", "1"], "cannot make the folder")


def test_a_run_stopped_from_the_keyboard_ends_with_one_line_and_can_be_gone_on_with(
    people_csv: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "steelyard", *people_command(people_csv, tmp_path / "out"), "--jobs", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        heard = ""
        for line in process.stderr:
            heard += line
            if "a first model is on disk" in line:
                os.killpg(process.pid, signal.SIGINT)
                break
        heard += process.stderr.read()
    assert process.returncode == 130
    assert heard.splitlines()[-1] == "steelyard: stopped; the same command goes on from here"
    assert "Traceback" not in heard
    assert main(["predict", str(tmp_path / "out"), str(people_csv), "--output", str(tmp_path / "p.csv")]) == 0


def test_a_journal_that_is_none_is_left_alone(people_csv: Path, tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "journal.db").write_text("dear diary, " * 100)
    refused(capsys, [*people_command(people_csv, tmp_path), "--jobs", "1"], "journal")
    assert (tmp_path / "journal.db").read_text().startswith("dear diary")


@pytest.mark.parametrize("command", [["predict", "DIR", "x.csv"], ["report", "DIR"], ["journal", "DIR"]])
def test_a_folder_without_a_run_is_said(command: list[str], tmp_path: Path, capsys: Said) -> None:
    refused(capsys, [word.replace("DIR", str(tmp_path)) for word in command], "holds no run")


@pytest.mark.parametrize("command", [[], ["weight"], ["run"], ["predict"]])
def test_a_wrong_command_gets_one_line(command: list[str], capsys: Said) -> None:
    refused(capsys, command, "--help")


# -- odd but usable data ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def odd_table(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """A run on a Latin-1 file with semicolons, gaps in the target, infinite values and an empty column."""
    folder = tmp_path_factory.mktemp("odd")
    frame = people(150).rename(columns={"age": "größe"}).assign(empty=None)
    frame.loc[:4, "income"] = None
    frame.loc[10:12, "hours"] = np.inf
    frame.to_csv(folder / "odd.csv", index=False, sep=";", encoding="latin-1")
    command = ["run", str(folder / "odd.csv"), "--target", "income", "--output", str(folder / "out")]
    options = ["--trial-limit", "10", "--jobs", "1", "--json", *quick_options()]
    return subprocess.run([sys.executable, "-m", "steelyard", *command, *options], capture_output=True, text=True)


@pytest.mark.parametrize(
    "words",
    [
        ("latin-1", "semicolon"),
        ("5 rows", "'income' is missing"),
        ("3", "infinite"),
        ("empty", "'empty'"),
    ],
)
def test_what_is_odd_about_a_table_is_said(words: tuple[str, ...], odd_table: subprocess.CompletedProcess[str]) -> None:
    assert odd_table.returncode == 0, odd_table.stderr
    lines = odd_table.stderr.lower().replace("iso-8859-1", "latin-1").replace("cp1252", "latin-1").split("\n")
    assert any(all(word in line for word in words) for line in lines), odd_table.stderr


def test_with_json_standard_output_holds_one_object_and_standard_error_the_story(
    odd_table: subprocess.CompletedProcess[str],
) -> None:
    assert odd_table.stdout.count("\n") == 1
    assert json.loads(odd_table.stdout)["problem"]["rows"] == 145
    assert "sealed test" in odd_table.stderr
    assert "Warning" not in odd_table.stderr


def test_two_columns_of_one_name_are_told_apart_or_refused(tmp_path: Path, capsys: Said) -> None:
    text = people(60).to_csv(index=False).replace("age,hours", "age,age", 1)
    command = ["run", csv(tmp_path, text), "--target", "income", "--output", str(tmp_path / "out")]
    status = main([*command, "--trial-limit", "5", "--jobs", "1"])
    found = capsys.readouterr()
    assert status in {1, 2}  # 1: so few trials find no winner
    assert "age" in found.err
    assert "Traceback" not in found.err


@pytest.fixture(scope="module")
def odd_images(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """A run on images of all modes and sizes, among them broken ones and a text."""
    root = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    for name, low in (("dark", 0), ("light", 120)):
        folder = root / "in" / name
        folder.mkdir(parents=True)
        for number in range(30):
            pixels = random.integers(low, low + 120, (9, 9, 3)).astype(np.uint8)
            image = Image.fromarray(pixels).convert(("RGB", "L", "RGBA", "CMYK")[number % 4])
            image.save(folder / f"{number}.{'tif' if number % 4 == 3 else 'png'}")
        Image.fromarray(random.integers(low, low + 120, (1, 1)).astype(np.uint8)).save(folder / "one.png")
        deep = (random.integers(low, low + 120, (9, 9)) * 256).astype(np.uint16)
        Image.fromarray(deep).save(folder / "deep.png")
        whole = (folder / "0.png").read_bytes()
        (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
        (folder / "words.jpg").write_text("this is no image")
    command = ["run", str(root / "in"), "--output", str(root / "out"), "--trial-limit", "10", "--jobs", "1", "--json"]
    done = subprocess.run([sys.executable, "-m", "steelyard", *command], capture_output=True, text=True)
    predict = [sys.executable, "-m", "steelyard", "predict", str(root / "out"), str(root / "in")]
    done.args = subprocess.run(predict, capture_output=True, text=True)
    return done


def test_broken_images_are_set_aside_and_listed(odd_images: subprocess.CompletedProcess[str]) -> None:
    assert odd_images.returncode == 0, odd_images.stderr
    answer = json.loads(odd_images.stdout)
    assert answer["problem"]["rows"] == 64
    said = next(note for note in answer["notes"] if "set aside" in note)
    assert said.startswith("4 files")
    assert "cut.png" in said
    assert "words.jpg" in said


def test_images_of_all_modes_and_sizes_are_learnt_from(odd_images: subprocess.CompletedProcess[str]) -> None:
    answer = json.loads(odd_images.stdout)
    assert answer["test"]["score"] > 0.7
    assert answer["winner"]["family"] == "linear"


def test_predictions_of_a_folder_name_every_file_and_leave_broken_ones_empty(
    odd_images: subprocess.CompletedProcess[str],
) -> None:
    done = odd_images.args
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "file,prediction,probability_dark,probability_light"
    assert len(lines) == 1 + 68
    assert sum(line.endswith(",,,") for line in lines) == 4


# -- the answer ---------------------------------------------------------------------------------------------------


def test_the_answer_in_json_has_exactly_its_keys(people_run: Path) -> None:
    text = people_run.with_suffix(".json").read_text()
    answer = json.loads(text)
    assert text.count("\n") == 1
    assert list(answer) == [
        "problem", "metric", "baseline", "dev", "wear", "test", "winner", "weighed", "diagnosis", "trials", "seconds",
        "output", "notes",
    ]  # fmt: skip
    assert answer["problem"] == {
        "task": "binary", "modality": "tabular", "target": "income", "rows": 200, "classes": ["high", "low"],
    }  # fmt: skip
    assert answer["metric"] == "accuracy"
    for name in ("baseline", "dev", "test"):
        low, high = answer[name]["interval"]
        assert low <= answer[name]["score"] <= high
    assert answer["output"] == str(people_run)
    assert "NaN" not in text
    assert "Infinity" not in text


def test_a_finished_run_is_shown_in_a_few_lines(
    people_run: Path, people_csv: Path, tmp_path: Path, capsys: Said
) -> None:
    folder = shutil.copytree(people_run, tmp_path / "run")
    assert main([*people_command(people_csv, folder), "--jobs", "1"]) == 0
    found = capsys.readouterr()
    for word in ("accuracy test", "winner", "report.html", "steelyard predict", "what was weighed"):
        assert word in found.out
    assert found.err == ""


# -- the other commands -----------------------------------------------------------------------------------------


def test_predict_writes_a_row_a_row(people_run: Path, tmp_path: Path, capsys: Said) -> None:
    source = csv(tmp_path, people(25, seed=4))
    assert main(["predict", str(people_run), source, "--output", str(tmp_path / "p.csv")]) == 0
    found = capsys.readouterr()
    assert found.out == ""
    assert "25 rows" in found.err
    written = pd.read_csv(tmp_path / "p.csv")
    assert len(written) == 25
    assert main(["predict", str(people_run), source]) == 0
    assert capsys.readouterr().out == (tmp_path / "p.csv").read_text()


@pytest.mark.parametrize(("output", "words"), [("", "is a folder"), ("no/where.csv", "is not a folder")])
def test_predict_refuses_a_place_it_cannot_write(
    output: str, words: str, people_run: Path, people_csv: Path, tmp_path: Path, capsys: Said
) -> None:
    refused(capsys, ["predict", str(people_run), str(people_csv), "--output", str(tmp_path / output)], words)


def test_predict_names_a_missing_column(people_run: Path, tmp_path: Path, capsys: Said) -> None:
    source = csv(tmp_path, people(9).drop(columns="hours"))
    refused(capsys, ["predict", str(people_run), source], "'hours'")


def test_a_model_of_another_format_is_refused(people_run: Path, people_csv: Path, tmp_path: Path, capsys: Said) -> None:
    folder = shutil.copytree(people_run, tmp_path / "run")
    (folder / "model" / "model.json").write_text('{"format": 99}')
    refused(capsys, ["predict", str(folder), str(people_csv)], "format 99")


def test_a_model_of_nonsense_is_refused(people_run: Path, people_csv: Path, tmp_path: Path, capsys: Said) -> None:
    folder = shutil.copytree(people_run, tmp_path / "run")
    (folder / "model" / "model.json").write_text("not json")
    refused(capsys, ["predict", str(folder), str(people_csv)], "no readable model")


def test_the_journal_tells_the_story_and_takes_notes(people_run: Path, tmp_path: Path, capsys: Said) -> None:
    folder = shutil.copytree(people_run, tmp_path / "run")
    assert main(["journal", str(folder), "--note", "gain was [measured] twice"]) == 0
    found = capsys.readouterr().out
    assert "gain was [measured] twice" in found
    assert "sealed" in found
    assert main(["journal", str(folder), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == ["said", "trials", "notes", "test_openings"]
    assert len(answer["test_openings"]) == 1
    assert answer["notes"][0]["text"] == "gain was [measured] twice"
    assert len({trial["key"] for trial in answer["trials"]}) == len(answer["trials"])


def test_the_page_is_written_anew(people_run: Path, tmp_path: Path, capsys: Said) -> None:
    folder = Path(shutil.copytree(people_run, tmp_path / "run"))
    (folder / "report.html").unlink()
    assert main(["report", str(folder)]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "report.html")
    assert (folder / "report.html").stat().st_size > 10_000


def test_the_catalogue_is_listed_and_a_card_shown(capsys: Said) -> None:
    assert main(["techniques"]) == 0
    assert "mixup" in capsys.readouterr().out
    assert main(["techniques", "mixup"]) == 0
    assert "arXiv" in capsys.readouterr().out
    assert main(["techniques", "--json"]) == 0
    names = [card["technique"] for card in json.loads(capsys.readouterr().out)["techniques"]]
    assert len(names) == len(set(names)) >= 15
    refused(capsys, ["techniques", "mixpu"], "did you mean 'mixup'")


def test_values_of_the_data_do_not_run_in_the_page_or_the_terminal(tmp_path: Path, capsys: Said) -> None:
    evil = "<script>alert(1)</script>[bold]"
    frame = people(80).rename(columns={"age": evil, "income": f"income{evil}"})
    frame[f"income{evil}"] = frame[f"income{evil}"] + evil
    command = ["run", csv(tmp_path, frame), "--target", f"income{evil}", "--output", str(tmp_path / "out")]
    assert main([*command, "--trial-limit", "10", "--jobs", "1"]) in {0, 1}
    assert "[bold]" in capsys.readouterr().err
    assert "<script>alert" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
