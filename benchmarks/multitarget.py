"""Steelyard on several targets at once against one scikit-learn model a target, on the same rows.

scene, yeast and emotions (labels) against binary relevance by logistic regression, energy efficiency (two values)
against ridge regression; both on standardised inputs with scikit-learn's defaults.
"""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import Failed, Figure, Ran, found, main, same_rows, steelyard
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from steelyard.data.dataset import Dataset
from steelyard.finish.ensemble import load_predictor
from steelyard.metrics import metric

LIMIT, QUICK_LIMIT, SEEDS = 300.0, 20.0, 1
LABELS = ("f1_micro", "f1_macro", "hamming_loss", "average_precision", "accuracy")
VALUES = ("r2", "arrmse", "rmse")


def scene(options: Namespace, folder: Path) -> Figure:
    """Scenes in photographs: 6 labels, its own test file."""
    return _mulan("scene", options, folder)


def yeast(options: Namespace, folder: Path) -> Figure:
    """Functions of genes: 14 labels, its own test file."""
    return _mulan("yeast", options, folder)


def emotions(options: Namespace, folder: Path) -> Figure:
    """Emotions in music: 6 labels, its own test file."""
    return _mulan("emotions", options, folder)


def energy(options: Namespace, folder: Path) -> Figure:
    """Heating and cooling load of buildings, two values, several splits."""
    source = found(options.data, "multitarget", "enb.arff")
    return _compared("energy", "r2", source, ["--target", "Y1", "--target", "Y2"], {}, ["Y1", "Y2"], options, folder)


def made_labels(options: Namespace, folder: Path) -> Figure:
    """Made labels that depend on products of inputs, for machines without the data sets."""
    random = np.random.default_rng(0)
    x = random.normal(size=(500, 8))
    y = np.stack([x[:, k] * x[:, k + 1] + 0.5 * x[:, k + 2] + 0.3 * random.normal(size=500) > 0.4 for k in range(4)], 1)
    frame = pd.DataFrame(np.hstack([x.round(5), y.astype(int)]), columns=[*(f"x{k}" for k in range(8)), *"pqrs"])
    return _of_table("made-labels", "f1_micro", frame.astype(dict.fromkeys("pqrs", int)), list("pqrs"), options, folder)


def made_values(options: Namespace, folder: Path) -> Figure:
    """Made values in very different units, for machines without the data sets."""
    random = np.random.default_rng(0)
    x = random.normal(size=(500, 6))
    y = np.stack([np.sin(2 * x[:, 0]) + x[:, 1], 1000 * np.abs(x[:, 2]) + 200 * x[:, 3]], axis=1)
    y += [0.2, 100] * random.normal(size=y.shape)
    frame = pd.DataFrame(np.hstack([x, y]).round(5), columns=[*(f"x{k}" for k in range(6)), "p", "q"])
    return _of_table("made-values", "r2", frame, ["p", "q"], options, folder)


BENCHMARKS = {each.__name__: each for each in (scene, yeast, emotions, energy, made_labels, made_values)}
USUAL = ["scene", "yeast", "emotions", "energy"]


def quick(options: Namespace) -> list[str]:
    """Two small runs on made data."""
    return ["made_labels", "made_values"]


def _mulan(name: str, options: Namespace, folder: Path) -> Figure:
    train, test = (found(options.data, "multilabel", name, f"{name}-{part}.arff") for part in ("train", "test"))
    return _compared(name, "f1_micro", train, ["--test", str(test)], {"test": test}, None, options, folder)


def _of_table(
    name: str, measure: str, frame: pd.DataFrame, targets: list[str], options: Namespace, folder: Path
) -> Figure:
    frame.to_csv(folder / f"{name}.csv", index=False)
    arguments = [word for target in targets for word in ("--target", target)]
    return _compared(name, measure, folder / f"{name}.csv", arguments, {}, targets, options, folder)


def _compared(
    name: str,
    measure: str,
    source: Path,
    arguments: list[str],
    how: dict[str, Any],
    target: list[str] | None,
    options: Namespace,
    folder: Path,
) -> Figure:
    """Runs with several seeds beside the reference on the very rows of each."""
    limit = options.time_limit or (QUICK_LIMIT if options.quick else LIMIT)
    runs: list[Ran] = []
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    for seed in range(options.seeds or SEEDS):
        out = folder / f"run-{seed}"
        runs.append(steelyard(source, limit, out, *arguments, "--seed", str(seed)))
        if runs[-1].answer["test"] is None:
            raise Failed(f"the run on {name} ended before a family was tried: {limit:g} s are too few here")
        train, test = same_rows(source, target, seed, **how)
        names = LABELS if measure == "f1_micro" else VALUES
        ours.append(_scores(names, test, load_predictor(out / "model").predict(test)))
        theirs.append(_scores(names, test, _reference(train, test)))
    score, reference = (float(np.mean([each[measure] for each in side])) for side in (ours, theirs))
    reference_name = "one logistic a label" if measure == "f1_micro" else "one ridge a target"
    more = {"ours": _means(ours), "reference": _means(theirs), "per_seed": [o[measure] for o in ours]}
    for side, scores in (("ours", more["ours"]), ("reference", more["reference"])):
        print(f"{name} {side}: " + ", ".join(f"{key} {value:.4f}" for key, value in scores.items()))
    last = runs[-1].answer
    return Figure(
        name,
        measure,
        score,
        tuple(last["test"]["interval"]),
        reference,
        reference_name,
        last["winner"]["family"],
        tuple(runs),
        {f"above {reference_name}": score > reference},
        more,
    )


def _scores(names: tuple[str, ...], test: Dataset, predictions: np.ndarray) -> dict[str, float]:
    assert test.target is not None
    return {name: metric(name)(test.target, predictions) for name in names}


def _means(each: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([scores[name] for scores in each])), 4) for name in each[0]}


def _reference(train: Dataset, test: Dataset) -> np.ndarray:
    """One scikit-learn model with default settings a target, on standardised inputs."""
    assert train.target is not None
    assert train.frame is not None
    assert test.frame is not None
    columns = []
    for head, y in zip(train.heads, train.target.T, strict=True):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000) if head.classes else Ridge())
        model.fit(train.frame, y.astype(int) if head.classes else y)
        columns.append(model.predict_proba(test.frame)[:, 1] if head.classes else model.predict(test.frame))
    return np.stack(columns, axis=1)


if __name__ == "__main__":
    sys.exit(main(__doc__, BENCHMARKS, USUAL, quick))
