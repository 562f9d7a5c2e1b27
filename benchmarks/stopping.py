"""When to stop: the rules of Prechelt 1998 and patience, replayed on the curves of runs that went on for too long.

A rule costs epochs and gives the weights that were best on the held rows by then. Slowness: its epochs over those of
the fastest rule in the same run. Excess: how far the test loss of its weights is above the lowest test loss of the
curve, in percent; of classes also the error rate, in points above the lowest one. Stopped: runs that it ended before
their last epoch; the others count with all their epochs. Least: runs in which no other rule has a lower test loss.
Means over data sets of means over runs, geometric ones of ratios; intervals resample the runs of every data set (95 %,
bootstrap). A set on which the lowest test loss is almost zero can rule such a mean: the median data set stands beside.
"""

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import DATA, Missing
from curves import RATES, SOURCES, Curve, grown, load, save
from timing import one_thread, table

from steelyard.training.stopping import Rule, replay

PUBLISHED = [
    *(f"GL({alpha})" for alpha in (1, 2, 3, 5)),
    *(f"PQ({alpha})" for alpha in (0.5, 0.75, 1, 2, 3)),
    *(f"UP({s})" for s in (2, 3, 4, 6, 8)),
]
PATIENT = [f"patience({epochs})" for epochs in (3, 5, 10, 20, 40)]
RULES = [*PUBLISHED, *PATIENT, *(f"patience({epochs}, threshold=0.01)" for epochs in (5, 10, 20))]
WHOLE, LAST = "no rule, best weights", "no rule, last weights"
SEEDS, EPOCHS = 20, 600
QUICK_SEEDS, QUICK_EPOCHS, QUICK_SETS = 3, 200, ("digits", "breast cancer", "wine", "diabetes", "friedman")
RESAMPLES = 2000
THIRD = len(PUBLISHED) // 3  # of the published rules: the fastest and the slowest are compared


