"""Panels: how often the majority of k annotators is wrong."""

from dataclasses import dataclass

import numpy as np

from steelyard.diagnosis.votes import errors_by_class, majority, mean_error, single_errors
from steelyard.problem import Score

Array = np.ndarray
LABELS, DRAWS = 300_000, (10, 400)  # rows times panels drawn of each, about; the fewest and the most of a row
SIZES = 9  # of panels that are looked at
SPARSE = 0.2  # of the rows may have fewer votes than the largest panel has members; all of theirs are taken


@dataclass(frozen=True)
class Panel:
    """A panel of so many annotators and its error; `all`: everybody who said something of a row, usually `size`."""

    size: int
    error: Score
    all: bool = False

    @property
    def name(self) -> str:
        if self.size == 1:
            return "one annotator"
        return f"panel of everybody, usually {self.size}" if self.all else f"panel of {self.size}"


def panels(counts: Array, truth: Array | None, seed: int = 0) -> tuple[Panel, ...]:
    """Panels of 1, 3, 5, … annotators of each row drawn by lot, with 95 % intervals over rows.

    Ties count by their expected error. Against the truth (rows,) the largest panel is everybody; without one, panels
    have at most half of a row's annotators and are held against the majority of the other half, which errs, too.
    One annotator, and everybody, are computed exactly; the others are means over panels that are drawn with `seed`.
    """
    every = counts.sum(axis=1)
    single = mean_error(single_errors(counts, errors_by_class(counts, truth)))
    least = int(np.quantile(every, SPARSE, method="lower"))
    sizes = odd_sizes(least if truth is not None else least // 2)
    found = [Panel(1, single)]
    found += [Panel(k, mean_error(e)) for k, e in zip(sizes, _drawn(counts, truth, sizes, seed), strict=True)]
    usual = int(np.median(every))
    if truth is not None and usual > 1:
        exact = 1 - majority(counts)[np.arange(len(truth)), truth]
        found = [p for p in found if p.size != usual] + [Panel(usual, mean_error(exact), all=True)]
    return tuple(found)


def odd_sizes(most: int) -> list[int]:
    """Odd sizes from 3 to `most`, farther apart as they grow."""
    odd = np.arange(3, most + 1, 2)
    if len(odd) > SIZES:
        odd = odd[np.unique(np.round(np.geomspace(1, len(odd), SIZES)).astype(int) - 1)]
    return [int(size) for size in odd]


def _drawn(counts: Array, truth: Array | None, sizes: list[int], seed: int) -> list[Array]:
    """The mean error (rows,) of drawn panels of each size."""
    rows, classes = counts.shape
    votes = _listed(counts)
    every, random = counts.sum(axis=1), np.random.default_rng(seed)
    ends = every if truth is not None else every // 2  # a row's panel takes its votes from before this place
    errors = [np.zeros(rows) for _ in sizes]
    draws = int(np.clip(LABELS // rows, *DRAWS))
    for _ in range(draws if sizes else 0):
        keys = np.where(votes >= 0, random.random(votes.shape), 2.0)
        dealt = np.take_along_axis(votes, np.argsort(keys, axis=1), axis=1)
        judge = np.zeros((rows, classes))
        if truth is None:
            behind = np.arange(votes.shape[1]) >= ends[:, None]
            judge = majority(_tally(np.where(behind, dealt, -1), np.zeros((rows, classes), np.int64)))
        else:
            judge[np.arange(rows), truth] = 1.0
        tally, begin = np.zeros((rows, classes), np.int64), 0
        for i, size in enumerate(sizes):
            inside = np.arange(begin, size) < ends[:, None]
            tally, begin = _tally(np.where(inside, dealt[:, begin:size], -1), tally), size
            errors[i] += 1 - (majority(tally) * judge).sum(axis=1)
    return [each / draws for each in errors]


def _listed(counts: Array) -> Array:
    """The votes of each row one by one (rows, most votes), -1 behind the last one."""
    every = counts.sum(axis=1)
    found = np.full((len(counts), int(every.max())), -1)
    row, code = np.nonzero(counts)
    many = counts[row, code]
    place = np.concatenate([np.arange(n) for n in every])
    found[np.repeat(np.arange(len(counts)), every), place] = np.repeat(code, many)
    return found


def _tally(votes: Array, tally: Array) -> Array:
    """The tally (rows, classes) with votes (rows, k) added."""
    row, place = np.nonzero(votes >= 0)
    np.add.at(tally, (row, votes[row, place]), 1)
    return tally
