"""Dev wear: the best of many models on a small dev set, its score corrected, and what it scores on fresh data.

Every repetition is an over-tuned run: many models of about the same quality, the best one on dev is taken. Simulated
ones make mistakes at a known rate, partly on the same examples. Trained ones are logistic regressions or ridges on
random columns, and small trees, at random settings, on few rows; fresh data are rows nobody saw: the rest of a data
set that scikit-learn brings, or a new sample. Bias: how much better a score looks than that on fresh data, mean over
repetitions with its 95 % interval (normal). Error: the root mean square of that difference. Covered: repetitions in
which the 95 % interval of a score holds the score on fresh data, with Wilson's interval. Repetitions on a real set
share its rows, so that theirs are a little too narrow.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats
from sklearn import datasets
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from threadpoolctl import threadpool_limits
from timing import table

from steelyard.metrics import Metric, metric
from steelyard.records import Wear
from steelyard.weighing.wear import wear

REPETITIONS, QUICK = 300, 12
SHARED = 0.6  # of the variance of a simulated model's mistakes lies in the examples, the same for all models
COVERS = 0.93  # of repetitions in which the corrected interval is to hold the score on fresh data
Array = np.ndarray


@dataclass(frozen=True)
class Tuned:
    """An over-tuned run: what many models predict on dev, and what each scores on fresh data."""

    truth: Array
    models: list[Array]
    fresh: Array


@dataclass(frozen=True)
class Case:
    """A way to make over-tuned runs, by their number."""

    metric: str
    models: int
    dev_rows: int
    fresh: str
    make: Callable[["Case", int], Tuned]


@dataclass(frozen=True)
class Figure:
    """Means over repetitions of scores, their biases with intervals, their errors, and the share that is covered."""

    metric: str
    models: int
    dev_rows: int
    repetitions: int
    plain: float
    corrected: float
    fresh: float
    bias_plain: tuple[float, float, float]
    bias_corrected: tuple[float, float, float]
    error_plain: float
    error_corrected: float
    covered_plain: tuple[float, float, float]
    covered_corrected: tuple[float, float, float]

    @property
    def goals(self) -> dict[str, bool]:
        return {
            "corrected is nearer to fresh": abs(self.bias_corrected[0]) < abs(self.bias_plain[0]),
            f"covers in {COVERS:.0%}": self.covered_corrected[0] >= COVERS,
        }


# -- simulated runs -------------------------------------------------------------------------------------------------


def simulated(spread: float) -> Callable[[Case, int], Tuned]:
    """Models that are right on 85 % of all examples, give or take their spread."""

    def make(case: Case, number: int) -> Tuned:
        random = np.random.default_rng(number)
        right = np.clip(0.85 + spread * random.normal(size=case.models), 0.5, 0.99)
        truth = random.integers(0, 2, case.dev_rows)
        hard = random.normal(size=case.dev_rows)
        luck = SHARED**0.5 * hard[:, None] + (1 - SHARED) ** 0.5 * random.normal(size=(case.dev_rows, case.models))
        said = np.where(luck < stats.norm.ppf(right), truth[:, None], 1 - truth[:, None])
        return Tuned(truth, list(np.eye(2)[said.T]), right)

    return make


# -- trained runs ---------------------------------------------------------------------------------------------------


def trained(load: Callable[[int], tuple[Array, Array]], train_rows: int) -> Callable[[Case, int], Tuned]:
    """Models trained on few rows of a data set; dev is a few more, fresh data all the rest."""

    def make(case: Case, number: int) -> Tuned:
        score, random = metric(case.metric), np.random.default_rng(number)
        inputs, truth = load(number)
        kinds = None if "regression" in score.tasks else truth
        rows, rest = train_test_split(np.arange(len(truth)), train_size=train_rows, random_state=number, stratify=kinds)
        dev, fresh = rest[: case.dev_rows], rest[case.dev_rows :]
        models = [_model(score, inputs.shape[1], random).fit(inputs[rows], truth[rows]) for _ in range(case.models)]
        predict = [m.predict if score.tasks[0] == "regression" else m.predict_proba for m in models]
        scores = np.array([score(truth[fresh], each(inputs[fresh])) for each in predict])
        return Tuned(truth[dev], [each(inputs[dev]) for each in predict], scores)

    return make


def _model(score: Metric, columns: int, random: np.random.Generator) -> Any:
    """A model at random settings: a linear one on random columns, or a small tree."""
    values, seed = score.tasks[0] == "regression", int(random.integers(2**31))
    if random.random() < 0.5:
        kind = DecisionTreeRegressor if values else DecisionTreeClassifier
        depth, leaf = int(random.integers(3, 9)), int(random.integers(1, 6))
        return kind(max_depth=depth, min_samples_leaf=leaf, max_features=0.5, random_state=seed)
    used = np.sort(random.permutation(columns)[: random.integers(columns // 2, columns + 1)])
    strength = 10 ** random.uniform(-2, 1)
    linear = Ridge(alpha=1 / strength) if values else LogisticRegression(C=strength, max_iter=60)
    return make_pipeline(FunctionTransformer(lambda inputs: inputs[:, used]), StandardScaler(), linear)


def _digits(_: int) -> tuple[Array, Array]:
    return datasets.load_digits(return_X_y=True)


def _breast_cancer(_: int) -> tuple[Array, Array]:
    return datasets.load_breast_cancer(return_X_y=True)


def _friedman(number: int) -> tuple[Array, Array]:
    return datasets.make_friedman1(2_280, noise=3.0, random_state=number)


CASES = {
    "simulated, equal": Case("accuracy", 100, 100, "true rate", simulated(0.0)),
    "simulated, equal, more rows": Case("accuracy", 100, 1_000, "true rate", simulated(0.0)),
    "simulated, spread of 2 points": Case("accuracy", 100, 300, "true rate", simulated(0.02)),
    "simulated, spread of 5 points": Case("accuracy", 100, 100, "true rate", simulated(0.05)),
    "digits": Case("accuracy", 60, 100, "1,597 rows", trained(_digits, 100)),
    "breast cancer": Case("f1", 60, 80, "409 rows", trained(_breast_cancer, 80)),
    "Friedman 1": Case("rmse", 60, 80, "2,100 rows", trained(_friedman, 100)),
}


# -- figures --------------------------------------------------------------------------------------------------------


def figure(case: Case, repetitions: int) -> Figure:
    """What comes of choosing the best model on dev, many times over."""
    score, found, fresh = metric(case.metric), [], []
    for number in range(repetitions):
        run = case.make(case, number)
        winner = int(np.argmax([score.sign * score(run.truth, each) for each in run.models]))
        found.append(wear(score, run.truth, run.models, winner, seed=number))
        fresh.append(run.fresh[winner])
    there = np.array(fresh)
    plain, corrected = _scores(found, "plain"), _scores(found, "corrected")
    ahead = [score.sign * (each[:, 0] - there) for each in (plain, corrected)]
    return Figure(
        case.metric,
        case.models,
        case.dev_rows,
        repetitions,
        float(plain[:, 0].mean()),
        float(corrected[:, 0].mean()),
        float(there.mean()),
        *(_mean(each) for each in ahead),
        *(float(np.mean(each**2) ** 0.5) for each in ahead),
        _share((plain[:, 1] <= there) & (there <= plain[:, 2])),
        _share((corrected[:, 1] <= there) & (there <= corrected[:, 2])),
    )


def _scores(found: list[Wear], name: str) -> Array:
    return np.array([[each.value, each.low, each.high] for each in (getattr(one, name) for one in found)])


def _mean(values: Array) -> tuple[float, float, float]:
    half = 1.96 * values.std(ddof=1) / len(values) ** 0.5
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


def _share(hits: Array) -> tuple[float, float, float]:
    found = stats.binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
    return float(hits.mean()), float(found.low), float(found.high)


def main() -> int:
    """Print the table and, as the last line, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions: does it work? (under a minute)")
    parser.add_argument("--repetitions", type=int, metavar="N", help=f"of every case (default: {REPETITIONS})")
    options = parser.parse_args()
    times, start = options.repetitions or (QUICK if options.quick else REPETITIONS), time.perf_counter()
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a model that has not converged is a model
        found = {name: figure(case, times) for name, case in CASES.items()}
    print(_table(found))
    goals = {name: each.goals for name, each in found.items()}
    figures = {name: _rounded(asdict(each)) | {"goals": goals[name]} for name, each in found.items()}
    seconds = round(time.perf_counter() - start, 1)
    print(json.dumps({"quick": options.quick, "cases": figures, "seconds": seconds}))
    return 0 if options.quick or all(all(each.values()) for each in goals.values()) else 1


def _table(found: dict[str, Figure]) -> str:
    header = (
        "case", "metric", "models", "dev rows", "fresh data", "plain", "corrected", "fresh", "bias of plain",
        "bias of corrected", "errors", "plain covers", "corrected covers",
    )  # fmt: skip
    rows = [
        (
            name,
            each.metric,
            str(each.models),
            str(each.dev_rows),
            CASES[name].fresh,
            *(f"{score:.4f}" for score in (each.plain, each.corrected, each.fresh)),
            *("{:+.4f} ({:+.4f} to {:+.4f})".format(*bias) for bias in (each.bias_plain, each.bias_corrected)),
            f"{each.error_plain:.4f}, {each.error_corrected:.4f}",
            *("{:.0%} ({:.0%} to {:.0%})".format(*share) for share in (each.covered_plain, each.covered_corrected)),
        )
        for name, each in found.items()
    ]
    return table(header, rows)


def _rounded(given: Any) -> Any:
    if isinstance(given, dict):
        return {name: _rounded(each) for name, each in given.items()}
    if isinstance(given, tuple):
        return [_rounded(each) for each in given]
    return float(f"{given:.4g}") if isinstance(given, float) else given


if __name__ == "__main__":
    sys.exit(main())
