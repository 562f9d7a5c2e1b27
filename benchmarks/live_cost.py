"""What the doctor's live view costs: a training loop with it against the same loop without, taking turns.

Both train the same network on the same batches in one thread of one process; the plain loop reads its loss as a
number at every step, as loops that show it do. The ratio is the CPU time of a step with the doctor in that of one
without.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from timing import Prepare, Turns, one_thread, table, take_turns
from torch import nn

from steelyard.doctor.live import Doctor

GOAL = 1.10  # times the CPU time of the plain loop, at the default
ROUNDS, QUICK_ROUNDS = 11, 3
PLAIN, AGAIN = "plain loop", "plain loop, again"
EVERY = (1, 10, 50)
DEFAULT = 10
TINY = ("small MLP",)  # half a millisecond a step, of which the doctor's own calls are a larger part: no goal


def mlp() -> tuple[nn.Module, torch.Tensor]:
    """64-256-256-10 on batches of 128 rows."""
    net = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    return net, torch.randn(128, 64)


def small_mlp() -> tuple[nn.Module, torch.Tensor]:
    """64-64-64-10 on batches of 32 rows: a step is mostly overhead."""
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    return net, torch.randn(32, 64)


def cnn() -> tuple[nn.Module, torch.Tensor]:
    """Three convolutions with batch normalisation on batches of 64 images of 16 × 16."""
    blocks = [(1, 16), (16, 32), (32, 32)]
    body = [
        m for a, b in blocks for m in (nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2))
    ]
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(128, 10)), torch.randn(64, 1, 16, 16)


NETWORKS: dict[str, tuple[Callable[[], tuple[nn.Module, torch.Tensor]], int]] = {  # and steps of a run
    "small MLP": (small_mlp, 600),
    "MLP": (mlp, 300),
    "CNN": (cnn, 60),
}


def loop(build: Callable[[], tuple[nn.Module, torch.Tensor]], steps: int, every: int | None) -> Prepare:
    """A run of that many steps; `every` is that of the doctor, None for none."""

    def prepare() -> Callable[[], int]:
        torch.manual_seed(0)
        model, x = build()
        y = torch.randint(10, (len(x),))
        optimizer, criterion = torch.optim.Adam(model.parameters(), 1e-3), nn.CrossEntropyLoss()

        def run() -> int:
            total = 0.0
            with (
                nullcontext() if every is None else Doctor(model, optimizer, every=every, on_finding=_silent) as doctor
            ):
                for _ in range(steps):
                    optimizer.zero_grad()
                    loss = criterion(model(x), y)
                    loss.backward()
                    optimizer.step()
                    total += loss.item()
                    if doctor is not None:
                        doctor.step(loss)
            return steps

        return run

    return prepare


def _silent(_: Any) -> None:
    """Findings cost the same whether they are shown or not."""


def measured(name: str, rounds: int, share: float) -> dict[str, Turns]:
    """The turns of one network."""
    build, steps = NETWORKS[name]
    steps = round(steps * share)
    others = {AGAIN: loop(build, steps, None)} | {_called(every): loop(build, steps, every) for every in EVERY}
    return take_turns(loop(build, steps, None), others, rounds)


def _called(every: int) -> str:
    return f"every {every}"


def main() -> int:
    """Print a table and, as the last line, one JSON object; 1 where the goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds instead of {ROUNDS}, short runs")
    options = parser.parse_args()
    rounds, share = (QUICK_ROUNDS, 0.5) if options.quick else (ROUNDS, 1.0)
    start, figures, goals, lines = time.perf_counter(), dict[str, Any](), dict[str, bool](), []
    with one_thread():
        for name in NETWORKS:
            turns = measured(name, rounds, share)
            figures[name] = {each: found.to_dict() for each, found in turns.items()}
            if name not in TINY:
                goals[name] = turns[_called(DEFAULT)].ratio.median <= GOAL
            for each, found in turns.items():
                lines.append((name, each, f"{1e6 * min(found.own):.0f}", str(found.ratio)))
    print(table(("network", "loop", "µs a step", "ratio to the plain loop"), lines))
    answer = {"quick": options.quick, "rounds": rounds, "wall": round(time.perf_counter() - start, 1)}
    print(json.dumps(answer | {"torch": torch.__version__, "networks": figures, "goals": goals}))
    return int(not options.quick and not all(goals.values()))


if __name__ == "__main__":
    sys.exit(main())
