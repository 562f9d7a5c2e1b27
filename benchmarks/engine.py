"""What one training step costs: Steelyard's engine against a loop written by hand, skorch, Lightning and Keras 3.

All train the same multilayer perceptrons on scikit-learn's digits with the same AdamW in one thread of one process, and
take turns. Engines that are not installed are skipped and said: `pip install '.[bench]'` brings them.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import ours
import rivals
import torch
from counting import Counts, per_step
from rivals import Task
from sklearn.datasets import load_digits
from timing import MICRO, Prepare, Spread, Turns, one_thread, table, take_turns

GOAL = 1.05  # times the CPU time of the loop written by hand
ROUNDS, QUICK_ROUNDS = 11, 3
TRAIN = 1408  # rows: whole batches of 32; the other 389 are held
BARE, AGAIN, ALL = "bare loop", "bare loop, again", "Steelyard, all on"

Engine = Callable[[Task], Prepare]
ENGINES: dict[str, Engine] = {
    BARE: rivals.bare,
    ALL: ours.everything,
    "Steelyard, steps alone": ours.plain,
    AGAIN: rivals.bare,
    "skorch, tuned": rivals.skorch_tuned,
    "skorch": rivals.skorch,
    "Lightning, barebones": rivals.lightning,
    "Keras 3 on torch": rivals.keras,
}


def tasks(quick: bool) -> list[Task]:
    """A small network, whose step is mostly overhead, and a larger one, whose step is mostly arithmetic."""
    small, large = (64, 64, 64, 10), (64, 256, 256, 10)
    if quick:
        return [task(small, 32, 5), task(large, 256, 5, copies=2)]
    return [task(small, 32, 20), task(large, 256, 10, copies=8)]


def task(sizes: tuple[int, ...], batch: int, epochs: int, copies: int = 1) -> Task:
    """The digits as float features in 0..1; larger batches learn from copies, to have as many steps an epoch."""
    images, digits = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(digits)
    return Task(sizes, batch, epochs, x[:TRAIN].repeat(copies, 1), y[:TRAIN].repeat(copies), x[TRAIN:], y[TRAIN:])


def installed(given: Task) -> tuple[dict[str, Prepare], dict[str, str]]:
    """The engines that are there, and why the others are not."""
    found, skipped = {}, {}
    for name, engine in ENGINES.items():
        try:
            found[name] = engine(given)
        except ImportError as error:
            skipped[name] = f"{error} (pip install '.[bench]')"
    return found, skipped


def counts(given: Task, names: list[str]) -> dict[str, Counts]:
    """Calls and operators per step; what is done once an epoch, or once in some epochs, is part of them."""
    found = {}
    for name in names:
        epochs = ours.LOOK if name == ALL else 1
        short, long = (replace(given, epochs=count) for count in (epochs, 2 * epochs))
        found[name] = per_step(ENGINES[name](short), ENGINES[name](long))
    return found


def shown(turns: dict[str, Turns], counted: dict[str, Counts]) -> str:
    """The figures of one network as a table; the times of the bare loop are those around all others."""
    bare = Spread.of(MICRO * seconds for each in turns.values() for seconds in each.around)
    lines = [(BARE, f"{bare.median:.0f}", "1", *_numbers(counted[BARE]))]
    for name, each in turns.items():
        micro = f"{MICRO * Spread.of(each.own).median:.0f}"
        lines.append((name, micro, str(each.ratio), *_numbers(counted[name])))
    return table(("engine", "µs a step", "ratio to the bare loop", "Python calls", "C calls", "operators"), lines)


def _numbers(count: Counts) -> tuple[str, str, str]:
    return (f"{count.python:.0f}", f"{count.c:.0f}", f"{count.operators:.1f}")


def versions() -> dict[str, str]:
    """What was measured."""
    found = {"python": platform.python_version()}
    for name in ("torch", "skorch", "lightning", "keras"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def main() -> int:
    """Print the tables and, as the last line, one JSON object; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds instead of {ROUNDS}, short runs")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often the engines take turns")
    options = parser.parse_args()
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    start, networks, goals = time.perf_counter(), dict[str, Any](), dict[str, bool]()
    counted, skipped = dict[str, Counts](), dict[str, str]()
    with one_thread():
        for given in tasks(options.quick):
            engines, skipped = installed(given)
            counted = counted or counts(given, list(engines))  # the same for every size
            turns = take_turns(engines.pop(BARE), engines, rounds)
            print(f"{given.name}: {given.steps} steps a run, {rounds} rounds\n\n{shown(turns, counted)}\n")
            networks[given.name] = {name: each.to_dict() for name, each in turns.items()}
            goals[given.name] = turns[ALL].ratio.median <= GOAL
    for name, reason in skipped.items():
        print(f"{name}: skipped, {reason}")
    print("goals reached" if all(goals.values()) else f"goal missed: all on costs more than {GOAL} × the bare loop")
    answer: dict[str, Any] = {"quick": options.quick, "rounds": rounds, "wall": round(time.perf_counter() - start, 1)}
    answer |= {"versions": versions(), "networks": networks, "goals": goals, "skipped": skipped}
    answer["calls and operators a step"] = {name: count.to_dict() for name, count in counted.items()}
    print(json.dumps(answer))
    return int(not options.quick and not all(goals.values()))


if __name__ == "__main__":
    sys.exit(main())
