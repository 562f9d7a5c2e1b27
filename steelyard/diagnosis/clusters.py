"""Groups of rows that are alike in all inputs together: k-means on the first principal components of what they hold."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.course import resampled
from steelyard.data.dataset import Dataset
from steelyard.diagnosis.conditions import Condition, conditions_on

Array = np.ndarray
CLUSTERS, COMPONENTS = 8, 16
CHUNK = 1024  # images at once
FITTED = 5000  # rows that clusters are learnt from; all rows are put into them
WORDS = 2000  # of a text column
SIDE, STEPS = 16, 64  # to which images and series are brought
TELLING = 2  # conditions that name a cluster
CORRELATED = 0.25  # with a cluster, from which on a condition says something of it


def clusters(dataset: Dataset, known: Sequence[Condition], seed: int = 0) -> list[Condition]:
    """At most `CLUSTERS` groups of rows, each named by the `known` conditions that go with it most.

    Features: numbers, standardised; categories one by one; texts as tf-idf; images and series brought to few pixels
    and steps; every kind weighs the same. The targets are not among them.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    blocks = [_even(block) for block in _blocks(dataset, seed) if block.shape[1]]
    n = len(dataset)
    if not blocks or n < 2 * CLUSTERS:
        return []
    features = np.hstack(blocks)
    some = np.random.default_rng(seed).permutation(n)[:FITTED]
    if len(np.unique(features[some], axis=0)) < 2 * CLUSTERS:
        return []
    if features.shape[1] > COMPONENTS:
        features = PCA(COMPONENTS, random_state=seed).fit(features[some]).transform(features)
    labels = KMeans(CLUSTERS, n_init=3, random_state=seed).fit(features[some]).predict(features)
    return [_named(labels == k, k + 1, known) for k in range(CLUSTERS)]


def _named(inside: Array, number: int, known: Sequence[Condition]) -> Condition:
    """The cluster as a condition, named by what its members have in common more than others."""
    strength = sorted(((_phi(inside, each.inside), each) for each in known), key=lambda pair: -pair[0])
    told: list[Condition] = []
    for correlated, each in strength:
        if correlated >= CORRELATED and len(told) < TELLING and each.feature not in {t.feature for t in told}:
            told.append(each)
    name = f"cluster {number}" + (f" (mostly {', '.join(each.label for each in told)})" if told else "")
    return Condition("cluster", name, inside, "cluster")


def _phi(a: Array, b: Array) -> float:
    """The correlation of two conditions."""
    p, q = float(a.mean()), float(b.mean())
    spread = np.sqrt(p * (1 - p) * q * (1 - q))
    return float(((a & b).mean() - p * q) / spread) if spread else 0.0


def _even(block: Array) -> Array:
    """A block of features whose total variance is 1."""
    centred = block - block.mean(axis=0)
    return np.asarray(centred / (np.sqrt((centred**2).sum() / len(block)) or 1.0))


def _blocks(dataset: Dataset, seed: int) -> list[Array]:
    found: list[Array] = []
    if dataset.images is not None:
        found.append(_pixels(dataset.images))
    if dataset.series is not None:
        found.append(resampled(dataset.series, STEPS).reshape(len(dataset), -1).astype(float))
    if dataset.frame is None:
        return found
    for column in dataset.schema.columns:
        values = dataset.frame[column.name]
        if column.kind in {"number", "date"}:
            found.append(_standard(values))
        elif column.kind == "category":
            levels = conditions_on(column.name, values)
            found.append(
                np.stack([each.inside for each in levels], axis=1).astype(float) if levels else _nothing(values)
            )
        elif column.kind == "text":
            found.append(_topics(values, seed))
    return found


def _standard(values: pd.Series) -> Array:
    """Ranks as shares (n, 1), which no outlier stretches; a missing value lies in the middle."""
    return np.asarray(values.rank(pct=True).fillna(0.5), dtype=float)[:, None]


def _nothing(values: Any) -> Array:
    return np.empty((len(values), 0))


def _pixels(images: Any) -> Array:
    """Images uint8 (n, h, w, c) with few of their pixels (n, features), a part of them at a time."""
    rows, columns = (np.linspace(0, side - 1, min(SIDE, side)).round().astype(int) for side in images.shape[1:3])
    few = [np.asarray(images[at : at + CHUNK])[:, rows][:, :, columns] for at in range(0, len(images), CHUNK)]
    return np.asarray(np.concatenate(few).reshape(len(images), -1), dtype=float)


def _topics(texts: pd.Series, seed: int) -> Array:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    counted = TfidfVectorizer(max_features=WORDS, stop_words="english", sublinear_tf=True)
    try:
        found = counted.fit_transform(texts.fillna("").astype(str))
    except ValueError:  # no words at all
        return _nothing(texts)
    parts = min(COMPONENTS, found.shape[1] - 1)
    return np.asarray(TruncatedSVD(parts, random_state=seed).fit_transform(found)) if parts > 0 else _nothing(texts)
