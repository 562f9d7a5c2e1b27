"""Which trials train together, and that a worker's fleet leaves what single trials leave."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steelyard.classical import Linear
from steelyard.data.batches import Batch
from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.prepare import TablePreparation
from steelyard.data.prepare_images import ImagePreparation
from steelyard.data.split import divide
from steelyard.networks.image import ResidualCnn
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import Constraint, Problem
from steelyard.recipe import Recipe
from steelyard.training.losses import CrossEntropy
from steelyard.training.optimizers import AdamW
from steelyard.training.stopping import Stopping
from steelyard.trials.execute import Site, execute
from steelyard.trials.fleets import grouped
from steelyard.trials.predictions import Predictions
from steelyard.trials.trial import Trial

SMALL = Recipe(
    TablePreparation(),
    network=TabularMlp(width=16, depth=1, periodic=4),
    loss=CrossEntropy(),
    optimizer=AdamW(lr=0.01),
    batch=Batch(16),
    stopping=Stopping(epochs=4),
)
LARGE = SMALL.set("network.width", 1024)
PROBLEM = Problem("binary", "tabular", "y", 120, ("no", "yes"), "accuracy")


def trials(recipe: Recipe, count: int) -> list[Trial]:
    return [Trial(recipe, seed, seed, fold) for seed in range(count // 5) for fold in range(5)]


def sizes(given: list[Trial], jobs: int = 2, problem: Problem = PROBLEM, device: str = "cpu") -> list[int]:
    return [len(fleet) for fleet in grouped(given, problem, jobs, device)]


def test_small_networks_are_dealt_evenly_to_the_processes() -> None:
    assert sizes(trials(SMALL, 15)) == [8, 7]
    assert sizes(trials(SMALL, 100), jobs=3) == [25, 25, 25, 25]


def test_other_scalar_knobs_train_in_the_same_fleet() -> None:
    arms = [
        SMALL,
        SMALL.set("optimizer.lr", 0.1),
        SMALL.set("network.dropout", 0.2),
        SMALL.set("loss.label_smoothing", 0.1),
    ]
    assert sizes([trial for arm in arms for trial in trials(arm, 5)], jobs=1) == [20]


def test_other_shapes_batches_and_epochs_train_apart() -> None:
    arms = [SMALL, SMALL.set("network.width", 8), SMALL.set("batch.size", 8), SMALL.set("stopping.epochs", 8)]
    assert sizes([trial for arm in arms for trial in trials(arm, 5)], jobs=1) == [5, 5, 5, 5]


def test_what_gains_nothing_trains_alone() -> None:
    classical = Recipe(TablePreparation(), estimator=Linear())
    images = replace(SMALL, prepare=ImagePreparation(), network=ResidualCnn())
    for recipe in (classical, LARGE, images):
        assert sizes(trials(recipe, 5)) == [1] * 5


def test_an_accelerator_trains_all_networks_together() -> None:
    assert sizes(trials(LARGE, 10), jobs=1, device="cuda") == [10]


@pytest.mark.parametrize("limit", ["train_seconds<=5", "memory_mb<=900"])
def test_what_only_a_trial_alone_can_measure_keeps_trials_apart(limit: str) -> None:
    assert sizes(trials(SMALL, 5), problem=replace(PROBLEM, constraints=(Constraint.parse(limit),))) == [1] * 5


def test_grouping_depends_on_what_is_asked_only() -> None:
    asked = trials(SMALL, 15)
    assert grouped(asked, PROBLEM, 2, "cpu") == grouped(list(asked), PROBLEM, 2, "cpu")


def site(folder: Path) -> Site:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(120, 3)), columns=list("abc"))
    frame["colour"] = random.choice(np.array(["red", "green", "blue"], object), 120)
    target = (frame["a"] + 0.3 * random.normal(size=120) > 0).to_numpy().astype(np.int64)
    columns = (*(Column(name, "number") for name in "abc"), Column("colour", "category"))
    dataset = Dataset("rows", Schema("tabular", "y", columns), target, PROBLEM.classes, frame=frame)
    protocol, pool, _ = divide(dataset, 0)
    return Site(dataset.take(pool), PROBLEM, protocol, folder)


def test_a_fleet_leaves_what_its_trials_leave_alone(tmp_path: Path) -> None:
    arms = [SMALL, SMALL.set("optimizer.lr", 0.03), SMALL.set("network.dropout", 0.3)]
    keyed = [(f"{number}", trial) for number, trial in enumerate(t for arm in arms for t in trials(arm, 5))]
    together = execute(keyed, site(tmp_path / "together"), lambda *_: None)
    alone = [execute([each], site(tmp_path / "alone"), lambda *_: None)[0] for each in keyed]
    assert {outcome.together for outcome in together} == {15}
    for one, other in zip(together, alone, strict=True):
        assert (one.key, one.trial, one.status, one.train_rows) == (
            other.key,
            other.trial,
            other.status,
            other.train_rows,
        )
        assert [p.dev_loss for p in one.curve] == pytest.approx([p.dev_loss for p in other.curve], rel=1e-3)
        kept = (
            Predictions.load(tmp_path / where / "predictions" / f"{one.key}.safetensors")
            for where in ("together", "alone")
        )
        mine, theirs = kept
        assert np.array_equal(mine.dev_rows, theirs.dev_rows)
        assert np.allclose(mine.dev, theirs.dev, atol=2e-3)


def test_progress_is_told_for_every_member(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    keyed = [(f"{number}", trial) for number, trial in enumerate(trials(SMALL, 5))]
    execute(keyed, site(tmp_path), lambda key, progress: told.append((key, progress)))
    assert {key for key, progress in told if progress == 1.0} == {"0", "1", "2", "3", "4"}
    assert len(told) == 5 * 4
