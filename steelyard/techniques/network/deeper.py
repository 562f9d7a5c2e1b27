"""He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.1 (arXiv 1512.03385)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class Deeper(Technique):
    """Adds `extra` hidden layers, or as many residual blocks to every stage of an image network.

    Helps when even the training examples are not predicted well, and the answer needs steps that build on each other.
    Hurts when the network memorises already, and without shortcuts when it becomes too deep to train.
    Costs the time of the layers added: about a third more for a table, up to twice for images.
    """

    treats: ClassVar = ("bias",)
    time_ratio: ClassVar = 1.6
    off: ClassVar = {"extra": 0}
    extra: int = knob(1, 0, 100)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} has no layers")
        now = recipe.knobs().get("network.depth", 0)
        return self.turned(recipe, {"network.depth": now + self.extra})
