"""Where the arms of a race stand: what was tried of each, what its differences from the base say."""

from dataclasses import dataclass, field, replace

import numpy as np

from steelyard.metrics import Metric
from steelyard.recipe import Recipe
from steelyard.trials.arms import Tried
from steelyard.weighing.compare import Judged
from steelyard.weighing.comparison import Comparison, Lap, Noise
from steelyard.weighing.crossed import BLOCKS, Crossed, block_of, crossed, values
from steelyard.weighing.interval import score_of

Array = np.ndarray


@dataclass(frozen=True)
class Entry:
    """An arm that is to be weighed: its name, its recipe, and how much its gain counts when pairs are given out."""

    name: str
    recipe: Recipe
    weight: float = 1.0


@dataclass(frozen=True)
class Standing:
    """How far an arm has come; `over` tells why it gets no more pairs though nothing was decided."""

    entry: Entry
    tried: Tried | None = None
    found: Crossed | None = None
    judged: Judged | None = None
    over: str = ""

    @property
    def pairs(self) -> int:
        return self.found.pairs if self.found else 0

    @property
    def undecided(self) -> bool:
        """Whether another pair may still bring a verdict."""
        return not self.over and (self.judged is None or self.judged.verdict == "undecided")

    def lap(self, elapsed: float) -> Lap:
        """What is known now."""
        found, judged = self.found, self.judged
        assert found is not None and judged is not None
        return Lap(self.entry.name, found.pairs, round(elapsed, 2), found.mean, judged.low, judged.high, judged.verdict)


@dataclass
class Scores:
    """The scores of arms and what each example gives to them, each computed once.

    `truth` (n,) are the targets of all rows, `weights` (n,) how much each counts (None: all alike). With `blocks`
    examples are taken in blocks, by their row numbers: pairs saw other examples, or the score is no mean over them.
    """

    metric: Metric
    truth: Array
    blocks: bool
    weights: Array | None = None
    _known: dict[tuple[str, int, str], tuple[float, Array]] = field(default_factory=dict)

    def of(self, tried: Tried, k: int) -> tuple[float, Array]:
        """The score of an arm's k-th seed, and what every example or block gives to it."""
        trial = tried.outcomes[k * len(tried.outcomes) // len(tried.dev)].key
        key = (tried.recipe.key, k, trial)
        if key not in self._known:
            rows, dev = tried.rows[k], tried.dev[k]
            truth, count = self.truth[rows], max(2, min(BLOCKS, len(rows) // 4))
            weights = None if self.weights is None else self.weights[rows]
            each = values(self.metric, truth, dev, block_of(rows, count) if self.blocks else None, weights)
            self._known[key] = (self.metric(truth, dev, weights), each)
        return self._known[key]

    def differences(self, base: Tried, tried: Tried, pairs: int) -> Array:
        """The differences (pairs, examples or blocks) of an arm from the base."""
        return np.array([self.of(tried, k)[1] - self.of(base, k)[1] for k in range(pairs)])

    def pairs(self, base: Tried, tried: Tried, pairs: int) -> tuple[tuple[float, float], ...]:
        """The scores (without, with) of every pair."""
        return tuple((self.of(base, k)[0], self.of(tried, k)[0]) for k in range(pairs))

    def noise(self, base: Tried) -> Noise:
        """What moves the score of the base though nothing was changed."""
        scores = [self.of(base, k)[0] for k in range(len(base.dev))]
        rows = base.rows[0]
        one = score_of(self.metric, self.truth[rows], base.dev[0], None if self.weights is None else self.weights[rows])
        by_seed = float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0
        return Noise(by_seed, (one.high - one.low) / (2 * 1.96), len(scores), len(base.rows[0]))


def measured(standing: Standing, base: Tried, scores: Scores) -> Standing:
    """The standing with the analysis of its differences over the seeds that it and the base have."""
    assert standing.tried is not None
    pairs = min(len(standing.tried.dev), len(base.dev))
    return replace(standing, found=crossed(scores.differences(base, standing.tried, pairs)))


def comparison(
    standing: Standing, base: Tried | None, scores: Scores, against: str, matters: float, breaks: tuple[str, ...] = ()
) -> Comparison:
    """The record of an arm."""
    entry, tried, found, judged = standing.entry, standing.tried, standing.found, standing.judged
    metric = scores.metric
    if base is None or tried is None or found is None or judged is None:
        word = "not applicable" if standing.over else "undecided"
        reason = standing.over or "the time ended before it was tried"
        return Comparison(entry.name, against, metric.name, 0.0, 0.0, 0.0, word, reason=reason)  # type: ignore[arg-type]
    return Comparison(
        entry.name,
        against,
        metric.name,
        found.mean,
        judged.low,
        judged.high,
        judged.verdict,
        scores.pairs(base, tried, found.pairs),
        judged.p_value,
        matters,
        found.better(metric.sign),
        tried.seconds / base.seconds if base.seconds else 1.0,
        _ratio(tried, base, "latency_ms"),
        _ratio(tried, base, "size_mb"),
        breaks=breaks,
        reason=standing.over,
        rows=tried.outcomes[0].train_rows,
        measured=tried.measured,
        knobs=tuple((path, _text(a), _text(b)) for path, a, b in base.recipe.diff(entry.recipe)),
    )


def _ratio(tried: Tried, base: Tried, name: str) -> float:
    with_it, without = tried.measured.get(name), base.measured.get(name)
    return with_it / without if with_it and without else 1.0


def _text(value: object) -> str:
    return "" if value is None else str(value)
