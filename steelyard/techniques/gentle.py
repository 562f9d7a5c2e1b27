"""The gentlest augmentation of each kind of data, for what needs some where a recipe has none."""

from steelyard.parts import Augmentation
from steelyard.techniques.inputs.input_noise import InputNoise
from steelyard.techniques.inputs.jitter import Jitter
from steelyard.techniques.inputs.shifted_crops import ShiftedCrops
from steelyard.techniques.inputs.token_dropout import TokenDropout

GENTLE: dict[str, Augmentation] = {
    "tabular": InputNoise(),
    "image": ShiftedCrops(),
    "text": TokenDropout(),
    "series": Jitter(),
}
