"""The findings of a run, and from which numbers on they are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steelyard.doctor.finding import Finding, Severity

# ‖change‖ / ‖weights‖ of one step is about 1e-3 where training goes well (Karpathy, lecture notes of Stanford's
# cs231n, "Neural Networks Part 3", section "Ratio of weights:updates"); the band is a factor of ten around it.
BAND = (1e-4, 1e-2)
LEAPS = 0.1  # in most layers and steps: each step turns over a tenth of what was learnt
CREEPS = 1e-5  # in all layers and steps: ten thousand steps to move as far as the weights are long
# A unit that is zero on every row gets no gradient (Lu et al. 2019, "Dying ReLU and Initialization", arXiv
# 1903.06733). A third of a healthy layer can be; more than half is a loss of width.
DEAD, UNITS, ROWS = 0.5, 8, 100  # share of the units of a layer that has so many at least, seen on so many rows
# Near its ends a tanh has no slope (Glorot & Bengio 2010, "Understanding the Difficulty of Training Deep
# Feedforward Neural Networks", section 3).
SATURATED = 0.8  # of the outputs of a layer
# The gradient is multiplied layer by layer on its way back (Hochreiter 1991; Glorot & Bengio 2010, section 4).
VANISHED, EXPLODED = 1e-5, 1e4  # gradient of the first layer over that of the last, per weight
JUMPED = 100.0  # times the usual norm, and that of the start: a gradient that explodes at some step
STUCK = 1e-3  # of the gradient of the layer that has most of it, per weight: less moves nothing for that reason
CLIPPED = 0.05  # of the gradient is left by clipping, in the middle of the steps looked at
COLLAPSED = 0.1  # deviation of the logits over the rows, in that of their means over the classes
SAMPLES = 5  # looks at a layer, at the least, before it is judged
STEPS = 50  # between two looks at the loss; after twice as many an optimizer must have made a step …
FEW = 10  # … and after so many at the end of an epoch


@dataclass(frozen=True)
class Kind:
    """What a code stands for."""

    severity: Severity
    title: str
    means: str
    treat: str


_GRADIENT = "look for log, sqrt, division or exp of what may be zero or large"
KINDS: Mapping[str, Kind] = {
    "SY401": Kind(
        "error",
        "Gradients are not finite",
        "one step makes every weight NaN",
        f"{_GRADIENT}; torch.autograd.set_detect_anomaly(True) names the line; clip gradients",
    ),
    "SY402": Kind(
        "warning",
        "Gradients vanish or explode",
        "early layers learn nothing, or jump",
        "fewer layers, ReLU or GELU, residual connections, normalisation, other initial weights; clip what explodes",
    ),
    "SY403": Kind(
        "warning",
        "Many units are dead",
        "they put out zero for every row and get no gradient",
        "lower the learning rate, centre the inputs, start biases at zero, or use LeakyReLU or GELU",
    ),
    "SY404": Kind(
        "warning",
        "Activations are saturated",
        "their slope is nearly zero: what lies before them gets no gradient",
        "scale the inputs, start with smaller weights, normalise, or use ReLU or GELU",
    ),
    "SY407": Kind(
        "error",
        "Gradients add up over steps",
        "each step follows the gradients of all steps before it",
        "call optimizer.zero_grad() once before each backward, or before the first one of an accumulated step",
    ),
    "SY408": Kind(
        "error",
        "The weights do not move",
        "nothing is learnt",
        "call optimizer.step() after backward, with a learning rate above zero, on the parameters of this model",
    ),
    "SY409": Kind(
        "warning",
        "Gradients are clipped away",
        "steps are as long as the limit, not as the gradient: training is slow",
        "clip at about the usual norm, which is shown here, or lower the learning rate instead",
    ),
    "SY502": Kind(
        "error",
        "The learning rate is too high",
        "each step leaps over the minimum",
        "lower the rate tenfold, warm up, or clip gradients",
    ),
    "SY503": Kind(
        "warning",
        "The learning rate is too low",
        "the weights hardly move: training takes many times as long as it could",
        "raise the rate tenfold; the change of a step is about 1e-3 of the weights where training goes well",
    ),
    "SY504": Kind(
        "warning",
        "The loss does not fall",
        "nothing is learnt, or the model had been trained before",
        "try another rate; see whether one batch can be learnt by heart: steelyard.examine looks for what is wrong",
    ),
    "SY505": Kind(
        "warning",
        "The loss oscillates",
        "steps are too long, or batches too small",
        "lower the learning rate, take larger batches, or shuffle the rows",
    ),
    "SY506": Kind(
        "error",
        "The loss is not finite",
        "from here on every weight is NaN",
        f"{_GRADIENT}; lower the learning rate, clip gradients, look at the batch of this step",
    ),
    "SY512": Kind(
        "warning",
        "Trained too short",
        "the loss was still falling when training ended",
        "train for more epochs, or raise the learning rate",
    ),
    "SY607": Kind(
        "warning",
        "Predictions collapse to one class",
        "the outputs hardly depend on the inputs",
        "look for dead units, a rate that is too high, and the scale of the inputs; start afresh",
    ),
}


def finding(code: str, saw: str, evidence: dict[str, Any], severity: Severity | None = None) -> Finding:
    """The finding of a code."""
    kind = KINDS[code]
    return Finding(code, severity or kind.severity, kind.title, saw, kind.means, kind.treat, evidence)
