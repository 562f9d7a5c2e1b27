"""Which features give the shift away: what each one tells alone, and what the model of all owes to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import stats

from steelyard.diagnosis.shift.features import Features
from steelyard.diagnosis.shift.histogram import Histogram, histogram
from steelyard.diagnosis.shift.two_sample import Telling, Z, auc, clustered

Array = np.ndarray
WEIGHED = 20  # features whose importance is measured: those that alone tell most
SURE = 0.05
T_FOLDS = 2.776  # Student's t for five folds


@dataclass(frozen=True)
class Tell:
    """One feature: how often a row of the second source has more of it (`auc`, ties half), 95 %; and its own test.

    `what` says what of the feature it is: its value, that it is missing, one level of it. `effect` is Kolmogorov and
    Smirnov's distance, or Cramér's V for categories; `p` belongs to it, `adjusted` is Holm's over all features. What
    the model of all features loses of its AUC when this one is shuffled is the `importance`; None: not measured.
    """

    name: str
    what: str
    kind: str
    auc: float
    low: float
    high: float
    typical: tuple[float, float]
    test: Literal["Kolmogorov-Smirnov", "chi-square"]
    effect: float
    p: float
    adjusted: float
    importance: float | None = None
    importance_low: float | None = None
    importance_high: float | None = None
    histogram: Histogram | None = None

    @property
    def strength(self) -> float:
        """How far it is from telling nothing, whatever the direction."""
        return abs(self.auc - 0.5)

    @property
    def seen(self) -> bool:
        """Whether its test, corrected for the number of features, says that the sources differ in it."""
        return self.adjusted < SURE


def tells(features: Features, telling: Telling, seed: int, drawn: int = 6) -> tuple[Tell, ...]:
    """Every feature that has a meaning, the most telling first; those seen to differ come before the others.

    The first few have a histogram.
    """
    things = [name for name in features.things if features.kinds[features.of(name)[0]] != "component"]
    found = [tell for name in things if (tell := _tell(features, name, telling)) is not None]
    for tell, p in zip(list(found), holm([tell.p for tell in found]), strict=True):
        found[found.index(tell)] = replace(tell, adjusted=p)
    found.sort(key=lambda tell: (not tell.seen, -tell.strength))
    weighed = _importances(features, telling, [tell.name for tell in found[:WEIGHED]], seed)
    shown = {tell.name for tell in found[:drawn] if tell.seen}
    for place, tell in enumerate(found):
        mean, low, high = weighed.get(tell.name, (None, None, None))
        picture = histogram(features, tell.name, tell.what, telling.domain) if tell.name in shown else None
        found[place] = replace(tell, importance=mean, importance_low=low, importance_high=high, histogram=picture)
    return tuple(found)


def holm(values: Sequence[float]) -> list[float]:
    """P-values corrected for their number (Holm 1979)."""
    order = np.argsort(values, kind="stable")
    raised = np.asarray(values)[order] * (len(values) - np.arange(len(values)))
    found = np.empty(len(values))
    found[order] = np.minimum(1.0, np.maximum.accumulate(raised)) if len(values) else raised
    return [float(each) for each in found]


def _tell(features: Features, name: str, telling: Telling) -> Tell | None:
    """The column of a feature that tells most, with the test of all its columns; None: one source has nothing of it."""
    best: Tell | None = None
    tests = []
    levels = [place for place in features.of(name) if features.kinds[place] in {"level", "missing"}]
    for place in features.of(name):
        values, domain = features.matrix[:, place], telling.domain
        known = ~np.isnan(values)
        if len(np.unique(domain[known])) < 2:
            continue
        area, influence = auc(values[known], domain[known])
        error = float(np.sqrt(clustered(influence, telling.groups[known])))
        kind = features.kinds[place]
        middle = np.median if kind in {"number", "date"} else np.mean
        typical = tuple(float(middle(values[known & (domain == side)])) for side in (0, 1))
        what = features.names[place] if kind in {"level", "missing"} else ""
        low, high = max(0.0, area - Z * error), min(1.0, area + Z * error)
        tell = Tell(name, what, kind, area, low, high, (typical[0], typical[1]), "chi-square", 0.0, 1.0, 1.0)
        if best is None or tell.strength > best.strength:
            best = tell
        if kind in {"number", "date"}:
            found = stats.ks_2samp(values[known & (domain == 0)], values[known & (domain == 1)], method="asymp")
            tests.append((float(found.pvalue), float(found.statistic), "Kolmogorov-Smirnov"))
    whole = [*levels, *(place for place in features.of(name) if features.kinds[place] == "word")]
    if whole:
        tests.append((*_chi_square(features.matrix[:, whole], telling.domain), "chi-square"))
    if best is None:
        return None
    p, effect, test = min(tests, key=lambda each: (each[0], -each[1]))
    named: Literal["Kolmogorov-Smirnov", "chi-square"] = "chi-square" if test == "chi-square" else "Kolmogorov-Smirnov"
    return replace(best, test=named, effect=effect, p=min(1.0, p * len(tests)))


def _chi_square(hot: Array, domain: Array) -> tuple[float, float]:
    """P-value and Cramér's V of the levels (n, k) of 0 and 1; rows in none of them are one level more."""
    counts = np.array([[column[domain == side].sum() for column in hot.T] for side in (0, 1)])
    rest = np.array([(domain == side).sum() for side in (0, 1)]) - counts.sum(axis=1)
    table = np.column_stack([counts, rest])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0, 0.0
    found = stats.chi2_contingency(table, correction=False)
    return float(found.pvalue), float(np.sqrt(found.statistic / table.sum()))


def _importances(
    features: Features, telling: Telling, names: Sequence[str], seed: int
) -> dict[str, tuple[float, float, float]]:
    """What the AUC falls by when a feature is shuffled among held rows (Breiman 2001, section 10), 95 % over folds."""
    stream = np.random.default_rng(seed)
    found = {}
    for name in names:
        falls = []
        for number, model in enumerate(telling.models):
            held = np.flatnonzero(telling.fold == number)
            part = features.matrix[held].copy()
            places = features.of(name)
            part[:, places] = part[stream.permutation(len(held))][:, places]
            before = auc(telling.scores[held], telling.domain[held])[0]
            falls.append(before - auc(model.score(part), telling.domain[held])[0])
        mean, error = float(np.mean(falls)), float(np.std(falls, ddof=1) / np.sqrt(len(falls)))
        found[name] = (mean, mean - T_FOLDS * error, mean + T_FOLDS * error)
    return found
