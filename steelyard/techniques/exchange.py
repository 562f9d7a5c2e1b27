"""Usual amounts for each optimizer, and what becomes of a recipe's when its optimizer is exchanged."""

from dataclasses import fields
from typing import Any

from steelyard.knobs import Knob, Schedule, scale
from steelyard.parts import part_kind
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique

ADAM = {"lr": 1e-3, "weight_decay": 0.3, "l1": 0.03}
SGD = {"lr": 0.05, "weight_decay": 5e-3, "l1": 1e-4}  # with momentum 0.9; as an L2 penalty the decay would be 5e-4
USUAL = {  # the rates at which small networks reach about the same loss; a pull acts lr·pull a step
    "sgd": SGD,
    "sam-sgd": SGD,
    "rmsprop": {"lr": 5e-4, "weight_decay": 0.6, "l1": 0.06},
    "adadelta": {"lr": 1.0, "weight_decay": 3e-4, "l1": 3e-5},
}
MOST = 0.1  # no higher rate of SGD comes from one of Adam, whose steps are bounded: networks for tables may diverge
STEPWISE = "is not trained step by step by an optimizer"


def usual(kind: str, name: str) -> float:
    """A usual amount of `lr`, `weight_decay` or `l1` for an optimizer of that kind."""
    return USUAL.get(kind, ADAM)[name]


def is_sgd(kind: str) -> bool:
    """Whether it takes the rates of SGD."""
    return USUAL.get(kind) is SGD


def exchanged(recipe: Recipe, kind: str, **settings: Any) -> Recipe:
    """The recipe with an optimizer of another kind.

    Rate and pulls are scaled by what is usual for the two kinds (rates of SGD up to MOST), momentum and β₁ stand for
    each other, other knobs that both kinds have are taken over, and those of `settings` are set.
    """
    before, wanted = recipe.optimizer, part_kind(kind)
    assert before is not None
    given = {f.name: getattr(before, f.name) for f in fields(before)}
    for one, other in (("momentum", "beta1"), ("beta1", "momentum")):
        given.setdefault(one, given.get(other, 0.9))
    factors = {name: usual(kind, name) / usual(before.kind, name) for name in ADAM}
    if is_sgd(kind):
        factors["lr"] = bounded(given["lr"], factors["lr"])
    given |= {name: scaled(given[name], factor) for name, factor in factors.items()}
    known = {f.name for f in fields(wanted)}
    return recipe.with_part("optimizer", wanted(**({n: v for n, v in given.items() if n in known} | settings)))


def bounded(rate: Knob, factor: float) -> float:
    """The factor, or the smaller one that brings a rate to MOST; rates that are not raised stay as they are."""
    peak = max(rate.extremes()) if isinstance(rate, Schedule) else rate
    return factor if factor <= 1 or peak * factor <= MOST else max(1.0, MOST / peak)


def scaled(knob: Knob, factor: float) -> Knob:
    """A knob times a factor, without the last digits that arithmetic leaves behind."""
    if factor == 1:
        return knob
    return scale(knob, factor) if isinstance(knob, Schedule) else float(f"{knob * factor:.6g}")


def exchange(technique: Technique, recipe: Recipe, kind: str, **settings: Any) -> Recipe | NotApplicable:
    """What a technique answers that exchanges the optimizer and, switched off, leaves it."""
    if recipe.optimizer is None:
        return NotApplicable(f"{recipe.family} {STEPWISE}")
    after = exchanged(recipe, kind, **settings)
    if after == recipe:
        return NotApplicable(f"the optimizer is {kind} with these settings already")
    return recipe if technique.is_off else after


def exchange_for_sgd(
    technique: Technique, recipe: Recipe, momentum: Knob | None, nesterov: bool
) -> Recipe | NotApplicable:
    """The answer of a technique that brings SGD with a momentum: SAM stays; left open, the momentum is the recipe's."""
    kind = recipe.optimizer.kind if recipe.optimizer else ""
    settings: dict[str, Any] = {} if momentum is None else {"momentum": momentum}
    if momentum is None and recipe.knobs().get("optimizer.momentum") == 0:
        settings = {"momentum": 0.9}
    return exchange(technique, recipe, kind if is_sgd(kind) else "sgd", nesterov=nesterov, **settings)
