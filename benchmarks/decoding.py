"""Decoding folders of pictures with one thread, with as many as there are processors, and as many as a trial finds.

The three take turns on the same files, by the clock: what else runs on the machine slows all of them down, and is one
reason why no fixed number is right. The figure of a folder is the time of the trial against the quicker fixed number.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from timing import Spread

from steelyard.data.files import Listed, opened
from steelyard.data.image_files import processors, read_files

GOAL = 1.15  # of the time of the quicker fixed number
ROUNDS, QUICK_ROUNDS = 9, 3


@dataclass(frozen=True)
class Folder:
    """So many pictures of a side in pixels and a format."""

    side: int
    format: str
    count: int

    @property
    def name(self) -> str:
        return f"{self.format} {self.side}x{self.side}"

    def write(self, where: Path, count: int) -> None:
        """Smooth random pictures with a little grain, which compress about as photographs do."""
        random = np.random.default_rng(self.side)
        for number in range(count):
            rough = random.integers(0, 256, (max(2, self.side // 16), max(2, self.side // 16), 3)).astype(np.uint8)
            smooth = np.asarray(Image.fromarray(rough).resize((self.side, self.side), Image.Resampling.BICUBIC))
            grain = random.integers(-3, 4, smooth.shape)
            pixels = (smooth + grain).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(where / f"{number:05}.{self.format.lower()}")


FOLDERS = (
    Folder(28, "PNG", 6000),
    Folder(64, "JPEG", 4000),
    Folder(256, "PNG", 400),
    Folder(640, "JPEG", 400),
    Folder(800, "PNG", 60),
)


def main() -> int:
    """Print a line a folder and, as the last line, one JSON object; 1 when the goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a third of the pictures and fewer rounds")
    options = parser.parse_args()
    figures = {}
    for folder in FOLDERS:
        found = took(folder, folder.count // 3 if options.quick else folder.count, options.quick)
        ratio = Spread.of(own / min(one, all_) for one, all_, own in found)
        one, all_, own = (Spread.of(seconds).median for seconds in zip(*found, strict=True))
        words = f"1 thread {one:.2f} s, {processors()} {all_:.2f} s, by trial {own:.2f} s"
        print(f"{folder.name:14} {words}: ratio {ratio}")
        figures[folder.name] = {"one": one, "all": all_, "trial": own, "ratio": ratio.to_dict()}
    kept = all(figure["ratio"]["median"] <= GOAL for figure in figures.values())
    print(json.dumps({"processors": processors(), "folders": figures, "goal": kept}))
    return int(not options.quick and not kept)


def took(folder: Folder, count: int, quick: bool) -> list[tuple[float, float, float]]:
    """Seconds of one thread, of as many as there are processors and of the trial, in every round."""
    with tempfile.TemporaryDirectory() as where:
        folder.write(Path(where), count)
        with opened(Path(where)) as tree:
            files = [Listed(tree, path, path) for path in tree.paths]
            read_files(files, 1)  # the files are in memory from now on
            return [
                (_seconds(files, 1), _seconds(files, processors()), _seconds(files, None))
                for _ in range(QUICK_ROUNDS if quick else ROUNDS)
            ]


def _seconds(files: list[Listed], threads: int | None) -> float:
    start = time.perf_counter()
    read_files(files, threads)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
