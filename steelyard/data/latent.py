"""Weighted counts brought to few numbers a text by a truncated singular value decomposition (latent semantic analysis).

Source: Deerwester et al. 1990, "Indexing by latent semantic analysis".
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steelyard.data.ngrams import Document, Ngrams


@dataclass(frozen=True, eq=False)
class Latent:
    """The counts, and the directions float16 (features, dimensions) they are looked at from."""

    ngrams: Ngrams
    directions: np.ndarray

    @classmethod
    def fit(cls, ngrams: Ngrams, documents: Sequence[Document], dimensions: int) -> "Latent":
        """The directions in which the documents differ most."""
        from sklearn.decomposition import TruncatedSVD

        counts = ngrams.transform(documents)
        most = min(counts.shape) - 1
        if most < 1:
            return cls(ngrams, np.eye(counts.shape[1], 1, dtype=np.float16))
        found = TruncatedSVD(min(dimensions, most), n_iter=4, random_state=0).fit(counts)
        return cls(ngrams, np.ascontiguousarray(found.components_.T.astype(np.float16)))

    def transform(self, documents: Sequence[Document]) -> np.ndarray:
        """Float32 (n, dimensions), every row of length 1 (0 where it has nothing)."""
        seen = np.asarray(self.ngrams.transform(documents) @ self.directions.astype(np.float32), np.float32)
        lengths = np.linalg.norm(seen, axis=1, keepdims=True)
        return np.asarray(np.divide(seen, lengths, out=np.zeros_like(seen), where=lengths > 0))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: the directions as the text of their bytes."""
        text = base64.b64encode(self.directions.astype("<f2").tobytes()).decode()
        return {"ngrams": self.ngrams.to_dict(), "shape": list(self.directions.shape), "directions": text}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "Latent":
        """The directions from `to_dict`."""
        values = np.frombuffer(base64.b64decode(given["directions"]), "<f2").reshape(given["shape"])
        return cls(Ngrams.from_dict(given["ngrams"]), values.astype(np.float16))
