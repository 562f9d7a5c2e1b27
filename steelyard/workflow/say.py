"""How scores are put into words, and ranked."""

from steelyard.diagnosis.words import called, verdict
from steelyard.metrics import Metric
from steelyard.problem import Score
from steelyard.records import ErrorTable
from steelyard.trials.arms import Tried
from steelyard.weighing.comparison import Noise
from steelyard.workflow.bench import Bench


def number(value: float) -> str:
    """Four significant digits, without exponents where a person would not write them."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def score_text(score: Score) -> str:
    """`0.8731 (0.8660 to 0.8798)`."""
    return f"{number(score.value)} ({number(score.low)} to {number(score.high)})"


def plainly(bench: Bench, tried: Tried) -> str:
    """An arm's dev score in words."""
    return score_text(bench.score(tried))


def ranked(bench: Bench, tried: list[Tried]) -> list[Tried]:
    """The arms, best dev score first; those that break a constraint come last."""
    sign = bench.metric.sign
    return sorted(tried, key=lambda t: (bool(bench.broken(t)), -sign * bench.score(t).value))


def noise_words(measure: Metric, noise: Noise, matters: float) -> str:
    """The noise floor, before any claim."""
    return (
        f"noise floor: another seed moves {measure.name} by {number(noise.by_seed)} (one standard deviation, "
        f"{noise.seeds} seeds), other examples by {number(noise.by_examples)} ({noise.examples} rows); "
        f"an effect below {number(matters)} does not matter"
    )


def table_words(table: ErrorTable) -> str:
    """The levels, the gaps and the verdict of an error table."""
    levels = ", ".join(f"{number(each.error.value)} on {each.name}" for each in table.levels)
    parts = ", ".join(f"{called(gap)} {number(gap.value)}" for gap in table.gaps)
    return f"error ({table.unit}) {levels}; {parts}: {verdict(table)}"
