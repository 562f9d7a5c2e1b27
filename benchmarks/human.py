"""Human level on CIFAR-10H as published, and proxies of the Bayes error on problems whose Bayes error is known.

CIFAR-10H (Peterson, Battleday, Griffiths and Russakovsky 2019, arXiv 1908.07086) holds about 51 labels for each of the
10,000 test images of CIFAR-10. Its counts carry no true labels: with `labels.npy` (the 10,000 labels of CIFAR-10's test
images) in its folder people are held against them, else against each other, and the error of one annotator is bounded
by what the publisher of the counts says of the majority: that it is CIFAR-10's label for 99.21 % of the images.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import DATA
from scipy.stats import norm
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_predict

from steelyard.data.annotations import counts_of
from steelyard.diagnosis.bayes import bayes_proxies
from steelyard.diagnosis.human import human_level
from steelyard.diagnosis.proxy import BayesProxies

Array = np.ndarray
Random = np.random.Generator
ONE, MAJORITY = 0.051, 0.0079  # published: errors of the mean annotator (accuracy 94.9 %) and of the majority
SIZES = (400, 2000)
GOAL = 0.95  # of the problems must have the Bayes error on the right side of a bound's interval


@dataclass(frozen=True)
class Made:
    """Inputs (n, d), codes (n,), the probabilities (n, classes) they were drawn by, and the Bayes error."""

    x: Array
    y: Array
    chances: Array
    bayes: float


def gaussians(n: int, random: Random, apart: float, dimensions: int = 2) -> Made:
    """Two classes, Gaussian with unit spread, whose means are so far apart: the Bayes error is Φ(-apart / 2)."""
    y = random.integers(0, 2, n)
    x = random.normal(size=(n, dimensions))
    x[:, 0] += apart * (y - 0.5)
    right = 1 / (1 + np.exp(-apart * x[:, 0]))
    return Made(x, y, np.column_stack([1 - right, right]), float(norm.cdf(-apart / 2)))


def in_a_row(n: int, random: Random, apart: float) -> Made:
    """Three Gaussian classes on a line, so far from one another: the Bayes error is 4/3 Φ(-apart / 2)."""
    y = random.integers(0, 3, n)
    x = random.normal(size=(n, 1)) + apart * y[:, None]
    odds = norm.pdf(x, apart * np.arange(3))
    return Made(x, y, odds / odds.sum(axis=1, keepdims=True), float(4 / 3 * norm.cdf(-apart / 2)))


def flipped(n: int, random: Random, rate: float, classes: int = 2) -> Made:
    """Stripes of a square, one class each, the labels flipped to another class at that rate: the Bayes error is it."""
    x = random.random((n, 2))
    true = (np.floor(x[:, 0] * 2 * classes) % classes).astype(int)
    other = (true + random.integers(1, classes, n)) % classes
    y = np.where(random.random(n) < rate, other, true)
    chances = np.full((n, classes), rate / (classes - 1))
    chances[np.arange(n), true] = 1 - rate
    return Made(x, y, chances, rate)


def board(n: int, random: Random, rate: float) -> Made:
    """A board of 2 by 2 fields in opposite classes, labels flipped at that rate: no line parts them."""
    x = random.random((n, 2))
    true = ((x[:, 0] > 0.5) ^ (x[:, 1] > 0.5)).astype(int)
    y = np.where(random.random(n) < rate, 1 - true, true)
    chances = np.full((n, 2), rate)
    chances[np.arange(n), true] = 1 - rate
    return Made(x, y, chances, rate)


PROBLEMS: dict[str, Callable[[int, Random], Made]] = {
    "gaussians 1 apart": lambda n, random: gaussians(n, random, 1.0),
    "gaussians 2 apart": lambda n, random: gaussians(n, random, 2.0),
    "gaussians 3 apart": lambda n, random: gaussians(n, random, 3.0),
    "gaussians 2 apart, 10 inputs": lambda n, random: gaussians(n, random, 2.0, 10),
    "three gaussians in a row": lambda n, random: in_a_row(n, random, 2.0),
    "stripes, 5 % flipped": lambda n, random: flipped(n, random, 0.05),
    "stripes, 20 % flipped": lambda n, random: flipped(n, random, 0.2),
    "four classes, 10 % flipped": lambda n, random: flipped(n, random, 0.1, 4),
    "board, 10 % flipped": lambda n, random: board(n, random, 0.1),
}
MODELS: dict[str, Callable[[], Any]] = {
    "linear": lambda: LogisticRegression(),
    "forest": lambda: RandomForestClassifier(60, min_samples_leaf=5, random_state=0, n_jobs=1),
}


def on_known(repeats: int) -> dict[str, Any]:
    """How often the Bayes error is on the right side of each bound's interval, by proxy; and every case."""
    cases = []
    for name, make in PROBLEMS.items():
        for n in SIZES:
            for repeat in range(repeats):
                random = np.random.default_rng([repeat, n])
                made = make(n, random)
                counts = random.multinomial(10, made.chances)
                for model, estimator in MODELS.items():
                    predictions = cross_val_predict(estimator(), made.x, made.y, cv=5, method="predict_proba")
                    spaces, classes = {"inputs": made.x}, made.chances.shape[1]
                    found = bayes_proxies(
                        made.y, predictions, spaces, classes=classes, soft=made.chances, counts=counts, seed=repeat
                    )
                    plain = bayes_proxies(made.y, predictions, spaces, classes=classes, seed=repeat)
                    cases += [{"problem": name, "rows": n, "model": model} | each for each in _kept(found, made.bayes)]
                    cases.append({"problem": name, "rows": n, "model": model} | _default(plain, made.bayes))
    return {"kept": _shares(cases), "worst": _worst(cases), "cases": len(cases)}


