"""What techniques against imbalance have in common: when there is nothing to balance."""

from steelyard.problem import Problem
from steelyard.techniques.technique import NotApplicable

CLASSES = ("binary", "multiclass")


def nothing_to_balance(problem: Problem, does: str, is_off: bool) -> NotApplicable | None:
    """Why a technique that `does` something to classes has none to do it to; None when it has."""
    if problem.task not in CLASSES:
        return NotApplicable(f"it {does}, and this is a {problem.task}")
    if problem.balanced and not is_off:
        return NotApplicable("the classes are about equally frequent already")
    return None
