"""Polyak 1964, "Some methods of speeding up the convergence of iteration methods", USSR Comput. Math. 4(5).

In networks: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", section 2.
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Knob, knob
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.exchange import exchange_for_sgd
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class SgdMomentum(Technique):
    """Trains with stochastic gradient descent and plain momentum: a step runs on along the last ones.

    Without `on` the optimizer stays as it is. `momentum` left open is the recipe's (β₁ of Adam), or 0.9. From Adam, the
    rate is multiplied by 50, up to 0.1, and the pulls are divided.
    Helps when Adam fits the train rows and predicts worse than it should: images, large batches, long runs.
    Hurts when gradients differ much in size between layers or inputs, as with embeddings.
    Costs nothing; it is the cheapest step there is.
    """

    treats: ClassVar = ("optimization",)
    unasked: ClassVar = False
    off: ClassVar = {"on": False}
    on: bool = True
    momentum: Knob | None = knob(None, 0.0, 0.9999)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        return exchange_for_sgd(self, recipe, self.momentum, nesterov=False)
