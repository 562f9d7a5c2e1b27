"""What the benchmarks share: `steelyard run` as a user starts it, the same rows for the references, the figures."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from steelyard.data.dataset import Dataset
from steelyard.data.source import read
from steelyard.data.split import divide

DATA = Path(__file__).parents[1] / ".." / "shared" / "data"
OVERRUN = 1.05  # wall time over the limit, the start of Python and its imports included
FIRST = 10.0  # seconds from the data being read to the first usable model


class Missing(Exception):
    """A data set that is not on this machine."""


class Failed(Exception):
    """A run that ended without a model."""


@dataclass(frozen=True)
class Ran:
    """A run of steelyard: the object it printed, its wall time, and when its first model was on disk.

    All in seconds; `first` counts from the moment the data was read, None when the journal does not say.
    """

    answer: dict[str, Any]
    limit: float
    wall: float
    first: float | None

    @property
    def score(self) -> float:
        return float(self.answer["test"]["score"])


@dataclass(frozen=True)
class Figure:
    """One line of a benchmark. `goals` says of each goal whether it was reached; `more` holds the rest."""

    name: str
    metric: str
    score: float
    interval: tuple[float, float]
    reference: float | None
    reference_name: str
    winner: str
    runs: tuple[Ran, ...] = field(repr=False)
    goals: dict[str, bool] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kept = {k: v for k, v in asdict(self).items() if k != "runs"}
        return kept | {"goals": self.goals | clock_goals(self.runs), "runs": [_times(ran) for ran in self.runs]}


def clock_goals(runs: Sequence[Ran]) -> dict[str, bool]:
    """The goals that every run must keep, whatever its data."""
    firsts = [ran.first for ran in runs]
    return {
        "time limit within 5 %": all(ran.wall <= OVERRUN * ran.limit for ran in runs),
        "first model within 10 s": all(first is not None and first <= FIRST for first in firsts),
    }


def _times(ran: Ran) -> dict[str, Any]:
    test = ran.answer["test"]
    return {
        "score": test["score"],
        "interval": test["interval"],
        "limit": ran.limit,
        "seconds": round(float(ran.answer["seconds"]), 2),
        "wall": round(ran.wall, 2),
        "over": round(ran.wall - ran.limit, 2),
        "first_model": ran.first,
        "trials": ran.answer["trials"],
    }


# -- running ----------------------------------------------------------------------------------------------------


def steelyard(source: Path | str, limit: float, folder: Path, *arguments: str) -> Ran:
    """Run `python -m steelyard run SOURCE …` in a process of its own, as a user would."""
    command = ["run", str(source), "--time-limit", f"{limit:g}", "--output", str(folder), "--json", *arguments]
    return finished(["-m", "steelyard", *command], limit, folder, lambda out: dict(json.loads(out)))


def finished(
    command: list[str], limit: float, folder: Path, answer: Callable[[str], dict[str, Any]], at: Path | None = None
) -> Ran:
    """Run Python with those arguments to its end; `answer` turns its standard output to the object of the run."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, env=_environment(), cwd=at)
    wall = time.perf_counter() - start
    if done.returncode:
        raise Failed(f"python {' '.join(command)} ended with exit code {done.returncode}")
    return Ran(answer(done.stdout), limit, wall, _first_model(folder))


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONUNBUFFERED": "1"}


def _first_model(folder: Path) -> float | None:
    """Seconds from the last word of step 1 (the data is read) to the first of step 5 (a model is on disk)."""
    command = [sys.executable, "-m", "steelyard", "journal", str(folder), "--json"]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["said"]
    read_at = [each["elapsed"] for each in said if each["step"] == "define"]
    model_at = [each["elapsed"] for each in said if each["step"] == "baseline"]
    return round(min(model_at) - max(read_at), 2) if read_at and model_at else None


# -- the same rows for the references -----------------------------------------------------------------------------


def same_rows(source: Any, target: str | None, seed: int, **how: Any) -> tuple[Dataset, Dataset]:
    """The rows (train + dev, test) that a run with this seed learns from and is tested on."""
    dataset = read(source, target, **how)
    _, pool, test = divide(dataset, seed)
    return dataset.take(pool), dataset.take(test)


