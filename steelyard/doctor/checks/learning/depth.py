"""A deep network that fits its train rows worse than a shallow one, though it has weights enough.

Layers added to a plain network make it harder to optimise, until it fits less than a shallower one (He et al. 2016,
"Deep Residual Learning", arXiv 1512.03385, section 1).

Broken: thirty layers one after another. Mended: three, or residual connections and normalisation.
"""

from torch import nn

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.learning.capacity import GAP, MANY, against_plain

DEEP = 8  # layers with weights


@check(
    "SY511",
    "The network has too many layers",
    "warning",
    means="it has weights enough and cannot be trained to use them",
    treat="take out layers, or add residual connections and normalisation",
)
def depth(case: Case) -> Saw | None:
    layers = [m for m in case.model.modules() if isinstance(m, nn.Linear | nn.modules.conv._ConvNd)]
    if len(layers) < DEEP:
        return None
    gap, many, mine, plain = against_plain(case)
    if many <= MANY and len(layers) < 2 * DEEP:
        raise NotMeasured("its size may be what is wanting")
    if gap <= GAP:
        return None
    text = f"with {len(layers)} layers it gets {mine.score:.0%} on the rows trained on, one wide layer {plain[0]:.0%}"
    return Saw(text, {"layers": len(layers), "score": mine.score, "plain": plain[0]})
