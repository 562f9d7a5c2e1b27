"""What the techniques that change images have in common."""

from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


def on_images(
    technique: Technique, recipe: Recipe, problem: Problem, does: str, part: Augmentation | None = None
) -> Recipe | NotApplicable:
    """The recipe with an augmentation of images in it, the technique itself unless `part` is another one.

    Not applicable where there are no images, to which it `does` something, or no batches of them.
    """
    if problem.modality != "image":
        return NotApplicable(f"it {does} images, and these are none")
    if recipe.network is None:
        return NotApplicable(f"{recipe.family} is not trained on batches that could be changed")
    return technique.unless_same(recipe, recipe.with_part("augment", part or technique))