def found(data: Path, *parts: str) -> Path:
    """A file of the development data, or `Missing` with where it was looked for."""
    path = data.joinpath(*parts)
    if not path.exists():
        raise Missing(f"{Path(*parts)} is not in {data} (give its folder with --data)")
    return path


def paired_interval(differences: np.ndarray, test_share: float) -> tuple[float, float]:
    """95 % interval of the mean of differences over random splits that overlap.

    Student's t with the variance corrected for the overlap (Nadeau & Bengio 2003, "Inference for the Generalization
    Error", Machine Learning 52); `test_share` is test rows over train rows. At least
    two differences.
    """
    from scipy import stats

    n, mean = len(differences), float(differences.mean())
    spread = float(np.sqrt((1 / n + test_share) * differences.var(ddof=1)))
    reach = float(stats.t.ppf(0.975, n - 1)) * spread
    return mean - reach, mean + reach


# -- the command line of a benchmark ------------------------------------------------------------------------------

Benchmark = Callable[[argparse.Namespace, Path], Figure]


def main(
    description: str | None,
    benchmarks: Mapping[str, Benchmark],
    usual: list[str],
    quick: Callable[[argparse.Namespace], list[str]],
) -> int:
    """Run the benchmarks asked for, else the usual or the quick ones; print a table, then one JSON object as last line.

    Returns 0, or 1 when a run failed or a goal was missed; a quick run only shows that all works, whatever it scores.
    """
    options = _options(description, benchmarks)
    names = options.only or (quick(options) if options.quick else usual)
    figures: list[Figure] = []
    skipped: dict[str, str] = {}
    failed: dict[str, str] = {}
    start = time.perf_counter()
    for name in names:
        try:
            with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder, threadpool_limits(1):
                figures.append(benchmarks[name](options, Path(folder)))
        except Missing as reason:
            skipped[name] = str(reason)
        except Failed as reason:
            failed[name] = str(reason)
    _show(figures, skipped, failed)
    plain = [figure.to_dict() for figure in figures]
    wall = round(time.perf_counter() - start, 1)
    print(json.dumps({"quick": options.quick, "wall": wall, "figures": plain, "skipped": skipped, "failed": failed}))
    missed = not all(all(each["goals"].values()) for each in plain)
    return int(bool(failed) or (missed and not options.quick))


def _options(description: str | None, benchmarks: Mapping[str, Benchmark]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small runs: do the benchmarks work? (a minute)")
    parser.add_argument("--only", action="append", choices=list(benchmarks), metavar="NAME", help="; ".join(benchmarks))
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="of every run (default: its own)")
    parser.add_argument(
        "--seeds", type=int, metavar="N", help="runs where a benchmark takes several (default: its own)"
    )
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="the folder of the data sets")
    options = parser.parse_args()
    options.data = options.data.resolve()
    return options


def _show(figures: list[Figure], skipped: dict[str, str], failed: dict[str, str]) -> None:
    line = "{:<12} {:<9} {:>10} {:>23} {:>10}  {:<22} {:>8} {:>7} {:>7}  {}"
    print(
        line.format("data", "metric", "score", "95 % interval", "reference", "", "wall s", "over s", "first s", "goals")
    )
    for figure in figures:
        goals = figure.goals | clock_goals(figure.runs)
        missed = [goal for goal, reached in goals.items() if not reached]
        print(
            line.format(
                figure.name,
                figure.metric,
                _number(figure.score),
                " to ".join(map(_number, figure.interval)),
                "–" if figure.reference is None else _number(figure.reference),
                figure.reference_name,
                _number(max((ran.wall for ran in figure.runs), default=float("nan"))),
                f"{max((ran.wall - ran.limit for ran in figure.runs), default=float('nan')):+.1f}",
                _number(max((ran.first for ran in figure.runs if ran.first is not None), default=float("nan"))),
                "all reached" if not missed else "missed: " + ", ".join(missed),
            )
        )
    for name, reason in skipped.items():
        print(f"{name}: skipped, {reason}")
    for name, reason in failed.items():
        print(f"{name}: failed, {reason}")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"
