"""Gal & Ghahramani 2016, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks", section 4.2
(arXiv 1512.05287), for embeddings of words; value by value for columns of a table as in fastai (arXiv 2002.04688).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Knob, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class EmbeddingDropout(Technique):
    """Zeroes every value by which a category is represented (learnt vector or 0/1 column) with probability p.

    Helps when categories have many levels with few rows each, which their vectors learn by heart, and when levels
    will turn up that training has not seen.
    Hurts when few categories carry the answer: as with any dropout close to the input, what is zeroed is lost to
    every later layer. It changes nothing where there are no categories.
    Costs a few hundredths more time a step.
    """

    treats: ClassVar = ("variance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"p": 0.0}
    p: Knob = knob(0.1, 0.0, 0.95)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if "network.embedding_dropout" not in recipe.knobs():
            return NotApplicable(f"{recipe.family} has no embeddings of categories")
        return self.raised(recipe, "network.embedding_dropout", self.p)
