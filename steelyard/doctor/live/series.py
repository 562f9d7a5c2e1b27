"""Numbers over steps in little memory."""

from collections import deque
from statistics import median

MOST = 512  # kept of a long run; then every other one is dropped, and only every other one is added
RECENT = 10  # the last ones are kept whatever happens: findings are drawn from them


class Series:
    """Values at steps: evenly spread over the run, and the last ones apart."""

    def __init__(self, most: int = MOST) -> None:
        self.most, self.stride, self.count = most, 1, 0
        self.steps: list[int] = []
        self.values: list[float] = []
        self.recent: deque[float] = deque(maxlen=RECENT)

    def add(self, step: int, value: float) -> None:
        """One more value."""
        self.recent.append(value)
        if self.count % self.stride == 0:
            if len(self.values) == self.most:
                self.steps, self.values = self.steps[::2], self.values[::2]
                self.stride *= 2
            if self.count % self.stride == 0:
                self.steps.append(step)
                self.values.append(value)
        self.count += 1

    @property
    def typical(self) -> float:
        """The median of the last values; NaN where there is none."""
        known = [value for value in self.recent if value == value]
        return median(known) if known else float("nan")
