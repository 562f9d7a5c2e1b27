"""Shapes from the papers: does what the papers saw show on small digits, with an interval, and is the rest neutral?

A perceptron without regularisation learns 400 digits for many epochs of SGD at a constant rate, until it knows them by
heart. A technique is added to that one setting and nothing else is changed: an arm and its base have the same rows,
first weights and order by seed, and equally many epochs. Where a share of the train labels is wrong, each of them is
redrawn among the other classes; the test rows are clean.

Rates are chosen by accuracy on rows of their own, for the plain network: one for a constant rate, one for one cosine,
one for the cycles of snapshots. Since forms of the rate are thus compared at different rates, they are once more at
the same one. A snapshot ensemble averages what one run predicts at the ends of its cycles.

Ensembles average the probabilities of 1, 2, 4, 8 or 16 networks that learnt the same rows. Sixteen networks are a
group, each group with rows of its own; within a group the accuracies of its disjoint ensembles of a size are averaged.

Effects are points of test accuracy; intervals (95 %) are of `steelyard.weighing.crossed` over pairs, which are seeds or
groups, and test rows. All rows to learn from are drawn from one pool, so that the intervals are for that pool.
"""

import argparse
import json
import math
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from digits_arms import Arm, Digits, Form, points, trained
from timing import one_thread, table

from steelyard.techniques import technique
from steelyard.weighing.crossed import crossed

Array = np.ndarray
Rates = dict[Form, float]
EPOCHS, WRONG = 200, 0.4
SEEDS, QUICK_SEEDS, QUICK_EPOCHS = 32, 8, 50
TUNING_SEEDS, TUNING = 16, 1000  # seeds from 1000 on choose the rates, those of groups begin at 2000
RATES = (0.01, 0.02, 0.05, 0.1, 0.2)
QUICK_RATES: Rates = {"constant": 0.05, "cosine": 0.05, "snapshots": 0.1}
SIZES = (1, 2, 4, 8, 16)
HELPS, FAR_MORE, NEUTRAL = (0.0, math.inf), (2.0, math.inf), (-0.5, 0.5)  # points: where an interval is to lie

MIXUPS = {f"mixup, α = {alpha:g}": technique("mixup").read({"alpha": alpha}) for alpha in (0.2, 1.0)}
ARMS = {
    "plain": Arm(),
    "label smoothing": Arm(technique("label-smoothing")()),
    **{name: Arm(mixup) for name, mixup in MIXUPS.items()},
    "EMA": Arm(technique("ema")()),
    "one cosine": Arm(form="cosine"),
    "one cosine, the constant's rate": Arm(form="cosine"),
    "snapshots": Arm(form="snapshots"),
    "snapshots, the cosine's rate": Arm(form="snapshots"),
    "wrong labels": Arm(wrong=WRONG),
    **{f"wrong labels, {name}": Arm(mixup, wrong=WRONG) for name, mixup in MIXUPS.items()},
    "wrong labels, early stopping": Arm(technique("early-stopping")(), wrong=WRONG),
}
BORROWED: dict[str, Form] = {"one cosine, the constant's rate": "constant", "snapshots, the cosine's rate": "cosine"}


def chosen(digits: Digits, form: Form, epochs: int) -> float:
    """The rate with the highest accuracy on rows aside, over seeds that are not used again."""
    seeds, scores = range(TUNING, TUNING + TUNING_SEEDS), {}
    for rate in RATES:
        ran = trained(digits, Arm(form=form), rate, epochs, seeds, digits.aside)
        scores[rate] = float(points(digits, digits.aside, ran.predicted).mean())
    print(f"{form} rate: " + ", ".join(f"{rate:g} {score:.2f}" for rate, score in scores.items()))
    return max(scores, key=lambda rate: scores[rate])


# -- shapes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shape:
    """An effect with its interval, in points, beside the range the interval is expected to lie in, if any."""

    name: str
    effect: float
    low: float
    high: float
    pairs: int
    within: tuple[float, float] | None

    @classmethod
    def of(cls, name: str, differences: Array, within: tuple[float, float] | None = HELPS) -> "Shape":
        """From differences (pairs, examples)."""
        found = crossed(differences)
        low, high = found.interval(0.05)
        return cls(name, *(round(each, 3) for each in (found.mean, low, high)), found.pairs, within)

    @property
    def expected(self) -> str:
        """Where the interval is to lie, in words."""
        if self.within is None:
            return "–"
        low, high = self.within
        return f"above {low:g}" if high == math.inf else f"{low:+g} to {high:+g}"

    @property
    def verdict(self) -> str:
        """Whether the shape was seen; a control whose interval is too wide to say is undecided."""
        if self.within is None:
            return "–"
        low, high = self.within
        if low < self.low and self.high < high:
            return "seen"
        return "undecided" if low < 0 and self.low <= 0 <= self.high else "failed"

    def to_dict(self) -> dict[str, Any]:
        kept = {name: each for name, each in vars(self).items() if name != "within"}
        return kept | {"expected": self.expected, "verdict": self.verdict}


