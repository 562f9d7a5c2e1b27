"""All that was measured of a run so far, from which findings and the record of its health are made."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from steelyard.doctor.finding import Finding
from steelyard.doctor.live.activations import Looks
from steelyard.doctor.live.health import NAN, Course, Health, Layer
from steelyard.doctor.live.losses import Losses, spikes, state
from steelyard.doctor.live.rules import SAMPLES
from steelyard.doctor.live.series import Series
from steelyard.doctor.live.weights import Moved, together

NUMBERS = ("update", "gradient", "mean", "spread", "dead", "saturated")


@dataclass
class Alive:
    """Units that were above zero in a window of looks; `dead` is the share of the others in the last whole window."""

    units: int = 0
    rows: int = 0
    dead: float = NAN
    top: Tensor | None = None
    looks: int = 0
    seen: int = 0  # rows of the window that is open

    def add(self, top: Tensor, rows: int) -> bool:
        """The largest output of each unit on some rows; returns whether a window is full."""
        if self.top is None or len(top) != len(self.top):
            self.top, self.looks, self.seen = top, 0, 0
        else:
            self.top = torch.maximum(self.top, top)
        self.looks, self.seen = self.looks + 1, self.seen + rows
        if self.looks < SAMPLES:
            return False
        self.dead = 1 - float((self.top > 0).float().mean())
        self.units, self.rows, self.top = len(self.top), self.seen, None
        return True


@dataclass(frozen=True)
class Predicted:
    """Classes of the rows of a step: whether all are one, which; their spread over rows in that over classes."""

    alike: bool
    which: int
    rows: int
    spread: float


@dataclass
class Record:
    """Series by layer and number, in the order in which layers act; the losses; what is known of the run."""

    every: int
    kinds: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    wide: dict[str, bool] = field(default_factory=dict)  # whether a layer has weights of two dimensions or more
    order: dict[str, None] = field(default_factory=dict)
    series: dict[tuple[str, str], Series] = field(default_factory=dict)
    alive: dict[str, Alive] = field(default_factory=dict)
    changes: dict[str, deque[float]] = field(default_factory=dict)
    losses: Losses = field(default_factory=Losses)
    total: Series = field(default_factory=Series)  # norm of the whole gradient
    rate: Series = field(default_factory=Series)
    dev: list[tuple[int, float]] = field(default_factory=list)
    fastest: float = 0.0  # the largest update of the middle layer in any step
    predicted: deque[Predicted] = field(default_factory=lambda: deque(maxlen=2 * SAMPLES))
    strange: tuple[str, int] | None = None  # the first layer that put out NaN or Inf, and the step
    steps: int = 0
    rows: int = 0  # of the last batch
    resumed: bool = False
    last: str = ""  # the last thing that acted

    def add(self, layer: str, number: str, step: int, value: float) -> None:
        """One more value of a layer."""
        self.series.setdefault((layer, number), Series()).add(step, value)

    def typical(self, layer: str, number: str) -> float:
        """The median of its last values; NaN where there is none."""
        held = self.series.get((layer, number))
        return NAN if held is None else held.typical

    def looks(self, layer: str, number: str) -> int:
        """How often it was measured."""
        held = self.series.get((layer, number))
        return 0 if held is None else held.count

    @property
    def broken(self) -> bool:
        """Whether the loss, or an output where no loss is given, is not finite: nothing that follows says more."""
        return self.losses.broke is not None or (self.strange is not None and not self.losses.count)

    def take_moves(self, step: int, moves: Mapping[str, Moved]) -> bool:
        """What a step did to the weights; returns whether it changed anything."""
        if self.broken:
            return True
        for name, each in moves.items():
            self.add(name, "update", step, each.update)
            self.add(name, "gradient", step, each.gradient)
            self.changes.setdefault(name, deque(maxlen=SAMPLES)).append(each.change)
        self.total.add(step, sum(each.gradient**2 for each in moves.values()) ** 0.5)
        ratios = sorted(each.update for name, each in moves.items() if self.wide[name] and each.update == each.update)
        if ratios:
            self.fastest = max(self.fastest, ratios[len(ratios) // 2])
        return any(each.change != 0 for each in moves.values())

    def take_looks(self, step: int, looks: Looks, kinds: Mapping[str, str]) -> None:
        """What the layers put out."""
        if self.broken:
            return
        numbers = together([each for pair in looks.stats.values() for each in pair] + list(looks.ends.values()))
        for place, name in enumerate(looks.stats):
            self.order.setdefault(name)
            self.kinds.setdefault(name, kinds[name])
            many = looks.numbers[name]
            mean, square = numbers[2 * place] / many, numbers[2 * place + 1] ** 2 / many
            if mean - mean != 0:
                self.strange = self.strange or (name, step)
                continue  # logits that are masked hold −Inf in healthy runs, too
            self.add(name, "mean", step, mean)
            self.add(name, "spread", step, max(0.0, square - mean * mean) ** 0.5)
        for name, value in zip(looks.ends, numbers[2 * len(looks.stats) :], strict=True):
            self.add(name, "saturated", step, value)
        for name, (top, rows) in looks.tops.items():
            alive = self.alive.setdefault(name, Alive())
            if alive.add(top, rows):
                self.add(name, "dead", step, alive.dead)
        self.rows = looks.rows
        self.last = next(reversed(looks.stats), self.last)

    def health(self, findings: tuple[Finding, ...]) -> Health:
        """As a record that can be kept."""
        stride = self.losses.stride
        at = tuple(stride * (k + 1) for k in range(len(self.losses.values)))
        names = [*self.order, *(name for name in self.kinds if name not in self.order)]
        return Health(
            self.steps,
            self.every,
            state(self.losses),
            spikes(self.losses),
            Course(at, tuple(self.losses.values)),
            Course(tuple(step for step, _ in self.dev), tuple(loss for _, loss in self.dev)),
            _course(self.rate),
            tuple(self._layer(name) for name in names),
            findings,
        )

    def _layer(self, name: str) -> Layer:
        courses = {number: _course(self.series.get((name, number))) for number in NUMBERS}
        return Layer(name, self.kinds[name], self.sizes.get(name, 0), **courses)


def _course(held: Series | None) -> Course:
    return Course() if held is None else Course(tuple(held.steps), tuple(held.values))
