"""Which batch sizes and numbers of epochs are tried, and with which recipes."""

from dataclasses import dataclass
from typing import Any

from steelyard.errors import UserError
from steelyard.recipe import Recipe
from steelyard.training.member import Plan
from steelyard.training.rates import Rule, following, scaling_rule
from steelyard.trials.arms import Tried
from steelyard.weighing.trade_off import Exploration, Pair
from steelyard.workflow.ask import Ask
from steelyard.workflow.network import Posed

AROUND = 4  # the default grid: so many times less, the starting recipe, so many times more


@dataclass(frozen=True)
class Grid:
    """The batch sizes and numbers of epochs to try, each with so many seeds; where none are given, around the recipe.

    With `keep_rate` the learning rate does not follow the batch size.
    """

    batch_sizes: tuple[int, ...] = ()
    epochs: tuple[int, ...] = ()
    seeds: int = 3
    keep_rate: bool = False

    def __post_init__(self) -> None:
        for name, given in (("batch sizes", self.batch_sizes), ("epochs", self.epochs), ("seeds", (self.seeds,))):
            if wrong := [each for each in given if each != int(each) or each < 1]:
                raise UserError(f"{name} are whole numbers from 1, got {wrong[0]}")


@dataclass(frozen=True)
class Arm:
    """A pair with the recipe that trains it, and what came of it."""

    pair: Pair
    recipe: Recipe
    tried: Tried | None = None


def planned(ask: Ask, posed: Posed, grid: Grid) -> tuple[list[Arm], Exploration]:
    """Every pair with its recipe, and the record that has none yet."""
    recipe, rows = posed.recipe, len(posed.train)
    plan = Plan.of(recipe)
    size, epochs = plan.batch.size_at(0.0, rows), plan.stopping.epochs
    sizes = grid.batch_sizes or tuple(s for s in _around(size) if 1 < s <= rows) or (size,)
    if max(sizes) > rows:
        raise UserError(f"a batch of {max(sizes)} is more than the {rows} train rows; give smaller --batch-sizes")
    rule: Rule = "kept" if grid.keep_rate else scaling_rule(plan.optimizer)
    arms = []
    for each in sorted(set(sizes)):
        rate = following(plan.optimizer.lr, rule, each / size)
        for passes in sorted(set(grid.epochs or _around(epochs))):
            knobs = {"batch.size": each, "stopping.epochs": passes, "optimizer.lr": rate}
            arms.append(Arm(Pair(each, passes, rate, passes * max(1, rows // each)), _set(recipe, knobs)))
    base = (size, epochs, str(plan.optimizer.lr))
    protocol = posed.protocol.to_dict()
    optimizer = plan.optimizer.kind
    return arms, Exploration(
        posed.problem, "", ask.command, recipe.family, optimizer, base, rule, grid.seeds, rows, protocol
    )


def _around(middle: int) -> tuple[int, ...]:
    return max(1, middle // AROUND), middle, middle * AROUND


def _set(recipe: Recipe, knobs: dict[str, Any]) -> Recipe:
    for path, given in knobs.items():
        recipe = recipe.set(path, given)
    return recipe