@dataclass(frozen=True)
class Mean:
    """A mean with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.value)} ({_short(self.low)} to {_short(self.high)})"

    def each(self, change: Callable[[float], float]) -> "Mean":
        """The mean in another unit."""
        return Mean(change(self.value), change(self.low), change(self.high))


@dataclass(frozen=True)
class Ended:
    """What a rule made of every run (runs,); `ratio` is test loss over the lowest, `points` nan without classes."""

    epochs: np.ndarray
    loss: np.ndarray
    ratio: np.ndarray
    points: np.ndarray
    stopped: np.ndarray


@dataclass(frozen=True)
class Line:
    """The figures of a rule."""

    slowness: Mean
    excess: Mean
    median: float  # of the excesses on the data sets
    points: Mean
    stopped: float
    least: float
    pareto: bool


# -- replaying ------------------------------------------------------------------------------------------------------


def ended(text: str, curves: Sequence[Curve]) -> Ended:
    """What a rule, or none, makes of all curves."""
    rows = [_ended(text, curve) for curve in curves]
    return Ended(*(np.array(column, dtype=float) for column in zip(*rows, strict=True)))


def _ended(text: str, curve: Curve) -> tuple[float, float, float, float, float]:
    """The fields of `Ended` for one run."""
    stop = None if text in (WHOLE, LAST) else replay(Rule.parse(text), curve.train, curve.held)
    epochs = stop.epoch if stop else len(curve.held)
    best = stop.best_epoch - 1 if stop else int(np.argmin(curve.held))
    kept = len(curve.held) - 1 if text == LAST else best
    points = 100 * (curve.error[kept] - min(curve.error)) if curve.error else np.nan
    return epochs, curve.test[kept], curve.test[kept] / min(curve.test), points, stop is not None


# -- means ----------------------------------------------------------------------------------------------------------


def resamples(names: np.ndarray) -> np.ndarray:
    """Row numbers (resamples, runs): the runs of every data set drawn anew with replacement."""
    random = np.random.default_rng(0)
    drawn = [
        random.choice(np.flatnonzero(names == name), (RESAMPLES, (names == name).sum())) for name in np.unique(names)
    ]
    return np.concatenate(drawn, axis=1)


def mean(values: np.ndarray, names: np.ndarray, draws: np.ndarray) -> Mean:
    """The mean over data sets of the means over their runs, of values (runs,); sets without values are left out."""
    ordered = np.sort(names)  # as the draws are
    has = [name for name in np.unique(names) if not np.isnan(values[names == name]).any()]
    if not has:
        return Mean(np.nan, np.nan, np.nan)
    drawn = np.mean([values[draws[:, ordered == name]].mean(axis=1) for name in has], axis=0)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Mean(float(np.mean([values[names == name].mean() for name in has])), float(low), float(high))


def lines(results: dict[str, Ended], names: np.ndarray, draws: np.ndarray) -> dict[str, Line]:
    """The figures of all rules; on the front are those that no rule beats both in slowness and in excess."""
    fastest = np.min([results[rule].epochs for rule in RULES], axis=0)
    lowest = np.min([results[rule].loss for rule in RULES], axis=0)
    slow = {name: mean(np.log(each.epochs / fastest), names, draws).each(math.exp) for name, each in results.items()}
    excess = {name: mean(np.log(each.ratio), names, draws).each(_percent) for name, each in results.items()}
    place = {rule: (slow[rule].value, excess[rule].value) for rule in RULES}
    return {
        name: Line(
            slow[name],
            excess[name],
            float(np.median([_percent(np.log(each.ratio[names == data]).mean()) for data in np.unique(names)])),
            mean(each.points, names, draws),
            float(each.stopped.mean()),
            float((each.loss <= lowest).mean()),
            name in place and not any(_beats(other, place[name]) for other in place.values()),
        )
        for name, each in results.items()
    }


def _percent(log: float) -> float:
    return 100 * math.expm1(log)


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] <= other[0] and one[1] <= other[1]


def trade_off(results: dict[str, Ended], names: np.ndarray, draws: np.ndarray) -> dict[str, Mean]:
    """What the slowest third of the published rules takes and gives against their fastest third, run by run.

    Ratios of epochs and of test loss over all data sets, then of test loss on each.
    """
    by_time = sorted(PUBLISHED, key=lambda rule: float(results[rule].epochs.mean()))

    def log(what: str) -> np.ndarray:
        fast, slow = (
            np.mean([np.log(getattr(results[rule], what)) for rule in rules], axis=0)
            for rules in (by_time[:THIRD], by_time[-THIRD:])
        )
        return np.asarray(slow - fast)

    def on(data: str) -> Mean:
        return mean(np.where(names == data, log("loss"), np.nan), names, draws).each(math.exp)

    whole = {"epochs": log("epochs"), "test loss": log("loss")}
    found = {what: mean(logs, names, draws).each(math.exp) for what, logs in whole.items()}
    return found | {name: on(name) for name in dict.fromkeys(names.tolist())}


# -- the command line -----------------------------------------------------------------------------------------------


def main() -> int:
    """Print the table and, as the last line, one JSON object."""
    options = _options()
    start = time.perf_counter()
    with one_thread():
        rate, curves, skipped = (*load(options.curves), {}) if _kept(options) else _trained(options)
    trained = time.perf_counter() - start
    names = np.array([curve.data for curve in curves])
    draws = resamples(names)
    results = {rule: ended(rule, curves) for rule in (*RULES, WHOLE, LAST)}
    found, trade = lines(results, names, draws), trade_off(results, names, draws)
    print(_table(found))
    print("\nslowest third of the published rules over their fastest third, run by run (ratios, geometric means):")
    print("\n".join(f"{'test loss on ' * (name in names)}{name}: {each}" for name, each in trade.items()))
    for name, reason in skipped.items():
        print(f"{name}: skipped, {reason}")
    figures = {
        "quick": options.quick,
        "rate": rate,
        "runs": {name: int((names == name).sum()) for name in dict.fromkeys(names.tolist())},
        "epochs": len(curves[0].held),
        "rules": {name: _rounded(asdict(line)) for name, line in found.items()},
        "trade_off": {name: _rounded(asdict(each)) for name, each in trade.items()},
        "by_data": _by_data(results, names),
        "seconds": {"training": round(trained, 1), "all": round(time.perf_counter() - start, 1)},
        "skipped": skipped,
    }
    print(json.dumps(figures))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few and short runs: does it work? (under a minute)")
    parser.add_argument("--seeds", type=int, metavar="N", help=f"runs on each data set (default: {SEEDS})")
    parser.add_argument("--epochs", type=int, metavar="N", help=f"of every run (default: {EPOCHS})")
    parser.add_argument("--rate", choices=list(RATES), default="slow", help="learning rate (default: slow)")
    parser.add_argument("--curves", type=Path, metavar="FILE", help="replay these curves; made if not there")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="the folder of the data sets")
    return parser.parse_args()


def _kept(options: argparse.Namespace) -> bool:
    return options.curves is not None and bool(options.curves.exists())


def _trained(options: argparse.Namespace) -> tuple[str, list[Curve], dict[str, str]]:
    """The learning rate, the curves of all runs, which are kept in a file, and the data sets that are missing."""
    curves: list[Curve] = []
    skipped: dict[str, str] = {}
    seeds = range(options.seeds or (QUICK_SEEDS if options.quick else SEEDS))
    epochs = options.epochs or (QUICK_EPOCHS if options.quick else EPOCHS)
    file = options.curves or Path(tempfile.mkdtemp(prefix="bench-stopping-")) / "curves.json"
    for name in QUICK_SETS if options.quick else SOURCES:
        try:
            curves += grown(name, options.data.resolve(), seeds, epochs, options.rate)
        except Missing as reason:
            skipped[name] = str(reason)
    save(options.rate, curves, file)
    print(f"{len(curves)} curves of {epochs} epochs, to be replayed with --curves {file}\n")
    return options.rate, curves, skipped


def _table(found: dict[str, Line]) -> str:
    header = ("rule", "slowness", "excess loss (%)", "median set", "excess error (points)", "stopped", "least", "front")
    rows: list[tuple[str, ...]] = []
    for name, line in found.items():
        means = (str(line.slowness), str(line.excess), _short(line.median), str(line.points))
        rows.append((name, *means, f"{line.stopped:.0%}", f"{line.least:.0%}", "yes" if line.pareto else ""))
    return table(header, rows)


def _by_data(results: dict[str, Ended], names: np.ndarray) -> dict[str, dict[str, tuple[float, float]]]:
    """Mean epochs, and test loss over the lowest one (geometric mean), of every rule on every data set."""

    def of(each: Ended, rows: np.ndarray) -> tuple[float, float]:
        return round(float(each.epochs[rows].mean()), 1), round(math.exp(np.log(each.ratio[rows]).mean()), 4)

    sets = dict.fromkeys(names.tolist())
    return {name: {rule: of(each, names == name) for rule, each in results.items()} for name in sets}


def _rounded(given: Any) -> Any:
    if isinstance(given, dict):
        return {name: _rounded(each) for name, each in given.items()}
    return float(f"{given:.4g}") if isinstance(given, float) else given


def _short(number: float) -> str:
    return f"{number:.3g}" if abs(number) < 100 else f"{number:.0f}"


if __name__ == "__main__":
    sys.exit(main())
