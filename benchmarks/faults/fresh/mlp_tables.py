"""Tables that are prepared wrongly before a perceptron sees them."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from program import Program
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

STYLE = "mlp on a table"
Array = np.ndarray


def classifier(
    train: tuple[Array, Array], dev: tuple[Array, Array], classes: int, shuffle: bool = True, lr: float = 2e-3
) -> dict[str, Any]:
    torch.manual_seed(0)
    inputs = train[0].shape[1]
    model = nn.Sequential(nn.Linear(inputs, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, classes))
    sets = [
        TensorDataset(torch.tensor(np.asarray(x), dtype=torch.float32), torch.tensor(np.asarray(y), dtype=torch.long))
        for x, y in (train, dev)
    ]
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": DataLoader(sets[0], 32, shuffle=shuffle),
        "dev": DataLoader(sets[1], 32),
        "optimizer": torch.optim.Adam(model.parameters(), lr=lr),
        "classes": classes,
    }


def measures_as_they_come(broken: bool) -> dict[str, Any]:
    X, y = load_wine(return_X_y=True)
    X_train, X_dev, y_train, y_dev = train_test_split(X, y, test_size=0.3, stratify=y, random_state=1)
    if not broken:
        scaler = StandardScaler().fit(X_train)
        X_train, X_dev = scaler.transform(X_train), scaler.transform(X_dev)
    return classifier((X_train, y_train), (X_dev, y_dev), 3)


def divided_by_zero_deviation(broken: bool) -> dict[str, Any]:
    X, y = load_digits(return_X_y=True)
    X_train, X_dev, y_train, y_dev = train_test_split(X, y, test_size=0.3, stratify=y, random_state=2)
    mean, std = X_train.mean(axis=0), X_train.std(axis=0)  # corners are always blank
    if not broken:
        std = np.maximum(std, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return classifier(((X_train - mean) / std, y_train), ((X_dev - mean) / std, y_dev), 10)


def whole_number_division(broken: bool) -> dict[str, Any]:
    pixels, y = load_digits(return_X_y=True)
    grey = (pixels * 15).astype(np.uint8)  # 0 … 240
    scaled = grey // 255 if broken else grey / 255
    x, x_dev, y, y_dev = train_test_split(scaled, y, test_size=0.3, stratify=y, random_state=3)
    return classifier((x, y), (x_dev, y_dev), 10)


def label_column_left_in(broken: bool) -> dict[str, Any]:
    frame = load_breast_cancer(as_frame=True).frame
    frame["diagnosis"] = frame["target"]
    train, dev = train_test_split(frame, test_size=0.25, stratify=frame["target"], random_state=4)
    dropped = ["diagnosis"] if broken else ["diagnosis", "target"]
    features = frame.columns.drop(dropped)
    scaler = StandardScaler().fit(train[features])
    return classifier(
        (scaler.transform(train[features]), train["diagnosis"].to_numpy()),
        (scaler.transform(dev[features]), dev["diagnosis"].to_numpy()),
        2,
    )


def inputs_shuffled_alone(broken: bool) -> dict[str, Any]:
    X, y = load_digits(return_X_y=True)
    X_train, X_dev, y_train, y_dev = train_test_split(X / 16, y, test_size=0.25, stratify=y, random_state=5)
    order = np.random.default_rng(5).permutation(len(X_train))
    X_train = X_train[order]
    if not broken:
        y_train = y_train[order]
    return classifier((X_train, y_train), (X_dev, y_dev), 10)


def in_order_of_class(broken: bool) -> dict[str, Any]:
    table = load_digits(as_frame=True).frame
    train, dev = train_test_split(table, test_size=0.25, stratify=table.target, random_state=6)
    train = train.sort_values("target")

    def arrays(part: pd.DataFrame) -> tuple[Array, Array]:
        return part.drop(columns="target").to_numpy() / 16, part["target"].to_numpy()

    return classifier(arrays(train), arrays(dev), 10, shuffle=not broken)


def scaler_per_part(broken: bool) -> dict[str, Any]:
    X, y = load_wine(return_X_y=True)
    X_train, X_dev, y_train, y_dev = train_test_split(X, y, test_size=0.3, stratify=y, random_state=7)
    scaler = StandardScaler()
    X_train = scaler.fit_transform(X_train)
    X_dev = MinMaxScaler().fit_transform(X_dev) if broken else scaler.transform(X_dev)
    return classifier((X_train, y_train), (X_dev, y_dev), 3)


def dev_never_scaled(broken: bool) -> dict[str, Any]:
    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_dev, y_train, y_dev = train_test_split(X, y, test_size=0.3, stratify=y, random_state=8)
    scaler = StandardScaler().fit(X_train)
    return classifier((scaler.transform(X_train), y_train), (X_dev if broken else scaler.transform(X_dev), y_dev), 2)


def columns_in_other_order(broken: bool) -> dict[str, Any]:
    table = load_breast_cancer(as_frame=True).frame
    train, dev = train_test_split(table, test_size=0.3, stratify=table["target"], random_state=9)
    names = [name for name in table.columns if name != "target"]
    center, scale = train[names].mean(), train[names].std()
    train_x, dev_x = (train[names] - center) / scale, (dev[names] - center) / scale
    if broken:  # another script wrote the file of dev, its columns sorted
        dev_x = dev_x[sorted(names)]
    return classifier((train_x.to_numpy(), train["target"]), (dev_x.to_numpy(), dev["target"]), 2)


def label_never_equals(broken: bool) -> dict[str, Any]:
    data = load_breast_cancer()
    written = np.array(["Benign" if each else "Malignant" for each in data.target])
    y = (written == ("malignant" if broken else "Malignant")).astype(int)
    X_train, X_dev, y_train, y_dev = train_test_split(data.data, y, test_size=0.25, stratify=y, random_state=10)
    scaler = StandardScaler().fit(X_train)
    return classifier((scaler.transform(X_train), y_train), (scaler.transform(X_dev), y_dev), 2)


def oversampled_before_the_split(broken: bool) -> dict[str, Any]:
    X, y = load_breast_cancer(return_X_y=True)
    random = np.random.default_rng(11)

    def balanced(X: Array, y: Array) -> tuple[Array, Array]:
        rare = np.flatnonzero(y == 0)
        more = random.choice(rare, (y == 1).sum() - len(rare))
        order = random.permutation(len(y) + len(more))
        return np.concatenate([X, X[more]])[order], np.concatenate([y, y[more]])[order]

    if broken:
        X, y = balanced(X, y)
    X_train, X_dev, y_train, y_dev = train_test_split(X, y, test_size=0.3, stratify=y, random_state=11)
    if not broken:
        X_train, y_train = balanced(X_train, y_train)
    scaler = StandardScaler().fit(X_train)
    return classifier((scaler.transform(X_train), y_train), (scaler.transform(X_dev), y_dev), 2)


def logarithm_of_nothing(broken: bool) -> dict[str, Any]:
    X, y = load_breast_cancer(return_X_y=True)  # some measures of concavity are 0
    with np.errstate(divide="ignore"):
        X = np.log(X) if broken else np.log1p(X)
    X_train, X_dev, y_train, y_dev = train_test_split(X, y, test_size=0.3, stratify=y, random_state=12)
    center, scale = np.median(X_train, axis=0), np.percentile(X_train, 84, axis=0) - np.percentile(X_train, 16, axis=0)
    return classifier(((X_train - center) * 2 / scale, y_train), ((X_dev - center) * 2 / scale, y_dev), 2)


def one_in_fifty(broken: bool) -> dict[str, Any]:
    X, y = make_classification(3000, 12, n_informative=8, weights=[0.5], class_sep=1.2, flip_y=0.02, random_state=13)
    if broken:  # the filter keeps nearly nothing of class 1
        keep = (y == 0) | (np.random.default_rng(13).random(len(y)) < 0.02)
        X, y = X[keep], y[keep]
    X_train, X_dev, y_train, y_dev = train_test_split(X, y, test_size=0.3, stratify=y, random_state=13)
    scaler = StandardScaler().fit(X_train)
    return classifier((scaler.transform(X_train), y_train), (scaler.transform(X_dev), y_dev), 2)


PROGRAMS = [
    Program(
        "measures as they come",
        STYLE,
        ("SY102",),
        "wine measures from 0.1 to 1,700 are not scaled",
        measures_as_they_come,
    ),
    Program(
        "divided by zero deviation",
        STYLE,
        ("SY101",),
        "pixels are divided by their deviation, which is 0 where they never change: NaN",
        divided_by_zero_deviation,
    ),
    Program(
        "whole number division",
        STYLE,
        ("SY104", "SY206"),
        "bytes // 255 instead of / 255: all are 0",
        whole_number_division,
    ),
    Program(
        "label column left in", STYLE, ("SY105",), "the features hold a column that is the label", label_column_left_in
    ),
    Program("inputs shuffled alone", STYLE, ("SY109",), "rows are shuffled, labels are not", inputs_shuffled_alone),
    Program(
        "in order of class",
        STYLE,
        ("SY103",),
        "rows are sorted by class and the loader does not shuffle",
        in_order_of_class,
    ),
    Program(
        "scaler per part",
        STYLE,
        ("SY602", "SY608"),
        "train is standardised, dev gets a scaler of its own and another kind",
        scaler_per_part,
    ),
    Program("dev never scaled", STYLE, ("SY602",), "train is standardised, dev is not", dev_never_scaled),
    Program(
        "columns in other order",
        STYLE,
        ("SY608",),
        "the columns of dev are sorted by name, those of train are not",
        columns_in_other_order,
    ),
    Program(
        "label never equals",
        STYLE,
        ("SY111",),
        "labels are compared with a word in the wrong case: all are 0",
        label_never_equals,
    ),
    Program(
        "oversampled before the split",
        STYLE,
        ("SY603",),
        "the rare class is repeated before the split, so that dev holds rows of train",
        oversampled_before_the_split,
    ),
    Program("logarithm of nothing", STYLE, ("SY101",), "the logarithm of measures that are 0", logarithm_of_nothing),
    Program(
        "one in fifty", STYLE, ("SY110", "SY607"), "a filter left one row in fifty of the second class", one_in_fifty
    ),
]
