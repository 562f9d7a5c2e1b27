"""How far annotators agree beyond chance: pairs that agree, Fleiss' kappa, Krippendorff's alpha."""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
WORDS = ((0.8, "good"), (0.667, "enough for tentative conclusions"), (-1.0, "low"))  # Krippendorff 2004, section 11.4.2


@dataclass(frozen=True)
class Agreement:
    """`raw` is the share of pairs of labels of one row that agree; the others are 0 at chance and 1 when all agree.

    `rows` are those with at least two labels. A coefficient is nan where only one class was ever given.
    """

    raw: float
    fleiss: float
    krippendorff: float
    rows: int

    @property
    def word(self) -> str:
        """The usual reading of alpha."""
        return next((word for least, word in WORDS if self.krippendorff >= least), "not defined")


def agreement(counts: Array) -> Agreement:
    """The agreement of counts (rows, classes); rows may have different numbers of labels.

    Source: Fleiss 1971, "Measuring nominal scale agreement among many raters"; the mean over rows of their share of
    agreeing pairs is taken, and chance by the classes' shares of all labels. Krippendorff 2004, "Content Analysis",
    section 11.3: alpha for nominal data with missing values, where every label counts alike.
    """
    kept = counts[counts.sum(axis=1) > 1].astype(float)
    if not len(kept):
        return Agreement(*(float("nan"),) * 3, 0)
    each = kept.sum(axis=1)
    agreeing = (kept * (kept - 1)).sum(axis=1)
    raw = float(np.mean(agreeing / (each * (each - 1))))
    by_class, every = kept.sum(axis=0), float(each.sum())
    chance = float(((by_class / every) ** 2).sum())
    observed = float(((each**2 - (kept**2).sum(axis=1)) / (each - 1)).sum()) / every
    expected = (every**2 - float((by_class**2).sum())) / (every * (every - 1))
    fleiss = (raw - chance) / (1 - chance) if chance < 1 else float("nan")
    alpha = 1 - observed / expected if expected > 0 else float("nan")
    return Agreement(raw, fleiss, alpha, len(kept))
