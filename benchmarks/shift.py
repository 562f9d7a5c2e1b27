"""Planted and real shifts are named, none is reported between random halves; narrow generators are flagged.

Shifts are planted into tables of 2,000 rows; halves of the same rows are dealt at random for the rate of false alarms.
On the data sets of a development checkout: heart disease of four hospitals, MNIST against USPS, red against white wine.
"""

import argparse
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import DATA
from PIL import Image
from scipy import io, stats
from sklearn import datasets
from threadpoolctl import threadpool_limits

from steelyard.diagnosis.coverage import coverage_of
from steelyard.diagnosis.shift import Shift, shift_between
from steelyard.diagnosis.shift.between import joined
from steelyard.diagnosis.shift.features import features_of
from steelyard.diagnosis.shift.sides import data_sets
from steelyard.diagnosis.shift.two_sample import separation, told_apart

ROWS, SPLITS = 2_000, 200
ALARMS = 0.05
BOTH = "covariate and label shift"
HEART = ("age", "sex", "cp", "trestbps", "chol", "fbs", "restecg", "thalach", "exang", "oldpeak", "slope", "ca", "thal")
Figure = dict[str, Any]


def table(rows: int, random: np.random.Generator) -> pd.DataFrame:
    """Eight numbers that go together, one of them long-tailed, a category, and missing values."""
    mixing = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0] * np.linspace(0.5, 1.5, 8)
    frame = pd.DataFrame(random.normal(size=(rows, 8)) @ mixing, columns=[f"x{k}" for k in range(8)])
    frame = frame.assign(x7=np.exp(frame["x7"]), kind=random.choice(list("abcd"), rows, p=[0.4, 0.3, 0.2, 0.1]))
    return frame.assign(x6=frame["x6"].where(random.random(rows) > 0.05))


def target_of(frame: pd.DataFrame, random: np.random.Generator) -> np.ndarray:
    """Two classes that follow from two numbers and the category, with noise."""
    logit = frame["x0"] + frame["x1"] + (frame["kind"] == "a")
    return (logit + random.logistic(0, 0.7, len(frame)) > 0.4).to_numpy(int)


PLANTS: dict[str, tuple[str, Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]]] = {
    "mean of a number by 0.25 spreads": ("x0", lambda f, r: f.assign(x0=f["x0"] + 0.25 * f["x0"].std())),
    "spread of a number by a half": ("x1", lambda f, r: f.assign(x1=f["x1"] * 1.5)),
    "unit of a number": ("x7", lambda f, r: f.assign(x7=f["x7"] * 2.54)),
    "missing 5 % to 20 %": ("x6", lambda f, r: f.assign(x6=f["x6"].where(r.random(len(f)) > 0.16))),
    "a fifth of a level": ("kind", lambda f, r: f.assign(kind=f["kind"].where(r.random(len(f)) > 0.2, "d"))),
    "two numbers exchanged": ("x2 or x7", lambda f, r: f.assign(x7=f["x2"], x2=f["x7"])),
}


