"""Texts that are nearly the same: equal but for case, spaces and signs, or sharing nearly all of their shingles.

Broder 1997, "On the Resemblance and Containment of Documents": two texts resemble each other as their sets of shingles
(pieces of `SHINGLE` letters) do, by Jaccard's measure; the smallest of hashed shingles are equal with just that
probability. Bands of such minima (Leskovec, Rajaraman and Ullman 2014, "Mining of Massive Datasets", section 3.4) bring
similar texts together without comparing all with all; what they bring together is then measured.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

Array = np.ndarray
SHINGLE = 5  # letters
LEAST = 0.85  # of the shingles of two texts must be shared
SHORT = 20  # letters: of shorter texts only those that are equal but for case and signs count
BRIEF = 100  # letters: in shorter ones another word is another meaning; one must hold all words of the other
LONGEST = 5_000  # letters of a text that are looked at
BANDS, ROWS = 20, 5  # of minima: texts that share 85 % of their shingles meet with a probability above 0.9999
CHUNK = 2_000_000  # shingles hashed at once
REACH = 4  # neighbours in a bucket that a text is compared with
SEED = 0
WORD = re.compile(r"\w+")


def normalised(text: str) -> str:
    """A text in small letters, its words one space apart; where there are no words, what is there."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(WORD.findall(plain)) or plain.strip()


def near_texts(texts: Sequence[str | None]) -> Array:
    """Pairs (m, 2) of texts that are nearly or exactly the same; missing and empty ones are like no other.

    Of many that are alike each is paired with a few: joined, they are one group.
    """
    place: dict[str, int] = {}
    pairs = []
    for number, text in enumerate(texts):
        plain = normalised(text) if text else ""
        first = place.setdefault(plain, number) if plain else number
        if first != number:
            pairs.append((first, number))
    different = [(plain[:LONGEST], number) for plain, number in place.items() if len(plain) >= SHORT]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    if len(different) < 2:
        return found
    numbers = np.array([number for _, number in different])
    return np.vstack([found, numbers[_alike([plain for plain, _ in different])]])


def _alike(texts: list[str]) -> Array:
    """Pairs (m, 2) of different texts that share nearly all shingles."""
    hashes, starts = _shingles(texts)
    candidates = _candidates(_minima(hashes, starts))
    sets = np.split(hashes, starts[1:])
    kept = [
        (a, b)
        for a, b in candidates.tolist()
        if _shared(sets[a], sets[b]) >= LEAST and _same_meaning(texts[a], texts[b])
    ]
    return np.array(kept, np.int64).reshape(-1, 2)


def _shingles(texts: list[str]) -> tuple[Array, Array]:
    """The different shingles of all texts as hashes (m,) uint64, sorted within each, and where each text begins."""
    letters = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in texts])
    owner = np.repeat(np.arange(len(texts)), lengths)
    ends = np.cumsum(lengths)
    whole = np.arange(len(letters)) + SHINGLE <= ends[owner]
    hashes = np.zeros(len(letters) - SHINGLE + 1, np.uint64)
    for offset in range(SHINGLE):
        hashes = hashes * np.uint64(0x100000001B3) + letters[offset : offset + len(hashes)]
    kept = whole[: len(hashes)]
    owner, hashes = owner[: len(hashes)][kept], _mixed(hashes[kept])
    order = np.lexsort((hashes, owner))
    owner, hashes = owner[order], hashes[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (owner[1:] != owner[:-1]) | (hashes[1:] != hashes[:-1])
    owner, hashes = owner[new], hashes[new]
    return hashes, np.searchsorted(owner, np.arange(len(texts)))


def _mixed(values: Array) -> Array:
    """Hashes whose bits depend on all bits (the finalizer of Steele, Lea and Flood 2014, SplitMix)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))


def _minima(hashes: Array, starts: Array) -> Array:
    """The smallest of the shingles of each text (n, BANDS * ROWS) by as many hash functions."""
    stream = np.random.default_rng(SEED)
    factors = stream.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64) | np.uint64(1)
    shifts = stream.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64)
    found = np.empty((len(starts), BANDS * ROWS), np.uint64)
    begin = 0
    while begin < len(starts):
        end = max(begin + 1, int(np.searchsorted(starts, starts[begin] + CHUNK)))
        low, high = starts[begin], starts[end] if end < len(starts) else len(hashes)
        for place, (factor, shift) in enumerate(zip(factors, shifts, strict=True)):
            values = (hashes[low:high] * factor + shift) >> np.uint64(20)  # low bits of products are poor hashes
            found[begin:end, place] = np.minimum.reduceat(values, starts[begin:end] - low)
        begin = end
    return found


def _candidates(minima: Array) -> Array:
    """Pairs (m, 2) of texts that agree in all rows of some band, each with its next few in the bucket and the first."""
    found = [bucket_pairs(minima[:, band : band + ROWS] @ _weights(), REACH) for band in range(0, BANDS * ROWS, ROWS)]
    return np.unique(np.vstack(found), axis=0)


def _weights() -> Array:
    return np.array([np.uint64(0x9E3779B97F4A7C15) ** np.uint64(power) for power in range(ROWS)], np.uint64)


def bucket_pairs(keys: Array, reach: int) -> Array:
    """Pairs (m, 2), the smaller number first, of those with equal keys: each with its next few, and with the first."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.searchsorted(ordered, ordered)
    pairs = [
        np.column_stack([order[:-step], order[step:]])[ordered[:-step] == ordered[step:]]
        for step in range(1, reach + 1)
        if step < len(keys)
    ]
    pairs.append(np.column_stack([order[first], order])[first != np.arange(len(keys))])
    return np.asarray(np.sort(np.vstack(pairs), axis=1), np.int64)


def _shared(one: Array, other: Array) -> float:
    """Jaccard's measure of two sorted sets."""
    if min(len(one), len(other)) < LEAST * max(len(one), len(other)):
        return 0.0
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / (len(one) + len(other) - both)


def _same_meaning(one: str, other: str) -> bool:
    """Whether two texts are long enough to differ in a word, or one holds all words of the other."""
    if min(len(one), len(other)) >= BRIEF:
        return True
    words, more = sorted((Counter(one.split()), Counter(other.split())), key=Counter.total)
    return words <= more
