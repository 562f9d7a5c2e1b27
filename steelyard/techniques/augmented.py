"""Adding an augmentation of one kind of data to a recipe, or saying why that cannot be."""

from typing import TYPE_CHECKING

from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique

if TYPE_CHECKING:
    from collections.abc import Collection

KINDS = {
    "tabular": "this is a table",
    "image": "these are images",
    "text": "this is text",
    "series": "these are series",
    "mixed": "this table holds text or images beside its numbers",
}


def augmented(
    technique: Technique,
    recipe: Recipe,
    problem: Problem,
    kinds: "str | Collection[str]",
    does: str,
    part: Augmentation | None = None,
) -> Recipe | NotApplicable:
    """The recipe with an augmentation for data of those kinds: the technique itself, unless `part` is another one.

    `does` continues the sentence "it …".
    """
    added = technique if part is None else part
    assert isinstance(added, Augmentation)
    wanted = (kinds,) if isinstance(kinds, str) else kinds
    if problem.modality not in wanted:
        return NotApplicable(f"it {does}, and {KINDS[problem.modality]}")
    if recipe.network is None:
        return NotApplicable(f"{recipe.family} is not trained on batches that could be changed")
    return technique.unless_same(recipe, recipe.with_part("augment", added))
