"""Steelyard on tables against scikit-learn's defaults on the same rows: Adult, California, Ames, heart disease."""

import re
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import Figure, Missing, Ran, found, main, paired_interval, same_rows, steelyard
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from steelyard.data.dataset import Dataset
from steelyard.metrics import metric

LIMIT, HEART_LIMIT, HEART_SEEDS = 300.0, 60.0, 5
QUICK_LIMIT, QUICK_ROWS = 20.0, 3000
NOMINAL = ("cp", "restecg", "slope", "thal")  # Cleveland's codes without an order: the reference is told
ADULT = 0.868


def adult(options: Namespace, folder: Path) -> Figure:
    """Adult census income with its own test file: the goal is an accuracy, the default boosting stands beside it."""
    train, test = (found(options.data, "adult", f"adult-{part}.csv") for part in ("train", "test"))
    limit = _limit(options, LIMIT)
    ran = steelyard(train, limit, folder / "run", "--target", "column_15", "--test", str(test), "--metric", "accuracy")
    reference = boosting(*same_rows(train, "column_15", 0, test=test), "accuracy", 0)
    return _single("adult", "accuracy", ran, reference, {f"accuracy >= {ADULT}": ran.score >= ADULT})


def california(options: Namespace, folder: Path) -> Figure:
    """California housing, RMSE in dollars, against default boosting."""
    source = found(options.data, "california-housing", "housing.csv")
    if options.quick:
        source = _csv(pd.read_csv(source).sample(QUICK_ROWS, random_state=0), folder / "california.csv")
    return _against_boosting("california", source, "median_house_value", "rmse", options, folder)


def ames(options: Namespace, folder: Path) -> Figure:
    """Ames housing, RMSE of the log price, against default boosting taught the log price."""
    source = found(options.data, "ames-housing", "AmesHousing.csv")
    return _against_boosting("ames", source, "SalePrice", "rmsle", options, folder)


def heart(options: Namespace, folder: Path) -> Figure:
    """Cleveland heart disease against logistic regression; 60 test rows say little, so over several splits."""
    described = found(options.data, "heart-disease", "heart-disease.names").read_text(
        encoding="utf-8", errors="replace"
    )
    names = re.findall(r"^\s+-- \d+\. #\d+\s+\((\w+)\)", described, re.M)
    frame = pd.read_csv(found(options.data, "heart-disease", "processed.cleveland.data"), names=names, dtype=str)
    sick = frame.pop("num").astype(int) > 0
    source = _csv(frame.assign(disease=np.where(sick, "yes", "no")), folder / "cleveland.csv")
    return _against_logistic("heart", source, "disease", options, folder)


def cancer(options: Namespace, folder: Path) -> Figure:
    """scikit-learn's breast cancer set, for machines without the data sets, against logistic regression."""
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer(as_frame=True)
    source = _csv(bunch.frame.assign(target=bunch.target_names[bunch.target]), folder / "cancer.csv")
    return _against_logistic("cancer", source, "target", options, folder)


def diabetes(options: Namespace, folder: Path) -> Figure:
    """scikit-learn's diabetes set, for machines without the data sets, against default boosting."""
    from sklearn.datasets import load_diabetes

    source = _csv(load_diabetes(as_frame=True).frame, folder / "diabetes.csv")
    return _against_boosting("diabetes", source, "target", "rmse", options, folder)


BENCHMARKS = {each.__name__: each for each in (adult, california, ames, heart, cancer, diabetes)}
USUAL = ["adult", "california", "ames", "heart"]


def quick(options: Namespace) -> list[str]:
    """Two small runs that always find their data."""
    try:
        found(options.data, "heart-disease", "processed.cleveland.data")
        found(options.data, "california-housing", "housing.csv")
    except Missing:
        return ["cancer", "diabetes"]
    return ["heart", "california"]


# -- kinds of benchmark -------------------------------------------------------------------------------------------


def _against_boosting(name: str, source: Path, target: str, measure: str, options: Namespace, folder: Path) -> Figure:
    ran = steelyard(source, _limit(options, LIMIT), folder / "run", "--target", target, "--metric", measure)
    reference = boosting(*same_rows(source, target, 0), measure, 0)
    return _single(name, measure, ran, reference, {f"{measure} <= default boosting": ran.score <= reference})


