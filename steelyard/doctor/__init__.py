"""The doctor: a model, its loss and its loaders are examined for bugs that raise no exception, on torch alone."""

from steelyard.doctor.examine import assert_healthy, examine
from steelyard.doctor.finding import Examination, Finding
from steelyard.doctor.gradient_check import GradientCheck, gradient_check
from steelyard.doctor.layer_check import LayerCheck, check_layer
from steelyard.doctor.live import Doctor, DoctorWarning, Health

__all__ = [
    "Doctor",
    "DoctorWarning",
    "Examination",
    "Finding",
    "GradientCheck",
    "Health",
    "LayerCheck",
    "assert_healthy",
    "check_layer",
    "examine",
    "gradient_check",
]
