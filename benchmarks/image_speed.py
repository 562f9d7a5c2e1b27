"""How quickly images are trained on with a CPU: memory formats, number formats, batches, threads; decoding once.

Steps of the residual network run in turns in one process; processes run in turns on the whole machine, which should
have nothing else to do. Flowers (--data) are decoded by way of the cache, mapped, and by a DataLoader in every epoch.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import image_epochs
import image_processes
import image_resizing
import torch
from common import DATA
from image_epochs import Took
from image_steps import Case, images, learner, network, trainer
from timing import MICRO, Prepare, Spread, Turns, one_thread, table, take_turns

from steelyard.training.measure_precision import pays

GREY, COLOUR = Case(1, 28), Case(3, 32)
BATCHES = (32, 64, 128, 512)
WIDTHS = (16, 64)
QUIET = 1.8  # processors at work for two processes: with fewer the machine was not theirs alone
EPOCH = "later epochs: memory"


def main() -> int:
    """Print the tables and, as the last line, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds and few photographs (a minute)")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often the competitors take turns")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="a part of it")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="the folder of the data sets")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 9)
    start, load = time.perf_counter(), os.getloadavg()[0]
    answer: dict[str, Any] = {
        "quick": options.quick,
        "rounds": options.rounds,
        "load": load,
        "torch": torch.__version__,
    }
    for name, part in PARTS.items():
        if name in (options.only or PARTS):
            with one_thread():
                answer[name] = part(options)
    print(json.dumps(answer | {"wall": round(time.perf_counter() - start, 1)}))
    return 0


def steps(options: argparse.Namespace) -> dict[str, Any]:
    """Memory formats, number formats and batches, in processor seconds per image."""
    answer = {}
    for case in (GREY, COLOUR):
        usual = f"channels last, float32, {case.batch} a step"
        cases = {
            "again": case,
            "contiguous": replace(case, channels_last=False),
            "bfloat16": replace(case, dtype="bfloat16"),
            "bfloat16, contiguous": replace(case, dtype="bfloat16", channels_last=False),
            **{f"{size} a step": replace(case, batch=size) for size in BATCHES},
        }
        found = take_turns(_steps(case), {name: _steps(each) for name, each in cases.items()}, options.rounds)
        answer[case.images] = _told(f"{case.images}, width {case.width}", found, usual)
    return answer


def precision(options: argparse.Namespace) -> dict[str, Any]:
    """bfloat16 at several widths, and what the short measurement says that a user's machine would make."""
    answer = {}
    for width in WIDTHS[:1] if options.quick else WIDTHS:
        case = replace(COLOUR, width=width, batch=128)
        shorter = {"bfloat16": _steps(replace(case, dtype="bfloat16"))}
        found = take_turns(_steps(case), shorter, options.rounds if width < 64 else 3)
        start = time.process_time()
        pace = pays(network(case), (images(case, case.batch),))
        took = time.process_time() - start
        name = f"{case.images}, width {width}, {case.batch} a step"
        told = _told(name, found, "float32")
        print(
            f"measured by pays(): {pace.ratio:.2f} ({pace.low:.2f} to {pace.high:.2f}) in {took:.1f} s of processor\n"
        )
        answer[name] = told | {"pays": vars(pace) | {"seconds": round(took, 2)}}
    return answer


def processes(options: argparse.Namespace) -> dict[str, Any]:
    """Threads against processes, in images a second by the clock."""
    found = image_processes.rounds(replace(GREY, batch=128), 0.7 if options.quick else 2.0, options.rounds)
    over = found[image_processes.ONE]
    lines, answer = [], {}
    for name, speeds in found.items():
        speed, busy = (Spread.of(tuple(getattr(each, word) for each in speeds)) for word in ("images", "busy"))
        ratio = Spread.of(tuple(a.images / b.images for a, b in zip(speeds, over, strict=True)))
        lines.append((name, f"{speed.median:.0f}", str(ratio), str(busy)))
        answer[name] = {"images a second": speed.to_dict(), "ratio": ratio.to_dict(), "processors": busy.to_dict()}
    print(table(("28×28, grey, width 16", "images a second", "ratio to one thread", "processors at work"), lines), "\n")
    quiet = Spread.of(each.busy for each in found[image_processes.MOST]).median >= QUIET
    if not quiet:
        print("the machine was busy with other things: these figures show how each arrangement bears that, no more\n")
    return answer | {"quiet": quiet}


