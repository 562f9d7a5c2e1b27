"""What a trial will cost, predicted from the measured ones."""

from steelyard.recipe import Recipe
from steelyard.trials.trial import Outcome

OVERHEAD = 0.05  # seconds every trial takes whatever its size


class Costs:
    """Seconds per unit of work, learnt from outcomes: of the same recipe if there are any, else of its family."""

    def __init__(self) -> None:
        self._rates: dict[str, float] = {}

    def learn(self, outcome: Outcome) -> None:
        """Take a measured trial into account."""
        if outcome.done and outcome.train_rows:
            recipe = outcome.trial.recipe
            rate = max(1e-9, outcome.seconds - OVERHEAD) / work(recipe, outcome.train_rows)
            for name in (_same(recipe), recipe.family):
                self._rates[name] = rate

    def known(self, recipe: Recipe) -> bool:
        """Whether anything of this family was measured."""
        return recipe.family in self._rates

    def predict(self, recipe: Recipe, rows: int) -> float:
        """Seconds for one training of the recipe on so many rows; 0 when its family was never measured."""
        rate = self._rates.get(_same(recipe), self._rates.get(recipe.family, 0.0))
        return OVERHEAD + rate * work(recipe, rows)


def work(recipe: Recipe, rows: int) -> float:
    """Rows times passes over them: epochs of a network, iterations of boosting, one for the rest."""
    passes = getattr(recipe.stopping, "epochs", getattr(recipe.estimator, "iterations", 1))
    return float(rows * passes)


def _same(recipe: Recipe) -> str:
    """What sets the cost of a step: the model, the size it sees and what is done to a batch."""
    return repr((recipe.prepare, recipe.network, recipe.estimator, recipe.batch, recipe.augment, recipe.averaging))
