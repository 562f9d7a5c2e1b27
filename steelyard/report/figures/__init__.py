"""Rows to drawings: SVG without scripts, fonts or colours of its own; the page's style sheet brings both.

Every drawing is made twice, for a phone and for a desk; the style sheet shows the one that fits.
"""

from steelyard.report.figures.canvas import NARROW, WIDE, Drawing
from steelyard.report.figures.confusion import confusion_map
from steelyard.report.figures.course import forecast_course
from steelyard.report.figures.curves import learning_curve
from steelyard.report.figures.errors import error_bars
from steelyard.report.figures.intervals import Mark, intervals
from steelyard.report.figures.residuals import residual_plots

__all__ = [
    "NARROW",
    "WIDE",
    "Drawing",
    "Mark",
    "confusion_map",
    "error_bars",
    "forecast_course",
    "intervals",
    "learning_curve",
    "residual_plots",
]
