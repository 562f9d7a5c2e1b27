"""A whole catalogue weighed on the digits against the clock: `steelyard weigh all`, as a user starts it.

The digits are a table of 64 numbers and the base a perceptron of two layers of 64 units, small enough for a laptop.
With `--record` the catalogue is weighed with each set's own network on the sets that scikit-learn brings, and what was
measured is written into the package, where races begin to expect it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from timing import table

LIMIT, QUICK_LIMIT = 300.0, 35.0
GOAL = 30  # techniques with a verdict or three pairs at least, within the limit
SMALL = ("network.width=64", "network.periodic=0", "network.depth=2")
SETS = {"digits": load_digits, "breast cancer": load_breast_cancer, "wine": load_wine, "diabetes": load_diabetes}
TABLE = Path(__file__).parents[1] / "steelyard" / "weighing" / "effects.json"


def weighed(name: str, limit: float, settings: tuple[str, ...], folder: Path) -> tuple[dict[str, Any], float, float]:
    """The record of weighing all on a set, and the wall seconds of the run before it and of the weighing."""
    source = folder / f"{name.replace(' ', '-')}.csv"
    SETS[name](as_frame=True).frame.to_csv(source, index=False)
    place = folder / source.stem
    began = time.perf_counter()
    _steelyard("run", str(source), "--target", "target", "--trial-limit", "8", "--output", str(place), "--json")
    middle = time.perf_counter()
    knobs = [part for setting in settings for part in ("--set", setting)]
    said = _steelyard("weigh", "all", "--run", str(place), "--time-limit", f"{limit:g}", "--json", *knobs)
    return json.loads(said), middle - began, time.perf_counter() - middle


def _steelyard(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "steelyard", *command, "--quiet"], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"steelyard {' '.join(command)} ended with exit code {done.returncode}")
    return done.stdout


def lines(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """A line a technique that was weighed."""
    for each in found["comparisons"]:
        if each["pairs"]:
            low, high = (f"{100 * each[end]:+.2f}" for end in ("low", "high"))
            yield (
                each["name"],
                f"{100 * each['effect']:+.2f} ({low} to {high})",
                each["verdict"],
                str(len(each["pairs"])),
                f"{each['time_ratio']:.2f}",
                f"{each['probability']:.0%}",
            )


def recorded(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """What is written down of a set."""
    rows = []
    for each in found["comparisons"]:
        if each["pairs"]:
            base = sum(without for without, _ in each["pairs"]) / len(each["pairs"])
            rows.append(
                {
                    "technique": each["name"],
                    "data": name,
                    "modality": found["problem"]["modality"],
                    "family": found["base"],
                    "rows": each["rows"],
                    "metric": each["metric"],
                    "base": _short(base),
                    **{part: _short(each[part]) for part in ("effect", "low", "high")},
                    "verdict": each["verdict"],
                    "pairs": len(each["pairs"]),
                    "time_ratio": _short(each["time_ratio"]),
                }
            )
    return rows


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def main() -> int:
    """Print the table and, as the last line, one JSON object; 1 when the goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_LIMIT:g} seconds for weighing: does it work?")
    parser.add_argument("--record", action="store_true", help="weigh on all sets and write the package's table anew")
    parser.add_argument("--time-limit", type=float, metavar="S", help=f"for each weighing (default: {LIMIT:g})")
    options = parser.parse_args()
    limit = options.time_limit or (QUICK_LIMIT if options.quick else LIMIT)
    with tempfile.TemporaryDirectory() as folder:
        if options.record:
            rows = [row for name in SETS for row in recorded(weighed(name, limit, (), Path(folder))[0], name)]
            TABLE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")
            print(json.dumps({"recorded": len(rows)}))
            return 0
        found, before, wall = weighed("digits", limit, SMALL, Path(folder))
    tried = [each for each in found["comparisons"] if len(each["pairs"]) >= 3]
    print(
        table(("technique", "effect (points)", "verdict", "pairs", "time", "one retraining better"), list(lines(found)))
    )
    decided = sum(each["verdict"] != "undecided" for each in tried)
    print(f"\n{len(tried)} techniques weighed in {wall:.0f} s, {decided} of them decided; {found['trials']} trainings")
    share = sum(len(each["pairs"]) for each in tried) / (found["most"] * max(1, len(tried)))
    print(f"pairs of a fixed design of {found['most']} pairs an arm: {share:.0%}")
    answer = {
        "share of a fixed design": share,
        "quick": options.quick,
        "techniques": len(tried),
        "decided": decided,
        "complete": found["complete"],
        "wall": round(wall, 1),
        "run before it": round(before, 1),
        "trainings": found["trials"],
        "goal": GOAL,
        "reached": len(tried) >= GOAL and wall <= limit,
        "effects": recorded(found, "digits"),
    }
    print(json.dumps(answer))
    return int(not answer["reached"] and not options.quick)


if __name__ == "__main__":
    sys.exit(main())
