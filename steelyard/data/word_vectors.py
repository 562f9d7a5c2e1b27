"""Word vectors from a text file, as GloVe and fastText write them: a word and its numbers a line, a head or none."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from steelyard.data.tokens import PADDING
from steelyard.errors import UserError

WANTED = "expected a word and its numbers in every line, separated by spaces, as GloVe and fastText write them"
SPREAD = 0.1  # of vectors of words that the file does not have, where its own have no spread


@dataclass(frozen=True, eq=False)
class Vectors:
    """Words in the order of the file, and their vectors float32 (words, width)."""

    words: list[str]
    values: np.ndarray

    def table(self, vocabulary: dict[str, int]) -> np.ndarray:
        """Float32 (tokens, width): the vector of every token; small random ones where the file has none, 0 for padding.

        Random ones have the spread of the others (Kim 2014, section 3.2, arXiv 1408.5882).
        """
        place = {word: row for row, word in enumerate(self.words)}
        spread = float(self.values.std()) or SPREAD
        size = (max(vocabulary.values()) + 1, self.values.shape[1])
        found = np.random.default_rng(0).normal(0, spread, size).astype(np.float32)
        for word, number in vocabulary.items():
            if word in place:
                found[number] = self.values[place[word]]
        found[PADDING] = 0
        return found


def read_vectors(file: str, lower: bool) -> Vectors:
    """The vectors in a file; of words that are the same in small letters (`lower`) the first one counts.

    Raises UserError, with the line, for a file that is not of this form.
    """
    try:
        data = Path(file).expanduser().read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the word vectors in {file}: {error.strerror}") from error
    lines = [line.rstrip("\r ") for line in data.decode("utf-8", errors="replace").split("\n")]
    first = 1 if len(lines[0].split(" ")) == 2 else 0  # fastText's head: how many words, how many numbers
    width = len(lines[first].split(" ")) - 1 if len(lines) > first else 0
    words: dict[str, int] = {}
    values: list[np.ndarray] = []
    for number, line in enumerate(lines[first:], first + 1):
        if not line:
            continue
        fields = line.split(" ")
        word = " ".join(fields[:-width])  # some files have words with spaces in them
        vector = _numbers(fields[-width:], width, f"{file}, line {number}")
        word = word.lower() if lower else word
        if word not in words:
            words[word] = len(values)
            values.append(vector)
    if not values:
        raise UserError(f"{file} holds no word vectors: {WANTED}")
    return Vectors(list(words), np.stack(values))


def _numbers(fields: list[str], width: int, where: str) -> np.ndarray:
    try:
        found = np.array(fields, np.float32)
    except ValueError:
        found = np.zeros(0, np.float32)
    if not width or len(found) != width or not np.isfinite(found).all():
        shown = " ".join(fields)[:30]
        raise UserError(f"{where} is no word vector of {width} numbers ('{shown}'): {WANTED}")
    return found
