"""Inputs that know too much: one that is the answer, two that make it, one without which the others know little.

None of these is proof. A column that was filled in after the fact (how long the call lasted that was to be predicted)
and one that honestly matters most look alike in numbers; what is said is why it is suspected and what to ask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from steelyard.diagnosis.probes.losses import Rows, Skill, skill, surely_less
from steelyard.diagnosis.probes.pairs import pairs_that_know
from steelyard.diagnosis.probes.together import Fold, together

Array = np.ndarray
KNOWS = 0.98  # of the loss taken away by one column alone: it is the answer
HALF = 0.5  # of what all know together: without the column the others know less
LEVEL = 0.8  # of what all others know together: the column alone knows as much
COMPANY = 3  # other columns that know something on their own: else there is nothing to stand out from
SAID = 5  # suspicions of one kind, at the most


@dataclass(frozen=True)
class Leak:
    """A suspicion: which columns, of what kind, and the reason in words."""

    columns: tuple[str, ...]
    kind: Literal["is the answer", "make the answer", "dominates"]
    reason: str


def answers(singles: Mapping[str, Skill], target: str) -> list[Leak]:
    """The columns that alone predict nearly perfectly."""
    found = [(name, each) for name, each in singles.items() if each.low >= KNOWS]
    found.sort(key=lambda pair: -pair[1].value)
    return [
        Leak(
            (name,),
            "is the answer",
            f"'{name}' alone predicts '{target}' nearly perfectly: it takes away {_share(each.value)} of the error of "
            "a constant guess. Is it the target under another name, or known only afterwards?",
        )
        for name, each in found[:SAID]
    ]


def makers(rows: Rows, target: str) -> list[Leak]:
    """The pairs of numbers whose sum, difference, product or ratio is the target."""
    found = []
    for pair in pairs_that_know(rows)[:SAID]:
        what = (
            f"{pair.formula} is '{target}' in every row"
            if pair.exact
            else (f"{pair.formula} gives '{target}' away ({pair.measure} {pair.value:.4f})")
        )
        found.append(Leak(pair.columns, "make the answer", f"{what}. Are both known before the answer is?"))
    return found


def candidate(singles: Mapping[str, Skill]) -> str | None:
    """The column that may dominate: the best one, where there is company."""
    useful = sorted((name for name, each in singles.items() if each.low > 0), key=lambda name: -singles[name].value)
    return useful[0] if len(useful) > COMPANY else None


def dominating(
    rows: Rows, folds: Sequence[Fold], name: str, mine: Array, floor: Array, target: str, seed: int, whole: Array | None
) -> list[Leak]:
    """The column, if without it the others know less than half of what all know, and it alone about as much as they.

    `mine`, `floor` and `whole` are the losses (n,) of the column alone, of a constant guess and of all columns, which
    are learnt here when there is need of it.
    """
    others = together(rows, list(folds), (name,), seed)
    alone, rest = skill(mine, floor).value, skill(others, floor).value
    if alone < LEVEL * rest or not surely_less(others, floor):
        return []
    whole = together(rows, list(folds), (), seed) if whole is None else whole
    all_of = skill(whole, floor).value
    if rest >= HALF * all_of or not surely_less(whole, others):
        return []
    count = len(rows.data.schema.columns) - 1
    reason = (
        f"'{name}' alone takes away {_share(alone)} of the error of a constant guess, all {count} others together "
        f"{_share(rest)}, and all with it {_share(all_of)}: without it more than half is gone. Is its value known when "
        f"'{target}' is to be predicted, or only afterwards?"
    )
    return [Leak((name,), "dominates", reason)]


def _share(value: float) -> str:
    return f"{100 * value:.3g} %"
