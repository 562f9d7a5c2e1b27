"""The pages of the tools that try out a network: learning-rate range test, batch size and epochs."""

import shlex

from steelyard.metrics import metric
from steelyard.report.figures import Mark, intervals
from steelyard.report.figures.rates import rate_curve
from steelyard.report.figures.score_map import score_map
from steelyard.report.numbers import NONE, Format, count, duration, fitting_scores, plural, tick
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table, scored
from steelyard.report.words import metric_name, sentence
from steelyard.training.rate_range import RateRange
from steelyard.weighing.trade_off import Exploration, Pair, cost


def rate_page(found: RateRange, target: str, command: str, said: str) -> str:
    """The page of a range test: the curve, its marks and the setting to use."""
    seeds = plural(len(found.losses), "seed")
    lead = (
        f"{found.family} for {target}, {found.optimizer}, batches of {found.batch_size}, {count(found.rows)} train rows"
    )
    curve = Part(
        "The loss as the rate grows",
        f"One step at each rate; the line is the median of {seeds}, smoothed, the band reaches from the lowest to the "
        "highest of them. What is shaded diverges.",
        rate_curve(found, sentence(said)),
        _marks(found),
    )
    answer = (
        f"{sentence(said)}.",
        "The suggestion lies halfway between the first two on the logarithmic axis. It is where to begin: what is best "
        "may lie anywhere between them.",
    )
    return sheet("Learning-rate range test", lead, answer, f"--set {shlex.quote(found.setting)}", [curve], command)


def _marks(found: RateRange) -> Table:
    end = "largest before it diverges" if found.diverged else "largest that was tried"
    rows = (
        ("falls fastest", found.steepest),
        ("suggestion", found.suggestion),
        ("lowest loss", found.lowest),
        (end, found.largest),
    )
    columns = (("mark", False), ("learning rate", True))
    return Table("The marks", columns, tuple((Cell(name), Cell(tick(float(f"{rate:.2g}")))) for name, rate in rows))


def exploration_page(found: Exploration) -> str:
    """The page of an exploration: the map, score against cost, every pair in numbers."""
    problem, write = found.problem, fitting_scores(pair.score for pair in found.pairs)
    better = "greater" if metric(problem.metric).greater_is_better else "smaller"
    lead = (
        f"{found.family} for {problem.target}, {found.optimizer}, {count(found.rows)} train rows, "
        f"{plural(found.seeds, 'seed')} a pair"
    )
    said = [f"{sentence(each.text)}." for each in reversed(found.said) if each.step == "finish"]
    setting = " ".join(f"--set {shlex.quote(each)}" for each in found.settings)
    parts = [_map(found, write, better)]
    if len([pair for pair in found.pairs if pair.score]) > 1:
        parts.append(_by_cost(found, write))
    parts.append(Part("Every pair", _how(found), table=pair_table(found)))
    return sheet("Batch size and epochs", lead, said, setting, parts, found.command)


def _map(found: Exploration, write: Format, better: str) -> Part:
    name = metric_name(found.problem.metric)
    text = f"{sentence(name)} on dev, {better} is better; below it the time of one training. Stronger is better."
    best = found.pair(found.best)
    words = f"Batch size by epochs; best is {best.name}" if best else "Batch size by epochs"
    greater = metric(found.problem.metric).greater_is_better
    return Part("Score and cost", text, score_map(found, greater, write, words), kind="map")


def _by_cost(found: Exploration, write: Format) -> Part:
    """The pairs from the cheapest to the dearest, with their intervals."""
    done = sorted((pair for pair in found.pairs if pair.score), key=cost)
    marks = [_mark(found, pair, write) for pair in done]
    text = "Cheapest first, with 95 % intervals over the examples. Filled: on the front, nothing is better and cheaper."
    words = f"Scores by cost, from {done[0].name} to {done[-1].name}"
    greater = metric(found.problem.metric).greater_is_better
    return Part("From cheap to dear", text, intervals(marks, words, metric_name(found.problem.metric), greater))


def _mark(found: Exploration, pair: Pair, write: Format) -> Mark:
    assert pair.score is not None
    score, label = pair.score, f"{pair.name}, {duration(cost(pair))}"
    colour = "good" if pair.place == found.pick else "accent" if not pair.surely_worse else "muted"
    return Mark(
        label, score.value, score.low, score.high, write.score(score), write(score.value), colour, hollow=not pair.front
    )


def _how(found: Exploration) -> str:
    size, epochs, rate = found.base
    rule = "is kept" if found.rule == "kept" else f"follows the batch size by the {found.rule} rule"
    return (
        f"The plain recipe has batches of {size}, {epochs} epochs and the rate {rate}, which {rule}. Differences are "
        "paired over seeds and examples."
    )


def pair_table(found: Exploration) -> Table:
    """A row per pair."""
    write = fitting_scores(pair.score for pair in found.pairs)
    columns = (
        ("batch", True),
        ("epochs", True),
        ("steps, rate", True),
        ("time", True),
        (metric_name(found.problem.metric), True),
        ("against the best", True),
        ("", False),
    )
    return Table("Every pair", columns, tuple(_row(found, pair, write) for pair in found.pairs))


def _row(found: Exploration, pair: Pair, write: Format) -> tuple[Cell, ...]:
    effect = Cell(NONE)
    if pair.effect is not None and pair.place != found.best:
        interval = f"{write.signed(pair.low)} to {write.signed(pair.high)}"
        effect = Cell(write.signed(pair.effect), interval, look="bad" if pair.surely_worse else "")
    return (
        Cell(count(pair.batch_size)),
        Cell(count(pair.epochs)),
        Cell(count(pair.steps), pair.rate),
        Cell(duration(pair.seconds) if pair.seconds is not None else NONE),
        scored(pair.score, write),
        effect,
        Cell(remark(found, pair)),
    )


def remark(found: Exploration, pair: Pair) -> str:
    """What there is to say about a pair: best, pick, on the front, surely worse, or why it has no score."""
    if pair.status != "done":
        if pair.status == "left out":
            return f"left out, about {duration(pair.predicted)} each"
        return f"{pair.status}: {pair.reason}" if pair.reason else pair.status
    words = {
        "pick": pair.place == found.pick,
        "best": pair.place == found.best,
        "on the front": pair.front,
        "surely worse": pair.surely_worse,
    }
    return ", ".join(word for word, holds in words.items() if holds)
