"""The doctor: a model, its loss and its loaders are examined for bugs that raise no exception, on torch alone."""

from steelyard.doctor.examine import assert_healthy, examine
from steelyard.doctor.finding import Examination, Finding
from steelyard.doctor.gradient_check import GradientCheck, gradient_check

__all__ = ["Examination", "Finding", "GradientCheck", "assert_healthy", "examine", "gradient_check"]
