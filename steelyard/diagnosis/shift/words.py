"""Texts as a few numbers: how long and how written they are, which frequent words they have, and components."""

import re
from collections.abc import Sequence

import numpy as np

from steelyard.diagnosis.shift.columns import Block

Array = np.ndarray
WORDS, COMPONENTS = 150, 32  # frequent words that have a column of their own; components of all of them
SHARES = {"capitals": r"[^\W\d_a-zß-ÿ]", "digits": r"\d", "punctuation": r"[^\w\s]"}


def text_blocks(columns: Sequence[Sequence[str]], names: Sequence[str]) -> list[Block]:
    """Statistics of every column of texts (n,), then words and components (latent semantic analysis) of all of them."""
    if not columns:
        return []
    from steelyard.data.latent import Latent
    from steelyard.data.ngrams import Ngrams

    blocks = [block for texts, name in zip(columns, names, strict=True) for block in _written(texts, name)]
    documents = list(zip(*columns, strict=True))
    ngrams = Ngrams.fit(documents, True, 1, 0, 2)
    if not ngrams.words:
        return blocks
    frequent = np.argsort(-ngrams.counts[: len(ngrams.words)], kind="stable")[:WORDS]
    has = (ngrams.transform(documents)[:, frequent] > 0).toarray().astype(np.float64)
    for place, column in zip(frequent, has.T, strict=True):
        blocks.append(Block(f"has '{ngrams.words[place]}'", f"has '{ngrams.words[place]}'", "word", column))
    latent = Latent.fit(ngrams, documents, COMPONENTS).transform(documents)
    return blocks + [Block(f"wording {i}", "wording", "component", each) for i, each in enumerate(latent.T, 1)]


def _written(texts: Sequence[str], name: str) -> list[Block]:
    length = np.array([len(text) for text in texts], np.float64)
    found = {"characters": length, "words": np.array([len(text.split()) for text in texts], np.float64)}
    for what, letters in SHARES.items():
        pattern = re.compile(letters)
        many = np.array([len(pattern.findall(text)) for text in texts], np.float64)
        found[f"share of {what}"] = many / np.maximum(1, length)
    return [Block(f"{what} of {name}", f"{what} of {name}", "number", values) for what, values in found.items()]
