"""Knob edits to weigh when no technique helps any more: each knob a step down and a step up."""

from steelyard.knobs import Schedule, scale
from steelyard.recipe import Recipe

STEPS: dict[str, tuple[float, ...]] = {
    "optimizer.lr": (0.5, 2.0),
    "batch.size": (0.5, 2.0),
    "network.frequency": (0.5, 2.0),
    "estimator.l2": (0.1, 10.0),
    "estimator.k": (0.5, 2.0),
    "estimator.min_samples_leaf": (0.4, 2.5),
    "estimator.max_leaf_nodes": (0.5,),
}


def edits(recipe: Recipe) -> list[tuple[str, Recipe]]:
    """The recipe with one knob turned one step, named by the edit, as `optimizer.lr=0.002`."""
    known, found = recipe.knobs(), []
    for path, factors in STEPS.items():
        if not known.get(path):
            continue
        for factor in factors:
            there = known[path]
            turned = scale(there, factor) if isinstance(there, Schedule | float) else max(1, round(there * factor))
            edited = recipe.set(path, turned)
            if edited != recipe:
                found.append((f"{path}={turned}", edited))
    return found
