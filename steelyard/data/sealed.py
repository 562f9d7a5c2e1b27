"""The sealed test: its rows are read by exactly one function, which records who opened it; its inputs by another."""

from collections.abc import Callable
from dataclasses import replace

from steelyard.data.dataset import Dataset


class Sealed:
    """Test rows behind a seal; only their number is known before it is broken."""

    def __init__(self, dataset: Dataset) -> None:
        self.__dataset = dataset

    def __len__(self) -> int:
        return len(self.__dataset)

    def open(self, by: str, record: Callable[[str], None]) -> Dataset:
        """Break the seal: `record` writes down who did, then the rows are handed out."""
        record(by)
        return self.__dataset

    def inputs(self, by: str, record: Callable[[str], None]) -> Dataset:
        """The rows without their targets: `record` writes down who looks at them, then they are handed out."""
        record(by)
        return replace(self.__dataset, target=None, weights=None)
