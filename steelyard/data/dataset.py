"""A data set in memory: typed inputs, coded target, what was said about it."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from steelyard.data.layout import UNSAID, Layout
from steelyard.data.sources import Sources
from steelyard.problem import Head, Modality, Task

Kind = Literal["number", "category", "date", "text", "image"]
KINDS = {"number": "numbers", "category": "categories", "date": "dates", "text": "texts", "image": "images"}


@dataclass(frozen=True)
class Column:
    """One input column of a table as models see it; `format` is how the source writes dates ("" elsewhere)."""

    name: str
    kind: Kind
    format: str = ""


@dataclass(frozen=True)
class Schema:
    """What a source must look like to be predicted on; saved with every model.

    For tables and texts `columns`; for images `shape` = (height, width, channels) to which all were brought. A table
    with nothing but text columns is "text"; one with texts or images among other columns is "mixed" and has both.
    For series `columns` are the channels, `length` the steps of the longest one, `layout` how they lie in a table.
    """

    modality: Modality
    target: str
    columns: tuple[Column, ...] = ()
    shape: tuple[int, int, int] | None = None
    targets: tuple[str, ...] = ()  # the columns of several targets; `target` then names them all
    layout: Layout = UNSAID
    length: int = 0

    def to_dict(self) -> dict[str, Any]:
        return {
            "modality": self.modality,
            "target": self.target,
            "columns": [[c.name, c.kind, c.format] if c.format else [c.name, c.kind] for c in self.columns],
            "shape": list(self.shape) if self.shape else None,
            "targets": list(self.targets),
        } | ({"layout": self.layout.to_dict(), "length": self.length} if self.length else {})

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "Schema":
        columns = tuple(Column(*entry) for entry in given["columns"])
        shape = tuple(given["shape"]) if given["shape"] else None
        targets, layout = tuple(given.get("targets", ())), Layout(**given.get("layout", {}))
        return cls(given["modality"], given["target"], columns, shape, targets, layout, given.get("length", 0))

    @property
    def target_columns(self) -> tuple[str, ...]:
        """The columns that hold the target or targets."""
        return self.targets or (self.target,)


@dataclass(frozen=True)
class Dataset:
    """Rows in the order of the source.

    Tables: `frame` holds one column per `schema.columns` entry: numbers as float64 with NaN for missing, categories
    as str objects with None for missing, dates as datetime64[ns] with NaT; texts as str objects with None for missing.
    Images: `images` is (n, h, w, c) uint8; in a mixed table they belong to its one column of kind "image".
    Series: `series` is (n, channels, time) float32, NaN where a value is missing and behind the end of shorter cases;
    in a forecast float64, since levels may be large and differences small.
    `order` (n,) is the time of each row where time decides who may learn from whom: dev and test come after train.
    In a forecast it is (n, 2): when it is made, and when its target is known.
    `target` is (n,) int64 codes into `classes`, or (n,) float64; None when the source has no target (prediction). Of
    several targets, the `heads`, it is (n, heads) float64: codes or values, NaN where a row lacks a target. `asks` is
    the task where classes alone do not say: "ordinal", or that of several targets.
    `part` names a ready split per row: "train", "dev" or "test" ("" where the source says nothing).
    `weights` (n,) says how much each row counts in every metric; None: all count alike.
    `groups` gives rows that are exact duplicates of each other the same number: they stay on one side of a split.
    `origin` says per row where it came from: a file's path for images, the row number for tables.
    `sources` says of which source each row is where several were mixed: dev and test hold the target sources alone.
    """

    name: str
    schema: Schema
    target: np.ndarray | None
    classes: tuple[str, ...] = ()
    frame: pd.DataFrame | None = None
    images: np.ndarray | None = None
    part: np.ndarray | None = None
    groups: np.ndarray | None = None
    origin: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = field(default=())  # (file, why) of what was quarantined
    weights: np.ndarray | None = None
    series: np.ndarray | None = None
    order: np.ndarray | None = None
    heads: tuple[Head, ...] = ()
    asks: Task | None = None
    sources: Sources | None = None

    def __len__(self) -> int:
        held = next((each for each in (self.frame, self.images, self.series) if each is not None), ())
        return len(held)

    def take(self, rows: np.ndarray) -> "Dataset":
        """The data set of those rows, in that order."""

        def pick(values: Any) -> Any:
            return None if values is None else values[rows]

        return replace(
            self,
            target=pick(self.target),
            frame=None if self.frame is None else self.frame.iloc[rows],
            images=pick(self.images),
            series=pick(self.series),
            order=pick(self.order),
            part=pick(self.part),
            groups=pick(self.groups),
            weights=pick(self.weights),
            sources=None if self.sources is None else self.sources.take(rows),
            origin=tuple(self.origin[i] for i in rows) if self.origin else (),
        )

    @property
    def asked(self) -> np.ndarray:
        """Which rows (n,) bool the model is for: those of the target sources, where several were mixed."""
        return np.ones(len(self), bool) if self.sources is None else self.sources.wanted

    @property
    def task(self) -> Task:
        """The task that the target asks for."""
        if self.asks is not None:
            return self.asks
        return "regression" if not self.classes else "binary" if len(self.classes) == 2 else "multiclass"

    def weights_of(self, rows: np.ndarray) -> np.ndarray | None:
        """How much those rows count; None when all count alike."""
        return None if self.weights is None else self.weights[rows]

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the content: inputs, target, weights, sources and ready split."""
        digest = hashlib.sha256(repr((self.schema, self.classes, self.heads, self.asks)).encode())
        if self.frame is not None:
            digest.update(pd.util.hash_pandas_object(self.frame, index=False).to_numpy().tobytes())
        for values in (self.images, self.series, self.order, self.target):
            if values is not None:
                digest.update(np.ascontiguousarray(values).tobytes())
        if self.weights is not None:
            digest.update(b"weights" + self.weights.tobytes())
        if (mixed := self.sources) is not None:
            digest.update(repr((mixed.column, mixed.names, mixed.targets)).encode() + mixed.codes.tobytes())
        if self.part is not None:
            digest.update("\n".join(map(str, self.part)).encode())
        return digest.hexdigest()[:16]
