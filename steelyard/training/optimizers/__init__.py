"""Optimizers: parts whose knobs are set anew at every step, so that each of them may be a schedule."""

from steelyard.training.optimizers.classic import Adadelta, Adam, AdamW, Rmsprop, Sgd
from steelyard.training.optimizers.muon import Muon
from steelyard.training.optimizers.optimizer import Optimizer, parameters
from steelyard.training.optimizers.sam import SamAdamW, SamSgd
from steelyard.training.optimizers.schedule_free import ScheduleFree
from steelyard.training.optimizers.switching import AdamToSgd, Swats

__all__ = [
    "Adadelta",
    "Adam",
    "AdamToSgd",
    "AdamW",
    "Muon",
    "Optimizer",
    "Rmsprop",
    "SamAdamW",
    "SamSgd",
    "ScheduleFree",
    "Sgd",
    "Swats",
    "parameters",
]
