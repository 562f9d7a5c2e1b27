"""The families of models that are spot-checked, each with its plain starting recipe; one file a modality."""

from collections.abc import Callable

from steelyard.data.dataset import Schema
from steelyard.data.selection import check_drop
from steelyard.errors import UserError, suggest
from steelyard.problem import Modality, Problem
from steelyard.recipe import Recipe
from steelyard.workflow.families import image, tabular

Start = Callable[[Problem, Schema, int], list[Recipe]]
STARTS: dict[Modality, Start] = {"tabular": tabular.recipes, "image": image.recipes}


def families(problem: Problem, schema: Schema, rows: int, settings: tuple[tuple[str, str], ...] = ()) -> list[Recipe]:
    """The recipe of each family for `rows` train rows, the cheapest first, with the user's settings where they fit.

    The first one is the dumb baseline. A setting that fits none of them is the user's mistake.
    """
    recipes = STARTS[schema.modality](problem, schema, rows)
    for path, text in settings:
        fitting = [recipe for recipe in recipes if path in recipe.knobs()]
        if not fitting:
            known = {knob for recipe in recipes for knob in recipe.knobs()}
            raise UserError(f"there is no knob '{path}' here{suggest(path, sorted(known))}")
        recipes = [checked(recipe.set(path, text), schema) if recipe in fitting else recipe for recipe in recipes]
    return recipes


def checked(recipe: Recipe, schema: Schema) -> Recipe:
    """The recipe, unless it drops what is no input of the data: then UserError."""
    check_drop(getattr(recipe.prepare, "drop", ()), [column.name for column in schema.columns])
    return recipe
