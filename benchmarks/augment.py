"""How quickly images are augmented: flips, shifted crops and normalising, against albumentations, kornia and nothing.

Batches of 256 images of noise, 32×32 in colour, bytes, in one thread; competitors take turns in one process. All give
what a network takes: float32, standardised, channels last. Then every technique for images alone. Libraries that are
not installed are skipped and said: `pip install '.[bench]'` brings them.
"""

import argparse
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch
from image_steps import Case, images, network
from timing import Prepare, Spread, Turns, one_thread, table, take_turns
from torch import Tensor

from steelyard.data.batches import Batch
from steelyard.data.prepare_images import ImagePreparation
from steelyard.networks.image import ResidualCnn
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable, catalogue, technique
from steelyard.training.streams import torch_stream

CASE = Case(3, 32, batch=256)
MEAN, STD, PAD = 128.0, 64.0, 4
ROUNDS, QUICK_ROUNDS = 21, 5
BATCHES, FEW = 8, 2  # different ones, so that pixels do not all stay near the processor
PLAIN, OURS, AGAIN = "normalising alone", "Steelyard", "normalising alone, again"
GOALS = {"albumentations": 5.0, "kornia": 2.0}  # times as many images a second
SHARE, HOPED = 0.45, 0.60  # of the rate of normalising alone
Change = Callable[[Tensor], Any]


def plain() -> Change:
    """The simple way to normalise a batch, in the memory format that networks take."""
    mean, std = (torch.full((1, 3, 1, 1), each) for each in (MEAN, STD))
    return lambda batch: ((batch.float() - mean) / std).contiguous(memory_format=torch.channels_last)


def in_place() -> Change:
    """The same in one piece of memory."""
    mean, std = (torch.full((1, 3, 1, 1), each) for each in (MEAN, STD))
    return lambda batch: batch.float().sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)


def encoding() -> Change:
    """How Steelyard's network normalises."""
    return network(CASE).encode  # type: ignore[return-value]


def ours() -> Change:
    """Flips, shifted crops and the network's own normalising."""
    encode, changes = encoding(), [augmenting(name) for name in ("flips", "shifted-crops")]

    def change(batch: Tensor) -> Tensor:
        for each in changes:
            batch = each(batch)
        return encode(batch)

    return change


def kornia() -> Change:
    """Kornia on the batch: it takes floats in 0..1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from kornia import augmentation as k

        chain = k.AugmentationSequential(
            k.RandomHorizontalFlip(p=0.5),
            k.RandomCrop((CASE.side, CASE.side), padding=PAD, padding_mode="reflect"),
            k.Normalize(mean=torch.full((3,), MEAN / 255), std=torch.full((3,), STD / 255)),
        )
    return lambda batch: chain(batch.float() / 255).contiguous(memory_format=torch.channels_last)


def albumentations() -> Change:
    """Albumentations image by image: it takes them channels last, as they then stay."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it would ask the network for news
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import albumentations as a
        import cv2

    cv2.setNumThreads(1)
    chain = a.Compose(
        [
            a.HorizontalFlip(p=0.5),
            a.Pad(padding=PAD, border_mode=cv2.BORDER_REFLECT_101),
            a.RandomCrop(CASE.side, CASE.side),
            a.Normalize(mean=(MEAN / 255,) * 3, std=(STD / 255,) * 3),
        ]
    )

    def change(batch: Tensor) -> Tensor:
        rows = batch.permute(0, 2, 3, 1).contiguous().numpy()
        return torch.from_numpy(np.stack([chain(image=row)["image"] for row in rows])).permute(0, 3, 1, 2)

    return change


def augmenting(name: str) -> Change:
    """A technique as training uses it: on the images or on what the network makes of them."""
    part = part_of(name)
    assert part is not None
    stream, inputs = torch_stream(0, part.kind), type(part).on_inputs is not Augmentation.on_inputs
    targets, weights = torch.eye(10)[torch.arange(CASE.batch) % 10], torch.ones(CASE.batch)

    def change(batch: Tensor) -> Tensor:
        drawn = part.draw((batch.shape,), stream, 0.0)
        assert drawn is not None
        if inputs:
            return part.on_inputs((batch,), drawn)[0]
        return part.on_features(batch, targets, weights, drawn)[0]

    return change


