"""Does the forecast of a learning curve hold what is measured later?

On real data: three sets, three models each, trained by the recipes of a run on a quarter of the train rows and less;
the 80 % interval for four times as many should hold the error then measured on all of them, in 7 of 9 tries at least.
On constructed curves that follow a known law: 80 % intervals should hold 75 to 88 % of later measurements.

    python benchmarks/learning_curve.py            # all of it, about a quarter of an hour on two cores
    python benchmarks/learning_curve.py --quick    # constructed curves and a set of scikit-learn's, within a minute
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import DATA, Missing, found

import steelyard
from steelyard.diagnosis.errors import error_metric
from steelyard.diagnosis.learning_curve import fit_curve
from steelyard.trials.arms import FULL
from steelyard.workflow.arms import the_base
from steelyard.workflow.ask import Ask
from steelyard.workflow.learning_curve import Wish, growth_of
from steelyard.workflow.reopened import reopened

SHARES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4)  # of the train rows; the forecast is for all of them
SECONDS = 3600.0  # a run's clock must not cut a benchmark
HELD = 7  # of nine tries
COVERED = (0.75, 0.88)


@dataclass(frozen=True)
class Real:
    """A set: what is read, and the families whose curves are forecast."""

    name: str
    source: Callable[[Path], Any]
    target: str | None
    models: tuple[str, ...]
    seeds: int = 3


def _file(*parts: str) -> Callable[[Path], Any]:
    return lambda data: found(data, *parts)


def _digits(_: Path) -> Any:
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)


REAL = (
    Real("adult", _file("adult", "adult-train.csv"), "column_15", ("linear", "boosting", "tabular-mlp")),
    Real(
        "california",
        _file("california-housing", "housing.csv"),
        "median_house_value",
        ("linear", "forest", "tabular-mlp"),
    ),
    Real("fashion", _file("fashion-mnist", "fashion_mnist_images.zip"), None, ("linear", "forest", "residual-cnn"), 1),
)
QUICK = (Real("digits", _digits, None, ("linear", "forest")),)


def on_real(real: Real, data: Path, folder: Path, jobs: int | None) -> list[dict[str, Any]]:
    """For each model: the forecast from a quarter of the rows and less, and what was measured on all of them."""
    source = real.source(data)
    steelyard.run(source, target=real.target, trial_limit=2, output=folder, jobs=jobs)
    ask = None if isinstance(source, Path) else Ask(source, output=folder)
    lines = []
    with reopened(folder, SECONDS, ask, jobs=jobs) as bench:
        measure = error_metric(bench.problem)[1]
        for model in real.models:
            began = time.perf_counter()
            grown = growth_of(bench, Wish(real.seeds, model, shares=SHARES, worst=0, full=False))
            recipe = the_base(bench, (), model, ()).recipe
            tried = bench.try_arms([(recipe, tuple(range(real.seeds)), FULL)])[0]
            assert grown.whole is not None and tried is not None, f"{real.name}, {model}: {grown.reason}"
            scores = [measure(bench.truth[rows], dev) for rows, dev in zip(tried.rows, tried.dev, strict=True)]
            error = float(np.mean([1 - s if measure.greater_is_better else s for s in scores]))
            forecast = grown.whole.at(4.0)
            lines.append(
                {
                    "data": real.name,
                    "model": model,
                    "rows": grown.whole.now.rows,
                    "error there": round(grown.whole.now.error, 5),
                    "forecast": round(forecast.error, 5),
                    "80 %": [round(forecast.low80, 5), round(forecast.high80, 5)],
                    "95 %": [round(forecast.low95, 5), round(forecast.high95, 5)],
                    "measured": round(error, 5),
                    "held": forecast.low80 <= error <= forecast.high80,
                    "held at 95 %": forecast.low95 <= error <= forecast.high95,
                    "outlook": grown.whole.outlook,
                    "seconds": round(time.perf_counter() - began, 1),
                }
            )
            _show(lines[-1])
    return lines


def _show(line: dict[str, Any]) -> None:
    low, high = line["80 %"]
    print(
        f"{'held  ' if line['held'] else 'MISSED'} {line['data']:<11} {line['model']:<13} {line['error there']:>10} on "
        f"{line['rows']:>6} rows; forecast {line['forecast']} ({low} to {high}); measured {line['measured']}; "
        f"{line['seconds']} s",
        flush=True,
    )


def constructed(curves: int) -> dict[str, Any]:
    """Which share of later measurements lies in the intervals, of curves that follow a power law with a floor."""
    random, held = np.random.default_rng(0), []
    for _ in range(curves):
        floor, scale, exponent = (
            random.choice([0.0, 0.02, 0.05, 0.1, 0.2]),
            random.uniform(1, 4),
            random.uniform(0.1, 0.9),
        )
        most, spread, times = (
            10 ** random.uniform(3, 4.5),
            random.uniform(0.005, 0.06),
            float(random.choice([2, 4, 10])),
        )
        rows = most / 2.0 ** np.arange(5, -1, -1)
        errors = (floor + scale * rows[:, None] ** -exponent) * np.exp(spread * random.standard_normal((6, 3)))
        each = fit_curve(rows, errors).at(times)
        truth = floor + scale * (times * most) ** -exponent
        later = truth * np.exp(spread * random.standard_normal(3)).mean()
        held.append((each.low80 <= later <= each.high80, each.low95 <= later <= each.high95))
    in80, in95 = np.mean(held, axis=0)
    print(f"constructed: {curves} curves; 80 % intervals hold {in80:.3f}, 95 % intervals {in95:.3f}", flush=True)
    return {"curves": curves, "80 %": round(float(in80), 3), "95 %": round(float(in95), 3)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="constructed curves and a set of scikit-learn's")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="the folder of the data sets")
    parser.add_argument("--only", action="append", choices=[real.name for real in REAL], help="only these real sets")
    parser.add_argument("--jobs", type=int, metavar="N", help="trainings side by side (default: one a core)")
    options = parser.parse_args()
    began, lines, skipped = time.perf_counter(), list[dict[str, Any]](), dict[str, str]()
    known = constructed(60 if options.quick else 400)
    for real in QUICK if options.quick else [real for real in REAL if not options.only or real.name in options.only]:
        with tempfile.TemporaryDirectory(prefix="bench-curve-") as folder:
            try:
                lines += on_real(real, options.data.resolve(), Path(folder), options.jobs)
            except Missing as reason:
                skipped[real.name] = str(reason)
    held = sum(line["held"] for line in lines)
    goals = {
        "80 % intervals of constructed curves hold 75 to 88 %": COVERED[0] <= known["80 %"] <= COVERED[1],
        "7 of 9 measurements are held": held >= HELD * len(lines) / 9,
    }
    wall = round(time.perf_counter() - began, 1)
    print(f"{held} of {len(lines)} held; {wall} s")
    plain = {"quick": options.quick, "wall": wall, "constructed": known, "held": held, "tries": len(lines)}
    print(json.dumps(plain | {"figures": lines, "skipped": skipped, "goals": goals}))
    return int(not options.quick and not all(goals.values()))


if __name__ == "__main__":
    sys.exit(main())
