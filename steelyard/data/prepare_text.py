"""Texts to arrays: token ids for networks, weighted counts for classical models; all of it learnt from train rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.data.latent import Latent
from steelyard.data.ngrams import Ngrams
from steelyard.data.prepared import Inputs, TextShape
from steelyard.data.tokens import SEPARATOR, Tokens, encode, extended, opened, padded, train
from steelyard.data.word_vectors import read_vectors
from steelyard.knobs import knob
from steelyard.parts import Preparation

LONG = 0.99  # of the train texts are read whole where the limit on their length allows


@dataclass(frozen=True)
class TextPreparation(Preparation):
    """How texts become arrays.

    `features` says which: `tokens`, ids for networks; `tfidf`, weighted counts of runs of up to `runs` words and of
    pieces of words of up to `letters` characters (0: none) for linear models; `latent`, those counts brought to
    `dimensions` numbers for other classical models.
    `tokens` are whole words, or pieces of them. A token or count needs `min_count` texts or occurrences on train;
    there are at most `vocabulary` tokens. Texts are cut at `length` tokens, or at the length that 99 % of the train
    texts have. `vectors` is a file of word vectors from which networks start (words; `word_vectors` has its format):
    its words are known in addition to those of train, until the vocabulary is full.
    `target` = "log" asks the training code to learn log(1 + target).
    """

    features: Literal["tokens", "tfidf", "latent"] = "tokens"
    lower: bool = True
    tokens: Tokens = "words"
    vocabulary: int = knob(20_000, 5, 1_000_000)
    min_count: int = knob(2, 1)
    length: int = knob(256, 1, 4096)
    runs: int = knob(2, 1, 5)
    letters: int = knob(5, 0, 10)
    dimensions: int = knob(100, 1, 1000)
    vectors: str = ""
    target: Literal["standard", "log"] = "standard"

    def fit(self, dataset: Dataset) -> "FittedText":
        """The preparation fitted on the rows given: hand it train rows only."""
        columns = tuple(c.name for c in dataset.schema.columns if c.kind == "text")
        texts = _texts(dataset, columns)
        if self.features != "tokens":
            documents = list(zip(*texts, strict=True))
            return FittedText(self, columns, counts=_counts(self, documents))
        return self._with_tokens(columns, texts)

    def _with_tokens(self, columns: tuple[str, ...], texts: list[list[str]]) -> "FittedText":
        everything = [text for column in texts for text in column]
        tokenizer = train(everything, self.tokens, self.lower, self.vocabulary, self.min_count)
        vectors = None
        if self.vectors:
            found = read_vectors(self.vectors, self.lower)
            if self.tokens == "words":
                tokenizer = extended(tokenizer, found.words, self.vocabulary)
            vectors = found.table(opened(tokenizer).get_vocab())
        most = max(1, self.length // len(columns))
        opened_ = opened(tokenizer)
        lengths = [_usual(encode(opened_, column), most) for column in texts]
        width = 0 if vectors is None else vectors.shape[1]
        return FittedText(self, columns, tokenizer, tuple(lengths), width, vectors=vectors)

    @classmethod
    def restored(cls, given: dict[str, Any]) -> "FittedText":
        """The fitted preparation from its `to_dict`."""
        return FittedText.from_dict(given)


@dataclass(frozen=True, eq=False)
class FittedText:
    """A `TextPreparation` with everything it learnt from train rows; implements `Prepared`.

    `lengths` are the tokens that are read of each column; `width` is the size of the word vectors, which are only
    there (`vectors`) until a network was built: from then on its weights hold them.
    """

    preparation: TextPreparation
    columns: tuple[str, ...]
    tokenizer: str = ""
    lengths: tuple[int, ...] = ()
    width: int = 0
    counts: Latent | Ngrams | None = None
    vectors: np.ndarray | None = field(default=None, repr=False)

    @property
    def shape(self) -> TextShape:
        length = sum(self.lengths) + len(self.lengths) - 1
        return TextShape(self._tokenizer.get_vocab_size(), max(1, length), self.width, self.vectors)

    def transform(self, dataset: Dataset) -> Inputs:
        """One array of token ids int64 (n, length), padded at the end with 0; between two columns stands a 3."""
        texts = _texts(dataset, self.columns)
        if len(texts) == 1:
            return (padded(encode(self._tokenizer, texts[0]), self.shape.length),)
        each = [[ids[:n] for ids in encode(self._tokenizer, t)] for t, n in zip(texts, self.lengths, strict=True)]
        joined = [_separated(parts) for parts in zip(*each, strict=True)]
        return (padded(joined, self.shape.length),)

    def matrix(self, dataset: Dataset) -> Any:
        """What classical models see: a sparse float32 matrix (n, features) of weighted counts, or a dense one.

        Of token ids it is how many of them each text has (n, 1).
        """
        if self.counts is None:
            (ids,) = self.transform(dataset)
            return (ids > 0).sum(axis=1, keepdims=True).astype(np.float32)
        return self.counts.transform(list(zip(*_texts(dataset, self.columns), strict=True)))

    @cached_property
    def _tokenizer(self) -> Any:
        return opened(self.tokenizer)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "kind": self.preparation.kind,
            "preparation": self.preparation.plain(),
            "columns": list(self.columns),
            "tokenizer": self.tokenizer,
            "lengths": list(self.lengths),
            "width": self.width,
            "counts": None if self.counts is None else self.counts.to_dict(),
        }

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "FittedText":
        """The fitted preparation from `to_dict`."""
        preparation = TextPreparation.read(given["preparation"])
        form = Latent if preparation.features == "latent" else Ngrams
        counts = None if given["counts"] is None else form.from_dict(given["counts"])
        columns, lengths = tuple(given["columns"]), tuple(given["lengths"])
        return cls(preparation, columns, given["tokenizer"], lengths, given["width"], counts)


def _counts(part: TextPreparation, documents: Sequence[Sequence[str]]) -> Latent | Ngrams:
    ngrams = Ngrams.fit(documents, part.lower, part.runs, part.letters, part.min_count)
    return ngrams if part.features == "tfidf" else Latent.fit(ngrams, documents, part.dimensions)


def _texts(dataset: Dataset, columns: Sequence[str]) -> list[list[str]]:
    """The texts of each column, "" where one is missing."""
    if dataset.frame is None or not columns:
        raise TypeError(f"a text preparation needs columns of texts, '{dataset.name}' has none")
    return [dataset.frame[name].fillna("").astype(str).tolist() for name in columns]


def _separated(parts: Sequence[Sequence[int]]) -> list[int]:
    joined = list(parts[0])
    for part in parts[1:]:
        joined += [SEPARATOR, *part]
    return joined


def _usual(texts: Sequence[Sequence[int]], most: int) -> int:
    """The length at which nearly all texts are read whole, from 1 to `most`."""
    lengths = [len(ids) for ids in texts]
    return min(most, max(1, int(np.ceil(np.quantile(lengths, LONG)))))
