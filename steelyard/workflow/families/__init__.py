"""The families of models that are spot-checked, each with its plain starting recipe; one file a modality."""

from collections.abc import Callable
from typing import Any

from steelyard.data.dataset import Schema
from steelyard.data.selection import check_drop
from steelyard.errors import UserError, suggest
from steelyard.parts import Network
from steelyard.problem import Modality, Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import exchanged, is_sgd
from steelyard.workflow.families import image, mixed, series, tabular, text

Settings = tuple[tuple[str, Any], ...]  # of knobs, as text; or ("network", the part to stand for ours)
Start = Callable[[Problem, Schema, int], list[Recipe]]
STARTS: dict[Modality, Start] = {
    "tabular": tabular.recipes,
    "image": image.recipes,
    "text": text.recipes,
    "series": series.recipes,
    "mixed": mixed.recipes,
}


def families(problem: Problem, schema: Schema, rows: int, settings: Settings = ()) -> list[Recipe]:
    """The recipe of each family for `rows` train rows, the cheapest first, with the user's settings where they fit.

    The first one is the dumb baseline. A setting that fits none of them is the user's mistake.
    """
    recipes = STARTS[schema.modality](problem, schema, rows)
    for path, given in settings:
        if isinstance(given, Network):
            recipes = _in_place(given, recipes)
            continue
        fitting = [recipe for recipe in recipes if path in recipe.knobs()]
        if not fitting:
            known = {knob for recipe in recipes for knob in recipe.knobs()}
            raise UserError(f"there is no knob '{path}' here{suggest(path, sorted(known))}")
        recipes = [checked(recipe.set(path, given), schema) if recipe in fitting else recipe for recipe in recipes]
    for recipe in recipes:
        if recipe.loss is not None:
            recipe.loss.check(problem)
    return recipes


def _in_place(network: Network, recipes: list[Recipe]) -> list[Recipe]:
    """The recipes with a network of one's own in the place of the first of ours, and without our others.

    Where ours begins with SGD it begins with AdamW: rates of SGD are chosen for the norms that ours has.
    """
    ours = [recipe for recipe in recipes if recipe.network is not None]
    own = [recipe.with_part("network", network) for recipe in ours[:1]]
    own = [exchanged(r, "adam-w") if r.optimizer is not None and is_sgd(r.optimizer.kind) else r for r in own]
    return [recipe for recipe in recipes if recipe.network is None] + own


def checked(recipe: Recipe, schema: Schema) -> Recipe:
    """The recipe, unless it drops what is no input of the data: then UserError."""
    check_drop(getattr(recipe.prepare, "drop", ()), [column.name for column in schema.columns])
    return recipe
