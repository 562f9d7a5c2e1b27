"""What the starting recipes of all modalities share."""

from typing import Literal

from steelyard.classical import Boosting, Dummy, Forest, Linear, Neighbors
from steelyard.parts import Estimator, Loss
from steelyard.problem import Problem, Task
from steelyard.training.losses import CrossEntropy, SquaredError
from steelyard.training.target_losses import BinaryCrossEntropy, JointLoss, OrdinalCrossEntropy

ESTIMATORS: tuple[Estimator, ...] = (Dummy(), Linear(), Neighbors(), Boosting(), Forest())  # the cheapest first

LOSSES: dict[Task, Loss] = {
    "regression": SquaredError(),
    "ordinal": OrdinalCrossEntropy(),
    "multilabel": BinaryCrossEntropy(),
    "multioutput": JointLoss(),
    "multitask": JointLoss(),
}


def target_scale(problem: Problem) -> Literal["standard", "log"]:
    """The scale on which the target is learnt: logarithms where the metric looks at them."""
    return "log" if problem.metric == "rmsle" else "standard"


def loss_for(problem: Problem) -> Loss:
    """The loss that matches the output."""
    return LOSSES.get(problem.task, CrossEntropy())