def compared(hits: dict[str, Array]) -> list[Shape]:
    """The shapes of pairs by seed, from points (seeds, examples) of every arm."""
    plain, wrong, cosine = hits["plain"], hits["wrong labels"], hits["one cosine"]
    noisy = {name: hits[f"wrong labels, {name}"] - wrong for name in MIXUPS}
    more = {name: gain - (hits[name] - plain) for name, gain in noisy.items()}
    return [
        *(Shape.of(f"{name}: helps", hits[name] - plain) for name in ("label smoothing", *MIXUPS)),
        *(Shape.of(f"{name}: helps with wrong labels", gain) for name, gain in noisy.items()),
        *(Shape.of(f"{name}: by far more than without them", gain, FAR_MORE) for name, gain in more.items()),
        Shape.of("early stopping: rescues wrong labels", hits["wrong labels, early stopping"] - wrong),
        Shape.of("control: EMA", hits["EMA"] - plain, NEUTRAL),
        Shape.of("control: one cosine over a constant rate", cosine - plain, NEUTRAL),
        Shape.of("the same, both at the constant's rate", hits["one cosine, the constant's rate"] - plain, NEUTRAL),
        Shape.of("control: snapshots over one cosine", hits["snapshots"] - cosine, NEUTRAL),
        Shape.of("the same, both at the cosine's rate", hits["snapshots, the cosine's rate"] - cosine, NEUTRAL),
    ]


def ensembles(digits: Digits, rate: float, epochs: int, groups: int) -> tuple[dict[str, float], list[Shape]]:
    """The mean accuracy of ensembles by size, and the shapes of their gains."""
    most, first = SIZES[-1], 2 * TUNING
    draws = [first + group for group in range(groups) for _ in range(most)]
    seeds = range(first, first + len(draws))
    predicted = trained(digits, ARMS["plain"], rate, epochs, seeds, digits.tested, draws).predicted
    by_size = {}
    for size in SIZES:
        joined = predicted.reshape(groups, most // size, size, *predicted.shape[1:]).mean(axis=2)
        by_size[size] = points(digits, digits.tested, joined).mean(axis=1)
    first_step = by_size[4] - by_size[1]
    steps = {f"{small} to {large}": by_size[large] - by_size[small] for small, large in ((4, 8), (8, 16))}
    accuracy = {str(size): round(float(each.mean()), 3) for size, each in by_size.items()}
    return accuracy, [
        Shape.of("ensemble: 4 beat one", first_step),
        *(Shape.of(f"ensemble: from {name}", step, None) for name, step in steps.items()),
        *(Shape.of(f"ensemble: 1 to 4 gains more than {name}", first_step - step) for name, step in steps.items()),
        *(
            Shape.of(f"ensemble: a doubling in 1 to 4 gains more than {name}", first_step / 2 - step)
            for name, step in steps.items()
        ),
    ]


# -- the command line -----------------------------------------------------------------------------------------------


def main() -> int:
    """Print tables and, as the last line, one JSON object."""
    options, began, digits = _options(), time.perf_counter(), Digits.load()
    epochs, rates = QUICK_EPOCHS if options.quick else EPOCHS, QUICK_RATES
    with one_thread():
        if options.rate:
            rates = dict.fromkeys(QUICK_RATES, options.rate)
        elif not options.quick:
            rates = {form: chosen(digits, form, epochs) for form in QUICK_RATES}
        at = {name: rates[BORROWED.get(name, arm.form)] for name, arm in ARMS.items()}
        seeds = range(options.seeds)
        ran = {name: trained(digits, arm, at[name], epochs, seeds, digits.tested) for name, arm in ARMS.items()}
        by_size, gains = ensembles(digits, rates["constant"], epochs, max(4, options.seeds // 4))
    hits = {name: points(digits, digits.tested, each.predicted) for name, each in ran.items()}
    arms = {
        name: {
            "rate": at[name],
            "accuracy": round(float(hits[name].mean()), 3),
            "known": round(100 * float(each.known.mean()), 1),
            "epochs": round(float(each.epochs.mean()), 1),
        }
        for name, each in ran.items()
    }
    shapes = [*compared(hits), *gains]
    _show(arms, by_size, shapes)
    wall = round(time.perf_counter() - began, 1)
    setting = {"quick": options.quick, "seeds": options.seeds, "epochs": epochs, "rates": rates, "wall": wall}
    figures = {"arms": arms, "ensembles": by_size, "shapes": [each.to_dict() for each in shapes]}
    print(json.dumps(setting | figures))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few seeds and epochs, rates as they are (half a minute)")
    parser.add_argument("--seeds", type=int, metavar="N", help=f"seeds (default: {SEEDS}); a quarter as many groups")
    parser.add_argument("--rate", type=float, metavar="R", help="of all arms, instead of rates that are chosen")
    options = parser.parse_args()
    options.seeds = max(2, options.seeds or (QUICK_SEEDS if options.quick else SEEDS))
    return options


def _show(arms: dict[str, Any], by_size: dict[str, float], shapes: list[Shape]) -> None:
    lines = [
        (name, f"{arm['rate']:g}", f"{arm['accuracy']:.2f}", f"{arm['known']:.1f}", f"{arm['epochs']:g}")
        for name, arm in arms.items()
    ]
    print(table(("arm", "rate", "test accuracy (%)", "train labels known (%)", "epochs"), lines), end="\n\n")
    print(table(("networks in an ensemble", "test accuracy (%)"), [(k, f"{v:.2f}") for k, v in by_size.items()]))
    print()
    rows = [
        (each.name, f"{each.effect:+.2f} ({each.low:+.2f} to {each.high:+.2f})", each.expected, each.verdict)
        for each in shapes
    ]
    print(table(("shape", "effect (points)", "expected", "verdict"), rows))


if __name__ == "__main__":
    sys.exit(main())
