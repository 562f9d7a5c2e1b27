"""Is the dominant part of an error named rightly, and do its intervals cover what is true?

`constructed`: problems whose human level, bias, variance, data mismatch and overfitting to dev are known, since rows
are drawn with the errors that each level is given: two and ten classes, a rare class by balanced accuracy, values with
normal and with heavy-tailed errors, rows that train and dev share. Each is drawn many times. A term truly dominates
where it leads the next one by four standard errors of that lead, or more.
`trained`: models that are trained on made data of which the smallest possible error is known.
`real`: a plain model learns on one source and is measured on another: Cleveland's heart patients and those of three
other hospitals, MNIST and USPS, red and white wine; and, where nothing differs, on other rows of MNIST. Out-of-fold
predictions on the rows it learnt from stand for train-dev.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import DATA
from scipy import stats
from shift import HEART, digits_of_mnist, digits_of_usps, hospital, wine
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import steelyard
from steelyard.diagnosis.errors import error_table
from steelyard.diagnosis.levels import Sample
from steelyard.diagnosis.shift import shift_between
from steelyard.problem import Problem, Score
from steelyard.records import ErrorTable

KINDS = ("two classes", "ten classes", "rare class", "values", "values, heavy tails", "absolute errors", "shared rows")
PROBLEMS, QUICK_PROBLEMS = 16, 9  # of each kind: at least 60 in all
REPEATS, QUICK_REPEATS = 100, 8
LEAD = 4.0  # standard errors of the lead from which a term truly dominates
TERMS = ("bias", "variance", "mismatch", "overfitting to dev")
Array = np.ndarray


@dataclass(frozen=True)
class Made:
    """A problem: the true error of humans and of each level, and how many rows each is measured on."""

    kind: str
    errors: tuple[float, ...]  # human, train, train-dev, dev, test
    rows: tuple[int, int, int, int]
    human_rows: int  # 0: their error is known exactly

    @property
    def gaps(self) -> Array:
        return np.diff(self.errors)


def made(kind: str, number: int) -> Made:
    """A problem by its number: one term stands out more or less, or none."""
    random = np.random.default_rng([KINDS.index(kind), number])
    gaps = random.uniform(0.0, 0.02, 4)
    if number % 8:
        gaps[number % 4] += random.uniform(0.01, 0.15)
    human = random.uniform(0.01, 0.1)
    errors = np.cumsum([human, *gaps])
    rows = [int(random.choice(sizes)) for sizes in ((500, 4000, 15_000), (300, 1500, 5000), (300, 1500, 5000))]
    return Made(kind, tuple(errors.tolist()), (rows[0], rows[1], rows[1], rows[2]), int(random.choice([0, 400, 2000])))


def problem_of(kind: str) -> Problem:
    if kind in {"values", "values, heavy tails", "absolute errors"}:
        return Problem("regression", "tabular", "y", 1, (), "mae" if kind == "absolute errors" else "rmse")
    classes = tuple("abcdefghij" if kind == "ten classes" else "ab")
    measure = "balanced_accuracy" if kind == "rare class" else "accuracy"
    return Problem("multiclass" if len(classes) > 2 else "binary", "tabular", "y", 1, classes, measure)


def drawn(problem: Made, random: np.random.Generator) -> tuple[list[Sample], Score | None]:
    """The samples of train, train-dev, dev and test, and the human level as it was measured."""
    samples = []
    hard = random.beta(0.5, 2.0, max(problem.rows))  # rows are not equally hard; the mean of it is 0.2
    for error, rows in zip(problem.errors[1:], problem.rows, strict=True):
        shared = problem.kind == "shared rows"
        which = np.arange(rows) if shared else None
        difficulty = hard[:rows] if shared else random.beta(0.5, 2.0, rows)
        samples.append(_sample(problem.kind, error, rows, difficulty, which, random))
    human, n = problem.errors[0], problem.human_rows
    if not n:
        return samples, Score(human, human, human, 0)
    if problem_of(problem.kind).task == "regression" or problem.kind == "rare class":
        return samples, Score(human, human, human, 0)
    share = random.binomial(n, human) / n
    low, high = stats.binomtest(round(share * n), n).proportion_ci(method="wilson")
    return samples, Score(share, float(low), float(high), n)


def _sample(
    kind: str, error: float, rows: int, hard: Array, which: Array | None, random: np.random.Generator
) -> Sample:
    """Rows with that true error."""
    if kind in {"values", "values, heavy tails", "absolute errors"}:
        truth = random.normal(size=rows)
        noise = random.standard_t(6, rows) / np.sqrt(1.5) if kind == "values, heavy tails" else random.normal(size=rows)
        size = error / np.sqrt(2 / np.pi) if kind == "absolute errors" else error
        return Sample(truth, truth + size * noise, rows=which)
    classes = 10 if kind == "ten classes" else 2
    truth = random.integers(0, classes, rows)
    if kind == "rare class":
        truth = (np.arange(rows) % 10 == 0).astype(int)
    wrong = random.random(rows) < _chances(error, hard)
    said = np.where(wrong, (truth + random.integers(1, classes, rows)) % classes, truth)
    return Sample(truth, np.eye(classes)[said], rows=which)


def _chances(error: float, hard: Array) -> Array:
    """The chance of every row to be wrong: harder rows err more, the mean over the distribution of rows is `error`."""
    return np.asarray(0.5 * error + 0.5 * error * hard / 0.2)


def constructed(options: argparse.Namespace) -> dict[str, Any]:
    """Verdicts and coverage over all problems."""
    problems, repeats = (QUICK_PROBLEMS, QUICK_REPEATS) if options.quick else (PROBLEMS, REPEATS)
    tally, covered, rows = {}, [], []
    for kind in KINDS:
        mine = []
        for number in range(problems):
            problem = made(kind, number)
            tables = [_table(problem, np.random.default_rng([7, KINDS.index(kind), number, r])) for r in range(repeats)]
            mine.append(_judged(problem, tables))
        covered += [each["covered"] for each in mine]
        tally[kind] = _summed(mine)
        rows.append((kind, tally[kind]))
    whole = _summed_of(list(tally.values()))
    print("| problems | tables | truly dominates: right | cannot tell | wrong | else: wrong | gaps covered | levels |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, each in [*rows, ("all", whole)]:
        print(
            f"| {name} | {each['tables']:,} | {_share(each['right'], each['clear'])} | "
            f"{_share(each['open'], each['clear'])} | {_share(each['wrong'], each['clear'])} | "
            f"{_share(each['else wrong'], each['else'])} | {_share(each['gaps in'], each['gaps'])} | "
            f"{_share(each['levels in'], each['levels'])} |"
        )
    return {"kinds": tally, "all": whole, "problems": problems * len(KINDS), "repeats": repeats}


def _table(problem: Made, random: np.random.Generator) -> ErrorTable:
    (train, train_dev, dev, test), human = drawn(problem, random)
    return error_table(problem_of(problem.kind), train, dev, train_dev, test, human)


def _judged(problem: Made, tables: list[ErrorTable]) -> dict[str, Any]:
    """How often the verdict is right and the intervals cover what is true."""
    gaps = problem.gaps
    order = np.argsort(-gaps)
    found = np.array([[gap.value for gap in table.gaps] for table in tables])
    error = float((found[:, order[0]] - found[:, order[1]]).std(ddof=1))
    clear = bool(gaps[order[0]] - gaps[order[1]] >= LEAD * error)
    verdicts = [table.dominant for table in tables]
    right = sum(v == TERMS[order[0]] for v in verdicts)
    unsaid = sum(v == "cannot tell yet" for v in verdicts)
    inside = [bool(gap.low <= true <= gap.high) for table in tables for gap, true in zip(table.gaps, gaps, strict=True)]
    levels = [
        bool(level.error.low <= true <= level.error.high)
        for table in tables
        for level, true in zip(table.levels[1:], problem.errors[1:], strict=True)
    ]
    counts = {"right": right, "open": unsaid, "wrong": len(tables) - right - unsaid}
    return {"clear": clear, "tables": len(tables), "covered": float(np.mean(inside)), **counts} | {
        "gaps in": sum(inside),
        "gaps": len(inside),
        "levels in": sum(levels),
        "levels": len(levels),
    }


def _summed(judged: list[dict[str, Any]]) -> dict[str, int]:
    """Counts over problems: those in which a term truly dominates, and the others."""
    clear, others = [j for j in judged if j["clear"]], [j for j in judged if not j["clear"]]
    found = {name: sum(j[name] for j in clear) for name in ("right", "open", "wrong")}
    found |= {"clear": sum(j["tables"] for j in clear), "else": sum(j["tables"] for j in others)}
    found |= {"else wrong": sum(j["wrong"] for j in others), "tables": sum(j["tables"] for j in judged)}
    found |= {name: sum(j[name] for j in judged) for name in ("gaps in", "gaps", "levels in", "levels")}
    return found | {"clear problems": len(clear)}


def _summed_of(tallies: list[dict[str, int]]) -> dict[str, int]:
    return {name: sum(each[name] for each in tallies) for name in tallies[0]}


def _share(part: int, whole: int) -> str:
    if not whole:
        return "–"
    low, high = stats.binomtest(part, whole).proportion_ci(method="wilson")
    return f"{100 * part / whole:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


# -- trained models -----------------------------------------------------------------------------------------------


def trained(options: argparse.Namespace) -> dict[str, Any]:
    """Models trained on made data: the term that is planted, and what the table says."""
    seeds, tally = 3 if options.quick else 20, {}
    print("\n| trained | planted | right | cannot tell | wrong |\n| --- | --- | --- | --- | --- |")
    for name, (term, build) in TRAINED.items():
        said = [build(np.random.default_rng([3, seed])).dominant for seed in range(seeds)]
        right, unsaid = sum(s == term for s in said), sum(s == "cannot tell yet" for s in said)
        tally[name] = {"planted": term, "right": right, "open": unsaid, "wrong": seeds - right - unsaid, "of": seeds}
        print(f"| {name} | {term} | {right} | {unsaid} | {seeds - right - unsaid} |")
    return tally


def _gaussians(random: np.random.Generator, rows: int, columns: int = 20, apart: float = 2.5) -> tuple[Array, Array]:
    """Two normal classes; the smallest possible error is Φ(-apart / 2)."""
    y = random.integers(0, 2, rows)
    x = random.normal(size=(rows, columns))
    x[:, 0] += apart * (y - 0.5)
    return x, y


def _told(model: Any, human: float, sets: dict[str, tuple[Array, Array]]) -> ErrorTable:
    problem = Problem("binary", "tabular", "y", 1, ("a", "b"), "accuracy")
    samples = {name: Sample(y, np.eye(2)[model.predict(x)]) for name, (x, y) in sets.items()}
    return error_table(
        problem,
        samples["train"],
        samples["dev"],
        samples.get("train_dev"),
        samples.get("test"),
        Score(human, human, human, 0),
    )


def _memorises(random: np.random.Generator) -> ErrorTable:
    sets = {name: _gaussians(random, rows) for name, rows in (("train", 1500), ("dev", 1500), ("test", 1500))}
    return _told(KNeighborsClassifier(1).fit(*sets["train"]), float(stats.norm.cdf(-1.25)), sets)


def _too_plain(random: np.random.Generator) -> ErrorTable:
    def rings(rows: int) -> tuple[Array, Array]:
        x = random.normal(size=(rows, 2))
        y = (np.hypot(x[:, 0], x[:, 1]) > 1.2).astype(int)
        return x, np.where(random.random(rows) < 0.05, 1 - y, y)

    sets = {name: rings(rows) for name, rows in (("train", 2000), ("dev", 1000), ("test", 1000))}
    return _told(LogisticRegression().fit(*sets["train"]), 0.05, sets)


def _elsewhere(random: np.random.Generator) -> ErrorTable:
    sets = {name: _gaussians(random, 2000) for name in ("train", "train_dev", "dev", "test")}
    for name in ("dev", "test"):  # from another instrument, whose zero lies elsewhere
        sets[name][0][:, 0] += 1.5
    return _told(LogisticRegression().fit(*sets["train"]), float(stats.norm.cdf(-1.25)), sets)


def _chosen_on_dev(random: np.random.Generator) -> ErrorTable:
    """The best of many models by a small dev set, none of which is better than another."""
    dev, chance = random.integers(0, 2, 150), 0.3
    candidates = np.where(random.random((3000, len(dev))) < chance, 1 - dev, dev)
    best = candidates[(candidates == dev).mean(axis=1).argmax()]
    train, test = (random.integers(0, 2, 4000) for _ in range(2))
    train_said, test_said = (np.where(random.random(len(y)) < chance, 1 - y, y) for y in (train, test))
    problem = Problem("binary", "tabular", "y", 1, ("a", "b"), "accuracy")
    sets = [Sample(y, np.eye(2)[said]) for y, said in ((train, train_said), (dev, best), (test, test_said))]
    return error_table(problem, sets[0], sets[1], None, sets[2], Score(0.28, 0.28, 0.28, 0))


TRAINED = {
    "one neighbour, 20 columns of noise": ("variance", _memorises),
    "a line through rings": ("bias", _too_plain),
    "dev from another instrument": ("mismatch", _elsewhere),
    "the best of 3,000 on 150 dev rows": ("overfitting to dev", _chosen_on_dev),
}


# -- real sources -------------------------------------------------------------------------------------------------


def real(data: Path) -> dict[str, Any]:
    """Models that learnt on one source and are used on another: is the mismatch named, and what gives it away?"""
    found = {}
    print(
        "\n| learnt on, used on | errors | data mismatch | verdict | gives it away |\n| --- | --- | --- | --- | --- |"
    )
    for name, model, here, there, differs in _sources(data):
        table = _across(model, here, there)
        gap = table.gap("mismatch")
        assert gap is not None
        shift = shift_between(_shown(here[0]), _shown(there[0]), here[1], there[1])
        told = [tell.what or tell.name for tell in shift.tells[:3] if tell.seen]
        named = (gap.low > 0 and shift.seen) if differs else not (gap.low > 0 or shift.seen)
        errors = ", ".join(f"{level.name} {level.error.value:.3f}" for level in table.levels)
        verdict = f"{table.dominant} ({table.probability:.2f})"
        away = f"{shift.verdict}: {', '.join(told)}" if shift.seen else shift.verdict
        print(f"| {name} | {errors} | {gap.value:+.3f} ({gap.low:+.3f} to {gap.high:+.3f}) | {verdict} | {away} |")
        levels = {level.name: [level.error.value, *level.error.interval] for level in table.levels}
        found[name] = {"levels": levels, "mismatch": [gap.value, gap.low, gap.high], "dominant": table.dominant}
        found[name] |= {"shift": shift.verdict, "gives away": told, "right": bool(named)}
    return found


def _sources(data: Path) -> list[tuple[str, Any, Any, Any, bool]]:
    """(name, model, (inputs, target) it learns on, those it is used on, whether they differ)."""
    found: list[tuple[str, Any, Any, Any, bool]] = []
    linear = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), LogisticRegression())
    if (data / "heart-disease").exists():
        sets = {n: hospital(data / "heart-disease" / f"processed.{n}.data") for n in ("cleveland", *HOSPITALS)}
        pairs = {name: (frame[list(HEART)], frame["num"].to_numpy()) for name, frame in sets.items()}
        found += [(f"heart: cleveland, {n}", linear, pairs["cleveland"], pairs[n], True) for n in HOSPITALS]
    if (data / "wine").exists():
        red, white = (wine(data / "wine" / f"winequality-{colour}.csv") for colour in ("red", "white"))
        sides = [(f.drop(columns="quality"), f["quality"].to_numpy(float)) for f in (red, white)]
        found.append(("wine: red, white", RandomForestRegressor(random_state=0), *sides, True))
    if (data / "mnist-png").exists() and (data / "usps").exists():
        images, digits = digits_of_mnist(data / "mnist-png" / "mnist-pngs.zip", 6_000, margin=4)
        others = digits_of_usps(data / "usps" / "USPS.mat", 3_000)
        network = MLPClassifier(128, max_iter=60, random_state=0, early_stopping=True)
        images, others = images / 255, (others[0] / 255, others[1])
        learnt, rest = (images[:3000], digits[:3000]), (images[3000:], digits[3000:])
        found += [("MNIST, USPS", network, learnt, others, True), ("MNIST, MNIST", network, learnt, rest, False)]
    return found


def _shown(inputs: Any) -> Any:
    """Inputs as they are compared: a table, or images of bytes."""
    return inputs if isinstance(inputs, pd.DataFrame) else (inputs * 255).round().astype(np.uint8)


HOSPITALS = ("hungarian", "switzerland", "va")


def _across(model: Any, here: Any, there: Any) -> ErrorTable:
    """The error table of a model that learns on all rows of one source; half of the other is dev, half test."""
    x, z = (
        side[0] if isinstance(side[0], pd.DataFrame) else side[0].reshape(len(side[0]), -1) for side in (here, there)
    )
    y, w = here[1], there[1]
    how = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    unseen = cross_val_predict(model, x, y, cv=5, method=how)
    model.fit(x, y)
    rows = np.arange(len(y))
    said, other = getattr(model, how)(x), getattr(model, how)(z)
    order = np.random.default_rng(0).permutation(len(w))
    dev, test = np.array_split(order, 2)
    return steelyard.diagnose(
        train=(y, said, rows),
        train_dev=(y, unseen, rows),
        dev=(w[dev], other[dev]),
        test=(w[test], other[test]),
    ).errors


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer problems, drawn fewer times")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the real data sets")
    options = parser.parse_args()
    began = time.perf_counter()
    found = constructed(options)
    others = trained(options)
    sources = {} if options.quick else real(options.data)
    whole = found["all"]
    cover = whole["gaps in"] / whole["gaps"]
    goals = {
        "right in 95 % where a term truly dominates": whole["right"] >= 0.95 * whole["clear"],
        "intervals of 95 % cover 93 to 97 %": 0.93 <= cover <= 0.97,
        "at least 60 problems": found["problems"] >= 60,
    }
    if sources:
        hearts = [each["right"] for name, each in sources.items() if name.startswith("heart")]
        others_right = [each["right"] for name, each in sources.items() if not name.startswith("heart")]
        goals["mismatch is named for one hospital at least, wine and USPS, not for MNIST"] = any(hearts) and all(
            others_right
        )
    print(f"\n{found['problems']} problems, in {whole['clear problems']} of which a term truly dominates")
    for goal, reached in goals.items():
        print(f"{'reached' if reached else 'MISSED'}: {goal}")
    figures = {"quick": options.quick, "wall": round(time.perf_counter() - began, 1), "constructed": found}
    print(json.dumps(figures | {"trained": others, "real": sources, "goals": goals}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
