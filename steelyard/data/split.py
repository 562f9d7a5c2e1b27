"""Who is learnt from, who decides, who is sealed: stratified splits that keep exact duplicates together, or by time."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.data.ordered import both, known_before, last_share, latest, origins
from steelyard.errors import UserError

TEST_SHARE, TEST_ROWS = 0.2, 10_000
DEV_SHARE, DEV_ROWS = 0.15, 6_000
LEAST_ORDERED = 20  # rows before the test, from which folds can be cut
COMMON = 10  # rows with the same labels from which they are a stratum of their own
FOLDS, FOLDS_BELOW = 5, 3_000  # with fewer rows a hold-out is too noisy: every row takes its turn in dev
RARE_ROWS, RARE_BELOW = 60, 20_000  # so it is for tables below that size whose hold-out has fewer rows of a rare class
RARE_SHARE = 0.5  # of what a class would have if all were equal: below it is rare


@dataclass(frozen=True)
class Protocol:
    """How the rows outside the sealed test are split into train and dev.

    Every partition number deals the rows anew: into `folds` parts, or with `kind` "holdout" into train and dev.
    `strata` and `groups` are codes per row (n,); `given` holds the dev rows of a ready split.

    "ordered" is for rows with a time (`data.ordered`): train comes before dev, and knows nothing that came to be known
    after the first forecast of dev was made. `order` (n, 2) says when each row is asked and when its answer is known.
    """

    kind: Literal["holdout", "folds", "ordered"]
    folds: int
    seed: int
    strata: np.ndarray
    groups: np.ndarray | None = None
    given: np.ndarray | None = None
    order: np.ndarray | None = None

    def split(self, partition: int, fold: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Sorted row numbers (train, dev); fold None means that all rows train and none is dev."""
        rows = np.arange(len(self.strata))
        if fold is None:
            return rows, rows[:0]
        if self.order is not None:
            return origins(self.order, self.folds, fold, [self.seed, 6, partition] if partition else None)
        if self.given is not None:
            in_dev = np.isin(rows, self.given)
        elif self.kind == "folds":
            place = _positions(self.strata, self.groups, np.random.default_rng([self.seed, 2, partition]))
            in_dev = np.asarray(place % self.folds == fold)
        else:
            wanted = min(DEV_SHARE, DEV_ROWS / len(rows))
            deal = [self.seed, 1, partition] if partition else [self.seed, 1]
            in_dev = _systematic(self.strata, self.groups, wanted, np.random.default_rng(deal))
        return rows[~in_dev], rows[in_dev]

    def subset(self, rows: np.ndarray, size: int | None, partition: int) -> np.ndarray:
        """At most `size` of the rows, stratified; smaller subsets are not nested in larger ones."""
        if size is None or size >= len(rows):
            return rows
        if self.order is not None:
            return latest(self.order, rows, size)
        stream = np.random.default_rng([self.seed, 3, partition])
        return np.asarray(rows[_systematic(self.strata[rows], None, size / len(rows), stream)])

    def nested(self, rows: np.ndarray, size: int, draw: int, of: int | None = None) -> np.ndarray:
        """At most `size` of the rows, stratified; each subset lies in every larger one of the same `draw`.

        With `of` only the rows of that stratum are limited to `size`, and all others stay.
        """
        mine = rows if of is None else rows[self.strata[rows] == of]
        if size >= len(mine):
            return rows
        if self.order is not None:
            kept = latest(self.order, mine, size)
        else:
            kept = mine[_ranks(self.strata[mine], np.random.default_rng([self.seed, 7, draw])) < size]
        return kept if of is None else rows[np.isin(rows, kept) | (self.strata[rows] != of)]

    def to_dict(self) -> dict[str, object]:
        ready = None if self.given is None else len(self.given)
        return {"kind": self.kind, "folds": self.folds, "seed": self.seed, "rows": len(self.strata), "ready_dev": ready}


def divide(dataset: Dataset, seed: int) -> tuple[Protocol, np.ndarray, np.ndarray]:
    """The protocol and the row numbers of (pool, test); a ready split is kept as it came."""
    if dataset.order is not None:
        return _divide_ordered(dataset, seed)
    strata, part = _strata(dataset), dataset.part
    if part is not None and (part == "test").any():
        in_test = part == "test"
    else:
        share = min(TEST_SHARE, TEST_ROWS / len(dataset))
        in_test = _systematic(strata, dataset.groups, share, np.random.default_rng([seed, 0]))
    rows = np.arange(len(dataset))
    pool, test = rows[~in_test], rows[in_test]
    _require_weight(dataset, {"test": test, "other": pool})
    given = None
    if part is not None and (part[pool] == "dev").any():
        given = np.flatnonzero(part[pool] == "dev")
    groups = None if dataset.groups is None else dataset.groups[pool]
    few = len(pool) < FOLDS_BELOW or _few_of_a_class(dataset.take(pool))
    folds = FOLDS if given is None and few else 1
    kind: Literal["holdout", "folds"] = "folds" if folds > 1 else "holdout"
    return Protocol(kind, folds, seed, strata[pool], groups, given), pool, test


