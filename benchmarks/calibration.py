"""Does weighing keep its promises? A technique against itself, planted effects, coverage on fresh data.

Comparisons are drawn from a bank of real trials on the digits (`bank.py`): every partition deals the rows anew, two
arms that are the same technique have seeds of their own. Coverage needs many draws of the data, too: there small
networks are trained on pools of rows drawn from a large made-up population, and scored on fresh rows of it.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from bank import APART, Bank, posed_digits, trained
from pools import differences_on_pools
from scipy import stats
from timing import table

from steelyard.weighing.compare import LEVEL, LOOKS, MATTERS, judge
from steelyard.weighing.crossed import Crossed, crossed
from steelyard.weighing.promise import FUTILE, outlook
from steelyard.workflow.race import PATIENT

SMALL = {"network.width": 64, "network.periodic": 0, "network.depth": 2}
TRAINED, EACH = 40, 10  # truly trained comparisons of a technique with itself, and pairs of each
Array = np.ndarray


@dataclass(frozen=True)
class Ended:
    """A sequential comparison at its end."""

    verdict: str
    pairs: int
    low: float
    high: float


def sequential(differences: Array, looks: tuple[int, ...], matters: float, give_up: bool = True) -> Ended:
    """A comparison as a race makes it, from all the differences (pairs, examples) it may come to see."""
    for pairs in looks:
        found = crossed(differences[:pairs])
        said = judge(found, 1, matters, looks)
        futile = give_up and pairs >= PATIENT and outlook(found, looks, matters) < FUTILE
        if said.verdict != "undecided" or futile:
            break
    return Ended(said.verdict, pairs, said.low, said.high)


# -- candidates ---------------------------------------------------------------------------------------------------


def candidates() -> dict[str, Callable[[Array, np.random.Generator], float]]:
    """p-values of a mean difference (pairs, examples) by methods that were considered."""
    return {
        "crossed t (chosen)": lambda d, _: crossed(d).p_value,
        "paired t over seeds": lambda d, _: float(stats.ttest_1samp(d.mean(axis=1), 0).pvalue),
        "t over examples": lambda d, _: float(stats.ttest_1samp(d.mean(axis=0), 0).pvalue),
        "sum of both variances": _summed,
        "hierarchical bootstrap": _bootstrap,
        "sign flips over seeds": _flips,
    }


def _summed(d: Array, _: np.random.Generator) -> float:
    seeds, examples = d.mean(axis=1).var(ddof=1) / len(d), d.mean(axis=0).var(ddof=1) / d.shape[1]
    freedom = (seeds + examples) ** 2 / (seeds**2 / (len(d) - 1) + examples**2 / (d.shape[1] - 1))
    return float(2 * stats.t.sf(abs(d.mean()) / (seeds + examples) ** 0.5, freedom))


def _bootstrap(d: Array, stream: np.random.Generator, times: int = 200) -> float:
    """Seeds and examples drawn anew, crossed: twice the share of means on the other side of zero."""
    many = d.shape[1]
    means = np.array(
        [
            d[stream.integers(0, len(d), len(d))].mean(axis=0)[stream.integers(0, many, many)].mean()
            for _ in range(times)
        ]
    )
    return float(min(1.0, 2 * min((means <= 0).mean(), (means >= 0).mean())))


def _flips(d: Array, _: np.random.Generator) -> float:
    """All signs of the seeds' differences: the smallest p-value is 2 / 2^pairs."""
    signs = 1 - 2 * ((np.arange(2 ** len(d))[:, None] >> np.arange(len(d))) & 1)
    sums = np.abs(signs @ d.mean(axis=1))
    return float((sums >= abs(d.mean(axis=1).sum()) - 1e-12).mean())


# -- what is drawn ------------------------------------------------------------------------------------------------


