"""Weighings as the engine writes them: of one arm, of twelve, of forty, and odd ones."""

from dataclasses import replace

import numpy as np
from samples import EVIL

from steelyard.problem import Constraint, Problem
from steelyard.records import Said
from steelyard.weighing.comparison import Comparison, Effect, Interaction, Lap, Noise, Weighing

ADULT = Problem(
    "binary", "tabular", "income", 32_561, ("<=50K", ">50K"), "accuracy", (Constraint("latency_ms", "<=", 5.0),)
)
NAMES = (
    "ema", "mixup", "label-smoothing", "weight-decay", "dropout", "swa", "sam", "input-noise", "one-cycle",
    "batch-norm", "stochastic-depth", "class-weights",
)  # fmt: skip
METHOD = "paired over seeds and examples, Student's t with the freedom of Hillis 2007"
CORRECTION = "looks are paid for by alpha spending, the number of arms by Holm"


def verdict(sign, low, high, matters):
    best, worst = (high, low) if sign > 0 else (-low, -high)
    if worst > 0:
        return "helps"
    if best < 0:
        return "hurts"
    return "no difference that matters" if worst >= -matters and best <= matters else "undecided"


def raced(name, effect, unit, matters, sign, start, most=16):
    """The looks at one arm whose interval narrows until it says something."""
    stream, laps = np.random.default_rng(abs(len(name) + round(1e6 * effect / unit))), []
    for pairs in range(2, most + 1, 2):
        half = 1.3 * unit / pairs**0.5
        value = effect + float(stream.normal(0, half / 5))
        said = verdict(sign, value - half, value + half, matters)
        laps.append(Lap(name, pairs, start + 21.0 * pairs * (1 + pairs / 20), value, value - half, value + half, said))
        if said != "undecided":
            break
    return laps


def part(name, effect, half, examples, sign=1):
    low, high = effect - half, effect + half
    return Effect(effect, low, high, verdict(sign, low, high, 0.0), name, examples)


def comparison(name, laps, base, unit, metric="accuracy", matters=0.0, **more):
    last = laps[-1]
    stream = np.random.default_rng(last.pairs)
    without = base + unit * stream.normal(0, 0.4, last.pairs)
    with_it = without + last.effect + 0.3 * unit * stream.normal(size=last.pairs)
    pairs = tuple(zip(without.tolist(), with_it.tolist(), strict=True))
    known = {"p_value": 0.004 if last.verdict in ("helps", "hurts") else 0.3, "probability": 0.87, "rows": 22_140}
    return Comparison(
        name, "tabular-mlp", metric, last.effect, last.low, last.high, last.verdict, pairs, matters=matters,
        time_ratio=1.0 + abs(last.effect / unit) / 3, **known | more,
    )  # fmt: skip


def many(count=12, problem=ADULT, base=0.871, unit=0.004, matters=0.002):
    """A finished race of so many arms."""
    sign = -1 if problem.metric in ("rmse", "log_loss") else 1
    names = [f"{NAMES[i % 12]}-{i // 12 + 1}" if i >= 12 else NAMES[i] for i in range(count)]
    effects = np.random.default_rng(5).normal(0, 0.9 * unit, count)
    races = [raced(names[i], float(effects[i]), unit, matters, sign, 3.0 * i) for i in range(count)]
    arms = [comparison(n, laps, base, unit, problem.metric, matters) for n, laps in zip(names, races, strict=True)]
    return Weighing(
        problem, "runs/adult-weigh", "steelyard weigh adult.csv --target income --all", "tabular-mlp",
        {"family": "tabular-mlp", "network": {"width": 256, "depth": 3}, "optimizer": {"lr": "cosine(0.003, 0)"}},
        (*arms, Comparison("flips", "tabular-mlp", problem.metric, 0.0, 0.0, 0.0, "not applicable",
                           reason="it mirrors images, and these are rows of a table")),
        noise=Noise(0.55 * unit, 1.3 * unit, 16, 3908), race=tuple(lap for laps in races for lap in laps),
        correction=CORRECTION, method=METHOD, most=16, protocol={"kind": "holdout", "folds": 1, "ready_dev": None},
        said=(Said("define", "read 32,561 rows", 0.3), Said("regularise", "the base was trained with 16 seeds", 80.0)),
        trials=16 + sum(len(arm.pairs) for arm in arms), dev_looks=61, seconds=1312.0, complete=False,
    )  # fmt: skip


