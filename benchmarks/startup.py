"""How long `steelyard --help` takes beyond the bare start of the interpreter; the two take turns."""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

GOAL = 0.3  # seconds
ROUNDS, QUICK_ROUNDS = 21, 7


def main() -> int:
    """Print the medians and, as the last line, one JSON object; 1 when the goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds instead of {ROUNDS}")
    options = parser.parse_args()
    script = Path(sys.executable).with_name("steelyard")
    helped = [str(script)] if script.exists() else [sys.executable, "-m", "steelyard"]
    pairs = []
    for _ in range(QUICK_ROUNDS if options.quick else ROUNDS):
        pairs.append((_seconds([sys.executable, "-c", "pass"]), _seconds([*helped, "--help"])))
    bare, full = (statistics.median(column) for column in zip(*pairs, strict=True))
    difference = statistics.median(b - a for a, b in pairs)
    print(f"bare interpreter {bare:.3f} s, steelyard --help {full:.3f} s, median difference {difference:.3f} s")
    figures = {"bare": bare, "help": full, "difference": difference, "rounds": len(pairs), "goal": difference <= GOAL}
    print(json.dumps(figures))
    return int(not options.quick and difference > GOAL)


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
