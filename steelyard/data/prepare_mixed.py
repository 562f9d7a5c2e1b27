"""Tables with texts or images in them to arrays: each kind of input is prepared as it would be alone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from steelyard.data.dataset import Column, Dataset
from steelyard.data.prepare import TablePreparation
from steelyard.data.prepare_images import ImagePreparation
from steelyard.data.prepare_text import TextPreparation
from steelyard.data.prepared import Inputs, MixedShape, Prepared
from steelyard.parts import Preparation

BRANCHES = ("table", "text", "image")


@dataclass(frozen=True)
class MixedPreparation(Preparation):
    """How inputs of several kinds become arrays; None for a kind that is not there.

    Where images are missing in train rows, the table has a 0/1 column that marks them, as for any missing number; a
    missing text has no tokens. `target` = "log" asks the training code to learn log(1 + target); those of the inner
    preparations are not looked at.
    """

    table: TablePreparation | None = None
    text: TextPreparation | None = None
    image: ImagePreparation | None = None
    target: Literal["standard", "log"] = "standard"

    def fit(self, dataset: Dataset) -> "FittedMixed":
        """The preparation fitted on the rows given: hand it train rows only."""
        marks = tuple(
            name for name in _images(dataset) if dataset.frame is not None and dataset.frame[name].isna().any()
        )
        table = self.table if self.table or not marks else TablePreparation()
        parts: list[Prepared] = [table.fit(_marked(dataset, marks))] if table else []
        parts += [part.fit(dataset) for part in (self.text, self.image) if part]
        names = [name for name in BRANCHES if getattr(self, name) or (name == "table" and marks)]
        return FittedMixed(self, tuple(names), tuple(parts), marks)

    @classmethod
    def restored(cls, given: dict[str, Any]) -> "FittedMixed":
        """The fitted preparation from its `to_dict`."""
        return FittedMixed.from_dict(given)


@dataclass(frozen=True, eq=False)
class FittedMixed:
    """A `MixedPreparation` with those of its kinds, by name; `marks` are image columns that may have nothing.

    It implements `Prepared`.
    """

    preparation: MixedPreparation
    names: tuple[str, ...]
    parts: tuple[Prepared, ...]
    marks: tuple[str, ...]

    @property
    def shape(self) -> MixedShape:
        return MixedShape(self.names, tuple(part.shape for part in self.parts))

    @property
    def categorical(self) -> tuple[int, ...]:
        """Which columns of `matrix` hold ordinal codes: those of the table, which comes first."""
        return tuple(getattr(self.parts[0], "categorical", ()))

    @property
    def levels(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The known levels of each category."""
        return tuple(getattr(self.parts[0], "levels", ()))

    def transform(self, dataset: Dataset) -> Inputs:
        """The arrays of the table, of the texts and of the images, as far as there are any."""
        return tuple(array for part, rows in self._each(dataset) for array in part.transform(rows))

    def matrix(self, dataset: Dataset) -> Any:
        """What classical models see of each kind, side by side: float32 (n, features), sparse where one of them is."""
        found = [part.matrix(rows) for part, rows in self._each(dataset)]
        if all(isinstance(each, np.ndarray) for each in found):
            return np.hstack(found)
        from scipy import sparse

        return sparse.hstack(found, format="csr", dtype=np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "kind": self.preparation.kind,
            "preparation": self.preparation.plain(),
            "parts": {name: part.to_dict() for name, part in zip(self.names, self.parts, strict=True)},
            "marks": list(self.marks),
        }

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "FittedMixed":
        """The fitted preparation from `to_dict`."""
        kinds: dict[str, type[Preparation]] = {
            "table": TablePreparation,
            "text": TextPreparation,
            "image": ImagePreparation,
        }
        names = tuple(name for name in BRANCHES if name in given["parts"])
        parts = tuple(kinds[name].restored(given["parts"][name]) for name in names)
        return cls(MixedPreparation.read(given["preparation"]), names, parts, tuple(given["marks"]))

    def _each(self, dataset: Dataset) -> Iterator[tuple[Prepared, Dataset]]:
        for name, part in zip(self.names, self.parts, strict=True):
            yield part, _marked(dataset, self.marks) if name == "table" else dataset


def _images(dataset: Dataset) -> list[str]:
    return [column.name for column in dataset.schema.columns if column.kind == "image"]


def _marked(dataset: Dataset, marks: tuple[str, ...]) -> Dataset:
    """The data set with its image columns as numbers, 1 or missing, where they are to be marked."""
    if not marks:
        return dataset
    columns = (Column(c.name, "number") if c.name in marks else c for c in dataset.schema.columns)
    return replace(dataset, schema=replace(dataset.schema, columns=tuple(columns)))
