"""Made texts on topics, for tests."""

import numpy as np
import pandas as pd

from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.problem import Problem

TOPICS = {
    "garden": ["roses", "tulips", "soil", "seeds", "watering", "pruning", "hedge", "lawn", "compost", "bloom"],
    "kitchen": ["flour", "butter", "oven", "baking", "simmer", "garlic", "pepper", "whisk", "dough", "plate"],
    "harbour": ["vessel", "anchor", "tide", "sailor", "cargo", "lighthouse", "mooring", "gulls", "pier", "rudder"],
}
FILLER = [
    "the",
    "a",
    "with",
    "some",
    "of",
    "my",
    "very",
    "and",
    "then",
    "we",
    "you",
    "it",
    "is",
    "was",
    "near",
    "every",
    "other",
    "day",
]


def written(rows: int, topics: int = 2, seed: int = 0) -> tuple[list[str], list[str]]:
    """Texts of 4 to 15 words, two or three of them from their topic, and the topics."""
    random = np.random.default_rng(seed)
    names = list(TOPICS)[:topics]
    texts, labels = [], []
    for row in range(rows):
        label = names[row % topics]
        words = [*random.choice(FILLER, random.integers(2, 13)), *random.choice(TOPICS[label], random.integers(2, 4))]
        texts.append(" ".join(random.permutation(words)))
        labels.append(label)
    return texts, labels


def text_problem(rows: int = 60, topics: int = 2, seed: int = 0) -> tuple[Dataset, Problem]:
    """A data set of one column of texts, and the problem to tell their topics."""
    texts, labels = written(rows, topics, seed)
    names = tuple(TOPICS)[:topics]
    frame = pd.DataFrame({"words": pd.Series(texts, dtype=object)})
    target = np.array([names.index(label) for label in labels])
    dataset = Dataset("topics", Schema("text", "topic", (Column("words", "text"),)), target, names, frame=frame)
    task = "binary" if topics == 2 else "multiclass"
    return dataset, Problem(task, "text", "topic", rows, names, "accuracy")


def of_texts(*columns: list[str | None], target: list[int] | None = None) -> Dataset:
    """A data set of those columns of texts, called a, b, …"""
    names = [chr(ord("a") + i) for i in range(len(columns))]
    frame = pd.DataFrame({n: pd.Series(c, dtype=object) for n, c in zip(names, columns, strict=True)})
    schema = Schema("text", "y", tuple(Column(name, "text") for name in names))
    return Dataset("made", schema, None if target is None else np.array(target), ("no", "yes"), frame=frame)
