"""One input alone that says as much as the whole model.

Where a line through a single column does as well as the network, the others add nothing, or the network has not found
out what they add. Trying one or a few inputs first is the cheapest look at a problem.

Broken: a network of a hundred columns that predicts by one. Mended: start from that one, add what helps.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.probe import Rows, rows_of
from steelyard.doctor.rehearsal import rehearsed
from steelyard.doctor.skill import skills

FEWEST, COLUMNS = 100, 512


@check(
    "SY513",
    "One input alone does as well",
    "tip",
    means="the other inputs add nothing to the predictions, as the model stands",
    treat="train on that input alone, then add others one by one and keep what helps",
)
def one_input(case: Case) -> Saw | None:
    own = rehearsed(case)
    if own.steps < 100 or not own.held:
        raise NotMeasured("there was no time for 100 steps, or no rows to measure on")
    seen = rows_of(case, own.seen)
    held = rows_of(case, own.held, seen.scale)
    if not 2 <= seen.x.shape[1] <= COLUMNS or len(held.x) < FEWEST or (seen.y.dim() > 1 and seen.kind != "values"):
        raise NotMeasured("inputs are no table, or there are too few rows")
    own.case.model.eval()
    mine = skills(own.case, own.held)
    score, column = _best(seen, held)
    if not mine or mine[0].score > score + 1e-6 or score <= max(0.1, mine[0].chance):
        return None
    text = f"column {column} alone gets {score:.1%} on rows not trained on, the model {mine[0].score:.1%}"
    return Saw(text, {"column": column, "score": score, "model": mine[0].score})


def _best(seen: Rows, held: Rows) -> tuple[float, int]:
    """The best score on `held` of a rule on one column: a line for values, the nearest class mean for classes."""
    scores = []
    for column in range(seen.x.shape[1]):
        here, there = seen.x[:, column], held.x[:, column]
        if seen.y.dim() == 1:
            means = torch.stack(
                [
                    here[seen.y == k].mean() if bool((seen.y == k).any()) else here.new_tensor(1e9)
                    for k in range(seen.outputs)
                ]
            )
            guesses = (there[:, None] - means).abs().argmin(1)
            scores.append(float((guesses == held.y).float().mean()))
        else:
            slope = (here[:, None] * seen.y).mean(0) / here.square().mean().clamp_min(1e-9)
            left = (held.y - there[:, None] * slope).square().mean()
            scores.append(1 - float(left / held.y.var(unbiased=False).clamp_min(1e-12)))
    best = max(range(len(scores)), key=scores.__getitem__)
    return scores[best], best
