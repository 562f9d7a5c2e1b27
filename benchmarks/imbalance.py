"""Rare classes: the run's PR-AUC against a plain random forest's, and what treats imbalance side by side.

`mammography` and `oil-spill` are whole runs by average precision, over several partitions, each against the random
forest of scikit-learn's defaults on the same rows (the mean of five forests). `arms` weighs every technique against
imbalance on the plain network of mammography: by balanced accuracy, F1 and average precision, with intervals that are
corrected for every look and the number of arms. `--quick` does both on a breast-cancer set with few malignant rows.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import Benchmark, Failed, Figure, found, main, paired_interval, same_rows, steelyard
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score

LIMIT, QUICK_LIMIT, SEEDS = 300.0, 18.0, 5
BEFORE = 8.0  # seconds of the run whose data the arms are weighed on: what it finds does not matter
FORESTS = 5
METRICS = ("balanced_accuracy", "f1", "average_precision")
ARMS = (
    "over-sampling",
    "square-root-sampling",
    "under-sampling",
    "class-weights",
    "effective-number",
    "focal-loss",
    "logit-adjustment",
    "minority-augmentation",
    "decision-threshold",
)
GOAL = "PR-AUC above the plain forest's"


def source(name: str, options: argparse.Namespace, folder: Path) -> Path:
    """A CSV with a header, the class in the column "y"."""
    file = folder / f"{name}.csv"
    if name == "quick":
        table = load_breast_cancer(as_frame=True).frame
        few = table[table["target"] == 0].head(30)
        frame = pd.concat([table[table["target"] == 1], few]).sample(frac=1, random_state=0)
        frame = frame.assign(y=1 - frame.pop("target"))
    else:
        frame = pd.read_csv(found(options.data, "imbalanced", f"{name}.csv"), header=None, quotechar="'")
        frame.columns = [*(f"x{i}" for i in range(frame.shape[1] - 1)), "y"]
    frame.to_csv(file, index=False)
    return file


def forest(file: Path, seed: int) -> tuple[float, float]:
    """The PR-AUC on the test rows of the plain forest, the mean of several, and test rows over train rows."""
    pool, test = same_rows(file, "y", seed)
    assert pool.frame is not None and test.frame is not None and pool.target is not None
    x, unseen = pool.frame.to_numpy(float), test.frame.to_numpy(float)
    grown = (RandomForestClassifier(random_state=k).fit(x, pool.target) for k in range(FORESTS))
    scores = [average_precision_score(test.target, each.predict_proba(unseen)[:, 1]) for each in grown]
    return float(np.mean(scores)), len(test) / len(pool)


def against_forest(name: str) -> Benchmark:
    """Runs by average precision over several partitions, paired with the forest."""

    def measure(options: argparse.Namespace, folder: Path) -> Figure:
        file, seeds = source(name, options, folder), options.seeds or (1 if options.quick else SEEDS)
        limit, asked = (
            options.time_limit or (QUICK_LIMIT if options.quick else LIMIT),
            ("--metric", "average_precision"),
        )
        runs, references, share = [], [], 0.25
        for seed in range(seeds):
            more = ("--target", "y", *asked, "--seed", str(seed), "--quiet")
            runs.append(steelyard(file, limit, folder / f"run-{seed}", *more))
            reference, share = forest(file, seed)
            references.append(reference)
        if any(ran.answer["test"] is None for ran in runs):
            raise Failed(f"a run of {limit:g} s on {name} ended without opening its test")
        scores = np.array([ran.score for ran in runs])
        gained = scores - np.array(references)
        interval = paired_interval(gained, share) if seeds > 1 else (float("nan"), float("nan"))
        each = [{"score": s, "forest": f} for s, f in zip(scores.tolist(), references, strict=True)]
        more_said = {"gain": float(gained.mean()), "gain_interval": interval, "each": each}
        return Figure(
            name,
            "average_precision",
            float(scores.mean()),
            tuple(np.quantile(scores, [0, 1]).tolist()),
            float(np.mean(references)),
            "random forest",
            ", ".join(sorted({str(ran.answer["winner"]["family"]) for ran in runs})),
            tuple(runs),
            {GOAL: bool(gained.mean() > 0)},
            more_said,
        )

    return measure


def side_by_side(measure: str) -> Benchmark:
    """All arms weighed on the plain network by one metric."""

    def weigh(options: argparse.Namespace, folder: Path) -> Figure:
        file = source("quick" if options.quick else "mammography", options, folder)
        limit = options.time_limit or (QUICK_LIMIT if options.quick else LIMIT)
        place = folder / "run"
        steelyard(file, BEFORE, place, "--target", "y", "--metric", measure, "--quiet")
        said = _weighed(place, limit)
        arms = {c["name"]: _arm(c) for c in said["comparisons"]}
        print(f"\n{measure}: effects on the plain network")
        for arm, known in arms.items():
            print(f"{arm:<22} {known['effect']:+.4f} ({known['low']:+.4f} to {known['high']:+.4f}) {known['verdict']}")
        if not any(known["pairs"] for known in arms.values()):
            raise Failed(f"{limit:g} s were too few to weigh any arm by {measure}")
        bases = [pair[0] for c in said["comparisons"] for pair in c["pairs"]]
        best = max(arms, key=lambda arm: arms[arm]["effect"])
        weighed = sum(known["pairs"] > 0 for known in arms.values())
        return Figure(
            f"arms {measure}",
            measure,
            float(np.mean(bases)) + arms[best]["effect"],
            (float(np.mean(bases)) + arms[best]["low"], float(np.mean(bases)) + arms[best]["high"]),
            float(np.mean(bases)),
            "plain network",
            best,
            (),  # the run before is cut short on purpose
            {"every arm that applies is weighed": weighed >= len(ARMS) - (measure == "average_precision")},
            {"arms": arms},
        )

    return weigh


def _weighed(place: Path, limit: float) -> dict[str, Any]:
    command = ["weigh", *ARMS, "--run", str(place), "--against", "tabular-mlp", "--time-limit", f"{limit:g}"]
    done = subprocess.run(
        [sys.executable, "-m", "steelyard", *command, "--json", "--quiet"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    if done.returncode not in (0, 1):
        raise Failed(f"steelyard {' '.join(command)} ended with exit code {done.returncode}")
    return dict(json.loads(done.stdout))


def _arm(compared: dict[str, Any]) -> dict[str, Any]:
    kept = {name: compared[name] for name in ("effect", "low", "high", "verdict", "reason")}
    return kept | {"pairs": len(compared["pairs"])}


BENCHMARKS: dict[str, Benchmark] = {
    "mammography": against_forest("mammography"),
    "oil-spill": against_forest("oil-spill"),
    "quick": against_forest("quick"),
} | {f"arms-{measure}": side_by_side(measure) for measure in METRICS}
USUAL = ["mammography", "oil-spill", *(f"arms-{measure}" for measure in METRICS)]

if __name__ == "__main__":
    sys.exit(main(__doc__, BENCHMARKS, USUAL, lambda options: ["quick", "arms-f1"]))
