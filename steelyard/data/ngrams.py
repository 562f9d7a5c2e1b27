"""Texts as weighted counts (tf-idf) of words, of words in a row, and of pieces of words.

Pieces lie within words, so that they are cut once for every different word: the counts of a document's pieces are the
product of two sparse matrices, and ten thousand short texts take less than a second.
Source: Salton & Buckley 1988, "Term-weighting approaches in automatic text retrieval"; pieces as in Bojanowski et al.
2017, section 3.2 (arXiv 1607.04606).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

Array = np.ndarray
Document = Sequence[str]  # the texts of one row, a column each
WORD = re.compile(r"\w+|[^\w\s]+")
SHORTEST = 2  # characters of a piece, the ends of a word counted as one each
MOST = 100_000  # words in a row of one length, and pieces, that are kept: the most frequent ones


@dataclass(frozen=True, eq=False)
class Ngrams:
    """What was counted on train: `words`, `runs` of 2, 3, … of them, and `pieces`; each with the rows it stands in.

    A run is the number of a run that is one word shorter (or of a word) times the number of words, plus the number of
    its last word; runs are sorted. `counts` are of words, runs and pieces in this order.
    """

    lower: bool
    longest: int  # characters of a piece, 0 for none
    rows: int
    words: tuple[str, ...]
    runs: tuple[Array, ...]
    pieces: tuple[str, ...]
    counts: Array

    @classmethod
    def fit(
        cls, documents: Sequence[Document], lower: bool, several: int, longest: int, least: int, most: int = MOST
    ) -> "Ngrams":
        """Count runs of up to `several` words and pieces of up to `longest` characters that `least` rows have."""
        read = _Read.of(documents, lower)
        found = np.bincount(_distinct(read.rows, read.ids, len(read.words))[1], minlength=len(read.words))
        kept = sorted(
            (word, count) for word, count in zip(read.words, found.tolist(), strict=True) if word and count >= least
        )
        words, counts = tuple(word for word, _ in kept), [np.array([count for _, count in kept], np.int64)]
        runs: list[Array] = []
        left = ids = read.known(words)
        for step in range(1, several):
            rows, keys = _joined(read.rows, left, ids, step, len(words))
            pairs = np.unique(np.stack([keys, rows]), axis=1)[0]
            different, many = _frequent(*np.unique(pairs, return_counts=True), least, most)
            runs, counts = [*runs, different], [*counts, many]
            left = _numbered(read.rows, left, ids, step, len(words), different)
        pieces, many = _pieces(read, longest, least, most)
        return cls(lower, longest, len(documents), words, tuple(runs), pieces, np.concatenate([*counts, many]))

    def transform(self, documents: Sequence[Document]) -> sparse.csr_matrix:
        """Float32 (n, features): (1 + log count) · idf; the words of a row, and its pieces, each of length 1."""
        read = _Read.of(documents, self.lower)
        left = ids = read.known(self.words)
        blocks = [_counted(read.rows, ids, (len(documents), len(self.words)))]
        for step, runs in enumerate(self.runs, 1):
            left = _numbered(read.rows, left, ids, step, len(self.words), runs)
            blocks.append(_counted(read.rows[: len(left)], left, (len(documents), len(runs))))
        words = sparse.hstack(blocks, format="csr")
        place = words.shape[1]
        found = [_weighed(words, self.idf[:place])]
        if self.pieces:
            of_words = _cut(read.words, self.longest, self.places)
            pieces = (_counted(read.rows, read.ids, (len(documents), len(read.words))) @ of_words).tocsr()
            found.append(_weighed(pieces, self.idf[place:]))
        return sparse.hstack(found, format="csr", dtype=np.float32)

    @cached_property
    def idf(self) -> Array:
        """The weights of the features: rarer ones say more."""
        return np.asarray(np.log((1 + self.rows) / (1 + self.counts)) + 1, np.float32)

    @cached_property
    def places(self) -> dict[str, int]:
        """The number of every piece."""
        return {piece: place for place, piece in enumerate(self.pieces)}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = {"words": list(self.words), "runs": [run.tolist() for run in self.runs], "pieces": list(self.pieces)}
        return vars_of(self) | plain | {"counts": self.counts.tolist()}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "Ngrams":
        """The counts from `to_dict`."""
        runs = tuple(np.array(run, np.int64) for run in given["runs"])
        arrays = {"runs": runs, "counts": np.array(given["counts"], np.int64)}
        return cls(**given | {"words": tuple(given["words"]), "pieces": tuple(given["pieces"])} | arrays)


def vars_of(ngrams: Ngrams) -> dict[str, Any]:
    """The plain numbers among the fields."""
    return {"lower": ngrams.lower, "longest": ngrams.longest, "rows": ngrams.rows}


@dataclass(frozen=True, eq=False)
class _Read:
    """Documents as words: their different ones, and of every word in order its number and its row.

    Between two columns of a row stands the word "".
    """

    words: list[str]
    ids: Array
    rows: Array

    @classmethod
    def of(cls, documents: Sequence[Document], lower: bool) -> "_Read":
        place: dict[str, int] = {}
        ids: list[int] = []
        lengths = np.zeros(len(documents), np.int64)
        for row, document in enumerate(documents):
            begin = len(ids)
            ids += [place.setdefault(word, len(place)) for word in _words(document, lower)]
            lengths[row] = len(ids) - begin
        return cls(list(place), np.array(ids, np.int64), np.repeat(np.arange(len(documents)), lengths))

    def known(self, words: Sequence[str]) -> Array:
        """The number of every word in order among those words, -1 where it is not among them."""
        place = {word: number for number, word in enumerate(words)}
        table = np.array([place.get(word, -1) for word in self.words] + [-1], np.int64)
        return np.asarray(table[self.ids])


def _words(document: Document, lower: bool) -> Iterator[str]:
    for column, text in enumerate(document):
        if column:
            yield ""
        yield from WORD.findall(text.lower() if lower else text)


def _distinct(rows: Array, ids: Array, width: int) -> tuple[Array, Array]:
    """The different pairs (row, id) of ids from 0; the empty word between columns counts as well."""
    pairs = np.unique(rows * max(1, width) + ids)
    return pairs // max(1, width), pairs % max(1, width)


def _joined(rows: Array, left: Array, ids: Array, step: int, words: int) -> tuple[Array, Array]:
    """Rows and keys of the runs that a run on the left and the word behind it make."""
    both = _both(rows, left, ids, step)
    return rows[: len(both)][both], left[: len(both)][both] * words + ids[step:][both]


def _both(rows: Array, left: Array, ids: Array, step: int) -> Array:
    """Where a run begins that ends `step` words later in the same row, all of it known."""
    count = max(0, len(ids) - step)
    return np.asarray((left[:count] >= 0) & (ids[step:] >= 0) & (rows[:count] == rows[step:]))


def _numbered(rows: Array, left: Array, ids: Array, step: int, words: int, runs: Array) -> Array:
    """For every place the number of the run that begins there, -1 where it is none of them."""
    both = _both(rows, left, ids, step)
    numbers = np.full(len(both), -1, np.int64)
    if len(runs):
        keys = left[: len(both)][both] * words + ids[step:][both]
        place = np.minimum(np.searchsorted(runs, keys), len(runs) - 1)
        numbers[both] = np.where(runs[place] == keys, place, -1)
    return numbers


def _frequent(different: Array, counts: Array, least: int, most: int) -> tuple[Array, Array]:
    """Those that `least` rows have, at most so many, in their order; with their counts."""
    kept = np.flatnonzero(counts >= least)
    if len(kept) > most:
        kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")[:most]])
    return different[kept], counts[kept]


def _pieces(read: _Read, longest: int, least: int, most: int) -> tuple[tuple[str, ...], Array]:
    """The pieces of words that are frequent enough, sorted, and in how many rows each stands."""
    names = sorted({piece for word in read.words for piece in _cuts(word, longest)})
    of_words = _cut(read.words, longest, {piece: place for place, piece in enumerate(names)})
    rows = int(read.rows[-1]) + 1 if len(read.rows) else 0
    found = (_counted(read.rows, read.ids, (rows, len(read.words))) @ of_words).tocsr()
    counts = np.bincount(found.indices, minlength=len(names)).astype(np.int64)
    kept, many = _frequent(np.arange(len(names)), counts, least, most)
    return tuple(names[place] for place in kept), many


def _cuts(word: str, longest: int) -> list[str]:
    """The pieces of a word, its ends marked."""
    if not word:
        return []
    marked = f"<{word}>"
    sizes = range(SHORTEST, min(longest, len(marked)) + 1)
    return [marked[i : i + size] for size in sizes for i in range(len(marked) - size + 1)]


def _cut(words: Sequence[str], longest: int, places: dict[str, int]) -> sparse.csr_matrix:
    """How often every known piece is in every word (words, pieces)."""
    rows, ids = list[int](), list[int]()
    for row, word in enumerate(words):
        known = [place for piece in _cuts(word, longest) if (place := places.get(piece)) is not None]
        ids += known
        rows += [row] * len(known)
    return _counted(np.array(rows, np.int64), np.array(ids, np.int64), (len(words), len(places)))


def _counted(rows: Array, ids: Array, shape: tuple[int, int]) -> sparse.csr_matrix:
    """How often each id from 0 stands in each row."""
    known = ids >= 0
    ones = np.ones(int(known.sum()), np.float32)
    return sparse.csr_matrix((ones, (rows[: len(ids)][known], ids[known])), shape)


def _weighed(counts: sparse.csr_matrix, idf: Array) -> sparse.csr_matrix:
    """(1 + log count) · idf, every row of length 1 (0 where it has nothing)."""
    found = counts.copy()
    found.data = (1 + np.log(found.data)) * idf[found.indices]
    lengths = np.sqrt(np.asarray(found.multiply(found).sum(axis=1)).ravel())
    scale = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return (sparse.diags(scale) @ found).tocsr()
