"""Wrong labels: are they ranked first, and what is gained when they are dealt with?

On Hausa and Yoruba news (labels given by a rule, the right ones known), on MNIST's test (errors verified by people, the
published cross-validated probabilities) and on digits with planted flips, labels are ranked by probabilities of models
that did not see them: the average precision of our ranking against that of cleanlab called directly on the same
probabilities. Then a network learns from the labels as they are, without the suspicious ones, with them weighed down or
relabelled, and after a person has looked at them (the right label of each suspect in place of a wrong one), and is
scored on test rows with right labels: paired differences over seeds and examples, as `steelyard weigh` judges them.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import DATA, Missing, found
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from steelyard.data.corrections import Correction, corrected, write_corrections
from steelyard.data.dataset import Dataset
from steelyard.data.source import read
from steelyard.data.split import dealt
from steelyard.diagnosis.label_noise import judge
from steelyard.metrics import metric
from steelyard.problem import Head, Problem
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable, technique
from steelyard.training.start import start
from steelyard.weighing.compare import compare
from steelyard.workflow.families import families

FOLDS, SLACK = 5, 1e-9
TECHNIQUES = ("prune-noisy-labels", "downweight-noisy-labels", "relabel-noisy")
NEWS = {"hausa": "hausa_newsclass", "yoruba": "yoruba_newsclass"}


@dataclass(frozen=True)
class Case:
    """Train rows with wrong labels, `wrong` (n,) says which, `right` (n,) the codes they should have; a clean test."""

    name: str
    train: Dataset
    test: Dataset
    right: np.ndarray
    problem: Problem
    ranks: str  # the family whose out-of-fold probabilities rank the labels
    learns: str  # the family that learns from them

    @property
    def wrong(self) -> np.ndarray:
        return np.asarray(self.train.target != self.right)

    def recipe(self, family: str) -> Recipe:
        """The plain recipe of a family."""
        recipes = families(self.problem, self.train.schema, len(self.train))
        return next(recipe for recipe in recipes if recipe.family == family)


def news(data: Path, name: str) -> Case:
    """News titles with the labels of a rule; the classes are those of the clean labels."""
    folder = found(data, "hausa-yoruba-noisy", "data", NEWS[name])
    clean, test = (pd.read_csv(folder / f"{file}.tsv", sep="\t") for file in ("train_clean", "test"))
    noisy = pd.read_csv(folder / "train_clean_noisy_labels.tsv", sep="\t")[["news_title", "label"]]
    dataset = read(noisy, "label", test=test, modality="text")
    return _case(name, dataset, clean["label"].to_numpy(), "linear-svm", "text-bag")


def digits(share: float = 0.3) -> Case:
    """The digits of 8 by 8 pixels, of whose train labels a share is changed at random."""
    x, y = load_digits(return_X_y=True)
    random = np.random.default_rng(0)
    order = random.permutation(len(y))
    kept, tested = order[:1300], order[1300:]
    given = y.copy()
    flipped = random.choice(kept, round(share * len(kept)), replace=False)
    given[flipped] = (given[flipped] + random.integers(1, 10, len(flipped))) % 10
    frame = pd.DataFrame(x).add_prefix("p").assign(digit=[f"d{k}" for k in given])
    dataset = read(frame.iloc[kept], "digit", test=frame.iloc[tested])
    return _case("digits, planted", dataset, np.array([f"d{k}" for k in y[kept]]), "linear", "tabular-mlp")


def _case(name: str, dataset: Dataset, right: np.ndarray, ranks: str, learns: str) -> Case:
    assert dataset.part is not None
    train = np.flatnonzero(dataset.part != "test")
    schema = dataset.schema
    task = "binary" if len(dataset.classes) == 2 else "multiclass"
    problem = Problem(task, schema.modality, schema.target, len(dataset), dataset.classes, "accuracy")
    rows = np.array([int(origin) - 1 for origin in dataset.take(train).origin])
    codes = np.array([dataset.classes.index(label) for label in right[rows]])
    test = dataset.take(np.flatnonzero(dataset.part == "test"))
    return Case(name, dataset.take(train), test, codes, problem, ranks, learns)


# -- the ranking ------------------------------------------------------------------------------------------------


def out_of_fold(case: Case) -> np.ndarray:
    """Probabilities (n, classes) of every train row by models that did not learn from it."""
    fold, probabilities = dealt(case.train, FOLDS, 0), np.zeros((len(case.train), len(case.problem.classes)))
    for k in range(FOLDS):
        here = np.flatnonzero(fold == k)
        rest = case.train.take(np.flatnonzero(fold != k))
        probabilities[here] = trained(case.recipe(case.ranks), rest, case.problem, 0).predict(case.train.take(here))
    return probabilities


def ranking(name: str, classes: tuple[str, ...], given: np.ndarray, p: np.ndarray, wrong: np.ndarray) -> dict[str, Any]:
    """The average precision of our ranking and of those of cleanlab, and how right the likely ones are."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    ours = judge(Head("y", "multiclass", classes), given, p)
    direct = get_label_quality_scores(given, p)
    order = find_label_issues(given, p, return_indices_ranked_by="self_confidence", n_jobs=1)
    listed = direct - 2.0 * np.isin(np.arange(len(given)), order)  # its issues first, then the others by their score
    other = {kind: get_label_quality_scores(given, p, method=kind) for kind in ("normalized_margin",)}
    precisions = {
        "cleanlab": direct,
        "cleanlab, issues first": listed,
        **{f"cleanlab, {k}": v for k, v in other.items()},
    }
    scores = {kind: float(average_precision_score(wrong, -score)) for kind, score in precisions.items()}
    mine = float(average_precision_score(wrong, -ours.score))
    hits = float(wrong[ours.wrong].mean()) if ours.wrong.any() else 0.0
    figure = {
        "data": name,
        "what": "ranking",
        "rows": len(given),
        "wrong": int(wrong.sum()),
        "average precision": mine,
        **scores,
        "likely wrong": int(ours.wrong.sum()),
        "precision": hits,
        "recall": float(ours.wrong[wrong].mean()),
        "share": list(ours.share),
        "true share": float(wrong.mean()),
        "reached": mine >= scores["cleanlab"] - SLACK,
    }
    print(
        f"{name}: average precision {mine:.4f}, cleanlab {scores['cleanlab']:.4f} (issues first "
        f"{scores['cleanlab, issues first']:.4f}); {figure['likely wrong']} likely wrong, {hits:.0%} of them are; "
        f"share {ours.share[0]:.1%} ({ours.share[1]:.1%} to {ours.share[2]:.1%}), true {wrong.mean():.1%}"
    )
    return figure


