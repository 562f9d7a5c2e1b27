"""What techniques against imbalance have in common: when there is nothing to balance."""

from steelyard.problem import Problem
from steelyard.techniques.technique import NotApplicable

CLASSES = ("binary", "multiclass")


def nothing_to_balance(
    problem: Problem, does: str, is_off: bool, tasks: tuple[str, ...] = CLASSES
) -> NotApplicable | None:
    """Why a technique that `does` something to the classes of those tasks has none to do it to; None when it has."""
    if problem.task not in tasks:
        return NotApplicable(f"it {does}, and this is a {problem.task}")
    if problem.balanced and not is_off:
        return NotApplicable("the classes are about equally frequent already")
    return None
