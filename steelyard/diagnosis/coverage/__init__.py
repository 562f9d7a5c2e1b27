"""Is artificial data too narrow for the real distribution, or off it?"""

from steelyard.diagnosis.coverage.coverage import Coverage, coverage_of

__all__ = ["Coverage", "coverage_of"]
