"""Adam first and SGD later, and warm restarts, on small residual networks for images.

Switch: the accuracy on test rows after the last epoch, with Adam alone, SGD alone, SWATS at its published threshold and
at a tolerance that a short run can meet, and a fixed switch halfway. All rates fall along a cosine.

Restarts: how many epochs SGD with warm restarts, and with one plain cosine, takes to the final quality of SGD at a
constant rate: its mean accuracy over its last fifth. Because single epochs jump, the first epoch at that quality is
also given for the constant rate itself.

Rates are chosen by log loss on rows of their own, for every arm from as many. A seed draws the rows to train on, the
first weights and the order; all arms see the same. Intervals (95 %) are Student's, over seeds, for these test rows.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import DATA, Missing, found, paired_interval
from sklearn.datasets import load_digits
from timing import one_thread, table

from steelyard.data.batches import Batch
from steelyard.data.dataset import Dataset
from steelyard.data.prepare_images import ImagePreparation
from steelyard.data.source import read
from steelyard.knobs import Cosine, Knob, Restarts
from steelyard.metrics import METRICS
from steelyard.networks.image import ResidualCnn
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.losses import CrossEntropy
from steelyard.training.optimizers import Adam, AdamToSgd, Optimizer, Sgd, Swats
from steelyard.training.optimizers.switching import ProjectingAdam
from steelyard.training.start import Diverged, start
from steelyard.training.stopping import Stopping

SEEDS, QUICK_SEEDS, TUNING_SEEDS = 10, 2, 2
QUICK_EPOCHS = 15  # restarts after 1, 3 and 7 epochs
ADAM_RATES, SGD_RATES = (0.001, 0.002, 0.004, 0.008), (0.05, 0.1, 0.2, 0.4)
QUICK_RATES = {"Adam": 0.008, "SGD": 0.4, "SWATS": 0.004, "constant": 0.2, "restarts": 0.4, "one cosine": 0.4}
MET = 0.01  # a relative tolerance that SWATS can meet within some hundred steps
LAST = 1 / 5  # of a run at a constant rate: its final quality


@dataclass(frozen=True)
class Images:
    """A set of images and positions in it: rows to draw those to train on from, to choose rates by, to test on."""

    name: str
    dataset: Dataset
    drawn_from: np.ndarray
    aside: np.ndarray
    tested: np.ndarray
    rows: int  # to train on
    epochs: int
    width: int


def digits(_: Path) -> Images:
    """scikit-learn's 1,797 digits of 8 × 8 pixels."""
    bunch = load_digits()
    dataset = read((np.uint8(bunch.images * 255 / 16), bunch.target), None)
    parts = np.split(np.random.default_rng(0).permutation(len(dataset)), [897, 1197])
    return Images("digits", dataset, *parts, rows=600, epochs=31, width=16)


def fashion(data: Path) -> Images:
    """Fashion-MNIST: some of its train images, and some of its test images to test on."""
    dataset = read(found(data, "fashion-mnist", "fashion_mnist_images.zip"), None)
    random = np.random.default_rng(0)
    train, test = (random.permutation(np.flatnonzero(dataset.part == part)) for part in ("train", "test"))
    return Images("Fashion-MNIST", dataset, train[1500:], train[:1500], test[:3000], rows=3000, epochs=15, width=8)


# -- a run --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Watched(Swats):
    """SWATS that lets the torch optimizer be looked at after training."""

    def create(self, groups: list[dict[str, Any]]) -> ProjectingAdam:
        built.append(super().create(groups))
        return built[-1]


built: list[Any] = []


@dataclass(frozen=True)
class Ran:
    """Accuracy and log loss after the epochs that were scored; where SWATS switched: share of training and rate."""

    accuracy: tuple[float, ...]
    loss: float
    switched: tuple[float, float] | None = None