def _single(name: str, measure: str, ran: Ran, reference: float, goals: dict[str, bool]) -> Figure:
    low, high = ran.answer["test"]["interval"]
    winner = str(ran.answer["winner"]["family"])
    return Figure(name, measure, ran.score, (low, high), reference, "default boosting", winner, (ran,), goals)


def _against_logistic(name: str, source: Path, target: str, options: Namespace, folder: Path) -> Figure:
    """Means over seeds, each with its own split; the interval is that of the paired difference."""
    seeds = range(options.seeds or (1 if options.quick else HEART_SEEDS))
    runs, references, share = [], [], 0.0
    for seed in seeds:
        arguments = ("--target", target, "--metric", "accuracy", "--seed", str(seed))
        runs.append(steelyard(source, _limit(options, HEART_LIMIT), folder / f"run-{seed}", *arguments))
        pool, test = same_rows(source, target, seed)
        references.append(logistic(pool, test, "accuracy", seed))
        share = len(test) / len(pool)
    scores = np.array([ran.score for ran in runs])
    mean, reference = float(scores.mean()), float(np.mean(references))
    more: dict[str, Any] = {"seeds": len(runs), "difference": mean - reference, "references": references}
    low, high = runs[0].answer["test"]["interval"]
    if len(runs) > 1:
        gain = paired_interval(scores - references, share)
        low, high = (reference + end for end in gain)
        more["difference_interval"] = gain
    winner = ", ".join(dict.fromkeys(str(ran.answer["winner"]["family"]) for ran in runs))
    goals = {"mean accuracy >= logistic regression": mean >= reference}
    return Figure(
        name, "accuracy", mean, (low, high), reference, "logistic regression", winner, tuple(runs), goals, more
    )


def _limit(options: Namespace, usual: float) -> float:
    return float(options.time_limit or (QUICK_LIMIT if options.quick else usual))


def _csv(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False)
    return path


# -- references ---------------------------------------------------------------------------------------------------


def boosting(train: Dataset, test: Dataset, measure: str, seed: int) -> float:
    """Histogram gradient boosting at scikit-learn's defaults on ordinal codes; for RMSLE on the log of the target."""
    kinds = [(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), _columns(train, "category"))]
    transformer = make_column_transformer(*kinds, remainder="passthrough")
    if train.classes:
        model = make_pipeline(transformer, HistGradientBoostingClassifier(random_state=seed))
        return _scored(measure, test, model.fit(_inputs(train), train.target).predict_proba(_inputs(test)))
    model = make_pipeline(transformer, HistGradientBoostingRegressor(random_state=seed))
    assert train.target is not None
    there, back = (np.log1p, np.expm1) if measure == "rmsle" else (np.asarray, np.asarray)
    predicted = model.fit(_inputs(train), there(train.target)).predict(_inputs(test))
    return _scored(measure, test, back(predicted))


def logistic(train: Dataset, test: Dataset, measure: str, seed: int) -> float:
    """Logistic regression at scikit-learn's defaults on scaled numbers and one-hot categories."""
    codes = [name for name in NOMINAL if name in _inputs(train)] + _columns(train, "category")
    numbers = [name for name in _columns(train, "number") if name not in codes]
    transformer = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), codes),
    )
    model = make_pipeline(transformer, LogisticRegression(max_iter=2000, random_state=seed))
    return _scored(measure, test, model.fit(_inputs(train), train.target).predict_proba(_inputs(test)))


def _columns(dataset: Dataset, kind: str) -> list[str]:
    return [column.name for column in dataset.schema.columns if column.kind == kind]


def _inputs(dataset: Dataset) -> pd.DataFrame:
    """The inputs with dates as days."""
    assert dataset.frame is not None
    days = {name: dataset.frame[name].astype("int64") / 8.64e13 for name in _columns(dataset, "date")}
    return dataset.frame.assign(**days)


def _scored(measure: str, test: Dataset, predicted: Any) -> float:
    assert test.target is not None
    return metric(measure)(test.target, np.asarray(predicted))


if __name__ == "__main__":
    sys.exit(main(__doc__, BENCHMARKS, USUAL, quick))
