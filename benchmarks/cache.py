"""The cache of decoded images: the first epoch decodes, later ones read what is kept.

An epoch is one reading of the source as `steelyard run` reads it, every file looked at, and one pass over all batches
of pixels. Each round of the comparison empties the cache, reads once without a cache, once into it and three times
from it, so that all of them see the same machine. Reported is the ratio of the first epoch to the later ones.

    python benchmarks/cache.py [--quick]
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from common import DATA
from PIL import Image

from steelyard.data import cache
from steelyard.data.source import read

BATCH = 256
LATER = 3


def made(folder: Path, count: int, side: int = 128) -> Path:
    """A folder of two classes of JPEG photographs made on the fly: smooth colours with some grain."""
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC), np.int16)
        pixels = (smooth + random.integers(-12, 13, smooth.shape)).clip(0, 255).astype(np.uint8)
        file = folder / "ab"[number % 2] / f"{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file, quality=88)
    return folder


def epoch(source: Path) -> tuple[float, str]:
    """Seconds of one epoch, and the fingerprint of what was read."""
    start = time.perf_counter()
    dataset = read(source, None)
    assert dataset.images is not None
    for begin in range(0, len(dataset), BATCH):
        np.ascontiguousarray(dataset.images[begin : begin + BATCH]).astype(np.float32)
    return time.perf_counter() - start, dataset.fingerprint


@contextmanager
def cached(where: str) -> Iterator[None]:
    before = os.environ.get(cache.VARIABLE)
    os.environ[cache.VARIABLE] = where
    try:
        yield
    finally:
        if before is None:
            del os.environ[cache.VARIABLE]
        else:
            os.environ[cache.VARIABLE] = before


def measured(source: Path, rounds: int) -> dict[str, object]:
    """Medians over rounds: seconds without a cache, of the first epoch and of later ones, and their ratio."""
    none, first, later, prints = [], [], [], set()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            with cached(folder):
                cache.clear()
            with cached("off"):
                seconds, seen = epoch(source)
                none.append(seconds)
                prints.add(seen)
            with cached(folder):
                for times in (first, *[later] * LATER):
                    seconds, seen = epoch(source)
                    times.append(seconds)
                    prints.add(seen)
    return {
        "without": round(median(none), 3),
        "first": round(median(first), 3),
        "later": round(median(later), 3),
        "first over later": round(median(first) / median(later), 1),
        "first over without": round(median(first) / median(none), 2),
        "same pixels": len(prints) == 1,
        "rounds": rounds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer images and rounds (half a minute)")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="the folder of the data sets")
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        count = 1_000 if options.quick else 5_000
        found[f"{count} photographs of 128×128, made"] = measured(made(Path(folder), count), 3)
    flowers = options.data / "flowers5" / "flowers.zip"
    if flowers.exists():
        found["flowers5, 4,317 photographs in a zip"] = measured(flowers, 2 if options.quick else 5)
    else:
        print("flowers5: skipped, it is not on this machine")
    for name, each in found.items():
        print(
            f"{name}: without {each['without']} s, first {each['first']} s, later {each['later']} s, "
            f"ratio {each['first over later']}"
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
