"""A race: arms are weighed against a base in rounds, and pairs go where a verdict is open and worth having."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from steelyard.metrics import Metric
from steelyard.recipe import Recipe
from steelyard.trials.arms import Size, Tried
from steelyard.weighing.compare import LOOKS, MATTERS, judge_all
from steelyard.weighing.comparison import Comparison, Lap, Noise
from steelyard.weighing.promise import FUTILE, Expected, gain, outlook, stronger_half, why_futile
from steelyard.weighing.recorded import expected_of
from steelyard.workflow.bench import Bench
from steelyard.workflow.standing import Entry, Scores, Standing, comparison, measured

PATIENT = 5  # pairs before an arm may be given up


@dataclass
class Race:
    """Arms against a base on a bench.

    `most` is the number of pairs an arm gets at the most; `matters` the smallest effect worth having (None: by the
    number of dev examples); `seeds` are those of the pairs, in their order.
    """

    bench: Bench
    base: Recipe
    size: Size
    metric: Metric
    most: int = LOOKS[-1]
    matters: float | None = None
    seeds: tuple[int, ...] = ()
    standings: list[Standing] = field(default_factory=list)
    laps: list[Lap] = field(default_factory=list)
    tried: Tried | None = None  # the base
    noise: Noise | None = None

    def __post_init__(self) -> None:
        self.seeds = self.seeds or tuple(range(self.most))
        self.looks = (*(look for look in LOOKS if look < self.most), self.most)
        blocks = self.size.redraw or self.metric.per_example is None
        self.scores = Scores(self.metric, self.bench.truth, blocks, self.bench.pool.weights)

    def start(self, until: float = float("inf")) -> bool:
        """Try the base with the seeds of the first look, which shows the noise; False when that does not fit."""
        return self._base(self.looks[0], until)

    def run(self, entries: Sequence[Entry], until: float = float("inf"), up_to: int | None = None) -> list[Standing]:
        """Weigh the arms until every verdict is there, no more pairs can bring one, or the clock shows `until`.

        With `up_to` none gets more pairs than that for now; its looks are still planned for `most`.
        """
        top = min(self.most, up_to or self.most)
        self.standings = [Standing(entry) for entry in entries]
        if self.tried is None and not self.start(until):
            return self.standings
        going = self._round(range(len(entries)), until)
        while going and not self.bench.spent_out() and self.bench.clock.now() < until:
            runners = [i for i, s in enumerate(self.standings) if s.undecided and 0 < s.pairs < top]
            going = bool(runners) and self._round(self._ahead(runners), until)
        return self.standings

    def _ahead(self, runners: Sequence[int]) -> Sequence[int]:
        """The more valuable half, where there are more runners than can be tried side by side."""
        if len(runners) <= self.bench.executor.jobs:
            return runners
        return [runners[k] for k in stronger_half([self._worth(i) for i in runners])]

    def _round(self, places: Sequence[int], until: float) -> bool:
        """Bring arms to their next look, the most valuable first, as far as the time allows; whether any got there."""
        order = sorted(places, key=lambda i: -self._worth(i))
        goals = [next(look for look in self.looks if look > self.standings[i].pairs) for i in order]
        if not order or not self._base(max(goals), until):
            return False
        requests = [
            (self.standings[i].entry.recipe, self.seeds[:goal], self.size) for i, goal in zip(order, goals, strict=True)
        ]
        arrived = []
        for i, request, tried in zip(order, requests, self.bench.try_arms(requests, self._left(until)), strict=True):
            if tried is None:
                self.standings[i] = replace(self.standings[i], over=self.bench.failure(*request))
            else:
                self.standings[i] = measured(replace(self.standings[i], tried=tried), self.tried, self.scores)  # type: ignore[arg-type]
                arrived.append(i)
        self._judge()
        self.laps += [self.standings[i].lap(self.bench.clock.now() - self.bench.clock.zero) for i in arrived]
        return bool(arrived)

    def _base(self, pairs: int, until: float) -> bool:
        """Try the base with so many seeds, where it was not yet."""
        if self.tried is not None and len(self.tried.dev) >= pairs:
            return True
        found = self.bench.try_arms([(self.base, self.seeds[:pairs], self.size)], self._left(until))[0]
        if found is None:
            return False
        self.tried, self.noise = found, self.scores.noise(found)
        return True

    def _left(self, until: float) -> float | None:
        return None if until == float("inf") else max(0.0, until - self.bench.clock.now())

    def _judge(self) -> None:
        """The verdicts on all arms together, and which of them are not worth another pair."""
        there = [(i, s.found) for i, s in enumerate(self.standings) if s.found is not None]
        judged = judge_all([found for _, found in there], self.metric.sign, self.least, self.looks)
        for (i, found), said in zip(there, judged, strict=True):
            futile = (
                said.verdict == "undecided"
                and found.pairs >= PATIENT
                and outlook(found, self.looks, self.least, len(there)) < FUTILE
            )
            kept = self.standings[i].over if said.verdict == "undecided" else ""  # such as a training that failed
            over = why_futile(found, self.noise.examples if self.noise else 0) if futile else kept
            self.standings[i] = replace(self.standings[i], judged=said, over=over)

    def _worth(self, place: int) -> float:
        """What the choice of an arm is expected to gain, a second of trying it."""
        entry, found = self.standings[place].entry, self.standings[place].found
        cost = self.bench.cost(entry.recipe, self.size)
        return entry.weight * gain(self._expected(entry), found, self.metric.sign) / max(cost, 1e-3)

    def _expected(self, entry: Entry) -> Expected:
        """What is recorded of an arm, for the error that the base makes; else as much as chance may bring."""
        if self.tried is None or self.noise is None:
            return Expected(0.0, 1.0)
        score, _ = self.scores.of(self.tried, 0)
        known = expected_of(entry.name, self.bench.problem.modality, self.metric, score)
        return known or Expected(0.0, 2 * max(self.noise.by_seed, self.noise.by_examples))

    @property
    def least(self) -> float:
        """The smallest effect that matters."""
        if self.matters is not None:
            return self.matters
        return MATTERS * self.noise.by_examples if self.noise else 0.0

    def comparison(self, standing: Standing, against: str) -> Comparison:
        """The record of an arm."""
        breaks = tuple(self.bench.broken(standing.tried)) if standing.tried else ()
        return comparison(standing, self.tried, self.scores, against, self.least, breaks)
