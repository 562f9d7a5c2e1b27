"""Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural Networks", section 4.1.

There the probabilities of five crops and their mirror images are averaged. When it helps and when it changes right
answers to wrong ones: Shanmugam et al. 2021, "Better Aggregation in Test-Time Augmentation", section 4 (arXiv
2011.11156).
"""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.knobs import knob
from steelyard.parts import Augmentation, Views
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.augmented import KINDS
from steelyard.techniques.gentle import GENTLE
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class TestTimeAugmentation(Views, Technique):
    """Predicts the mean over `views` of an input: the plain one, and others changed as the recipe augments.

    A recipe without augmentations of single examples shows shifted images, noisy numbers or series, shortened texts.
    Each view is one change, drawn once and the same for every input: a prediction depends on nothing but its input.
    Below 1, `crop` adds five views of images: the middle and the corners, at that share of the sides.

    Helps when the network was trained with augmentations and its answers still change with them.
    Hurts when what is changed matters, or the network has not learnt to bear it; and every time limit of prediction.
    Costs nothing in training; each prediction takes as many times as long as there are views.
    """

    treats: ClassVar = ("variance",)
    off: ClassVar = {"views": 1}
    views: int = knob(8, 1, 256)
    crop: float = knob(1.0, 0.25, 1.0)

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} is not a network: nothing is augmented for it")
        if problem.modality not in GENTLE:
            return NotApplicable(f"it augments one kind of input, and {KINDS[problem.modality]}")
        if self.crop < 1 and problem.modality != "image":
            return NotApplicable(f"crops are cut out of images, and {KINDS[problem.modality]}")
        return self.unless_same(recipe, recipe.with_part("tta", self))

    def by(self, augment: tuple[Augmentation, ...], modality: str) -> tuple[Augmentation, ...]:
        return tuple(part for part in augment if part.alone) or (GENTLE[modality],)
