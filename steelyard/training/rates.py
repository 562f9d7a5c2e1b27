"""Learning rates as they are written down: scaled to a highest value, or with the batch size."""

import re
from typing import Literal

from steelyard.knobs import Knob, Schedule, scale
from steelyard.training.optimizers import Optimizer, Sgd

Rule = Literal["linear", "square root", "kept"]


def highest(lr: Knob) -> float:
    """The highest rate of training."""
    return max(lr.extremes()) if isinstance(lr, Schedule) else lr


def peaking(lr: Knob, rate: float) -> str:
    """A learning rate as text, scaled so that its highest value is `rate`, three digits of it."""
    rate, peak = float(f"{rate:.3g}"), highest(lr)
    if not isinstance(lr, Schedule) or peak <= 0:
        return f"{rate:g}"
    return re.sub(r"\d[\d.]*(e[+-]?\d+)?", lambda number: f"{float(number.group()):.6g}", str(scale(lr, rate / peak)))


def scaling_rule(optimizer: Optimizer) -> Rule:
    """How the rate follows the batch size.

    Linear for SGD (Goyal et al. 2017, section 2.1, arXiv 1706.02677), the square root for optimizers that divide by the
    size of the gradient, as Adam and RMSprop do (Malladi et al. 2022, arXiv 2205.10287). Of the second rule only the
    rate is followed: the decay rates of the averages, β₁ and β₂, stay.
    """
    return "linear" if isinstance(optimizer, Sgd) else "square root"


def following(lr: Knob, rule: Rule, ratio: float) -> str:
    """A learning rate as text for batches `ratio` times as large."""
    power = {"linear": 1.0, "square root": 0.5, "kept": 0.0}[rule]
    return str(lr) if power == 0 or ratio == 1 else peaking(lr, highest(lr) * ratio**power)
