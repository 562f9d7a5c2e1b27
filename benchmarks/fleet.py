"""What a fleet saves: seeds and folds trained in one pass against as many solo runs of a loop written by hand.

Solo runs and the fleet train the same modules on the same rows with the same AdamW and take turns in one process. On
the CPU one thread is used and CPU time counted; on a GPU wall time between two moments when it has nothing left to do.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import ours
import torch
from cases import Case, adult, digits, digits_images, noise_images
from common import DATA, Missing
from rivals import adamw
from timing import Prepare, Run, Spread, device_clock, one_thread, table, take_turns
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.training.fleet import Fleet
from steelyard.training.member import Member

ROUNDS, QUICK_ROUNDS = 9, 2
SOLO, FLEET = "solo runs", "one fleet"
STEPS = 50  # of the comparison of losses
WAITS = "waits for a GPU: torch.cuda.is_available() is false here"


def solo(case: Case, device: str) -> Prepare:
    """Every member in a loop written by hand, one after the other; the unit of work is a step of one member."""

    def prepare() -> Run:
        runs = []
        for seed, rows in case.seeds:
            network = case.network(seed).to(device).train()
            inputs = tuple(tensor.to(device) for tensor in rows.inputs)
            runs.append((_forward(network), adamw(network), inputs, rows.targets.argmax(dim=1).to(device)))

        def run() -> int:
            for forward, optimizer, inputs, codes in runs:
                for _ in range(case.epochs):
                    for chosen in torch.split(torch.randperm(len(codes), device=device), case.batch)[: case.steps]:
                        loss = F.cross_entropy(forward(*[tensor[chosen] for tensor in inputs]), codes[chosen])
                        optimizer.zero_grad(set_to_none=True)
                        loss.backward()  # type: ignore[no-untyped-call]
                        optimizer.step()
            return case.epochs * case.steps * len(runs)

        return run

    return prepare


def _forward(network: nn.Module) -> Callable[..., Tensor]:
    """Inputs to outputs with as few calls as the network allows."""
    if isinstance(network, ours.PlainModule):
        return network.layers
    return lambda *inputs: network(network.encode(*inputs))  # type: ignore[operator]


def fleet(case: Case, device: str) -> Prepare:
    """All members in one fleet, from its making to the weights that are kept."""

    def prepare() -> Run:
        members = list(_members(case))

        def run() -> int:
            left = [len(epochs) for epochs in Fleet(members, device)]
            assert sum(left) == len(members) * case.epochs
            return case.epochs * case.steps * len(members)

        return run

    return prepare


def _members(case: Case, dtype: torch.dtype = torch.float32, epochs: int | None = None) -> Iterator[Member]:
    recipe = ours.recipe(case.part, case.batch, epochs or case.epochs)
    converted = {id(rows): ours.converted(rows, dtype) for _, rows in case.seeds}
    for seed, rows in case.seeds:
        yield Member(case.network(seed).to(dtype), recipe, converted[id(rows)], seed)


def parity(case: Case) -> float:
    """The largest difference between the mean loss of a member in an epoch and that of its solo run, in float64.

    Both take 50 steps or a few more, in two epochs or more.
    """
    case = case.shortened(STEPS // 2)
    epochs = -(-STEPS // case.steps)
    joined = _losses(list(_members(case, torch.float64, epochs)))
    alone = [_losses([member])[0] for member in _members(case, torch.float64, epochs)]
    return max(abs(a - b) for k, each in enumerate(alone) for a, b in zip(joined[k], each, strict=True))


def _losses(members: Sequence[Member]) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {number: [] for number in range(len(members))}
    for epochs in Fleet(members):
        for epoch in epochs:
            found[epoch.member].append(epoch.train_loss)
    return found


def measured(case: Case, rounds: int, device: str) -> dict[str, Any]:
    """Times, how much cheaper a member is in the fleet, and how far its losses are from those of a solo run."""
    clock: Callable[[], float] = time.process_time if device == "cpu" else device_clock
    turns = take_turns(fleet(case, device), {SOLO: solo(case, device)}, rounds, clock)[SOLO]
    steps, gain = case.epochs * case.steps, turns.ratio
    times = {SOLO: turns.own, FLEET: turns.around}
    return {
        "members": len(case.seeds),
        "steps": steps,
        "seconds a member": {name: Spread.of(s * steps for s in each).to_dict() for name, each in times.items()},
        "times cheaper": gain.to_dict(),
        "goal": case.goal,
        "reached": None if case.goal is None else gain.median >= case.goal,
        "largest difference of losses": parity(case) if device == "cpu" else None,
    }


def header(unit: str) -> tuple[str, ...]:
    """The head of the table."""
    return ("case", "members", f"{unit} a member, solo", "in a fleet", "times cheaper", "goal", "difference of losses")


def line(name: str, found: dict[str, Any]) -> tuple[str, ...]:
    """One case as a line of the table."""
    alone, joined = (found["seconds a member"][who]["median"] for who in (SOLO, FLEET))
    gain, difference = found["times cheaper"], found["largest difference of losses"]
    goal = "–" if found["goal"] is None else f"≥ {found['goal']:g}: {'reached' if found['reached'] else 'missed'}"
    shown = f"**{gain['median']:.1f}** ({gain['low']:.1f} to {gain['high']:.1f})"
    parts = (f"{alone:.3f}", f"{joined:.4f}", shown, goal, "–" if difference is None else f"{difference:.0e}")
    return (name, str(found["members"]), *parts)


def on_cpu(options: argparse.Namespace) -> Iterator[Callable[[], Case]]:
    """The cases that every machine can run."""
    quick = options.quick
    yield lambda: digits((64, 64, 10), 32, 1 if quick else 10, 8.0)
    yield lambda: digits((64, 64, 64, 10), 32, 1 if quick else 10, 8.0)
    yield lambda: adult(options.data, "small", 1 if quick else 3, 3.0, quick)
    if not quick:
        yield lambda: adult(options.data, "default", 1, None, quick)
    yield lambda: digits_images(2 if quick else 8, 1 if quick else 2)


def on_gpu(options: argparse.Namespace) -> Iterator[Callable[[], Case]]:
    """The cases for a GPU; the last one is throughput: the engine against plain PyTorch with one residual network."""
    yield lambda: digits((64, 64, 64, 10), 32, 2 if options.quick else 10, None)
    yield lambda: digits_images(8, 1 if options.quick else 5)
    yield lambda: noise_images(1 if options.quick else 3)


def measure_all(
    cases: Iterator[Callable[[], Case]], rounds: int, device: str, skipped: dict[str, str]
) -> dict[str, Any]:
    """What each case showed; those whose data are missing go to `skipped`."""
    found = dict[str, Any]()
    for build in cases:
        try:
            case = build()
        except Missing as reason:
            skipped["Adult"] = str(reason)
            continue
        found[case.name] = measured(case, rounds, device)
        print(f"{case.name}: measured", file=sys.stderr)
    return found


def main() -> int:
    """Print the table and, as the last line, one JSON object; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds of short runs: does it work?")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"how often they take turns (default: {ROUNDS})")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="the folder of the data sets")
    options = parser.parse_args()
    options.data = options.data.resolve()
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    start, skipped, gpu = time.perf_counter(), dict[str, str](), torch.cuda.is_available()
    with one_thread():
        found = measure_all(on_cpu(options), rounds, "cpu", skipped)
        on_device = measure_all(on_gpu(options), rounds, "cuda", skipped) if gpu else None
    if on_device is None:
        skipped["fleets and throughput on a GPU"] = WAITS
    for unit, cases in {"CPU s": found, "wall s on a GPU": on_device or {}}.items():
        if cases:
            print(f"{table(header(unit), [line(name, each) for name, each in cases.items()])}\n")
    for name, reason in skipped.items():
        print(f"{name}: skipped, {reason}")
    missed = [name for name, each in found.items() if each["reached"] is False]
    print("goals reached" if not missed else f"goals missed: {', '.join(missed)}")
    answer = {"quick": options.quick, "rounds": rounds, "wall": round(time.perf_counter() - start, 1)}
    answer |= {"cases": found, "on a GPU": on_device, "gpu": torch.cuda.get_device_name() if gpu else None}
    print(json.dumps(answer | {"skipped": skipped}))
    return int(bool(missed) and not options.quick)


if __name__ == "__main__":
    sys.exit(main())