def nothing(bank: Bank, pairs: int, stream: np.random.Generator) -> Array:
    """A technique against itself: pairs of the bank, either arm first, on a random half of the examples."""
    chosen = stream.choice(len(bank.predictions["plain"]), pairs, replace=False)
    examples = stream.permutation(len(bank.truth))[: len(bank.truth) // 2]
    d = bank.hits("again")[chosen] - bank.hits("plain")[chosen]
    return np.asarray(d[:, examples] * stream.choice([-1, 1], (pairs, 1)))


def planted(bank: Bank, deviations: float, stream: np.random.Generator) -> Array:
    """A technique against itself with an effect put in: every mistake is put right with the same small probability.

    `deviations` is the effect in standard deviations of a score over seeds.
    """
    chosen = stream.choice(len(bank.predictions["plain"]), LOOKS[-1], replace=False)
    first, second = bank.hits("plain")[chosen], bank.hits("again")[chosen]
    swapped = stream.random((len(chosen), 1)) < 0.5
    first, second = np.where(swapped, second, first), np.where(swapped, first, second)
    share = deviations * float(bank.hits("plain").mean(axis=1).std(ddof=1)) / (1 - second).mean()
    righted = (second == 0) & (stream.random(second.shape) < abs(share))
    d = np.where(righted, 1.0, second) - first
    return np.asarray(d if deviations > 0 else -d)


def smallest(bank: Bank) -> float:
    """The smallest effect that matters on so many examples."""
    right = float(bank.hits("plain").mean())
    return float(MATTERS * (right * (1 - right) / len(bank.truth)) ** 0.5)


# -- figures ------------------------------------------------------------------------------------------------------


def level_of_candidates(bank: Bank, times: int, stream: np.random.Generator) -> dict[str, dict[str, float]]:
    """How often each candidate calls a technique different from itself, by the number of pairs."""
    found: dict[str, dict[str, float]] = {name: {} for name in candidates()}
    for pairs in (3, 4, 5, 8, 10):
        drawn = [nothing(bank, pairs, stream) for _ in range(times)]
        for name, p_value in candidates().items():
            found[name][str(pairs)] = float(np.mean([p_value(d, stream) <= LEVEL for d in drawn]))
    return found


def against_itself(bank: Bank, times: int, stream: np.random.Generator) -> dict[str, Any]:
    """Sequential comparisons of a technique with itself: simulated ones, and disjoint truly trained ones."""
    drawn = [sequential(nothing(bank, LOOKS[-1], stream), LOOKS, smallest(bank)) for _ in range(times)]
    looks = (*(look for look in LOOKS if look < EACH), EACH)
    whole = bank.hits("again") - bank.hits("plain")
    real = [sequential(whole[k : k + EACH], looks, smallest(bank)) for k in range(0, len(whole) - EACH + 1, EACH)]
    return {"simulated": _called(drawn), "truly trained": _called(real)}


def _called(ended: list[Ended]) -> dict[str, Any]:
    called = sum(each.verdict in {"helps", "hurts"} for each in ended)
    low, high = stats.binomtest(called, len(ended)).proportion_ci(method="wilson")
    return {
        "comparisons": len(ended),
        "called helps or hurts": called / len(ended),
        "interval": [float(low), float(high)],
        "no difference that matters": sum(e.verdict.startswith("no ") for e in ended) / len(ended),
        "mean pairs": float(np.mean([e.pairs for e in ended])),
    }


def with_effects(bank: Bank, times: int, stream: np.random.Generator) -> dict[str, Any]:
    """Verdicts on planted effects, sequentially and by a fixed design of 29 pairs that is looked at once."""
    found = {}
    for deviations in (-1.0, 0.0, 0.5, 1.0, 2.0, 4.0):
        drawn = [planted(bank, deviations, stream) if deviations else nothing_whole(bank, stream) for _ in range(times)]
        ended = [sequential(d, LOOKS, smallest(bank)) for d in drawn]
        fixed = [judge(crossed(d), 1, smallest(bank)).verdict for d in drawn]
        right = {"helps"} if deviations > 0 else {"hurts"} if deviations < 0 else {"helps", "hurts"}
        found[f"{deviations:g}"] = {
            "called": sum(e.verdict in right for e in ended) / times,
            "called by the fixed design": sum(v in right for v in fixed) / times,
            "mean pairs": float(np.mean([e.pairs for e in ended])),
            "share of 29": float(np.mean([e.pairs for e in ended])) / LOOKS[-1],
        }
    return found


def nothing_whole(bank: Bank, stream: np.random.Generator) -> Array:
    """A technique against itself, on all examples."""
    chosen = stream.choice(len(bank.predictions["plain"]), LOOKS[-1], replace=False)
    d = bank.hits("again")[chosen] - bank.hits("plain")[chosen]
    return np.asarray(d * stream.choice([-1, 1], (len(chosen), 1)))


def coverage(pools: int, seed: int) -> dict[str, Any]:
    """How often the interval holds the effect measured on fresh data over all pools and seeds."""
    drawn, truth = differences_on_pools(pools, seed)
    found = {}
    for pairs in (3, 5, 10):
        few: list[Crossed] = [crossed(d[:pairs]) for d in drawn]
        held = sum(low <= truth <= high for low, high in (each.interval(LEVEL) for each in few))
        low, high = stats.binomtest(held, len(few)).proportion_ci(method="wilson")
        found[str(pairs)] = {"covered": held / len(few), "interval": [float(low), float(high)]}
    looks = (3, 4, 5, 6, 8, 10)
    ends = [sequential(d, looks, 0.0, give_up=False) for d in drawn]
    found["sequential, up to 10"] = {"covered": sum(e.low <= truth <= e.high for e in ends) / len(ends)}
    return {"pools": pools, "effect": truth, "by pairs": found}


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The figures as tables."""
    levels = found["level of candidates"]
    counts = list(next(iter(levels.values())))
    yield table(
        ("called different from itself at 5 %, by pairs", *counts),
        [(name, *(f"{row[n]:.1%}" for n in counts)) for name, row in levels.items()],
    )
    yield table(
        (
            "a technique against itself, sequentially",
            "comparisons",
            "called helps or hurts",
            "no difference",
            "mean pairs",
        ),
        [
            (
                name,
                str(row["comparisons"]),
                f"{row['called helps or hurts']:.1%} ({row['interval'][0]:.1%} to {row['interval'][1]:.1%})",
                f"{row['no difference that matters']:.0%}",
                f"{row['mean pairs']:.1f}",
            )
            for name, row in found["against itself"].items()
        ],
    )
    yield table(
        (
            "planted effect (seed deviations)",
            "called, sequential",
            "called, fixed 29 pairs",
            "mean pairs",
            "share of 29",
        ),
        [
            (
                name,
                f"{r['called']:.1%}",
                f"{r['called by the fixed design']:.1%}",
                f"{r['mean pairs']:.1f}",
                f"{r['share of 29']:.0%}",
            )
            for name, r in found["planted"].items()
        ],
    )
    yield table(
        ("coverage on fresh data, by pairs", "covered"),
        [(name, f"{row['covered']:.1%}") for name, row in found["coverage"]["by pairs"].items()],
    )


def main() -> int:
    """Print the tables and, as the last line, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few trials and few draws: does it work?")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    quick, began = options.quick, time.perf_counter()
    posed = posed_digits()
    recipe = posed.recipe
    for path, value in SMALL.items():
        recipe = recipe.set(path, value)
    bank = trained(posed, {"plain": (recipe, 0), "again": (recipe, APART)}, 40 if quick else TRAINED * EACH)
    print(f"bank trained after {time.perf_counter() - began:.0f} s", file=sys.stderr)
    stream, times = np.random.default_rng(options.seed), 20 if quick else 400
    found: dict[str, Any] = {
        "quick": quick,
        "accuracy": float(bank.hits("plain").mean()),
        "seed deviation": float(bank.hits("plain").mean(axis=1).std(ddof=1)),
        "level of candidates": level_of_candidates(bank, times, stream),
        "against itself": against_itself(bank, times, stream),
        "planted": with_effects(bank, times, stream),
        "coverage": coverage(20 if quick else 400, options.seed),
    }
    mix = [found["planted"][name]["share of 29"] for name in ("-1", "0", "0.5", "1", "2", "4")]
    found["share of 29 over the mix of effects"] = float(np.mean(mix))
    print("\n\n".join(lines(found)))
    print(f"\nshare of the pairs of a fixed design over this mix of effects: {np.mean(mix):.0%}")
    found["seconds"] = round(time.perf_counter() - began, 1)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
