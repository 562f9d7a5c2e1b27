"""The classical families: a baseline, linear models, neighbours, forests and boosted trees, behind one `fit`.

A fitted estimator is arrays and plain numbers (`constant`, `linear`, `neighbors`, `trees`): it predicts without the
library that trained it where that is possible, and is saved without pickle (`storage`).
"""

from steelyard.classical.boosting import LONGER, Boosting
from steelyard.classical.dummy import Dummy, LastValue, SeasonalValue
from steelyard.classical.fitted import FittedEstimator
from steelyard.classical.forest import Forest
from steelyard.classical.linear import Linear
from steelyard.classical.linear_svm import LinearSvm
from steelyard.classical.mini_rocket import MiniRocket
from steelyard.classical.neighbors import Neighbors
from steelyard.classical.storage import load, save

FAMILIES = (Dummy, Linear, LinearSvm, Neighbors, Forest, Boosting)
DUMB = (Dummy.kind, LastValue.kind, SeasonalValue.kind)  # what every model must beat

__all__ = [
    "DUMB",
    "FAMILIES",
    "LONGER",
    "Boosting",
    "Dummy",
    "FittedEstimator",
    "Forest",
    "LastValue",
    "Linear",
    "LinearSvm",
    "MiniRocket",
    "Neighbors",
    "SeasonalValue",
    "load",
    "save",
]
