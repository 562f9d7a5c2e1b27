"""What the techniques that change images have in common."""

from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


def on_images(part: Technique, recipe: Recipe, problem: Problem, does: str) -> Recipe | NotApplicable:
    """The recipe with an augmentation of images in it; not applicable elsewhere to what `does` that to images."""
    if problem.modality != "image":
        return NotApplicable(f"it {does} images, and these are none")
    if recipe.network is None:
        return NotApplicable(f"{recipe.family} is not trained on batches that could be changed")
    assert isinstance(part, Augmentation)
    return part.unless_same(recipe, recipe.with_part("augment", part))
