"""Are the sound twins sound, and are faults planted at all?

Each twin is trained as its own program says; its loss on dev must fall. Prints the loss on train and dev before and
after, and the accuracy on dev where targets are classes. Every fault's name must be read by its program in a step.
"""

import argparse
import inspect
import json
import sys
import time
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import torch
from planted import built
from programs.catalogue import PROGRAMS
from programs.program import Given, Program
from torch import Tensor

STEPS, QUICK_STEPS = 300, 30
FALLEN = 0.8  # of the first loss on dev: a sound twin comes below it


def parts(batch: Any) -> tuple[Any, Any]:
    """(inputs, target) of a batch."""
    if isinstance(batch, Mapping):
        return {name: each for name, each in batch.items() if name != "labels"}, batch["labels"]
    return tuple(batch[:-1]), batch[-1]


def outputs(given: Given, batch: Any) -> Any:
    """What the model puts out."""
    inputs, _ = parts(batch)
    if isinstance(inputs, Mapping):
        return given["model"](**(inputs if given.get("loss") else batch))
    return given["model"](*inputs)


def loss_of(given: Given, batch: Any) -> Tensor:
    """The loss of a batch."""
    out = outputs(given, batch)
    return given["loss"](getattr(out, "logits", out), parts(batch)[1]) if given.get("loss") else out.loss


def one_step(given: Given, batch: Any) -> None:
    """One step of training: the program's own, or the usual one."""
    step, optimizer = given.get("step"), given["optimizer"]
    if step is None:
        optimizer.zero_grad()
        loss_of(given, batch).backward()
        optimizer.step()
        return
    known = {"model": given["model"], "optimizer": optimizer, "batch": batch}
    if "x" in inspect.signature(step).parameters:
        known |= {"x": batch[0], "y": batch[1]}
    step(**{name: known[name] for name in inspect.signature(step).parameters})


@torch.no_grad()
def measured(given: Given, batches: Iterable[Any]) -> tuple[float, float | None]:
    """(mean loss, accuracy or None) in evaluation mode."""
    given["model"].eval()
    losses, hits = [], []
    for batch in list(batches):
        losses.append(float(loss_of(given, batch)))
        out, target = outputs(given, batch), parts(batch)[1]
        out = getattr(out, "logits", out)
        if isinstance(out, Tensor) and isinstance(target, Tensor) and out.dim() == 2 and target.dtype == torch.long:
            hits.append((out.argmax(1) == target).float().mean().item())
    given["model"].train()
    return sum(losses) / len(losses), sum(hits) / len(hits) if hits else None


class Watched(str):
    """A fault's name that remembers whether it was met."""

    met = False

    def __eq__(self, other: object) -> bool:
        same = str.__eq__(self, other) is True
        self.met |= same
        return same

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def planted(program: Program, fault: str) -> bool:
    """Whether the program reads the fault, as it is built, trained by a step, and evaluated."""
    watched = Watched(fault)
    with suppress(Exception):  # a fault may raise
        given = built(program, watched)
        batch = next(iter(given["train"]))
        with suppress(Exception):
            one_step(given, batch)
        given["model"].eval()
        loss_of(given, batch)
    return watched.met


def trained(program: Program, steps: int, fault: str | None = None) -> dict[str, Any]:
    """The figures of one training."""
    given = built(program, fault)
    given["model"].train()
    begin, _ = measured(given, given["dev"])
    train_begin, _ = measured(given, given["train"])
    taken = 0
    while taken < steps:
        for batch in given["train"]:
            one_step(given, batch)
            taken += 1
            if taken == steps:
                break
    (train_end, _), (end, accuracy) = measured(given, given["train"]), measured(given, given["dev"])
    return {"train": (train_begin, train_end), "dev": (begin, end), "accuracy": accuracy, "sound": end < FALLEN * begin}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few steps: do the programs run?")
    parser.add_argument("--only", action="append", default=[], metavar="WORD", help="a style or a program")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    began, found = time.perf_counter(), {}
    for program in PROGRAMS:
        if options.only and program.style not in options.only and program.name not in options.only:
            continue
        found[f"{program.style}/{program.name}"] = each = trained(program, QUICK_STEPS if options.quick else STEPS)
        (train, train_end), (dev, dev_end), accuracy = each["train"], each["dev"], each["accuracy"]
        scored = "" if accuracy is None else f"accuracy {accuracy:.3f}"
        start = f"{program.style:<12} {program.name:<24} train {train:8.4f} to {train_end:8.4f}"
        verdict = "" if each["sound"] or options.quick else "NOT SOUND"
        print(f"{start}  dev {dev:8.4f} to {dev_end:8.4f}  {scored:<15} {verdict}")
    unsound = [name for name, each in found.items() if not each["sound"]]
    unread = [f"{each.name}: {fault}" for each in PROGRAMS for fault in each.faults if not planted(each, fault)]
    print(f"{sum(len(each.faults) for each in PROGRAMS)} faults, of which not planted: {', '.join(unread) or 'none'}")
    wall = round(time.perf_counter() - began, 1)
    print(json.dumps({"quick": options.quick, "twins": found, "unsound": unsound, "unread": unread, "wall": wall}))
    return int(bool(unread) or (bool(unsound) and not options.quick))


if __name__ == "__main__":
    sys.exit(main())
