"""The families of models that are spot-checked, each with its plain starting recipe; one file a modality."""

from collections.abc import Callable

from steelyard.data.dataset import Schema
from steelyard.errors import UserError, suggest
from steelyard.problem import Modality, Problem
from steelyard.recipe import Recipe
from steelyard.workflow.families import image, series, tabular, text

Start = Callable[[Problem, Schema, int], list[Recipe]]
STARTS: dict[Modality, Start] = {
    "tabular": tabular.recipes,
    "image": image.recipes,
    "text": text.recipes,
    "series": series.recipes,
}


def families(problem: Problem, schema: Schema, rows: int, settings: tuple[tuple[str, str], ...] = ()) -> list[Recipe]:
    """The recipe of each family for `rows` train rows, the cheapest first, with the user's settings where they fit.

    The first one is the dumb baseline. A setting that fits none of them is the user's mistake.
    """
    recipes = STARTS[schema.modality](problem, schema, rows)
    for path, given in settings:
        fitting = [recipe for recipe in recipes if path in recipe.knobs()]
        if not fitting:
            known = {knob for recipe in recipes for knob in recipe.knobs()}
            raise UserError(f"there is no knob '{path}' here{suggest(path, sorted(known))}")
        recipes = [recipe.set(path, given) if recipe in fitting else recipe for recipe in recipes]
    for recipe in recipes:
        if recipe.loss is not None:
            recipe.loss.check(problem)
    return recipes