def _divide_ordered(dataset: Dataset, seed: int) -> tuple[Protocol, np.ndarray, np.ndarray]:
    """The last rows are the test; those whose answer was not known when its first one was asked are in no part."""
    order, part = both(dataset.order), dataset.part
    if part is not None and (part == "test").any():
        in_test = part == "test"
    else:
        in_test = last_share(order, min(TEST_SHARE, TEST_ROWS / len(dataset)))
    test = np.flatnonzero(in_test)
    pool = np.flatnonzero(~in_test & known_before(order, test))
    if len(pool) < LEAST_ORDERED:
        raise UserError(f"{len(pool)} rows come before the test: at least {LEAST_ORDERED} are needed to learn from")
    folds = FOLDS if len(pool) < FOLDS_BELOW else 1
    return Protocol("ordered", folds, seed, _strata(dataset)[pool], order=order[pool]), pool, test


def _few_of_a_class(pool: Dataset) -> bool:
    """Whether a hold-out of a table would hold so few rows of a rare class that it says little about that class."""
    if not pool.classes or pool.schema.modality != "tabular" or len(pool) >= RARE_BELOW:
        return False
    assert pool.target is not None
    counts = np.bincount(pool.target, minlength=len(pool.classes))
    return bool(counts.min() < RARE_SHARE * counts.mean() and counts.min() * DEV_SHARE < RARE_ROWS)


def _require_weight(dataset: Dataset, parts: dict[str, np.ndarray]) -> None:
    """UserError when no row of a part counts: it cannot be scored."""
    for name, rows in parts.items():
        weights = dataset.weights_of(rows)
        if weights is not None and len(weights) and not weights.any():
            raise UserError(f"the weights of all {len(weights)} {name} rows are zero: too few rows have one above 0")


def set_aside(dataset: Dataset, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted row numbers (kept, held) of a stratified share of rows that are held out of training."""
    if dataset.order is not None:
        order = both(dataset.order)
        late = last_share(order, share)
        return np.flatnonzero(~late & known_before(order, np.flatnonzero(late))), np.flatnonzero(late)
    held = _systematic(_strata(dataset), dataset.groups, share, np.random.default_rng([seed, 5]))
    rows = np.arange(len(dataset))
    return rows[~held], rows[held]


def _strata(dataset: Dataset) -> np.ndarray:
    """Classes, or tenths of the target in regression; for several targets what is alike in them."""
    assert dataset.target is not None
    if dataset.classes:
        return dataset.target
    if not dataset.heads:
        return _tenths(dataset.target)
    named = [bool(head.classes) for head in dataset.heads]
    if not any(named):
        spread = np.nanstd(dataset.target, axis=0)
        scaled = (dataset.target - np.nanmean(dataset.target, axis=0)) / np.where(spread > 0, spread, 1.0)
        return _tenths(np.nanmean(scaled, axis=1))
    return _sets(dataset.target[:, named])


def _tenths(values: np.ndarray) -> np.ndarray:
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return np.asarray(order * 10 // max(1, len(order)))


def _sets(codes: np.ndarray) -> np.ndarray:
    """A stratum per row (n,) from codes (n, heads): rows with the same codes, where there are enough of them.

    Rows with a rare combination go with others that share their rarest code, so that each part gets its share of it.
    """
    codes = np.where(np.isnan(codes), -1, codes).astype(np.int64)
    _, member, counts = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    member = member.reshape(-1)
    rare = counts[member] < COMMON
    shares = np.empty(codes.shape)
    for k, column in enumerate(codes.T):
        _, place, many = np.unique(column, return_inverse=True, return_counts=True)
        shares[:, k] = many[place.reshape(-1)]
    rarest = shares.argmin(axis=1)
    width = int(codes.max()) + 2
    instead = len(counts) + rarest * width + codes[np.arange(len(codes)), rarest] + 1
    return np.unique(np.where(rare, instead, member), return_inverse=True)[1].reshape(-1)


def _positions(strata: np.ndarray, groups: np.ndarray | None, stream: np.random.Generator) -> np.ndarray:
    """Where each row stands in a shuffled queue sorted by stratum; duplicates stand where their first copy does."""
    codes = np.arange(len(strata)) if groups is None else groups
    _, first, member = np.unique(codes, return_index=True, return_inverse=True)
    shuffled = stream.permutation(len(first))
    queue = shuffled[np.argsort(strata[first][shuffled], kind="stable")]
    position = np.empty(len(first), dtype=np.int64)
    position[queue] = np.arange(len(first))
    return np.asarray(position[member])


def _ranks(strata: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    """Where each row (n,) stands in a shuffled queue of which every beginning has its share of each stratum."""
    shuffled = stream.permutation(len(strata))
    codes = strata[shuffled]
    by_code = np.argsort(codes, kind="stable")
    _, starts, member, counts = np.unique(codes[by_code], return_index=True, return_inverse=True, return_counts=True)
    shares = np.empty(len(strata))
    shares[shuffled[by_code]] = (np.arange(len(strata)) - starts[member] + stream.random(len(starts))[member]) / counts[
        member
    ]
    ranks = np.empty(len(strata), dtype=np.int64)
    ranks[np.argsort(shares, kind="stable")] = np.arange(len(strata))
    return ranks


def _systematic(strata: np.ndarray, groups: np.ndarray | None, share: float, stream: np.random.Generator) -> np.ndarray:
    """Which rows (bool) fall to a share of the data: every 1/share-th of the queue, so each stratum gives its part."""
    start = stream.random()
    position = _positions(strata, groups, stream)
    return np.asarray(np.floor((position + 1) * share + start) > np.floor(position * share + start))
