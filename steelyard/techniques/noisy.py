"""What techniques against wrong labels have in common: where they have nothing to work on, and how they are set."""

from typing import Any

from steelyard.parts import part_kind
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable


def unlabelled(recipe: Recipe, problem: Problem) -> NotApplicable | None:
    """Why labels of a problem are not looked at; None where they can be."""
    if problem.step is not None:
        return NotApplicable("a forecast has measured values for targets, and nobody has labelled them")
    if recipe.family == "dummy":
        return NotApplicable("a dummy learns next to nothing from any single label")
    return None


def with_labels(recipe: Recipe, **settings: Any) -> Recipe:
    """The recipe with a treatment of suspicious labels."""
    return recipe.with_part("labels", part_kind("suspect-labels").read(settings))