def _kept(found: BayesProxies, bayes: float) -> list[dict[str, Any]]:
    kept = {
        "lower bound": lambda p: p.low <= bayes,
        "upper bound": lambda p: p.high >= bayes,
        "estimate": lambda p: p.low <= bayes <= p.high,
    }
    return [
        {"proxy": p.name, "kind": p.kind, "kept": bool(kept[p.kind](p)), "off": p.value - bayes} for p in found.proxies
    ]


def _default(found: BayesProxies, bayes: float) -> dict[str, Any]:
    """The one for an error table, without soft labels: is it a lower bound?"""
    each = found.chosen
    off = float("nan") if each is None else each.value - bayes
    kept = each is not None and each.low <= bayes
    return {"proxy": "default", "kind": "lower bound", "kept": kept, "off": off}


def _shares(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for proxy in dict.fromkeys(case["proxy"] for case in cases):
        mine = [case for case in cases if case["proxy"] == proxy]
        share = float(np.mean([case["kept"] for case in mine]))
        off = float(np.nanmean([case["off"] for case in mine]))
        rows.append({"proxy": proxy, "kind": mine[0]["kind"], "kept": round(share, 3), "off": round(off, 4)})
        side = "in interval" if mine[0]["kind"] == "estimate" else "right side "
        print(f"{proxy:<32} {mine[0]['kind']:<12} {side} {share:6.1%}   mean of value - Bayes error {off:+.4f}")
    return rows


def _worst(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where bounds fail most: problem, rows, model."""
    groups: dict[tuple[Any, ...], list[bool]] = {}
    for case in cases:
        if case["kind"] != "estimate":
            key = (case["proxy"], case["problem"], case["rows"], case["model"])
            groups.setdefault(key, []).append(case["kept"])
    bad = sorted(groups.items(), key=lambda item: float(np.mean(item[1])))[:6]
    return [{"where": " | ".join(map(str, key)), "kept": round(float(np.mean(kept)), 3)} for key, kept in bad]


def noise_floors(repeats: int) -> dict[str, Any]:
    """How far the noise floor of a regression is off, as a share of the noise, and how often its interval holds it."""
    off, held, above = [], [], []
    for repeat in range(repeats):
        for n in SIZES:
            for noise in (0.1, 0.5, 1.0):
                random = np.random.default_rng([repeat, n])
                x = random.normal(size=(n, 3))
                y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + noise * random.normal(size=n)
                predictions = cross_val_predict(Ridge(), x, y, cv=5)
                found = bayes_proxies(y, predictions, {"inputs": x}, seed=repeat)
                floor = found.of("Gamma test, inputs")
                assert floor is not None
                off.append(floor.value / noise - 1)
                held.append(floor.low <= noise <= floor.high)
                above.append(all(p.high >= noise for p in found.proxies if p.kind == "upper bound"))
    figures = {"off": float(np.median(off)), "held": float(np.mean(held)), "above": float(np.mean(above))}
    print(
        f"noise floor: median {figures['off']:+.1%} off, in its interval {figures['held']:.0%}, "
        f"upper bounds above it {figures['above']:.0%}"
    )
    return {name: round(value, 3) for name, value in figures.items()}


def made_annotators(repeats: int) -> dict[str, Any]:
    """Is the error of one annotator in its interval, over rows and annotators, and how optimistic is a best one?"""
    held, chosen, naive = [], [], []
    for repeat in range(repeats):
        random = np.random.default_rng(repeat)
        rates = random.beta(4, 36, 12)  # a mean of 0.1 over all annotators there are
        hard = random.beta(2, 2, 400) * 2  # and rows that are harder or easier for all
        truth = random.integers(0, 4, 400)
        wrong = random.random((400, 12)) < np.clip(rates * hard[:, None], 0, 1)
        labels = np.where(wrong, (truth[:, None] + random.integers(1, 4, (400, 12))) % 4, truth[:, None]).astype(float)
        labels[random.random(labels.shape) < 0.3] = np.nan
        level = human_level(labels, truth, seed=repeat)
        assert level.single is not None and level.best is not None
        held.append(level.single.low <= 0.1 <= level.single.high)
        true = rates[int(level.best_name.split()[-1]) - 1]
        chosen.append(level.best.value - true)
        naive.append(min(each.error.value for each in level.annotators) - rates.min())
    figures = {
        "one annotator in interval": float(np.mean(held)),
        "best annotator off": float(np.mean(chosen)),
        "lowest error off": float(np.mean(naive)),
    }
    print(", ".join(f"{name} {value:.4f}" for name, value in figures.items()))
    return {name: round(value, 4) for name, value in figures.items()}


def on_cifar(data: Path) -> dict[str, Any] | None:
    """One annotator, panels, agreement and the Bayes error by soft labels on CIFAR-10H."""
    folder = data / "cifar-10h"
    file = folder / "data" / "cifar10h-counts.npy"
    if not file.exists():
        print(f"skipped: {file} is not there (give its folder with --data)")
        return None
    counts, labels = np.load(file, allow_pickle=False), folder / "labels.npy"
    truth = np.load(labels, allow_pickle=False) if labels.exists() else None
    start = time.perf_counter()
    level = human_level(counts_of(counts), None if truth is None else truth.astype(str))
    soft = bayes_proxies(counts.argmax(axis=1), classes=10, counts=counts)
    shares = np.sort(counts / counts.sum(axis=1, keepdims=True), axis=1)
    disputed = round(MAJORITY * len(counts))  # images whose majority is not CIFAR-10's label
    least = 1 - shares[:, -1].mean() + np.sort(shares[:, -1] - shares[:, -2])[:disputed].sum() / len(counts)
    most = 1 - shares[:, -1].mean() + np.sort(shares[:, -1])[-disputed:].sum() / len(counts)
    assert level.single is not None and level.agreement is not None
    for panel in level.panels:
        print(f"{panel.name:<22} {panel.error.value:.4f} ({panel.error.low:.4f} to {panel.error.high:.4f})")
    print(f"one annotator against CIFAR-10's labels lies between {least:.4f} and {most:.4f}; published {ONE}")
    return {
        "reference": level.reference,
        "one": round(level.single.value, 4),
        "one against CIFAR labels": [round(float(least), 4), round(float(most), 4)],
        "published one": ONE,
        "published majority": MAJORITY,
        "panels": {panel.size: round(panel.error.value, 4) for panel in level.panels},
        "alpha": round(level.agreement.krippendorff, 4),
        "soft": {p.name: round(p.value, 4) for p in soft.proxies if p.name.startswith("soft")},
        "as published": bool(least <= ONE <= most),
        "seconds": round(time.perf_counter() - start, 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few problems of each kind")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="the folder of the data sets")
    options = parser.parse_args()
    start = time.perf_counter()
    cifar = on_cifar(options.data)
    known = on_known(1 if options.quick else 10)
    floors = noise_floors(2 if options.quick else 20)
    annotators = made_annotators(20 if options.quick else 300)
    bounds = [each for each in known["kept"] if each["kind"] != "estimate"]
    goals = {
        "bounds hold": all(each["kept"] >= GOAL for each in bounds),
        "as published": cifar is None or cifar["as published"],
    }
    figures = {"cifar-10h": cifar, "known": known, "noise floor": floors, "annotators": annotators}
    wall = round(time.perf_counter() - start, 1)
    print(json.dumps({"quick": options.quick, "wall": wall, "goals": goals, "figures": figures}))
    return int(not options.quick and not all(goals.values()))


if __name__ == "__main__":
    sys.exit(main())
