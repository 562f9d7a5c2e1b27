"""Lee 2000, "Noisy replication in skewed binary classification", Computational Statistics & Data Analysis 34(2).

For images see Shorten & Khoshgoftaar 2019, "A survey on Image Data Augmentation for Deep Learning", section
"Alleviating class imbalance with data augmentation", Journal of Big Data 6.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.gentle import GENTLE
from steelyard.techniques.imbalance import nothing_to_balance
from steelyard.techniques.technique import NotApplicable, Technique


@dataclass(frozen=True)
class MinorityAugmentation(Technique):
    """Changes inputs of rare classes alone, those with fewer rows than the mean of all; common ones stay as they are.

    It holds for every augmentation of the recipe, and brings a gentle one of the kind of data along: noise on the
    numbers of a table or a series, shifted crops of images, dropped tokens of texts.
    Helps when rare rows are so few that they are learnt by heart, above all beside over-sampling.
    Hurts when the change itself gives the class away, since only rare rows are ever changed: keep it small.
    Costs what the augmentations cost.
    """

    treats: ClassVar = ("imbalance",)
    time_ratio: ClassVar = 1.05
    off: ClassVar = {"classes": "all"}
    classes: Literal["minority", "all"] = "minority"

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        if useless := nothing_to_balance(problem, "changes rows of rare classes", self.is_off):
            return useless
        if recipe.network is None:
            return NotApplicable(f"{recipe.family} is not trained on batches that could be changed")
        gentle = GENTLE.get(problem.modality)
        kinds = {part.kind for part in recipe.augment}
        if gentle is None and not kinds:
            return NotApplicable(f"the recipe changes no {problem.modality} inputs yet: add an augmentation first")
        changed = recipe.set("batch.augment", self.classes)
        if gentle is not None and gentle.kind not in kinds and not self.is_off:
            changed = changed.with_part("augment", gentle)
        return self.unless_same(recipe, changed)
