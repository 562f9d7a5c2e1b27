"""Several annotators' measurements: the RMSE of one, of the mean of k, and how alike they are (ICC)."""

from dataclasses import dataclass

import numpy as np

from steelyard.data.annotations import Annotations
from steelyard.diagnosis.annotators import Annotator, anyone, best_annotator, one_by_one
from steelyard.diagnosis.human_level import RMSE, HumanLevel, left_out, lowest
from steelyard.diagnosis.panels import SPARSE, Panel, odd_sizes
from steelyard.errors import UserError
from steelyard.problem import Score

Array = np.ndarray


@dataclass(frozen=True)
class Spread:
    """Of the values (rows, annotators), nan where there is none: how `many` a row has, their `mean` and `variance`."""

    many: Array
    mean: Array
    variance: Array

    @classmethod
    def of(cls, values: Array) -> "Spread":
        known = ~np.isnan(values)
        many = known.sum(axis=1)
        mean = np.nansum(values, axis=1) / np.maximum(many, 1)
        square = np.where(known, (values - mean[:, None]) ** 2, 0.0).sum(axis=1)
        return cls(many, mean, square / np.maximum(many - 1, 1))


def value_panels(values: Array, truth: Array | None) -> tuple[Panel, ...]:
    """RMSE of the mean of 1, 3, 5, … annotators of each row drawn by lot, with 95 % intervals over rows.

    Computed exactly, as the mean of draws without replacement (Cochran 1977, "Sampling Techniques", section 2.6).
    Without a truth (rows,) one annotator is held against the mean of the others, panels of at most half of a row's
    annotators against that of the other half, which errs, too.
    """
    spread = Spread.of(values)
    least = int(np.quantile(spread.many, SPARSE, method="lower"))
    sizes = [1, *odd_sizes(least if truth is not None else least // 2)]
    found = [Panel(k, rooted(mean_square(_squares(spread, truth, k)))) for k in sizes]
    usual = int(np.median(spread.many))
    if truth is not None and usual > 1:
        everybody = Panel(usual, rooted(mean_square((spread.mean - truth) ** 2)), all=True)
        found = [panel for panel in found if panel.size != usual] + [everybody]
    return tuple(found)


def value_errors(values: Array, truth: Array | None) -> Array:
    """How far (rows, annotators) each value is from the truth, or from the mean of the row's others; squared."""
    if truth is not None:
        return np.asarray((values - truth[:, None]) ** 2)
    spread = Spread.of(values)
    factor = spread.many / np.maximum(spread.many - 1, 1)  # what is left out moves the mean of the others away
    return np.asarray(((values - spread.mean[:, None]) * factor[:, None]) ** 2)


def mean_square(squares: Array) -> Score:
    """The mean of squares (n,) with its normal 95 % interval."""
    mean, reach = float(squares.mean()), 1.96 * float(squares.std()) / np.sqrt(len(squares))
    return Score(mean, max(0.0, mean - reach), mean + reach, len(squares))


def rooted(square: Score) -> Score:
    """The root of a mean square and of the ends of its interval."""
    low, value, high = np.sqrt([square.low, square.value, square.high])
    return Score(float(value), float(low), float(high), square.examples)


def icc(values: Array) -> float:
    """The one-way intraclass correlation of single measurements: the share of variance that lies between rows.

    Source: Shrout and Fleiss 1979, "Intraclass correlations", ICC(1,1); with the usual mean number of annotators of an
    unbalanced analysis of variance. nan where no row has two values.
    """
    spread = Spread.of(values)
    rows, every = int((spread.many > 0).sum()), int(spread.many.sum())
    if rows < 2 or every == rows:
        return float("nan")
    within = float(((spread.many - 1) * spread.variance)[spread.many > 1].sum()) / (every - rows)
    grand = float((spread.many * spread.mean).sum()) / every
    between = float((spread.many * (spread.mean - grand) ** 2).sum()) / (rows - 1)
    usual = (every - float((spread.many**2).sum()) / every) / (rows - 1)
    share = between + (usual - 1) * within
    return (between - within) / share if share > 0 else float("nan")


def _squares(spread: Spread, truth: Array | None, size: int) -> Array:
    """The expected squared error (rows,) of the mean of `size` annotators, or of all where a row has fewer."""
    many = np.maximum(spread.many, 1)
    if truth is not None:
        size_of = np.minimum(size, many)
        return np.asarray((spread.mean - truth) ** 2 + spread.variance * (1 / size_of - 1 / many))
    others = many - 1 if size == 1 else many - many // 2
    size_of = np.minimum(size, many - others)
    return np.asarray(spread.variance * (1 / size_of + 1 / others))


def level_of_values(said: Annotations, truth: Array | None, seed: int = 0) -> HumanLevel:
    """The human level from measurements against true values (rows,), else against each other.

    Raises UserError where no row has several values.
    """
    values = said.values
    assert values is not None
    many = (~np.isnan(values)).sum(axis=1)
    if not len(many) or many.max() < 2:
        raise UserError("no row has more than one value: expected several annotators of the same rows")
    used = np.flatnonzero(many > (1 if truth is None else 0))
    values, truth = values[used], None if truth is None else truth[used]
    squares, ladder = value_errors(values, truth), value_panels(values, truth)
    found = best_annotator(squares, seed, mean_square)
    best = rooted(found[1]) if found else None
    level, of = lowest(ladder, best)
    return HumanLevel(
        RMSE,
        level,
        of,
        "the mean of the row's other annotators" if truth is None else "the true values",
        truth is None,
        len(used),
        int(many[used].sum()),
        rooted(anyone(squares, float("inf"))),
        best,
        said.names[found[0]] if found else "",
        ladder,
        None,
        icc(values),
        tuple(_rooted_annotator(each) for each in one_by_one(squares, said.names, mean_square)),
        left_out(len(many) - len(used), truth is None),
    )


def _rooted_annotator(each: Annotator) -> Annotator:
    """Errors that are squares as their roots; a² - b² is (a - b)(a + b)."""
    error, others = rooted(each.error), float(np.sqrt(each.others))
    both = error.value + others if error.value + others > 0 else 1.0
    ends = each.difference / both, each.low / both, each.high / both
    return Annotator(each.name, each.labels, error, others, *ends, each.deviates)
