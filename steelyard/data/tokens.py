"""A tokenizer trained on texts: whole words, or pieces of words (byte-pair encoding); kept as JSON."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

Tokens = Literal["words", "pieces"]
PADDING, UNKNOWN, MASK, SEPARATOR = range(4)
SPECIAL = ("[padding]", "[unknown]", "[mask]", "[separator]")

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # trials run side by side, one thread each


def train(texts: Sequence[str], tokens: Tokens, lower: bool, most: int, least: int) -> str:
    """The JSON of a tokenizer with at most `most` tokens, each of which stands at least `least` times in the texts.

    Pieces: Sennrich et al. 2016, section 3.2 (arXiv 1508.07909).
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    model = models.BPE(unk_token=SPECIAL[UNKNOWN]) if tokens == "pieces" else models.WordLevel({}, SPECIAL[UNKNOWN])
    tokenizer = Tokenizer(model)
    if lower:
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if tokens == "pieces":
        how: dict[str, Any] = {"special_tokens": list(SPECIAL), "show_progress": False}
        trainer = trainers.BpeTrainer(vocab_size=most, min_frequency=least, **how)
        tokenizer.train_from_iterator(texts, trainer)
    else:
        tokenizer.model = models.WordLevel(_words(tokenizer, texts, most, least), SPECIAL[UNKNOWN])
    # special tokens are only words of the vocabulary: a text that spells one out must not become one
    return json.dumps(json.loads(tokenizer.to_str()) | {"added_tokens": []}, ensure_ascii=False)


def extended(tokenizer: str, words: Iterable[str], most: int) -> str:
    """The tokenizer of whole words with more words behind its own, until there are `most`."""
    state = json.loads(tokenizer)
    vocabulary = state["model"]["vocab"]
    for word in words:
        if len(vocabulary) >= most:
            break
        vocabulary.setdefault(word, len(vocabulary))
    return json.dumps(state, ensure_ascii=False)


def opened(tokenizer: str) -> Any:
    """The tokenizer of a JSON; ValueError when it is none."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(tokenizer)
    except Exception as error:  # the library raises no narrower one
        raise ValueError(f"the tokenizer is damaged ({error})") from error


def encode(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """The token ids of every text."""
    return [found.ids for found in tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def padded(texts: Sequence[Sequence[int]], length: int) -> np.ndarray:
    """Token ids int64 (n, length): what is longer is cut, what is shorter is padded at the end."""
    found = np.full((len(texts), length), PADDING, np.int64)
    for row, ids in enumerate(texts):
        kept = ids[:length]
        found[row, : len(kept)] = kept
    return found


def _words(tokenizer: Any, texts: Sequence[str], most: int, least: int) -> dict[str, int]:
    """The special tokens, then the words: the most frequent ones first."""
    counts: Counter[str] = Counter()
    for text in texts:
        normal = text if tokenizer.normalizer is None else tokenizer.normalizer.normalize_str(text)
        counts.update(word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal))
    ranked = sorted((-count, word) for word, count in counts.items() if count >= least and word not in SPECIAL)
    return {word: number for number, word in enumerate([*SPECIAL, *(word for _, word in ranked)][:most])}
