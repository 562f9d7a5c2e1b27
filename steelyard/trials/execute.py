"""Do one trial: split, fit, predict, measure."""

import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from steelyard.data.dataset import Dataset
from steelyard.data.split import Protocol
from steelyard.metrics import METRICS, metric
from steelyard.problem import Problem
from steelyard.training.loop import Diverged
from steelyard.training.model import Model, start
from steelyard.trials.predictions import Predictions
from steelyard.trials.trial import Outcome, Point, Trial

TRAIN_SAMPLE = 4096  # train rows predicted for the train score
LOOKS, FEWEST_LOOKS = 30, 5  # points of a learning curve
LOOK_ROWS = 2048  # dev rows a point is measured on
LOOKING = 0.2  # of the work of training may go into looking
Watch = Callable[[int, float], None]  # (epoch, progress)


def execute(
    trial: Trial, key: str, dataset: Dataset, problem: Problem, protocol: Protocol, folder: Path, watch: Watch
) -> Outcome:
    """Train and measure; the predictions lie in `folder`/predictions and the model in `folder`/models under the key.

    `dataset` holds the pool only: the rows of the sealed test are not in it.
    """
    began = time.perf_counter()
    _forget_peak()
    rows, dev_rows = protocol.split(trial.partition, trial.fold)
    rows = protocol.subset(rows, trial.rows, trial.partition)
    train_set, dev_set = dataset.take(rows), dataset.take(dev_rows)
    outcome = Outcome(key, trial, "done", 0.0, len(rows))
    try:
        model, curve = _fit(trial, train_set, dev_set, problem, watch)
    except Diverged as error:
        return replace(outcome, status="diverged", seconds=time.perf_counter() - began, message=str(error))
    fit_seconds = time.perf_counter() - began
    sample = _sample(len(rows), trial.seed)
    predictions = Predictions(
        dev_rows, _predict(model, dev_set, problem), rows[sample], _predict(model, train_set.take(sample), problem)
    )
    if not (np.isfinite(predictions.dev).all() and np.isfinite(predictions.train).all()):
        return replace(
            outcome, status="diverged", seconds=time.perf_counter() - began, message="predictions are not finite"
        )
    saved = folder / "models" / key
    model.save(saved)
    predictions.save(folder / "predictions" / f"{key}.safetensors")
    measured = {
        "latency_ms": latency_ms(model, dataset),
        "size_mb": sum(f.stat().st_size for f in saved.iterdir()) / 1e6,
        "memory_mb": _peak_memory_mb(),
        "train_seconds": fit_seconds,
    }
    score, truth = metric(problem.metric), dataset.target
    assert truth is not None
    return replace(
        outcome,
        seconds=time.perf_counter() - began,
        train_score=score(truth[rows[sample]], predictions.train),
        dev_score=score(truth[dev_rows], predictions.dev) if len(dev_rows) else None,
        curve=curve,
        measured=measured,
    )


def _fit(
    trial: Trial, train_set: Dataset, dev_set: Dataset, problem: Problem, watch: Watch
) -> tuple[Model, tuple[Point, ...]]:
    model, epochs = start(trial.recipe, train_set, problem, trial.seed)
    wanted = getattr(trial.recipe.stopping, "epochs", 1)
    patience = getattr(trial.recipe.stopping, "patience", None)
    seen = dev_set.take(_sample(len(dev_set), 0, LOOK_ROWS))
    every = max(1, round(wanted / _looks(len(train_set) * wanted, len(seen))))
    curve: list[Point] = []
    best, best_state = None, None
    for epoch in epochs:
        watch(epoch.number, epoch.progress)
        if len(dev_set) and (epoch.number % every == 0 or epoch.progress >= 1):
            curve.append(_look(model, seen, problem, epoch.number, epoch.train_loss))
            if patience:
                assert model.network is not None
                if best is None or curve[-1].dev_loss < curve[best].dev_loss:  # type: ignore[operator]
                    best = len(curve) - 1
                    best_state = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
                elif len(curve) - 1 - best >= patience:
                    break
        else:
            curve.append(Point(epoch.number, epoch.train_loss))
    if best_state is not None and model.network is not None:
        model.network.load_state_dict(best_state)
    return model, tuple(curve)


def _look(model: Model, dev_set: Dataset, problem: Problem, epoch: int, train_loss: float) -> Point:
    assert dev_set.target is not None
    predictions, truth = model.predict(dev_set), dev_set.target
    if problem.task != "regression":
        loss = METRICS["log_loss"](truth, predictions)
    else:
        assert model.scale is not None
        loss = 0.5 * float(
            np.square(
                model.scale.forward(np.maximum(predictions, -0.999) if model.scale.log else predictions)
                - model.scale.forward(truth)
            ).mean()
        )
    return Point(epoch, train_loss, metric(problem.metric)(truth, predictions), loss)


def _predict(model: Model, rows: Dataset, problem: Problem) -> np.ndarray:
    if len(rows):
        return model.predict(rows)
    return np.zeros((0, problem.outputs), np.float32) if problem.classes else np.zeros(0)


def _sample(rows: int, seed: int, size: int = TRAIN_SAMPLE) -> np.ndarray:
    if rows <= size:
        return np.arange(rows)
    return np.sort(np.random.default_rng([seed, 4]).choice(rows, size, replace=False))


def _looks(trained: int, rows: int) -> float:
    """How many points a curve gets: predicting a row costs about a third of learning from it."""
    return min(LOOKS, max(FEWEST_LOOKS, LOOKING * trained * 3 / max(1, rows)))


def latency_ms(model: Model, dataset: Dataset, repeats: int = 15) -> float:
    """Median milliseconds from one raw example to its prediction, one thread, after three warm-up calls."""
    one = dataset.take(np.array([0]))
    seconds = []
    for _ in range(repeats + 3):
        began = time.perf_counter()
        model.predict(one)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds[3:]) * 1e3)


def _forget_peak() -> None:
    """Start a new high-water mark of memory, where the system keeps one that can be reset (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_memory_mb() -> float:
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1e3
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def one_thread() -> None:
    """Trials run side by side, each on one thread: more threads in one trial collapse when anything else runs."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # saturated networks on small data compute up to twice as fast
