"""The catalogue of techniques: every file in these folders is one, found by itself."""

import pkgutil
from functools import cache
from importlib import import_module

from steelyard.errors import UserError, suggest
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique

__all__ = ["NotApplicable", "Technique", "catalogue", "combine", "technique"]


@cache
def catalogue() -> dict[str, type[Technique]]:
    """Every technique by its name, in alphabetical order."""
    found: dict[str, type[Technique]] = {}
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        if module.ispkg or module.name.count(".") < 3:
            continue
        for member in vars(import_module(module.name)).values():
            if isinstance(member, type) and issubclass(member, Technique) and member.__module__ == module.name:
                found[member.name()] = member
    return dict(sorted(found.items()))


def technique(name: str) -> type[Technique]:
    """The technique of that name."""
    if name not in catalogue():
        raise UserError(f"there is no technique '{name}'{suggest(name, catalogue())}")
    return catalogue()[name]


def combine(recipe: Recipe, techniques: list[Technique], problem: Problem) -> Recipe:
    """The recipe with several techniques in it; two that turn the same knob differently are an error."""
    turned: dict[str, str] = {}
    combined = recipe
    for each in techniques:
        alone = _applied(each, recipe, problem)
        for path, _, _ in recipe.diff(alone):
            if path in turned and turned[path] != each.name():
                raise UserError(f"{turned[path]} and {each.name()} both turn {path}: choose one of them")
            turned[path] = each.name()
        combined = _applied(each, combined, problem)
    return combined


def _applied(technique_: Technique, recipe: Recipe, problem: Problem) -> Recipe:
    after = technique_.apply(recipe, problem)
    if isinstance(after, NotApplicable):
        raise UserError(f"{technique_.name()} does not apply: {after.reason}")
    return after
