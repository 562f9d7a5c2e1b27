"""What an error table says, in words."""

from steelyard.records import Dominant, ErrorTable, Gap, LevelName, Term

MEANING: dict[Term, str] = {
    "bias": "it is not good enough even on its own train data",
    "variance": "it does worse on new data like those it learnt from",
    "mismatch": "it does worse on data from where it will be used than on new data like those it learnt from",
    "overfitting to dev": "it was chosen on dev too often: it does worse on fresh data",
}
NAMES: dict[Term, str] = {
    "bias": "avoidable bias",
    "variance": "variance",
    "mismatch": "data mismatch",
    "overfitting to dev": "overfitting to dev",
}
LEVELS: dict[LevelName, str] = {
    "human level": "the smallest error that people reach",
    "Bayes proxy": "an estimate of the smallest error that anything can reach",
    "train": "the rows it learnt from",
    "train-dev": "new rows like those it learnt from",
    "dev": "new rows like those it will be used on",
    "test": "fresh rows that decided nothing",
}

WHAT: dict[Dominant, str] = {
    "variance": "more rows are the surest remedy: steelyard learning-curve says what they bring",
    "bias": "more informative inputs or a bigger model: steelyard mistakes shows what is missing",
    "mismatch": "rows from where it will be used: steelyard shift says what differs",
    "overfitting to dev": "dev is worn out: decide on fresh rows",
    "cannot tell yet": "more dev rows would tell; look at the worst mistakes, they may be labels",
}


def called(gap: Gap) -> str:
    """What a difference is called; bias that is counted from zero is not known to be avoidable."""
    return "bias, from zero" if gap.start == "zero" else NAMES[gap.term]


def verdict(table: ErrorTable) -> str:
    """`variance dominates (probability 0.98)`, or that it cannot be told yet and what is likely."""
    likely = max(table.gaps, key=lambda gap: gap.probability)
    chance = f"{table.probability:.2f}"
    if table.dominant == "cannot tell yet":
        return f"cannot tell yet what dominates: {called(likely)} is the likeliest to be the largest part ({chance})"
    if likely.start == "zero":
        return (
            f"bias, counted from zero, is the largest part (probability {chance}); how much can be avoided is unknown"
        )
    return f"{NAMES[table.dominant]} dominates (probability {chance})"