def verified(data: Path) -> dict[str, Any]:
    """MNIST's test: a label is wrong where at most two of five people chose it."""
    folder = found(data, "label-errors-mnist")
    p, given = (np.load(folder / f"mnist_test_set_{what}.npy") for what in ("pyx", "original_labels"))
    wrong = np.zeros(len(given), bool)
    for each in json.loads((folder / "mnist_mturk.json").read_text()):
        wrong[int(each["id"])] = each["mturk"]["given"] < 3
    return ranking("mnist test, verified", tuple("0123456789"), given, p.astype(float), wrong)


# -- the gain ---------------------------------------------------------------------------------------------------


def trained(recipe: Recipe, rows: Dataset, problem: Problem, seed: int) -> Any:
    """A model of a recipe."""
    model, epochs = start(recipe, rows, problem, seed)
    for _ in epochs:
        pass
    return model


def arms_of(case: Case, p: np.ndarray, share: float, folder: Path) -> dict[str, tuple[Recipe, Dataset]]:
    """What is weighed against the labels as they are."""
    plain = case.recipe(case.learns)
    found: dict[str, tuple[Recipe, Dataset]] = {"as they are": (plain, case.train)}
    for name in TECHNIQUES:
        edited = technique(name).read({"share": share}).apply(plain, case.problem)
        if not isinstance(edited, NotApplicable):
            found[name] = (edited, case.train)
    found["reviewed"] = (plain, reviewed(case, p, share, folder))
    found["all labels right"] = (plain, replace(case.train, target=case.right))
    return found


