"""Labels that do not belong to their rows.

A model that has learnt its train rows by heart and does no better than chance on others has found nothing in the
inputs that goes with the labels (Zhang et al. 2017, arXiv 1611.03530): rows and labels were shuffled apart, joined on
the wrong key, or shifted by one. A linear model and a plain network on the same rows are asked, too.

Broken: `x = x[torch.randperm(len(x))]`, y left as it was. Mended: one permutation for both.
"""

import math
from collections.abc import Sequence

import torch

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.probe import crossfitted, probe_scores
from steelyard.doctor.rehearsal import rehearsed
from steelyard.doctor.skill import Skill, skills

FEWEST = 80  # rows that were not trained on: with fewer, chance and skill lie too near one another
ERRORS = 3.0  # standard errors above chance would be skill


@check(
    "SY109",
    "Labels do not go with the inputs",
    "warning",
    means="what is learnt does not hold for other rows: rows and labels may have been shuffled apart",
    treat="print a few rows with their labels; follow both from the file to the batch, joins and shuffles above all",
)
def unrelated(case: Case) -> Saw | None:
    own = rehearsed(case)
    if not own.held:
        raise NotMeasured("there is no dev, and too few train batches to hold some back")
    own.case.model.eval()
    seen, held = skills(own.case, own.seen[:8]), skills(own.case, own.held)
    if len(held) != 1 or len(seen) != 1:
        raise NotMeasured("the loss is not one comparison of a known kind")
    if skilled(held[0]):
        return None
    if held[0].rows < FEWEST:
        return _across(case, seen[0], own.seen)
    scores = [probe_scores(case, own.seen, own.held, hidden) for hidden in (True, False)]
    best = max(score for _, score in scores)
    if best > chance_border(held[0]):
        return None
    learnt = max(seen[0].score, scores[0][0])
    if learnt < held[0].chance + 0.3 * (1 - held[0].chance):
        raise NotMeasured("train rows were not learnt either")
    text = f"rows that were trained on are right to {learnt:.0%}, others to {max(held[0].score, best):.0%}"
    text += f" at best, where always saying the same gets {held[0].chance:.0%}"
    return Saw(text, {"seen": learnt, "held": held[0].score, "probe": best, "chance": held[0].chance})


def _across(case: Case, seen: Skill, batches: Sequence[Batch]) -> Saw | None:
    """Where few rows are left over: a plain network on each fifth of the train rows, trained on the others."""
    if seen.rows < FEWEST:
        raise NotMeasured(f"there are fewer than {FEWEST} rows")
    score = crossfitted(case, batches)
    if score > chance_border(seen):
        return None
    text = f"rows that were trained on are right to {seen.score:.0%}; a plain network gets {score:.0%} of {seen.rows} "
    text += f"rows right that it was not trained on, where always saying the same gets {seen.chance:.0%}"
    return Saw(text, {"seen": seen.score, "probe": score, "chance": seen.chance})


def chance_border(found: Skill) -> float:
    """The score above which it is no chance any more."""
    if found.kind == "values":
        return ERRORS / math.sqrt(found.rows)
    spread = found.chance * (1 - found.chance) / found.rows
    return found.chance + ERRORS * math.sqrt(spread)


def skilled(found: Skill) -> bool:
    """Whether answers beat a constant one: by their share, or, where classes are uneven, class by class."""
    if found.score > chance_border(found):
        return True
    if found.kind == "values":
        both = found.guesses.std() * found.truth.std()
        together = ((found.guesses - found.guesses.mean()) * (found.truth - found.truth.mean())).mean()
        return bool(float(both) > 0 and float(together / both) > ERRORS / math.sqrt(found.rows))
    present = [each for each in torch.unique(found.truth) if int((found.truth == each).sum()) >= 5]
    recalls = [float((found.guesses[found.truth == each] == each).float().mean()) for each in present]
    counts = [int((found.truth == each).sum()) for each in present]
    if len(recalls) < 2:
        return True
    even = 1 / len(recalls)
    error = math.sqrt(sum(even * (1 - even) / many for many in counts)) / len(counts)
    return sum(recalls) / len(recalls) > even + ERRORS * max(error, 1e-9)
