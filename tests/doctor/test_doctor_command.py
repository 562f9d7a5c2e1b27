"""`steelyard doctor`: exit codes, JSON, and what is said of a setup that cannot be used."""

import json
from pathlib import Path

import pytest

from steelyard.cli import main

HEALTHY = """
import torch
from torch import nn

def setup():
    torch.manual_seed(0)
    y = torch.randint(3, (96,))
    x = torch.randn(96, 5) + 2 * torch.eye(3, 5)[y]
    model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3))
    train = list(zip(x.split(24), y.split(24)))
    return {"model": model, "loss": nn.CrossEntropyLoss(), "train": train,
            "optimizer": torch.optim.Adam(model.parameters(), 1e-3)}
"""
Heard = pytest.CaptureFixture[str]


def written(folder: Path, code: str) -> str:
    file = folder / "my_training.py"
    file.write_text(code, encoding="utf-8")
    return str(file)


def test_a_healthy_program_ends_with_nought(tmp_path: Path, capsys: Heard) -> None:
    assert main(["doctor", f"{written(tmp_path, HEALTHY)}:setup"]) == 0
    assert "nothing is wrong" in capsys.readouterr().out


def test_a_finding_ends_with_one_and_says_what_treats_it(tmp_path: Path, capsys: Heard) -> None:
    file = written(tmp_path, HEALTHY.replace("nn.Linear(16, 3))", "nn.Linear(16, 3), nn.Softmax(1))"))
    assert main(["doctor", f"{file}:setup"]) == 1
    said = capsys.readouterr().out
    assert "SY201" in said and "treat" in said
    assert main(["doctor", f"{file}:setup", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["findings"][0]["code"] == "SY201"
    assert set(found) >= {"findings", "passed", "not_measured", "seconds"}
    page = tmp_path / "found.html"
    assert main(["doctor", f"{file}:setup", "--html", str(page)]) == 1
    assert "through softmax" in page.read_text(encoding="utf-8")
    assert main(["doctor", f"{file}:setup", "--ignore", "SY2,SY5", "--json"]) == 0


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("nothing", "expected package.module:setup"),
        ("nowhere.py:setup", "no file nowhere.py"),
        ("no_such_module_here:setup", "cannot be imported"),
    ],
)
def test_a_setup_that_is_not_there_ends_with_two(where: str, words: str, capsys: Heard) -> None:
    assert main(["doctor", where]) == 2
    assert words in capsys.readouterr().err


def test_a_setup_that_fails_or_has_no_model_ends_with_two(tmp_path: Path, capsys: Heard) -> None:
    file = written(tmp_path, "def setup():\n    raise ValueError('no data today')\ndef other():\n    return {}\n")
    assert main(["doctor", f"{file}:setup"]) == 2
    assert "ValueError: no data today" in capsys.readouterr().err
    assert main(["doctor", f"{file}:other"]) == 2
    assert "no 'model'" in capsys.readouterr().err
    assert main(["doctor", f"{file}:third"]) == 2
    assert "has no 'third'" in capsys.readouterr().err


def test_a_check_is_explained_and_all_are_listed(capsys: Heard) -> None:
    assert main(["doctor", "--explain", "sy201"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("# SY201") and "**Mended:**" in said
    assert main(["doctor", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 45
    assert main(["doctor", "--explain", "SY999"]) == 2
    assert "--list shows all" in capsys.readouterr().err
    assert main(["doctor"]) == 2
    assert "expected a setup" in capsys.readouterr().err