def one():
    """A finished weighing of one arm, with all that can be said of it."""
    laps = raced("mixup", 0.0041, 0.004, 0.001, 1, 0.0)
    arm = comparison(
        "mixup", laps, 0.871, 0.004, matters=0.001, latency_ratio=1.02, size_ratio=1.0,
        equal_time=Effect(0.0021, -0.0008, 0.005, "undecided"),
        classes=(part("<=50K", 0.0062, 0.003, 2967), part(">50K", -0.0071, 0.005, 941)),
        slices=(part("age < 30", 0.002, 0.004, 1190), part("sex = Female", 0.0049, 0.004, 1301)),
        measured={"latency_ms": 0.31, "size_mb": 0.92, "train_seconds": 11.2},
        knobs=(("inputs.mixup", "0", "0.2"), ("loss.smoothing", "0", "0.05")),
    )  # fmt: skip
    return replace(many(1), comparisons=(arm,), race=tuple(laps), complete=True)


def rich():
    """Twelve arms with interactions, classes, slices, a broken constraint and one that was given up."""
    found = many()
    arms = [
        replace(
            c, classes=(part("<=50K", c.effect * 1.3, 0.003, 2967), part(">50K", -c.effect, 0.004, 941)),
            equal_time=Effect(c.effect / 2, c.low / 2, c.high, "undecided"), latency_ratio=1.1,
        )
        for c in found.comparisons[:-1]
    ]  # fmt: skip
    best = max(range(12), key=lambda i: arms[i].effect)
    arms[best] = replace(arms[best], breaks=("latency_ms<=5",), knobs=(("network.width", "256", "1024"),))
    arms[3] = replace(arms[3], reason="given up: three trainings diverged")
    pairs = (
        Interaction(("ema", "mixup"), -0.0031, -0.0055, -0.0007, "hurts", 8),
        Interaction(("mixup", "dropout"), 0.0007, -0.0021, 0.0035, "undecided", 8),
    )
    return replace(found, comparisons=(*arms, found.comparisons[-1]), interactions=pairs)


def houses():
    """A metric of which less is better, in the unit of the target."""
    problem = Problem("regression", "tabular", "SalePrice", 2_930, (), "rmse")
    return many(5, problem, 24_873.0, 600.0, 100.0)


def nothing():
    """All arms are not applicable."""
    found = many(3)
    refused = [replace(found["flips"], name=name) for name in ("flips", "crops", "cut-out")]
    return replace(found, comparisons=tuple(refused), race=(), noise=None, correction="", method="", said=(), trials=0)


def begun():
    """A weighing of which nothing is known yet."""
    return Weighing(ADULT, "runs/x", "", "tabular-mlp", {})


def endless():
    """Numbers that are none: an arm with one pair has no end to its interval, another none at all."""
    found = many(3)
    first, second, third, _ = found.comparisons
    no, far = float("nan"), float("inf")
    first = replace(first, low=-far, high=far, verdict="undecided", p_value=no, probability=no, latency_ratio=no)
    second = replace(second, effect=no, low=no, high=no, verdict="undecided", pairs=((no, no),), time_ratio=no)
    never = Effect(no, -far, far, "undecided")
    third = replace(third, verdict="undecided", equal_time=never, measured={"size_mb": far})
    race = (Lap(first.name, 1, 3.0, 0.001, -far, far, "undecided"), Lap(second.name, 1, 3.0, no, no, no, "undecided"))
    return replace(
        found, comparisons=(first, second, third), race=race, noise=Noise(no, 0.0, 1, 0), said=(), seconds=no
    )


def evil():
    """Every text tries to break out of the page."""
    found = one()
    arm = replace(
        found.comparisons[0], name=EVIL, breaks=(EVIL,), reason=EVIL, knobs=((EVIL, EVIL, EVIL),), measured={EVIL: 1.0},
        classes=(part(EVIL, 0.1, 0.01, 5),), slices=(part(EVIL, -0.1, 0.01, 5),),
    )  # fmt: skip
    return replace(
        found, problem=replace(ADULT, target=EVIL), base=EVIL, command=EVIL, recipe={EVIL: EVIL},
        comparisons=(arm, replace(arm, verdict="not applicable")), method=EVIL, correction=EVIL, protocol={EVIL: EVIL},
        interactions=(Interaction((EVIL, EVIL), 0.0, -0.1, 0.1, "undecided", 2),), said=(Said("define", EVIL, 0.0),),
        race=tuple(replace(lap, name=EVIL) for lap in found.race),
    )  # fmt: skip


ALL = {
    "one": one, "twelve": rich, "forty": lambda: many(40), "houses": houses, "nothing": nothing, "begun": begun,
    "endless": endless, "evil": evil,
}  # fmt: skip