def decoding(options: argparse.Namespace) -> dict[str, Any]:
    """Epochs over photographs fed in several ways, alone and with training; starts with and without the cache."""
    source = options.data / "flowers5" / "flowers.zip"
    answer: dict[str, Any] = {"photographs": "flowers" if source.exists() else "made, flowers are missing"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "photographs"
        paths = image_epochs.unpacked(source, folder, 400 if options.quick else None)
        answer["images"] = len(paths)
        count = max(2, options.rounds // 2)
        started = image_epochs.starts(folder, count)
        title = f"start, {len(paths)} photographs of 128×128"
        answer["start"] = _told(title, _against("decoded", started), "decoded", unit="s", per=1.0)
        threads = image_epochs.threads(folder, count)
        answer["threads"] = _told("decoding", _against("1 thread", threads), "1 thread", "by the clock", "s", 1.0)
        for words, learn in (("fed alone", None), ("with training", learner(Case(3, image_epochs.SIDE)))):
            answer[words] = _epochs(words, image_epochs.epochs(paths, folder, learn, count))
    return answer


def resizing(options: argparse.Namespace) -> dict[str, Any]:
    """Progressive resizing on a share of Fashion-MNIST: accuracy and time at equal epochs, and shorter training."""
    source = options.data / "fashion-mnist" / "fashion_mnist_images.zip"
    if not source.exists():
        print("resizing: skipped, Fashion-MNIST is missing\n")
        return {"skipped": f"{source.name} is missing"}
    rows, epochs, seeds = (1500, 4, 1) if options.quick else (6000, 10, 3)
    found = image_resizing.trainings(source, rows, epochs, seeds)
    plain, lines, answer = found["full size"], [], {}
    for name, each in found.items():
        gain = Spread.of(tuple(a.accuracy - b.accuracy for a, b in zip(each, plain, strict=True)))
        ratio = Spread.of(tuple(a.seconds / b.seconds for a, b in zip(each, plain, strict=True)))
        accuracy = Spread.of(tuple(one.accuracy for one in each))
        lines.append((name, str(accuracy), f"{gain.median:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})", str(ratio)))
        answer[name] = {"accuracy": accuracy.to_dict(), "gain": gain.to_dict(), "ratio": ratio.to_dict()}
    title = f"Fashion-MNIST, {rows} images, {epochs} epochs, {seeds} seeds"
    print(table((title, "accuracy on test", "gain", "processor time, ratio"), lines), "\n")
    return answer


def _epochs(words: str, found: dict[str, tuple[Took, ...]]) -> dict[str, Any]:
    lines, answer = [], {}
    for name, tooks in found.items():
        answer[name], line = {}, [name]
        for clock in ("wall", "processor"):
            seconds = tuple(getattr(took, clock) for took in tooks)
            over = tuple(getattr(took, clock) for took in found[EPOCH])
            spread, ratio = Spread.of(seconds), Spread.of(tuple(a / b for a, b in zip(seconds, over, strict=True)))
            answer[name][clock] = {"seconds": spread.to_dict(), "ratio": ratio.to_dict()}
            line += [f"{spread.median:.2f}", str(ratio)]
        lines.append(tuple(line))
    header = (f"an epoch, {words}", "s by the clock", "ratio to memory", "s of processor", "ratio to memory")
    print(table(header, lines), "\n")
    return answer


def _steps(case: Case) -> Prepare:
    step = trainer(case)
    number = max(1, 512 // case.batch)

    def run() -> int:
        for _ in range(number):
            step()
        return number * case.batch

    return lambda: run


def _against(over: str, seconds: Mapping[str, tuple[float, ...]]) -> dict[str, Turns]:
    """Competitors that had rounds of their own, each against the same one."""
    return {name: Turns(each, seconds[over]) for name, each in seconds.items() if name != over}


def _told(
    title: str,
    turns: Mapping[str, Turns],
    over: str,
    clock: str = "processor",
    unit: str = "µs an image",
    per: float = MICRO,
) -> dict[str, Any]:
    """Print a table of times and ratios; the same as plain values."""
    reference = next(iter(turns.values())).around
    lines, answer = [], {}
    for name, own in {over: reference, **{name: each.own for name, each in turns.items()}}.items():
        took = Spread.of(per * seconds for seconds in own)
        ratio = turns[name].ratio if name in turns else None
        lines.append((name, f"{took.median:.3g}", "1" if ratio is None else str(ratio)))
        answer[name] = {unit: took.to_dict()} | ({} if ratio is None else {"ratio": ratio.to_dict()})
    print(table((title, f"{unit} ({clock})", f"ratio to {over}"), lines), "\n")
    return answer


PARTS = {each.__name__: each for each in (steps, precision, processes, decoding, resizing)}

if __name__ == "__main__":
    sys.exit(main())
