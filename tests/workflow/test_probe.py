"""`steelyard probe`, what a run says of suspicious inputs, and useless columns weighed out."""

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import people

import steelyard
from steelyard.cli import _parser, main
from steelyard.diagnosis.probes.probe import Probe
from steelyard.records import from_plain

Heard = pytest.CaptureFixture[str]


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """People whose income is known twice, once by a bracket of it; and a column of noise."""
    frame = people(300)
    random = np.random.default_rng(1)
    tax = np.where(frame["income"] == "high", random.uniform(20, 30, 300), random.uniform(5, 10, 300))
    frame.assign(tax=tax.round(3), noise=random.normal(size=300).round(5)).to_csv(tmp_path / "leaky.csv", index=False)
    return tmp_path / "leaky.csv"


def test_the_command_names_the_leak_and_what_is_useless_and_what_to_type(
    leaky: Path, tmp_path: Path, capsys: Heard
) -> None:
    command = ["probe", str(leaky), "--target", "income", "--output", str(tmp_path / "out")]
    assert main(command) == 0
    heard = capsys.readouterr()
    flat = " ".join(heard.out.split())
    assert "'tax' alone predicts 'income' nearly perfectly" in flat
    assert "try steelyard run" in flat and "--exclude tax" in flat and "probe.html" in flat
    assert "each input alone" in heard.err
    assert main([*command, "--json", "--quiet"]) == 0
    heard = capsys.readouterr()
    found = from_plain(json.loads(heard.out), Probe)
    assert heard.err == "" and found.leaks[0].columns == ("tax",) and "noise" in found.useless
    assert json.loads((tmp_path / "out" / "probe.json").read_text()) == json.loads(heard.out)
    page = (tmp_path / "out" / "probe.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4 and "nearly perfectly" in page and "Each input shuffled" in page


def test_the_same_seed_gives_the_same_record(leaky: Path, tmp_path: Path) -> None:
    one, two = (steelyard.probe(leaky, "income", output=tmp_path / "out") for _ in range(2))
    assert one == two


def test_what_is_to_be_typed_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(2)
    people().assign(noise=random.normal(size=200).round(5)).to_csv("some people.csv", index=False)
    found = steelyard.probe("some people.csv", "income", output="out")
    assert found.leaks == () and "noise" in found.useless
    run, weigh = (_parser().parse_args(shlex.split(command)[1:]) for command in found.commands)
    assert (run.source, run.output) == ("some people.csv", weigh.run)
    assert weigh.names[0].startswith("prepare.drop=") and "noise" in weigh.names[0]


def test_a_run_says_which_input_knows_too_much_and_says_nothing_of_clean_data(
    leaky: Path, people_run: Path, tmp_path: Path
) -> None:
    run = steelyard.run(leaky, "income", output=tmp_path / "run", trial_limit=4, settings={"estimator.trees": 3})
    (note,) = [note for note in run.record.notes if "nearly perfectly" in note]
    assert note.startswith("'tax' alone predicts 'income'")
    assert any(said.step == "define" and note in said.text for said in run.record.said)
    clean = steelyard.load(people_run).record
    assert not any("Is " in note or "Are both" in note for note in clean.notes)


def test_a_column_is_weighed_out_of_the_model_of_a_run(people_run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(people_run, tmp_path / "run")
    found = steelyard.weigh(["prepare.drop=age", "fewer-inputs"], folder, seeds=3)
    arms = {each.name: each for each in found.comparisons}
    assert arms["prepare.drop=age"].effect < -0.05 and arms["fewer-inputs"].pairs


@pytest.mark.parametrize(
    ("name", "words"),
    [("prepare.drop=agee", "did you mean 'age'"), ("prepare.drop=age,hours,gain,colour", "every input")],
)
def test_weighing_out_what_is_not_there_is_one_clear_line(
    name: str, words: str, people_run: Path, tmp_path: Path, capsys: Heard
) -> None:
    folder = shutil.copytree(people_run, tmp_path / "run")
    assert main(["weigh", name, "--run", str(folder), "--quiet"]) == 2
    assert words in capsys.readouterr().err


def test_a_run_cannot_drop_what_is_not_there(people_csv: Path, tmp_path: Path, capsys: Heard) -> None:
    command = ["run", str(people_csv), "--target", "income", "--output", str(tmp_path / "run"), "--quiet"]
    assert main([*command, "--set", "prepare.drop=agee"]) == 2
    assert "did you mean 'age'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--target", "incme"], "did you mean 'income'"),
        ([], "name the column to predict"),
        (["--target", "income", "--exclude", "taxes"], "cannot exclude 'taxes'"),
        (["--target", "income", "--seed", "-1"], "--seed"),
        (["--target", "income", "--task", "clustering"], "--task"),
    ],
)
def test_a_wrong_option_gets_one_clear_line(options: list[str], words: str, leaky: Path, capsys: Heard) -> None:
    try:
        status = main(["probe", str(leaky), "--quiet", *options])
    except SystemExit as end:
        status = int(end.code or 0)
    heard = capsys.readouterr()
    assert (status, heard.out, heard.err.count("\n")) == (2, "", 1), heard
    assert words in heard.err


def test_images_have_no_inputs_to_probe(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (40, 6, 6)).astype(np.uint8)
    with pytest.raises(steelyard.UserError, match="no inputs to probe"):
        steelyard.probe((images, np.arange(40) % 2), output=tmp_path)


def test_names_from_the_data_do_not_run_in_the_page(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    frame: pd.DataFrame = people(120).rename(columns={"income": evil, "age": f"age {evil}"})
    steelyard.probe(frame, evil, output=tmp_path)
    page = (tmp_path / "probe.html").read_text(encoding="utf-8")
    assert evil not in page and page.count("<script>") <= 1
