"""Trials: a recipe on a split with a seed, its outcome, the journal that remembers it, the workers that train it."""
