"""He et al. 2014, "Spatial Pyramid Pooling in Deep Convolutional Networks", section 2.2 (arXiv 1406.4729)."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique

PLACES = ("network.pooling", "network.image.pooling")


@dataclass(frozen=True)
class PyramidPooling(Technique):
    """Pools the last maps in one cell and in 2×2 cells, side by side, instead of by one mean; images of any size fit.

    Without `on` the pooling stays as it is.
    Helps when it matters where something is: letters, layouts, parts of a body; the mean over a map loses that.
    Hurts when things may be anywhere, as in most photographs: the last layer has five times as many weights to learn.
    Costs almost nothing a step.
    """

    treats: ClassVar = ("bias",)
    time_ratio: ClassVar = 1.02
    off: ClassVar = {"on": False}
    on: bool = True

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        kind = recipe.network.kind if recipe.network else ""
        known = recipe.knobs()
        path = PLACES[1] if PLACES[1] in known else PLACES[0] if kind == "residual-cnn" else ""
        if not path:
            return NotApplicable(f"{recipe.family} has no maps of an image to pool")
        return self.turned(recipe, {path: "pyramid" if self.on else known[path]})