def part_of(name: str) -> Augmentation | None:
    """The augmentation that a technique adds to the recipe of a network for images; None where it adds none."""
    recipe = Recipe(ImagePreparation(), network=ResidualCnn(), batch=Batch())
    changed = technique(name)().apply(recipe, Problem("binary", "image", "class", 2, ("a", "b"), "accuracy"))
    return None if isinstance(changed, NotApplicable) or not changed.augment else changed.augment[0]


COMPETITORS: dict[str, Callable[[], Change]] = {
    OURS: ours,
    AGAIN: plain,
    "normalising alone, in place": in_place,
    "normalising alone, as Steelyard's network does": encoding,
    "kornia": kornia,
    "albumentations": albumentations,
}


def running(change: Change, batches: list[Tensor]) -> Prepare:
    """Every batch once; the unit of work is an image."""

    def run() -> int:
        for batch in batches:
            change(batch)
        return sum(map(len, batches))

    return lambda: run


def pipelines(rounds: int) -> tuple[dict[str, Turns], dict[str, str]]:
    """The whole way from bytes to what a network takes."""
    batches, skipped, found = list(images(CASE, BATCHES * CASE.batch).split(CASE.batch)), {}, {}
    for name, build in COMPETITORS.items():
        try:
            found[name] = running(build(), batches)
        except ImportError as error:
            skipped[name] = f"{error} (pip install '.[bench]')"
    return take_turns(running(plain(), batches), found, rounds), skipped


def alone(rounds: int) -> dict[str, Turns]:
    """Every technique that changes images, alone, without normalising."""
    batches, encode = list(images(CASE, FEW * CASE.batch).split(CASE.batch)), encoding()
    encoded, found = [encode(batch) for batch in batches], {}
    for name in catalogue():
        if (part := part_of(name)) is not None:
            on_inputs = type(part).on_inputs is not Augmentation.on_inputs
            found[name] = running(augmenting(name), batches if on_inputs else encoded)
    return take_turns(running(plain(), batches), found, rounds)


def told(title: str, turns: dict[str, Turns], known: bool) -> dict[str, Any]:
    """Print how many images a second each changes, and as a share of normalising alone; the same as plain values."""
    around = Spread.of(1 / seconds for each in turns.values() for seconds in each.around)
    lines, answer = [(PLAIN, f"{around.median / 1000:.0f}", "1")] if known else [], {}
    for name, each in turns.items():
        rate = Spread.of(1 / seconds for seconds in each.own)
        share = Spread.of(there / own for own, there in zip(each.own, each.around, strict=True))
        lines.append((name, f"{rate.median / 1000:.0f}", str(share)))
        answer[name] = {"images a second": rate.to_dict(), "share of normalising alone": share.to_dict()}
    print(table((title, "thousand images a second", "share of normalising alone"), lines), "\n")
    return answer


def reached(turns: dict[str, Turns]) -> dict[str, bool]:
    """The goals, each with whether it was reached."""
    rate = {name: 1 / Spread.of(each.own).median for name, each in turns.items()}
    share = 1 / turns[OURS].ratio.median
    goals = {f"at least {SHARE:.0%} of normalising alone": share >= SHARE}
    print(f"{share:.0%} of the rate of normalising alone; hoped for: {HOPED:.0%}")
    for name, times in GOALS.items():
        if name in rate:
            print(f"{rate[OURS] / rate[name]:.1f} times {name}")
            goals[f"at least {times:g} times {name}"] = rate[OURS] / rate[name] >= times
    return goals


def main() -> int:
    """Print the tables and, as the last line, one JSON object; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds instead of {ROUNDS}")
    options = parser.parse_args()
    rounds, start = QUICK_ROUNDS if options.quick else ROUNDS, time.perf_counter()
    with one_thread():
        turns, skipped = pipelines(rounds)
        whole = told("flips, shifted crops, normalising", turns, True)
        single = told("a technique alone", alone(max(3, rounds // 3)), False)
    goals = reached(turns)
    for name, reason in skipped.items():
        print(f"{name}: skipped, {reason}")
    answer = {"quick": options.quick, "rounds": rounds, "wall": round(time.perf_counter() - start, 1)}
    answer |= {"versions": versions(), "pipelines": whole, "techniques": single, "goals": goals, "skipped": skipped}
    print(json.dumps(answer))
    return int(not options.quick and not all(goals.values()))


def versions() -> dict[str, str]:
    """What was measured."""
    found = {"python": platform.python_version()}
    for name in ("torch", "kornia", "albumentations"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
