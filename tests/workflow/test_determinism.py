"""The same seed gives the same bits, whatever runs side by side; another seed gives others."""

from pathlib import Path

import numpy as np
import pytest
from conftest import people, people_command

import steelyard
from steelyard.cli import main


@pytest.fixture(scope="module")
def again(people_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`people_run` once more, with two trainings side by side."""
    folder = tmp_path_factory.mktemp("again") / "run"
    assert main([*people_command(people_csv, folder), "--jobs", "2", "--quiet"]) == 0
    return folder


def predictions(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "predictions").iterdir()}


def test_every_trial_predicts_the_same_bits(people_run: Path, again: Path) -> None:
    one, other = predictions(people_run), predictions(again)
    assert len(one) > 50
    assert one == other


def test_the_final_model_predicts_the_same_bits(people_run: Path, again: Path) -> None:
    new = people(50, seed=3).drop(columns="income")
    assert np.array_equal(steelyard.load(people_run).predict_proba(new), steelyard.load(again).predict_proba(new))


def test_the_same_is_decided_and_measured(people_run: Path, again: Path) -> None:
    one, other = (steelyard.load(folder).record for folder in (people_run, again))
    for name in ("winner", "dev", "test", "baseline", "confusion", "errors", "mistakes", "protocol", "trials"):
        assert getattr(one, name) == getattr(other, name), name
    assert [(w.technique, w.effect, w.verdict) for w in one.weighed] == [
        (w.technique, w.effect, w.verdict) for w in other.weighed
    ]


def test_another_seed_splits_and_predicts_otherwise(people_run: Path, people_csv: Path, tmp_path: Path) -> None:
    other = steelyard.run(people_csv, "income", output=tmp_path / "run", trial_limit=10, seed=1, jobs=1)
    assert set(predictions(people_run)) & set(predictions(other.folder)) <= {"final.safetensors"}
    assert not set(predictions(people_run).values()) & set(predictions(other.folder).values())


def test_without_a_seed_one_is_drawn_and_kept_in_the_record(people_csv: Path, tmp_path: Path) -> None:
    seeds = []
    for number in range(2):
        folder = tmp_path / str(number)
        source = ["run", str(people_csv), "--target", "income", "--trial-limit", "1", "--jobs", "1", "--quiet"]
        main([*source, "--no-seed", "--output", str(folder)])
        seeds.append(steelyard.load(folder).record.seed)
    assert seeds[0] != seeds[1]
    assert 0 not in seeds