def planted(rows: int) -> list[Figure]:
    """Each planted shift: is the AUC interval above 0.5, and is its column the first to be named?"""
    found = []
    for place, (what, (column, change)) in enumerate(PLANTS.items()):
        random = np.random.default_rng(place)
        pair = shift_between(table(rows // 2, random), change(table(rows // 2, random), random))
        first = pair.tells[0].name
        found.append(_line(f"planted: {what}", pair.seen and first in column.split(" or "), pair, named=first))
    random = np.random.default_rng(9)
    for kind in ("covariate shift", "label shift", BOTH, "relation shift"):
        frame, other = table(rows // 2, random), table(4 * rows, random)
        y, y_other = target_of(frame, random), target_of(other, random)
        if kind in {"label shift", BOTH}:
            ones = rows * 4 // 10
            kept = np.concatenate([np.flatnonzero(y_other == 1)[:ones], np.flatnonzero(y_other == 0)[: rows // 10]])
        else:
            kept = np.arange(rows // 2)
        other, y_other = other.iloc[kept].reset_index(drop=True), y_other[kept]
        if kind == BOTH:
            other = other.assign(x5=other["x5"] + 0.8)
        if kind == "covariate shift":
            other = other.assign(x0=other["x0"] + 0.8)
            y_other = target_of(other, random)
        if kind == "relation shift":
            y_other = target_of(other.assign(x0=-other["x0"]), random)
        pair = shift_between(frame, other, y, y_other)
        found.append(_line(f"planted: {kind}", pair.verdict == kind, pair))
    return found


def false_alarms(rows: int, splits: int) -> list[Figure]:
    """How often random halves of the same rows are told apart, by data set."""
    cancer, digits = datasets.load_breast_cancer(as_frame=True), datasets.load_digits()
    images = (digits.images * 15.9).astype(np.uint8)
    found = []
    for name, source in (
        (f"table of {rows} rows", table(rows, np.random.default_rng(1))),
        ("breast cancer, 569 rows", cancer.data),
        ("digits, 600 images", images[:600]),
    ):
        areas, widths, alarms = [], [], 0
        both = joined(*data_sets(source[::2], source[1::2], None, None))
        matrix = features_of(both).matrix
        for seed in range(splits):
            domain = np.random.default_rng([seed, 5]).permutation(np.arange(len(matrix)) % 2)
            held = separation(told_apart(matrix, domain, np.arange(len(matrix)), seed))
            alarms += held.seen
            areas.append(held.auc)
            widths.append((held.high - held.low) / 3.92)
        found.append(_rate(f"random halves: {name}", alarms, splits, areas, widths))
    return found


def false_verdicts(rows: int, splits: int) -> list[Figure]:
    """How often any shift, of inputs, target or their relation, is named between random halves with targets."""
    alarms, areas = 0, []
    for seed in range(splits):
        random = np.random.default_rng([seed, 6])
        frame = table(rows, random)
        y = target_of(frame, random)
        pair = shift_between(frame[::2], frame[1::2], y[::2], y[1::2], seed=seed)
        alarms += pair.seen
        areas.append(pair.inputs.auc)
    return [_rate(f"random halves with targets: any verdict, {rows} rows", alarms, splits, areas, [])]


def false_relations(rows: int, splits: int) -> list[Figure]:
    """How often a mere covariate shift, whose target sums up many inputs, is taken for a relation shift."""
    alarms, areas = 0, []
    for seed in range(splits):
        random = np.random.default_rng([seed, 8])
        x = random.normal(size=(rows, 12))
        x[1::2] += 0.25
        y = x.sum(axis=1) + random.normal(size=rows)
        pair = shift_between(x[::2], x[1::2], y[::2], y[1::2], seed=seed)
        alarms += pair.verdict == "relation shift"
        areas.append(pair.inputs.auc)
    return [_rate(f"covariate shift taken for a relation shift, {rows} rows", alarms, splits, areas, [])]


def narrow(rows: int, samples: int) -> list[Figure]:
    """Generators that are narrow, off or fresh samples."""
    found = []
    makers: dict[str, tuple[bool, Callable[[np.random.Generator], pd.DataFrame]]] = {
        "a fresh sample": (False, lambda r: table(rows, r)),
        "numbers drawn in by a half": (True, lambda r: table(rows, r).assign(**_drawn_in(table(rows, r)))),
        "30 rows with a little noise": (True, lambda r: _copies(r, rows)),
        "never the level 'a'": (True, lambda r: table(2 * rows, r).query("kind != 'a'")[:rows]),
        "a half of one number": (True, lambda r: table(2 * rows, r).query("x0 > 0")[:rows]),
    }
    for name, (is_narrow, make) in makers.items():
        many = 1 if is_narrow else samples
        flagged = []
        for seed in range(many):
            random = np.random.default_rng([seed, 11])
            flagged.append(coverage_of(table(rows, random), make(random), seed=seed))
        if is_narrow:
            reach = {each.name: each for each in flagged[0].measures}["coverage"]
            text = f"{flagged[0].verdict}: coverage {reach.artificial:.3f} against {reach.real:.3f}"
            found.append(_told(f"generator: {name}", flagged[0].narrow, text))
        else:
            wrong = sum(each.verdict != "covers the real data" for each in flagged)
            found.append(_rate(f"generator: {name}", wrong, many, [], []))
    return found


def _drawn_in(frame: pd.DataFrame) -> dict[str, pd.Series]:
    return {f"x{k}": frame[f"x{k}"] * 0.5 for k in range(6)}


def _copies(random: np.random.Generator, rows: int) -> pd.DataFrame:
    frame = table(30, random).iloc[random.integers(0, 30, rows)].reset_index(drop=True)
    return frame.assign(**{f"x{k}": frame[f"x{k}"] + 0.05 * random.normal(size=rows) for k in range(8)})


# -- real sets --------------------------------------------------------------------------------------------------


def on_real(data: Path) -> list[Figure]:
    """The real shifts that are there, and halves of MNIST, which hold none."""
    found = []
    if (data / "heart-disease").exists():
        found += hospitals(data / "heart-disease")
    if (data / "wine").exists():
        red, white = (wine(data / "wine" / f"winequality-{colour}.csv") for colour in ("red", "white"))
        pair = shift_between(red.iloc[:, :-1], white.iloc[:, :-1], red.iloc[:, -1], white.iloc[:, -1])
        found.append(_line("wine: red to white", pair.seen, pair))
    if (data / "mnist-png").exists() and (data / "usps").exists():
        mnist, y = digits_of_mnist(data / "mnist-png" / "mnist-pngs.zip", 4_000)
        usps, z = digits_of_usps(data / "usps" / "USPS.mat", 2_000)
        pair = shift_between(mnist[:2000], usps, y[:2000], z)
        found.append(_line("MNIST to USPS, 16 by 16 pixels", pair.seen, pair))
        pair = shift_between(mnist[:2000], mnist[2000:], y[:2000], y[2000:])
        found.append(_line("MNIST to MNIST", not pair.seen, pair))
    return found


def hospitals(folder: Path) -> list[Figure]:
    """Cleveland against each other hospital, with all columns and without those that hardly any of them has."""
    names = ("cleveland", "hungarian", "switzerland", "va")
    sets = {name: hospital(folder / f"processed.{name}.data") for name in names}
    found = []
    for name in names[1:]:
        targets = [sets[each]["num"].to_numpy() for each in ("cleveland", name)]
        for what, dropped in (("", ["num"]), (", 8 columns", ["num", "ca", "thal", "slope", "chol", "fbs"])):
            pair = shift_between(*(sets[each].drop(columns=dropped) for each in ("cleveland", name)), *targets)
            missing = any("is missing" in tell.what for tell in pair.tells[:3])
            found.append(
                _line(f"heart disease: cleveland to {name}{what}", pair.seen and (missing or bool(what)), pair)
            )
    return found


def hospital(file: Path) -> pd.DataFrame:
    frame = pd.read_csv(file, header=None, names=[*HEART, "num"], na_values="?")
    return frame.assign(num=(frame["num"] > 0).astype(int))


def wine(file: Path) -> pd.DataFrame:
    names = ("fixed acidity", "volatile acidity", "citric acid", "residual sugar", "chlorides", "free sulfur dioxide",
             "total sulfur dioxide", "density", "pH", "sulphates", "alcohol", "quality")  # fmt: skip
    return pd.read_csv(file, header=None, names=names)


def digits_of_mnist(file: Path, many: int, margin: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images at 16 by 16 pixels and their digits, drawn at random from train; without so many pixels at each side."""
    with zipfile.ZipFile(file) as archive:
        names = sorted(n for n in archive.namelist() if n.startswith("train/") and n.endswith(".png"))
        chosen = [names[k] for k in np.random.default_rng(0).choice(len(names), many, replace=False)]
        box = (margin, margin, 28 - margin, 28 - margin)
        whole = (Image.open(archive.open(name)).convert("L").crop(box) for name in chosen)
        images = [image.resize((16, 16), Image.Resampling.BOX) for image in whole]
    return np.array([np.asarray(each) for each in images]), np.array([int(name.split("/")[1]) for name in chosen])


def digits_of_usps(file: Path, many: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of 16 by 16 pixels and their digits, drawn at random."""
    loaded = io.loadmat(file)
    pixels, digits = (loaded[name] for name in sorted((k for k in loaded if not k.startswith("_")), key=str.lower))
    if pixels.shape[1] == 1:
        pixels, digits = digits, pixels
    chosen = np.random.default_rng(0).choice(len(pixels), many, replace=False)
    return pixels[chosen].reshape(-1, 16, 16).astype(np.uint8), digits.reshape(-1)[chosen].astype(int) - 1


# -- figures ----------------------------------------------------------------------------------------------------


def _line(what: str, right: bool, pair: Shift, **more: Any) -> Figure:
    told = [tell.what or tell.name for tell in pair.tells[:3] if tell.seen]
    inputs = pair.inputs
    text = f"{pair.verdict}: AUC {inputs.auc:.3f} ({inputs.low:.3f} to {inputs.high:.3f}); {', '.join(told)}"
    return _told(what, right, text) | {"verdict": pair.verdict, "auc": vars(inputs), "told": told} | more


def _rate(what: str, wrong: int, many: int, areas: list[float], widths: list[float]) -> Figure:
    """A rate of false alarms with its 95 % interval (Clopper and Pearson 1934); right: below `ALARMS`."""
    low, high = stats.binomtest(wrong, many).proportion_ci(0.95)
    spread = f"; AUC {np.mean(areas):.3f}" if areas else ""
    spread += f", its spread {np.std(areas):.4f} where intervals say {np.mean(widths):.4f}" if widths else ""
    text = f"{wrong} of {many} ({wrong / many:.1%}, {low:.1%} to {high:.1%}){spread}"
    figure = _told(what, wrong <= ALARMS * many or (low <= ALARMS and many < SPLITS), text)
    return figure | {"wrong": wrong, "of": many, "interval": [float(low), float(high)]}


def _told(what: str, right: bool, text: str) -> Figure:
    print(f"{'ok    ' if right else 'MISSED'} {what}: {text}", flush=True)
    return {"what": what, "right": bool(right)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="planted shifts, and few splits of few rows")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="the folder of the data sets")
    options = parser.parse_args()
    with threadpool_limits(1):
        if options.quick:
            figures = [*planted(ROWS), *false_alarms(300, 10), *false_verdicts(300, 4), *narrow(400, 20)]
        else:
            figures = [
                *planted(ROWS),
                *narrow(1_000, SPLITS),
                *on_real(options.data),
                *false_alarms(ROWS, SPLITS),
                *false_verdicts(400, SPLITS),
                *false_relations(1_000, SPLITS // 4),
            ]
    print(json.dumps({"quick": options.quick, "figures": figures}))
    return int(not all(figure["right"] for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
