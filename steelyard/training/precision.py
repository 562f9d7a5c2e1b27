"""In which number format a network computes while it is trained; weights, head and loss stay in float32."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch

from steelyard.parts import Part

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Precision(Part):
    """Mixed precision (Micikevicius et al. 2018, arXiv 1710.03740): matrix products in `dtype`, the rest in float32.

    bfloat16 has the range of float32; float16 has not, so its loss is scaled and steps that overflow are left out. It
    pays for large networks on hardware that multiplies such numbers, and costs time elsewhere. Predictions are always
    computed in float32.
    """

    dtype: Literal["float32", "bfloat16", "float16"] = "float32"

    @property
    def mixed(self) -> bool:
        """Whether anything is computed in another format than float32."""
        return self.dtype != "float32"

    def region(self, device: torch.device) -> AbstractContextManager[object]:
        """The context in which the network computes a training step."""
        return torch.autocast(device.type, DTYPES[self.dtype]) if self.mixed else nullcontext()

    def scaler(self, device: torch.device) -> torch.amp.GradScaler | None:
        """What scales the loss, where the format needs it."""
        return torch.amp.GradScaler(device.type) if self.dtype == "float16" else None
