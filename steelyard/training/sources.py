"""How much train rows of each source count, where rows of several were mixed and the model is for one of them."""

from dataclasses import dataclass

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.knobs import knob
from steelyard.parts import Sources


@dataclass(frozen=True)
class TargetSource(Sources):
    """Rows of the target source count 1, those of all others `helpers`."""

    helpers: float = knob(1.0, 0.0, 1.0)

    def weights(self, dataset: Dataset) -> np.ndarray | None:
        """A weight for each row (n,), 1 on the average; None where there is no target row, or all count alike."""
        asked = dataset.asked
        if self.helpers == 1 or not asked.any() or asked.all():
            return None
        weights = np.where(asked, 1.0, self.helpers)
        return np.asarray(weights / weights.mean())
