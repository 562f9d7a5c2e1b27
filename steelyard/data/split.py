"""Who is learnt from, who decides, who is sealed: stratified splits that keep exact duplicates together, or by time.

Where sources are mixed, dev and test hold rows of the target sources alone, and train-dev others like those of train.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.data.dealing import among, positions, ranks, systematic, twins
from steelyard.data.mixed_split import DEV_SHARE as MIXED_DEV
from steelyard.data.mixed_split import Parts, by_source, held_out, in_folds, in_order
from steelyard.data.ordered import both, known_before, last_share, latest, origins
from steelyard.data.sources import Sources
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
    """How the rows outside the sealed test are split into train and dev, and train-dev where sources are mixed.

    Every partition number deals the rows anew: into `folds` parts, or with `kind` "holdout" into train and dev.
    `strata` and `groups` are codes per row (n,); `given` holds the dev rows of a ready split.

    "ordered" is for rows with a time (`data.ordered`): train comes before dev, and knows nothing that came to be known
    after the first forecast of dev was made. `order` (n, 2) says when each row is asked and when its answer is known.

    With `sources` dev holds rows of the target sources alone (`data.mixed_split`); `sealed` says how many rows of each
    source are in the test.
    """

    kind: Literal["holdout", "folds", "ordered"]
    folds: int
    seed: int
    strata: np.ndarray
    groups: np.ndarray | None = None
    given: np.ndarray | None = None
    order: np.ndarray | None = None
    sources: Sources | None = None
    sealed: dict[str, int] | None = None

    def split(self, partition: int, fold: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Sorted row numbers (train, dev); fold None means that all rows train and none is dev."""
        rows = np.arange(len(self.strata))
        if fold is None:
            return rows, rows[:0]
        if self.sources is not None:
            train, _, dev = self._mixed(self.sources, partition, fold)
            return rows[train], rows[dev]
        if self.order is not None:
            return origins(self.order, self.folds, fold, self._stream(partition))
        if self.given is not None:
            in_dev = np.isin(rows, self.given)
        elif self.kind == "folds":
            place = positions(self.strata, self.groups, np.random.default_rng([self.seed, 2, partition]))
            in_dev = np.asarray(place % self.folds == fold)
        else:
            wanted = min(DEV_SHARE, DEV_ROWS / len(rows))
            deal = [self.seed, 1, partition] if partition else [self.seed, 1]
            in_dev = systematic(self.strata, self.groups, wanted, np.random.default_rng(deal))
        return rows[~in_dev], rows[in_dev]

    def train_dev(self, partition: int, fold: int | None) -> np.ndarray:
        """Sorted row numbers that are like those of train but held out of it; none unless sources are mixed."""
        if self.sources is None or fold is None:
            return np.arange(0)
        return np.flatnonzero(self._mixed(self.sources, partition, fold)[1])

    def _mixed(self, sources: Sources, partition: int, fold: int) -> Parts:
        if self.order is not None:
            return in_order(self.order, sources, self.folds, fold, self._stream(partition))
        deal = (self.seed, partition)
        if self.kind == "folds":
            return in_folds(self.strata, self.groups, sources, self.folds, fold, deal)
        return held_out(self.strata, self.groups, sources, self.given, DEV_ROWS, deal)

    def _stream(self, partition: int) -> list[int] | None:
        """What moves the origins of rows with a time; nothing in the first partition."""
        return [self.seed, 6, partition] if partition else None

    def subset(self, rows: np.ndarray, size: int | None, partition: int) -> np.ndarray:
        """At most `size` of the rows, stratified; smaller subsets are not nested in larger ones."""
        if size is None or size >= len(rows):
            return rows
        if self.order is not None:
            return latest(self.order, rows, size)
        stream = np.random.default_rng([self.seed, 3, partition])
        strata = self.strata if self.sources is None else by_source(self.strata, self.sources)
        return np.asarray(rows[systematic(strata[rows], None, size / len(rows), stream)])

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
            strata = self.strata if self.sources is None else by_source(self.strata, self.sources)
            kept = mine[ranks(strata[mine], np.random.default_rng([self.seed, 7, draw])) < size]
        return kept if of is None else rows[np.isin(rows, kept) | (self.strata[rows] != of)]

    def to_dict(self) -> dict[str, object]:
        """As JSON holds it; with `sources` the rows of each in every part of the first split."""
        ready = None if self.given is None else len(self.given)
        found: dict[str, object] = {
            "kind": self.kind,
            "folds": self.folds,
            "seed": self.seed,
            "rows": len(self.strata),
            "ready_dev": ready,
        }
        return found if self.sources is None else found | {"sources": self._said(self.sources)}

    def _said(self, sources: Sources) -> dict[str, object]:
        parts = dict(zip(("train", "train_dev", "dev"), self._mixed(sources, 0, 0), strict=True))
        rows = {name: sources.counts(part) for name, part in parts.items()} | {"test": self.sealed or {}}
        return {"column": sources.column, "target": [sources.names[k] for k in sources.targets], "rows": rows}


