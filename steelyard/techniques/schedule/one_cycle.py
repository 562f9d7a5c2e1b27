"""Smith & Topin 2018, "Super-Convergence", section 3 (arXiv 1708.07120).

The cosine descent instead of a straight one is fast.ai's (Howard & Gugger 2020, arXiv 2002.04688).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import Cosine, carried, knob, start
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.technique import NotApplicable, Technique

FIRST = 1 / 25  # the share of the peak rate at which the warm-up begins
MOST = 0.98  # no momentum above this


@dataclass(frozen=True)
class OneCycle(Technique):
    """Raises the learning rate over the first `warmup` of training to `peak` times what it was, then lets it fall.

    Momentum (β₁ of Adam) goes the other way: down by `swing` while the rate rises, then up again. The paper's gain
    in speed comes with a `peak` of several times the usual rate.
    Helps when the first steps are unstable, or a high rate would train faster if only it were reached gently.
    Hurts when the run is so short that the warm-up takes the steps the descent needs.
    Costs nothing.
    """

    treats: ClassVar = ("optimization",)
    off: ClassVar = {"warmup": 0.0, "peak": 1.0, "swing": 0.0}
    warmup: float = knob(0.25, 0.0, 0.9)
    peak: float = knob(1.0, 0.01, 100.0)
    swing: float = knob(0.1, 0.0, 0.5)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.optimizer is None:
            return NotApplicable(f"{recipe.family} is not trained step by step with a learning rate")
        if self.is_off:
            return recipe
        now = carried(recipe.get("optimizer.lr"))
        if self.warmup > now["warmup"]:
            now |= {"warmup": self.warmup, "floor": FIRST}
        knobs: dict[str, object] = {"optimizer.lr": Cosine(**now | {"start": now["start"] * self.peak})}
        for path in ("optimizer.beta1", "optimizer.momentum"):
            if path in recipe.knobs() and self.swing:
                knobs[path] = self._momentum(start(recipe.get(path)), now["warmup"])
        return self.turned(recipe, knobs)

    def _momentum(self, middle: float, warmup: float) -> Cosine:
        """From `swing`/2 above the middle to as much below it, and back up."""
        high = min(middle + self.swing / 2, MOST)
        low = max(high - self.swing, 0.0)
        return Cosine(low, high, warmup=warmup, floor=high / low if low else 0.0)
