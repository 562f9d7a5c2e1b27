"""What a model can do on batches: accuracy where it chooses among classes, explained variance where it gives values."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.losses import Term


@dataclass(frozen=True)
class Skill:
    """Of one term of the loss: `score` and what the best constant answer scores (`chance`), on `rows` rows.

    For classes and labels the share of right answers; for values the share of the variance that is explained.
    `guesses` and `truth` are class codes, or values, one a row.
    """

    kind: str
    score: float
    chance: float
    rows: int
    guesses: Tensor
    truth: Tensor


def skills(case: Case, batches: Sequence[Batch]) -> list[Skill]:
    """The skill for each term of the loss, in the mode that the model is in; terms of no known kind are left out."""
    with torch.no_grad():
        looked = [case.terms(batch) for batch in batches]
    found = []
    for place in range(min(map(len, looked), default=0)):
        same = [each[place] for each in looked]
        if len({term.kind for term in same}) == 1:
            found.append(_skill(same))
    return found


def _skill(same: list[Term]) -> Skill:
    kind = same[0].kind
    if kind in ("class logits", "log probabilities") or (kind == "probabilities" and same[0].codes.numel()):
        guesses, truth = (torch.cat(side) for side in zip(*(_codes(term) for term in same), strict=True))
        score = float((guesses == truth).float().mean())
        chance = float(torch.bincount(truth).max()) / len(truth) if len(truth) else 1.0
        return Skill(kind, score, chance, len(truth), guesses, truth)
    if kind in ("label logits", "probabilities"):
        border = 0.0 if kind == "label logits" else 0.5
        guesses = torch.cat([(term.out > border).float().flatten() for term in same])
        truth = torch.cat([(term.target > 0.5).float().flatten() for term in same])
        rate = torch.cat([(t.target > 0.5).float().reshape(len(t.target), -1) for t in same]).mean(0)
        chance = float(torch.maximum(rate, 1 - rate).mean())
        return Skill(kind, float((guesses == truth).float().mean()), chance, len(truth), guesses, truth)
    guesses = torch.cat([term.out.float().flatten() for term in same])
    truth = torch.cat([term.target.float().flatten() for term in same])
    if len(guesses) != len(truth):
        return Skill(kind, float("nan"), 0.0, 0, guesses, truth)
    spread = float((truth - truth.mean()).square().mean())
    score = 1 - float((truth - guesses).square().mean()) / spread if spread > 0 else float("nan")
    return Skill(kind, score, 0.0, len(truth), guesses, truth)


def _codes(term: Term) -> tuple[Tensor, Tensor]:
    guesses = term.logits.argmax(1)
    truth = term.codes if term.codes.numel() else term.target.movedim(1, -1).reshape(len(guesses), -1).argmax(1)
    kept = truth != term.ignored
    return guesses[kept], truth[kept]