def divide(dataset: Dataset, seed: int) -> tuple[Protocol, np.ndarray, np.ndarray]:
    """The protocol and the row numbers of (pool, test); a ready split is kept as it came.

    Where sources are mixed, rows of the others that are in one group with a row of the test are in neither.
    """
    if dataset.order is not None:
        return _divide_ordered(dataset, seed)
    strata, part, groups, asked = _strata(dataset), dataset.part, dataset.groups, dataset.asked
    out = np.zeros(len(dataset), bool)
    if part is not None and (part == "test").any():
        in_test = part == "test"
    else:
        share = min(TEST_SHARE, TEST_ROWS / max(1, int(asked.sum())))
        in_test = among(asked, strata, groups, share, np.random.default_rng([seed, 0]))
        out = twins(groups, in_test)
    rows = np.arange(len(dataset))
    pool, test = rows[~in_test & ~out], rows[in_test]
    _require_weight(dataset, {"test": test, "other": pool})
    given = None
    if part is not None and (part[pool] == "dev").any():
        given = np.flatnonzero(part[pool] == "dev")
    folds = FOLDS if given is None and _too_few(dataset, pool) else 1
    kind: Literal["holdout", "folds"] = "folds" if folds > 1 else "holdout"
    protocol = Protocol(kind, folds, seed, strata[pool], None if groups is None else groups[pool], given)
    return _with_sources(protocol, dataset, pool, test), pool, test


def _with_sources(protocol: Protocol, dataset: Dataset, pool: np.ndarray, test: np.ndarray) -> Protocol:
    sources = dataset.sources
    if sources is None:
        return protocol
    return replace(protocol, sources=sources.take(pool), sealed=sources.counts(test))


def _too_few(dataset: Dataset, pool: np.ndarray) -> bool:
    """Whether a hold-out would be too noisy: of few rows, or of few rows of a rare class.

    Where sources are mixed it is of target rows only, and many others would be learnt from in every fold.
    """
    if len(pool) < FOLDS_BELOW:
        return True
    if dataset.sources is None:
        return _few_of_a_class(dataset.take(pool))
    asked = pool[dataset.asked[pool]]
    few = len(asked) < FOLDS_BELOW * DEV_SHARE / MIXED_DEV or _few_of_a_class(dataset.take(asked))
    return bool(len(pool) < RARE_BELOW and few)


def _divide_ordered(dataset: Dataset, seed: int) -> tuple[Protocol, np.ndarray, np.ndarray]:
    """The last rows are the test; those whose answer was not known when its first one was asked are in no part."""
    order, part, asked = both(dataset.order), dataset.part, dataset.asked
    if part is not None and (part == "test").any():
        in_test = part == "test"
    else:
        in_test, wanted = np.zeros(len(dataset), bool), np.flatnonzero(asked)
        in_test[wanted] = last_share(order[wanted], min(TEST_SHARE, TEST_ROWS / max(1, len(wanted))))
    test = np.flatnonzero(in_test)
    pool = np.flatnonzero(~in_test & known_before(order, test))
    if len(pool) < LEAST_ORDERED:
        raise UserError(f"{len(pool)} rows come before the test: at least {LEAST_ORDERED} are needed to learn from")
    folds = FOLDS if len(pool) < FOLDS_BELOW else 1
    protocol = Protocol("ordered", folds, seed, _strata(dataset)[pool], order=order[pool])
    protocol = _with_sources(protocol, dataset, pool, test)
    _require_mixed(protocol)
    return protocol, pool, test


def _require_mixed(protocol: Protocol) -> None:
    """UserError where the times of mixed sources leave nothing to split by source."""
    sources = protocol.sources
    if sources is None:
        return
    if sources.wanted.sum() < LEAST_ORDERED:
        raise UserError(
            f"{int(sources.wanted.sum())} rows of {sources.words} come before the test: at least {LEAST_ORDERED} are "
            "needed, as dev is to hold rows of the target source"
        )
    if sources.wanted.all():
        raise UserError(
            f"all rows of other sources come after those of {sources.words}, and later rows cannot be learnt from: "
            "leave the source column out"
        )
    if not all(len(protocol.split(0, fold)[0]) for fold in range(protocol.folds)):
        raise UserError(
            f"too few rows come before the first of {sources.words} in dev to hold some of them out: give more, or "
            "leave the source column out"
        )


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
    held = systematic(_strata(dataset), dataset.groups, share, np.random.default_rng([seed, 5]))
    rows = np.arange(len(dataset))
    return rows[~held], rows[held]


def dealt(dataset: Dataset, folds: int, seed: int) -> np.ndarray:
    """The fold 0..folds - 1 of each row (n,): stratified, duplicates in the same one."""
    return np.asarray(positions(_strata(dataset), dataset.groups, np.random.default_rng([seed, 7])) % folds)


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
