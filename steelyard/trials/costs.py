"""What a trial will cost, predicted from the measured ones."""

from statistics import median

from steelyard.recipe import Recipe
from steelyard.trials.trial import Outcome

STOPPED = 0.2  # of the iterations allowed are done, about, when boosting stops by itself
OVERHEAD = 0.05  # seconds every trial takes whatever its size


class Costs:
    """Seconds per unit of work, learnt from outcomes: of the same recipe if there are any, else of its family."""

    def __init__(self) -> None:
        self._rates: dict[str, list[float]] = {}

    def learn(self, outcome: Outcome) -> None:
        """Take a measured trial into account."""
        if outcome.done and outcome.train_rows:
            recipe = outcome.trial.recipe
            rate = max(0.2 * outcome.seconds, outcome.seconds - OVERHEAD) / work(recipe, outcome.train_rows)
            for name in (_same(recipe), recipe.family):
                self._rates.setdefault(name, []).append(rate)

    def predict(self, recipe: Recipe, rows: int) -> float:
        """Seconds for one training of the recipe on so many rows; 0 when its family was never measured."""
        rates = self._rates.get(_same(recipe)) or self._rates.get(recipe.family) or [0.0]
        return OVERHEAD + median(rates) * work(recipe, rows)


def work(recipe: Recipe, rows: int) -> float:
    """Rows times passes over them: epochs of a network, iterations of boosting, one for the rest."""
    passes = getattr(recipe.stopping, "epochs", getattr(recipe.estimator, "iterations", 1))
    if getattr(recipe.estimator, "early_stopping", "off") == "on":
        passes *= STOPPED
    return float(rows * passes)


def _same(recipe: Recipe) -> str:
    """What sets the cost of a step: the model, the size it sees and what is done to a batch."""
    return repr((recipe.prepare, recipe.network, recipe.estimator, recipe.batch, recipe.augment, recipe.averaging))
