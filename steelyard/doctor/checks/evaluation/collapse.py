"""Predictions that are all alike after training.

One class for every row, or values that hardly vary, mean that the model has settled on the best constant: look at the
values it generates before looking at any score.

Broken: `loss = (out - y.unsqueeze(0)).square().mean()` against all targets at once. Mended: row against row.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rehearsal import rehearsed
from steelyard.doctor.skill import skills

STEPS, EPOCHS, FEWEST = 200, 4, 60
ALL, MAJORITY = 0.995, 0.9  # one class in nearly all guesses, though the truth holds it less often than this
FLAT = 0.05  # of the spread of the targets


@check(
    "SY607",
    "Predictions collapse to one value",
    "warning",
    means="the model answers every row alike: it has learnt a constant",
    treat="look at the other findings first; balance the classes; lower the rate; look for dead units at the end",
)
def collapse(case: Case) -> Saw | None:
    own = rehearsed(case)
    if own.steps < STEPS or own.epochs < EPOCHS or own.broke is not None or not own.own:
        raise NotMeasured(f"there was no time for {STEPS} steps and {EPOCHS} epochs of your own training")
    own.case.model.eval()
    found = skills(own.case, own.seen)
    if not found or min(each.rows for each in found) < FEWEST:
        raise NotMeasured("the loss is of no known kind, or there are too few rows")
    for each in found:
        if each.kind == "values":
            spread = float(each.guesses.std() / each.truth.std().clamp_min(1e-12))
            if spread < FLAT:
                text = f"predicted values spread {spread:.1%} as much as the targets"
                return Saw(text, {"spread": spread})
        elif "class" in each.kind or each.kind == "log probabilities":
            most = float(torch.bincount(each.guesses.long()).max()) / each.rows
            if most >= ALL and each.chance < MAJORITY:
                text = f"{most:.1%} of predictions are one class, which no more than {each.chance:.0%} of the rows are"
                return Saw(text, {"share": most, "chance": each.chance})
    return None
