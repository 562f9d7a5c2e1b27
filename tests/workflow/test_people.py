"""`steelyard human`: from files and numbers, with and without a run beside it, its page and its JSON."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steelyard.cli import main
from steelyard.data.source import read
from steelyard.diagnosis.beside_human import Human
from steelyard.records import from_plain
from steelyard.workflow.human import human_of
from steelyard.workflow.proxies import inputs_of, proxies_of
from steelyard.workflow.reopened import reopened

Heard = pytest.CaptureFixture[str]
EVIL = "<script>alert(1)</script>"


def annotated(truth: pd.Series, rates: dict[str, float], seed: int = 0) -> pd.DataFrame:
    """Labels of annotators that err at those rates."""
    random = np.random.default_rng(seed)
    classes = sorted(set(truth))
    other = truth.map(dict(zip(classes, [*classes[1:], classes[0]], strict=True)))
    return pd.DataFrame(
        {name: np.where(random.random(len(truth)) < rate, other, truth) for name, rate in rates.items()}
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with labels of four annotators, and the truth in another order."""
    folder = tmp_path_factory.mktemp("people")
    truth = pd.Series(np.array(["cat", "dog", "fox"])[np.random.default_rng(0).integers(0, 3, 300)])
    names = [f"r{i}" for i in range(300)]
    said = annotated(truth, {"ann": 0.05, "bob": 0.1, "cy": 0.1, EVIL: 0.4})
    said.assign(row=names).to_csv(folder / "said.csv", index=False)
    pd.DataFrame({"row": names, "y": truth}).iloc[::-1].iloc[10:].to_csv(folder / "truth.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def run(people_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a finished run to write into."""
    return Path(shutil.copytree(people_run, tmp_path_factory.mktemp("copied") / "run"))


def told(heard: Heard, *command: str) -> Human:
    """What a command prints as JSON, as its record."""
    assert main([*command, "--json", "--quiet"]) == 0
    found = from_plain(json.loads(heard.readouterr().out), Human)
    assert isinstance(found, Human)
    return found


def test_rows_are_joined_to_the_truth_by_their_names(files: Path, tmp_path: Path, capsys: Heard) -> None:
    truth = ["--truth", str(files / "truth.csv"), "--column", "y", "--output", str(tmp_path)]
    found = told(capsys, "human", str(files / "said.csv"), *truth)
    assert (found.level.rows, found.level.reference) == (290, "the true labels")
    assert found.notes == ("10 of 300 annotated rows have no truth: left out",)
    assert found.level.best_name == "ann" and found.level.annotators[-1].name == EVIL
    assert json.loads((tmp_path / "human.json").read_text())["level"]["rows"] == 290


def test_the_page_shows_panels_and_escapes_names(files: Path, tmp_path: Path, capsys: Heard) -> None:
    assert main(["human", str(files / "said.csv"), "--output", str(tmp_path), "--quiet"]) == 0
    page, shown = (tmp_path / "human.html").read_text(encoding="utf-8"), capsys.readouterr().out
    assert EVIL not in page and "alert(1)" in page and "Panels are drawn by lot" in page
    assert "There are no true labels" in page and "There are no true labels" in shown
    assert "Proxies of the Bayes error" not in page


def test_a_number_needs_no_file(tmp_path: Path, capsys: Heard) -> None:
    found = told(capsys, "human", "0.02", "--examples", "500", "--output", str(tmp_path))
    assert found.level.level.value == 0.02
    assert (tmp_path / "human.html").exists() and found.level.panels == ()


def test_a_run_brings_the_truth_the_model_and_the_proxies(
    run: Path, people_csv: Path, tmp_path: Path, capsys: Heard
) -> None:
    said = annotated(pd.read_csv(people_csv)["income"], {"ann": 0.02, "bob": 0.02, "cy": 0.02})
    said.to_csv(tmp_path / "said.csv", index=False)
    found = told(capsys, "human", str(tmp_path / "said.csv"), "--run", str(run))
    assert found.level.rows == 160 and "40 of 200 annotated rows are in the sealed test" in found.notes[0]
    assert found.model is not None and found.model.model.examples == 160
    assert found.level.single is not None and found.level.single.value < 0.05
    assert found.proxies is not None and {"Cover-Hart, inputs", "best model"} <= {p.name for p in found.proxies.proxies}
    page = (run / "diagnosis" / "human.html").read_text(encoding="utf-8")
    assert "Proxies of the Bayes error" in page and "None of them is a human level" in page


def test_a_model_that_passes_people_is_said_to(run: Path, tmp_path: Path, capsys: Heard) -> None:
    assert main(["human", "0.45", "--run", str(run), "--output", str(tmp_path), "--examples", "2000", "--quiet"]) == 0
    assert "From here on people no longer tell how much of its error is avoidable" in capsys.readouterr().out


def test_an_open_run_gives_both_records(run: Path, people_csv: Path) -> None:
    said = annotated(pd.read_csv(people_csv)["income"], {"ann": 0.1, "bob": 0.2})
    with reopened(run, 30.0) as bench:
        found, proxies = human_of(bench, said), proxies_of(bench)
    assert found.level.labels == 320 and proxies.default in {p.name for p in proxies.proxies}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["said.csv", "--column", "y"], "--column names the column of --truth FILE"),
        (["said.csv", "--truth", "truth.csv", "--column", "z"], "column 'z' is not in truth.csv"),
        (["1.5"], "the human error is a rate from 0 to 1, got 1.5"),
        (["nothing.csv"], "there is no file or folder"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(
    files: Path, tmp_path: Path, capsys: Heard, command: list[str], words: str
) -> None:
    given = [str(files / word) if word.endswith(".csv") and word != "nothing.csv" else word for word in command]
    assert main(["human", *given, "--output", str(tmp_path), "--quiet"]) == 2
    heard = capsys.readouterr().err
    assert words in heard and heard.count("\n") == 1


def test_rows_that_the_run_does_not_know_are_said(run: Path, people_csv: Path, tmp_path: Path, capsys: Heard) -> None:
    said = annotated(pd.read_csv(people_csv)["income"], {"ann": 0.1, "bob": 0.2})
    said.assign(row=[f"photo{i}" for i in range(200)]).to_csv(tmp_path / "said.csv", index=False)
    assert main(["human", str(tmp_path / "said.csv"), "--run", str(run), "--quiet"]) == 2
    assert "none of the 200 annotated rows (as 'photo0') is a row of the run" in capsys.readouterr().err


@pytest.mark.data
def test_people_on_cifar_10h_err_as_published(tmp_path: Path, capsys: Heard) -> None:
    counts = Path(__file__).parents[3] / "shared" / "data" / "cifar-10h" / "data" / "cifar10h-counts.npy"
    if not counts.exists():
        pytest.skip("the folder ../shared/data with real data sets is missing")
    found = told(capsys, "human", str(counts), "--output", str(tmp_path))
    assert found.level.single is not None and 0.044 < found.level.single.value < 0.053  # published: 0.051
    assert found.level.level.value < 0.01 and found.level.labels == 511_000


def test_every_kind_of_input_is_a_space_without_gaps() -> None:
    random = np.random.default_rng(0)
    texts = [f"{word} {other} thing" for word in ("red", "blue", "green") for other in ("car", "boat", "tree", "sky")]
    sources = {
        "tabular": pd.DataFrame({"a": [1.0, np.nan] * 12, "b": ["x", "y", "z"] * 8, "y": [0, 1] * 12}),
        "image": (random.integers(0, 255, (24, 40, 30, 3), dtype=np.uint8), np.arange(24) % 2),
        "text": (texts * 2, np.arange(24) % 2),
        "series": (random.normal(size=(24, 2, 20)), np.arange(24) % 2),
    }
    for modality, source in sources.items():
        how = {"modality": "series"} if modality == "series" else {}
        dataset = read(source, "y" if modality == "tabular" else None, **how)
        space = inputs_of(dataset)
        assert dataset.schema.modality == modality and space is not None
        assert space.shape[0] == 24 and np.isfinite(space).all() and space.std(axis=0).max() > 0
