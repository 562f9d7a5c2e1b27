"""Steelyard weighs deep-learning advice on your own data, keeps what helps, and says what holds your model back."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steelyard.comparing import compare, weigh
    from steelyard.diagnosing import (
        coverage,
        diagnose,
        examine_run,
        human_level,
        label_errors,
        learning_curve,
        mistakes,
        shift,
        slices,
    )
    from steelyard.diagnosis.diagnosis import Diagnosis
    from steelyard.doctor import Doctor, assert_healthy, examine
    from steelyard.errors import UserError
    from steelyard.inspecting import anchors, duplicates, probe
    from steelyard.problem import Constraint
    from steelyard.recipe import Recipe
    from steelyard.report.health import health_page
    from steelyard.runs import Run, explore, load, rate_range, run
    from steelyard.weighing.comparison import Comparison, Weighing

__version__ = "0.1.0"
__all__ = [
    "Comparison",
    "Constraint",
    "Diagnosis",
    "Doctor",
    "Recipe",
    "Run",
    "UserError",
    "Weighing",
    "__version__",
    "anchors",
    "assert_healthy",
    "compare",
    "coverage",
    "diagnose",
    "duplicates",
    "examine",
    "examine_run",
    "explore",
    "health_page",
    "human_level",
    "label_errors",
    "learning_curve",
    "load",
    "mistakes",
    "probe",
    "rate_range",
    "run",
    "shift",
    "slices",
    "weigh",
]

_WHERE = {
    "Constraint": "steelyard.problem",
    "Diagnosis": "steelyard.diagnosis.diagnosis",
    "Recipe": "steelyard.recipe",
    "Run": "steelyard.runs",
    "UserError": "steelyard.errors",
    "Comparison": "steelyard.weighing.comparison",
    "Weighing": "steelyard.weighing.comparison",
    "anchors": "steelyard.inspecting",
    "compare": "steelyard.comparing",
    "coverage": "steelyard.diagnosing",
    "diagnose": "steelyard.diagnosing",
    "human_level": "steelyard.diagnosing",
    "label_errors": "steelyard.diagnosing",
    "learning_curve": "steelyard.diagnosing",
    "mistakes": "steelyard.diagnosing",
    "shift": "steelyard.diagnosing",
    "slices": "steelyard.diagnosing",
    "duplicates": "steelyard.inspecting",
    "weigh": "steelyard.comparing",
    "Doctor": "steelyard.doctor",
    "assert_healthy": "steelyard.doctor",
    "examine": "steelyard.doctor",
    "examine_run": "steelyard.diagnosing",
    "health_page": "steelyard.report.health",
    "explore": "steelyard.runs",
    "load": "steelyard.runs",
    "probe": "steelyard.inspecting",
    "rate_range": "steelyard.runs",
    "run": "steelyard.runs",
}


def __getattr__(name: str) -> Any:
    """Public names are imported when they are used, so that the command line starts at once."""
    if name not in _WHERE:
        raise AttributeError(f"module 'steelyard' has no attribute '{name}'")
    return getattr(import_module(_WHERE[name]), name)
