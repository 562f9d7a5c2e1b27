"""Planted duplicates and planted leaks are found, and none is reported on clean data.

Into scikit-learn's sets, which are taken as clean, copies of rows are planted (exact ones, and some changed a little)
and a column that is made from the target. On the data sets of a development checkout, what their publishers say of
them is looked for: repeated messages, byte-identical photographs, columns that know the answer.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import DATA
from sklearn import datasets

import steelyard

CLEAN = ("breast_cancer", "wine", "diabetes", "iris")
PLANTED = 12  # rows that are planted, half of them changed a little


def frame_of(name: str) -> pd.DataFrame:
    """A set of scikit-learn, its repeated rows left out."""
    loaded = getattr(datasets, f"load_{name}")(as_frame=True)
    return loaded.frame.drop_duplicates().reset_index(drop=True)


def planted_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with copies of some rows under it; every second copy has its numbers changed in the sixth digit."""
    random = np.random.default_rng(0)
    copies = frame.iloc[random.choice(len(frame), PLANTED, replace=False)].copy()
    numbers = [column for column in frame.columns if column != "target"]
    copies[numbers] = copies[numbers].astype(float)
    copies.iloc[::2, [frame.columns.get_loc(c) for c in numbers]] *= 1 + 1e-6
    return pd.concat([frame, copies], ignore_index=True)


def planted_leak(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a column that is the target under a little noise."""
    random = np.random.default_rng(0)
    spread = float(frame["target"].std())
    return frame.assign(recorded_after=frame["target"] + 0.01 * spread * random.normal(size=len(frame)))


def made_images() -> tuple[np.ndarray, np.ndarray]:
    """The digits of 8 by 8 pixels as images, with their classes."""
    digits = datasets.load_digits()
    return (digits.images * 15).astype(np.uint8), digits.target


def on_clean(folder: Path) -> list[dict[str, Any]]:
    """What is said of clean sets, and of the same with something planted."""
    found = []
    for name in CLEAN:
        frame = frame_of(name)
        clean, full = _twins(frame, folder), _twins(planted_rows(frame), folder)
        found.append(_line(name, "duplicates", clean, 0))
        found.append(_line(name, "planted duplicates", full, PLANTED, least=PLANTED))
        found.append(_line(name, "leaks", _leaks(frame, folder), 0))
        found.append(_line(name, "planted leak", _leaks(planted_leak(frame), folder), 1, least=1))
    images, classes = made_images()
    found.append(_line("digits", "duplicates", _twins((images, classes), folder), 0))
    random = np.random.default_rng(0)
    rows = random.choice(len(images), PLANTED, replace=False)
    brighter = np.clip(images[rows].astype(int) + random.integers(0, 3, images[rows].shape), 0, 255).astype(np.uint8)
    both = (np.concatenate([images, brighter]), np.concatenate([classes, classes[rows]]))
    found.append(_line("digits", "planted duplicates", _twins(both, folder), PLANTED, least=PLANTED))
    return found


def on_real(data: Path, folder: Path) -> list[dict[str, Any]]:
    """What is said of real sets whose duplicates and leaks are known."""
    found = []
    sms, flowers = data / "sms-spam" / "SMSSpamCollection", data / "flowers5" / "flowers.zip"
    bank = data / "bank-marketing" / "bank-additional.zip" / "bank-additional" / "bank-additional-full.csv"
    bike, adult = data / "bike-sharing" / "Bike-Sharing-Dataset" / "hour.csv", data / "adult" / "adult-train.csv"
    if sms.exists():
        found.append(_line("sms-spam", "duplicates", _twins(sms, folder), None, least=1))
    if flowers.exists():
        found.append(
            _line("flowers", "byte duplicates", steelyard.duplicates(flowers, output=folder).exact, 6, least=6)
        )
    if bank.parents[1].exists():
        found.append(_line("bank marketing", "leaks: duration", _leaks(bank, folder, "y", {"duration"}), 1, least=1))
    if bike.exists():
        both = {"casual", "registered"}
        found.append(_line("bike sharing", "leaks: casual + registered", _leaks(bike, folder, "cnt", both), 1, least=1))
    if adult.exists():
        found.append(_line("adult", "leaks", _leaks(adult, folder, -1), 0))
    return found


def _twins(source: Any, folder: Path) -> int:
    """How many rows have a twin beyond the first of each group."""
    target = "target" if isinstance(source, pd.DataFrame) else None
    found = steelyard.duplicates(source, target, output=folder)
    return sum(len(group.twins) - 1 for group in found.groups)


def _leaks(source: Any, folder: Path, target: str | int = "target", columns: set[str] | None = None) -> int:
    """How many leaks are named; with `columns`, how many that are made of just these."""
    found = steelyard.probe(source, target, output=folder).leaks
    return sum(columns is None or set(leak.columns) == columns for leak in found)


def _line(data: str, what: str, found: int, expected: int | None, least: int | None = None) -> dict[str, Any]:
    """A figure with whether it is as it should be: `expected` at the most, where nothing was planted, else `least`."""
    right = found == 0 if least is None else found >= least
    print(f"{'ok    ' if right else 'MISSED'} {data}: {what}: {found}" + (f" of {expected}" if expected else ""))
    return {"data": data, "what": what, "found": found, "expected": expected, "right": right}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="scikit-learn's sets only")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="the folder of the data sets")
    options = parser.parse_args()
    steps: list[Callable[[Path], list[dict[str, Any]]]] = [on_clean]
    if not options.quick:
        steps.append(lambda folder: on_real(options.data, folder))
    with tempfile.TemporaryDirectory(prefix="bench-leaks-") as folder:
        figures = [figure for step in steps for figure in step(Path(folder))]
    print(json.dumps({"quick": options.quick, "figures": figures}))
    return int(not all(figure["right"] for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