def run(
    images: Images, optimizer: Optimizer, epochs: int, seed: int, choosing: bool = False, every: bool = False
) -> Ran:
    """Train by an optimizer; score after `every` epoch or after the last. What diverges is taken for guessing."""
    drawn = np.random.default_rng(seed).choice(images.drawn_from, images.rows, replace=False)
    scored_rows = images.aside if choosing else images.tested
    chosen, scored = (images.dataset.take(np.sort(rows)) for rows in (drawn, scored_rows))
    problem = Problem("multiclass", "image", chosen.schema.target, len(chosen), chosen.classes, "accuracy")
    recipe = Recipe(
        ImagePreparation(),
        network=ResidualCnn(width=images.width),
        loss=CrossEntropy(),
        optimizer=optimizer,
        batch=Batch(64),
        stopping=Stopping(epochs),
    )
    built.clear()
    model, steps = start(recipe, chosen, problem, seed)
    accuracy, loss = [], math.log(len(chosen.classes))
    try:
        for epoch in steps:
            if every or epoch.number == epochs:
                predicted = model.predict(scored)
                accuracy.append(METRICS["accuracy"](scored.target, predicted))
                loss = METRICS["log_loss"](scored.target, predicted)
    except Diverged:  # no better than guessing
        accuracy += [1 / len(chosen.classes)] * (epochs - len(accuracy) if every else 1)
    switched = built[0].switched_at if built else None
    share = None if switched is None else (switched / (epochs * (len(chosen) // 64)), built[0].found)
    return Ran(tuple(accuracy), loss, share)


def rate(images: Images, make: Callable[[float], Optimizer], rates: Sequence[float], epochs: int) -> float:
    """The rate with the lowest log loss on rows aside, over a few seeds that are not used again."""
    losses = {
        each: np.mean(
            [run(images, make(each), epochs, 1000 + seed, choosing=True).loss for seed in range(TUNING_SEEDS)]
        )
        for each in rates
    }
    return min(losses, key=lambda each: losses[each])


def final(accuracy: Sequence[float]) -> float:
    """The mean over the last fifth of the epochs."""
    return float(np.mean(accuracy[-max(1, round(LAST * len(accuracy))) :]))


# -- Adam first, SGD later ----------------------------------------------------------------------------------------


def switch(images: Images, options: argparse.Namespace) -> dict[str, Any]:
    """The accuracies of all arms over the seeds, and their differences to Adam's."""
    epochs = QUICK_EPOCHS if options.quick else images.epochs
    makes: dict[str, Callable[[float], Optimizer]] = {
        "Adam": lambda r: Adam(lr=falling(r)),
        "SGD": lambda r: Sgd(lr=falling(r)),
        "SWATS": lambda r: Watched(lr=falling(r), tolerance=MET),
    }
    rates = (
        QUICK_RATES
        if options.quick
        else {
            name: rate(images, make, SGD_RATES if name == "SGD" else ADAM_RATES, epochs) for name, make in makes.items()
        }
    )
    adam, sgd = rates["Adam"], rates["SGD"]
    arms: dict[str, Optimizer] = {
        f"Adam at {adam:g}": makes["Adam"](adam),
        f"SGD at {sgd:g}": makes["SGD"](sgd),
        f"SWATS at {adam:g}, published threshold": Watched(lr=falling(adam)),
        f"SWATS at {rates['SWATS']:g}, tolerance {MET:g}": makes["SWATS"](rates["SWATS"]),
        f"Adam at {adam:g}, from halfway SGD at {sgd:g}": AdamToSgd(lr=falling(adam), beta2=0.999, factor=sgd / adam),
    }
    ran = {name: [run(images, arm, epochs, seed) for seed in range(options.seeds)] for name, arm in arms.items()}
    scores = {name: np.array([one.accuracy[-1] for one in each]) for name, each in ran.items()}
    base = scores[f"Adam at {adam:g}"]
    return {
        name: {
            "accuracy": interval(scores[name]),
            "over Adam": interval(scores[name] - base),
            "loss": round(float(np.mean([one.loss for one in each])), 4),
            "switched": [one.switched for one in each if one.switched],
        }
        for name, each in ran.items()
    }


def falling(rate: float) -> Knob:
    """A rate that falls to zero along one cosine."""
    return Cosine(rate, 0.0)


# -- warm restarts --------------------------------------------------------------------------------------------------


def restarts(images: Images, options: argparse.Namespace) -> dict[str, Any]:
    """Epochs to the final quality of a constant rate."""
    epochs = QUICK_EPOCHS if options.quick else images.epochs
    cycles = int(np.log2(epochs + 1))
    forms: dict[str, Callable[[float], Knob]] = {
        "constant": lambda r: r,
        "restarts": lambda r: Restarts(r, 0.0, cycles=cycles, T_mult=2.0),
        "one cosine": falling,
    }
    rates, curves = dict(QUICK_RATES), {}
    for name, form in forms.items():
        if not options.quick:
            rates[name] = rate(images, lambda r, form=form: Sgd(lr=form(r)), SGD_RATES, epochs)  # type: ignore[misc]
        sgd = Sgd(lr=form(rates[name]))
        curves[name] = [run(images, sgd, epochs, seed, every=True).accuracy for seed in range(options.seeds)]
    wanted = [final(curve) for curve in curves["constant"]]
    reached = {name: [first(c, level) for c, level in zip(each, wanted, strict=True)] for name, each in curves.items()}
    ends = {name: np.array([final(c) if name == "constant" else c[-1] for c in each]) for name, each in curves.items()}
    arms = {}
    for name, each in reached.items():
        needed = np.array([epoch or epochs + 1 for epoch in each], dtype=float)  # never: at least one more
        itself = np.array(reached["constant"], dtype=float)
        arms[name] = {
            "rate": rates[name],
            "epochs": interval(needed),
            "fewer than the constant run took": interval(epochs - needed),
            "fewer than the constant run needed": interval(itself - needed),
            "never": sum(epoch is None for epoch in each),
            "final": interval(ends[name]),
            "final over constant": interval(ends[name] - ends["constant"]),
        }
    return {"epochs": epochs, "arms": arms}


def first(accuracy: Sequence[float], level: float) -> int | None:
    """The number of the first epoch at a level."""
    return next((number for number, score in enumerate(accuracy, 1) if score >= level - 1e-9), None)


def interval(values: np.ndarray) -> list[float]:
    """Mean and 95 % interval over seeds."""
    return [round(float(each), 4) for each in (values.mean(), *paired_interval(values, 0.0))]


# -- the command line -----------------------------------------------------------------------------------------------

SETS = {"digits": digits, "fashion": fashion}
PARTS: Mapping[str, Callable[[Images, argparse.Namespace], dict[str, Any]]] = {"switch": switch, "restarts": restarts}


def main() -> int:
    """Print tables and, as the last line, one JSON object."""
    options = _options()
    began, figures, skipped = time.perf_counter(), {}, {}
    with one_thread():
        for name in options.only or (["digits"] if options.quick else list(SETS)):
            try:
                images = SETS[name](options.data)
            except Missing as reason:
                skipped[name] = str(reason)
                print(f"{name}: skipped, {reason}")
                continue
            figures[name] = {part: measure(images, options) for part, measure in PARTS.items()}
            _show(images.name, figures[name])
    wall = round(time.perf_counter() - began, 1)
    print(
        json.dumps(
            {"quick": options.quick, "seeds": options.seeds, "wall": wall, "figures": figures, "skipped": skipped}
        )
    )
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two seeds on digits at rates chosen before (a minute)")
    parser.add_argument("--only", action="append", choices=list(SETS), help="one set of images")
    parser.add_argument("--seeds", type=int, metavar="N", help=f"seeds (default: {SEEDS})")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="the folder of the data sets")
    options = parser.parse_args()
    options.data = options.data.resolve()
    options.seeds = max(2, options.seeds or (QUICK_SEEDS if options.quick else SEEDS))
    return options


def _show(name: str, figures: dict[str, Any]) -> None:
    print(f"\n{name}: Adam first, SGD later")
    lines = [
        (arm, _points(each["accuracy"]), _points(each["over Adam"], True), f"{each['loss']:.4f}", _switched(each))
        for arm, each in figures["switch"].items()
    ]
    print(table(("optimizer", "test accuracy (%)", "over Adam (points)", "log loss", "switched"), lines))
    parts = figures["restarts"]
    print(f"\n{name}: epochs to the final quality of a constant rate over {parts['epochs']} epochs")
    rows = [
        (
            f"{arm}, {each['rate']:g}",
            _numbers(each["epochs"]),
            _numbers(each["fewer than the constant run took"]),
            _numbers(each["fewer than the constant run needed"]),
            _points(each["final over constant"], True),
        )
        for arm, each in parts["arms"].items()
    ]
    header = (
        "rate",
        "epochs to it",
        "fewer than the run took",
        "fewer than it needed itself",
        "final over it (points)",
    )
    print(table(header, rows))


def _points(values: Sequence[float], signed: bool = False) -> str:
    mean, low, high = (f"{100 * v:+.2f}" if signed else f"{100 * v:.2f}" for v in values)
    return f"{mean} ({low} to {high})"


def _numbers(values: Sequence[float]) -> str:
    mean, low, high = (f"{v:.1f}" for v in values)
    return f"{mean} ({low} to {high})"


def _switched(arm: dict[str, Any]) -> str:
    if not arm["switched"]:
        return "never"
    shares, found = zip(*arm["switched"], strict=True)
    return f"{len(shares)} runs, at {min(shares):.0%} to {max(shares):.0%}, rate {min(found):.2g} to {max(found):.2g}"


if __name__ == "__main__":
    sys.exit(main())
