"""The run's clock: time spent working, so that a resumed run decides as the uninterrupted one would have."""

import time


class Clock:
    """Seconds of work since the run began; trials that the journal remembers move it to where they ended then."""

    def __init__(self, already: float = 0.0) -> None:
        self.zero = already  # what it showed at first
        self._zero = time.perf_counter() - already

    def now(self) -> float:
        """Seconds on the clock."""
        return time.perf_counter() - self._zero

    def advance_to(self, elapsed: float) -> None:
        """Move forward to `elapsed` unless the clock is past it."""
        self._zero -= max(0.0, elapsed - self.now())
