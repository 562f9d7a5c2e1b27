"""A run that is killed goes on where it was, decides the same and trains nothing twice."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import TRIALS, people, people_command

import steelyard
from steelyard.cli import main
from steelyard.data.source import read

KILLS = 5
PATIENCE = 120.0  # seconds until a wait counts as hanging
Row = tuple[str, int, str, float, str]


def journal(folder: Path) -> list[Row]:
    """Every trial's (key, number, at, seconds, outcome) as they stand in the journal now."""
    if not (folder / "journal.db").exists():
        return []
    connection = sqlite3.connect(folder / "journal.db", timeout=10)
    try:
        return connection.execute("SELECT key, number, at, seconds, outcome FROM trials ORDER BY number").fetchall()
    except sqlite3.OperationalError:  # the tables are not there yet
        return []
    finally:
        connection.close()


def children(pid: int) -> list[int]:
    """The processes a process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid:
                found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def wait_for(process: subprocess.Popen[bytes], folder: Path, trials: int) -> None:
    """Wait until so many trials stand in the journal."""
    end = time.monotonic() + PATIENCE
    while len(journal(folder)) < trials and process.poll() is None:
        assert time.monotonic() < end, "the run makes no progress"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def killed(people_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """A run killed at five moments of its life and then left to finish; what was seen on the way."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc to see whether workers die")
    folder = tmp_path_factory.mktemp("killed") / "run"
    chance = random.Random(7)
    moments = sorted(chance.sample(range(1, TRIALS), KILLS))
    changed, survivors, halfway = [], [], []
    for number, trials in enumerate(moments):
        before = journal(folder)
        jobs = str(1 + number % 2)
        command = [sys.executable, "-m", "steelyard", *people_command(people_csv, folder), "--quiet", "--jobs", jobs]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            wait_for(process, folder, trials)
            time.sleep(chance.random() * 0.1)
            assert process.poll() is None, "it ended before it could be killed"
            workers = children(process.pid)
            os.kill(process.pid, signal.SIGKILL)
        assert len(workers) == int(jobs)
        end = time.monotonic() + 10
        while any(alive(w) for w in workers) and time.monotonic() < end:
            time.sleep(0.05)
        survivors += [w for w in workers if alive(w)]
        after = journal(folder)
        changed += [row for row in before if row not in after]
        if (folder / "model" / "model.json").exists() or (folder / "model.previous").exists():
            halfway.append(len(steelyard.load(folder).predict_frame(people_csv)))
    before = journal(folder)
    assert main([*people_command(people_csv, folder), "--quiet", "--jobs", "1"]) == 0
    changed += [row for row in before if row not in journal(folder)]
    return {"folder": folder, "changed": changed, "survivors": survivors, "halfway": halfway}


def test_workers_die_with_the_run(killed: dict[str, object]) -> None:
    assert killed["survivors"] == []


def test_a_half_done_run_predicts(killed: dict[str, object]) -> None:
    assert killed["halfway"]
    assert set(killed["halfway"]) == {200}  # type: ignore[call-overload]


def test_finished_trials_are_not_trained_again(killed: dict[str, object], people_run: Path) -> None:
    assert killed["changed"] == []
    rows, uninterrupted = journal(killed["folder"]), journal(people_run)  # type: ignore[arg-type]
    assert {row[0] for row in rows} == {row[0] for row in uninterrupted}
    assert [row[1] for row in rows] == list(range(1, len(uninterrupted) + 1))


def test_the_choice_is_that_of_an_uninterrupted_run(killed: dict[str, object], people_run: Path) -> None:
    one, other = (steelyard.load(folder).record for folder in (killed["folder"], people_run))  # type: ignore[arg-type]
    assert one.finished
    for name in ("winner", "dev", "test", "baseline", "confusion", "errors", "test_openings", "trials"):
        assert getattr(one, name) == getattr(other, name), name
    assert [(w.technique, w.against, w.pairs, w.low, w.high, w.verdict, w.kept) for w in one.weighed] == [
        (w.technique, w.against, w.pairs, w.low, w.high, w.verdict, w.kept) for w in other.weighed
    ]
    assert [s.text for s in one.said] == [s.text for s in other.said]


def test_the_final_model_is_that_of_an_uninterrupted_run(killed: dict[str, object], people_run: Path) -> None:
    new = people(50, seed=3)
    one, other = (steelyard.load(folder).predict_proba(new) for folder in (killed["folder"], people_run))  # type: ignore[arg-type]
    assert np.array_equal(one, other)


# -- a finished run asked again ---------------------------------------------------------------------------------


@pytest.fixture
def finished(people_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(people_run, tmp_path / "run"))


def test_a_finished_run_asked_again_trains_nothing_and_leaves_the_test_alone(
    finished: Path, people_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, page = journal(finished), (finished / "report.html").stat().st_mtime_ns
    assert main([*people_command(people_csv, finished), "--jobs", "1"]) == 0
    said = capsys.readouterr()
    assert "test" in said.out
    assert said.err == ""
    assert journal(finished) == before
    assert (finished / "report.html").stat().st_mtime_ns == page
    assert steelyard.load(finished).record.test_openings == 1


def test_another_seed_in_the_same_folder_marks_the_second_opening_of_the_test(
    finished: Path, people_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = journal(finished)
    command = ["10" if word == str(TRIALS) else word for word in people_command(people_csv, finished)]
    assert main([*command, "--seed", "1", "--jobs", "1"]) == 0
    record = steelyard.load(finished).record
    assert record.test_openings == 2
    assert "opened 2 times" in capsys.readouterr().err
    assert "2 times" in (finished / "report.html").read_text() or "twice" in (finished / "report.html").read_text()
    assert journal(finished)[: len(before)] == before


def test_more_trials_on_a_finished_run_go_on_from_where_it_ended(finished: Path, people_csv: Path) -> None:
    before = journal(finished)
    command = [str(TRIALS + 1) if word == str(TRIALS) else word for word in people_command(people_csv, finished)]
    assert main([*command, "--quiet", "--jobs", "1"]) == 0
    again = [row for row in before if row not in journal(finished)]
    assert len(again) <= len(steelyard.load(finished).record.winner["members"])  # their models had been dropped
    assert steelyard.load(finished).record.finished


def test_a_mistake_in_a_second_ask_is_said_every_time(
    finished: Path, people_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert main([*people_command(people_csv, finished, "--set", "network.widht=8"), "--jobs", "1"]) == 2
        assert "did you mean 'network.width'" in capsys.readouterr().err
    assert main([*people_command(people_csv, finished), "--jobs", "1", "--quiet"]) == 0


def test_the_run_of_other_data_is_left_alone(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.csv"
    people(seed=9).to_csv(other, index=False)
    before = {file: file.stat().st_mtime_ns for file in finished.rglob("*") if file.is_file() and "db" not in file.name}
    assert main([*people_command(other, finished), "--jobs", "1"]) == 2
    assert "holds the run of other data" in capsys.readouterr().err
    assert before == {f: f.stat().st_mtime_ns for f in finished.rglob("*") if f.is_file() and "db" not in f.name}
    assert read(other, "income").fingerprint != steelyard.load(finished).journal().fact("data")
