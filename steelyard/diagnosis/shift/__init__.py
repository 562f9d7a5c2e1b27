"""Do two sources come from the same distribution, what gives them away, and is it the inputs, the target or both?"""

from steelyard.diagnosis.shift.between import Shift, Shifts, shift_between
from steelyard.diagnosis.shift.features import features_of

__all__ = ["Shift", "Shifts", "features_of", "shift_between"]
