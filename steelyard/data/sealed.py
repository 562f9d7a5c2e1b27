"""The sealed test: its rows are read by exactly one function, which records who opened it."""

from collections.abc import Callable

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
