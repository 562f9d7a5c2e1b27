"""One thread a process, and small sources that several tests share."""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
os.environ["STEELYARD_CACHE"] = "off"  # nothing that is decoded is kept in anybody's home folder

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

QUICK = {"network.width": "16", "network.depth": "1", "stopping.epochs": "3", "estimator.trees": "8"}


TRIALS = 96  # the families, a bigger network, and what is weighed on the best family


def quick_options(**more: str) -> list[str]:
    """Settings on the command line under which a training takes a moment."""
    return [word for knob, text in (QUICK | more).items() for word in ("--set", f"{knob}={text}")]


def people(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    """Three numbers (some missing), a category and an income that follows from them."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(rows, 3)).round(6)
    colour = random.choice(["red", "green", "blue"], rows)
    rich = numbers[:, 0] + numbers[:, 1] + (colour == "red") + 0.4 * random.normal(size=rows) > 0.3
    frame = pd.DataFrame(numbers, columns=["age", "hours", "gain"]).assign(colour=colour)
    frame.loc[frame.index % 13 == 5, "gain"] = np.nan
    return frame.assign(income=np.where(rich, "high", "low"))


def of_several(task: str, rows: int, random: np.random.Generator, targets: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Truth (rows, targets) with gaps, and what was predicted: of labels probabilities with ties, else values."""
    truth = random.integers(0, 2, (rows, targets)).astype(float) if task == "multilabel" else None
    if truth is None:
        truth = random.gamma(2.0, size=(rows, targets))
        predictions = truth + random.normal(size=truth.shape)
    else:
        predictions = np.round(np.clip(0.3 * truth + random.uniform(0, 0.7, truth.shape), 0.01, 0.99), 1)
    truth[::7, 0] = np.nan
    return truth, predictions


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """One process of the test run at a time."""
    with file.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a test run share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def people_csv(shared: Path) -> Path:
    """`people` as a CSV file."""
    file = shared / "people.csv"
    with locked(shared / "people.lock"):
        if not file.exists():
            people().to_csv(file, index=False)
    return file


@pytest.fixture(scope="session")
def people_run(shared: Path, people_csv: Path) -> Path:
    """The folder of a finished run on `people_csv`; copy it before changing anything in it.

    What the run wrote to standard output lies beside it in `people.json`.
    """
    from contextlib import redirect_stdout

    from steelyard.cli import main

    folder, words = shared / "people", shared / "people.json"
    with locked(shared / "people-run.lock"):
        if not words.exists():
            with (shared / "people.out").open("w") as out, redirect_stdout(out):
                assert main([*people_command(people_csv, folder), "--jobs", "1", "--json", "--quiet"]) == 0
            (shared / "people.out").rename(words)
    return folder


def people_command(source: Path, folder: Path, *more: str) -> list[str]:
    """The command whose run `people_run` is."""
    command = ["run", str(source), "--target", "income", "--output", str(folder), "--trial-limit", str(TRIALS)]
    return [*command, *quick_options(), *more]
