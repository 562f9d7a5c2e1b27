"""The doctor: a model, its loss and its loaders are examined for bugs that raise no exception, on torch alone."""

from steelyard.doctor.examine import assert_healthy, examine
from steelyard.doctor.finding import Examination, Finding

__all__ = ["Examination", "Finding", "assert_healthy", "examine"]