def reviewed(case: Case, p: np.ndarray, share: float, folder: Path) -> Dataset:
    """The train rows after a person has looked at a share of them, the most suspicious first."""
    assert case.train.target is not None
    score, classes = (
        judge(Head("y", "multiclass", case.problem.classes), case.train.target, p).score,
        case.problem.classes,
    )
    looked = np.argsort(score, kind="stable")[: round(share * len(score))]
    edits = [
        Correction(case.train.origin[i], "", classes[case.train.target[i]], "change", classes[case.right[i]])
        for i in looked
        if case.wrong[i]
    ]
    write_corrections(folder / "corrections.csv", edits)
    return corrected(case.train, [folder / "corrections.csv"], 0)


def gains(case: Case, p: np.ndarray, seeds: int, folder: Path) -> list[dict[str, Any]]:
    """The difference in accuracy on clean test rows of each arm to the labels as they are."""
    assert case.train.target is not None and case.test.target is not None
    share = judge(Head("y", "multiclass", case.problem.classes), case.train.target, p).share[0]
    arms = arms_of(case, p, share, folder)
    said = {
        name: [trained(recipe, rows, case.problem, seed).predict(case.test) for seed in range(seeds)]
        for name, (recipe, rows) in arms.items()
    }
    truth, measure, figures = [case.test.target] * seeds, metric("accuracy"), []
    base = float(np.mean([measure(t, q) for t, q in zip(truth, said["as they are"], strict=True)]))
    print(f"{case.name}: {case.learns} on labels as they are: accuracy {base:.4f}; share treated {share:.1%}")
    for name in [name for name in arms if name != "as they are"]:
        one = compare(measure, truth, said["as they are"], said[name])
        print(f"{case.name}: {name}: {one.effect:+.4f} ({one.low:+.4f} to {one.high:+.4f}) {one.verdict}")
        figures.append(
            {
                "data": case.name,
                "what": "gain",
                "arm": name,
                "model": case.learns,
                "share": share,
                "accuracy as they are": base,
                "effect": one.effect,
                "interval": [one.low, one.high],
                "verdict": one.verdict,
                "seeds": seeds,
                "test rows": len(case.test),
            }
        )
    return figures


def on(case: Case, seeds: int, folder: Path) -> list[dict[str, Any]]:
    """Both questions on one case."""
    assert case.train.target is not None
    p = out_of_fold(case)
    return [
        ranking(case.name, case.problem.classes, case.train.target, p, case.wrong),
        *gains(case, p, seeds, folder),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="digits with planted flips only, two seeds")
    parser.add_argument("--seeds", type=int, default=7, metavar="N", help="trainings of every arm (default: 7)")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="the folder of the data sets")
    options = parser.parse_args()
    seeds, began = 2 if options.quick else options.seeds, time.perf_counter()
    figures: list[dict[str, Any]] = []
    skipped = []
    with tempfile.TemporaryDirectory(prefix="bench-labels-") as place, threadpool_limits(1):
        steps: list[Callable[[], list[dict[str, Any]]]] = [lambda: on(digits(), seeds, Path(place))]
        if not options.quick:
            steps += [lambda name=name: on(news(options.data, name), seeds, Path(place)) for name in NEWS]  # type: ignore[misc]
            steps.append(lambda: [verified(options.data)])
        for step in steps:
            try:
                figures += step()
            except Missing as reason:
                print(f"skipped: {reason}")
                skipped.append(str(reason))
    wall = round(time.perf_counter() - began, 1)
    print(json.dumps({"quick": options.quick, "wall": wall, "figures": figures, "skipped": skipped}))
    return int(not all(figure.get("reached", True) for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
