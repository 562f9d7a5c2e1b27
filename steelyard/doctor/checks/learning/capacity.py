"""A network that fits its own train rows far worse than a plain one of a single wide layer.

Where a network of 256 units fits and predicts the same rows well, one that cannot is too small, or squeezes what it is
given through too few units (Goodfellow, Bengio & Courville 2016, "Deep Learning", section 5.2).

Broken: `nn.Linear(64, 2), nn.ReLU(), nn.Linear(2, 10)`. Mended: `nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)`.
"""

import torch

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.data.unrelated import skilled
from steelyard.doctor.probe import probe_scores
from steelyard.doctor.rehearsal import rehearse, rehearsed
from steelyard.doctor.skill import Skill, skills

GAP, HELD_GAP = 0.12, 0.08  # of the score: on rows trained on, and on others
RATES = (1e-3, 1e-2)
STEPS = 600
MANY = 20_000  # parameters: above, it is not the size that is wanting


@check(
    "SY510",
    "The network is too small",
    "warning",
    means="it cannot hold what the rows say: more epochs will not help",
    treat="widen its layers, the narrowest first, until train rows are fitted; then regularise",
)
def capacity(case: Case) -> Saw | None:
    gap, many, mine, plain = against_plain(case)
    if gap <= GAP or many > MANY:
        return None
    text = f"with {many:,} parameters it gets {mine.score:.0%} on the rows trained on, a plain network {plain[0]:.0%}"
    if plain[1] == plain[1]:
        text += f" and {plain[1]:.0%} on others"
    return Saw(text, {"score": mine.score, "plain": plain[0], "parameters": many})


def against_plain(case: Case) -> tuple[float, int, Skill, tuple[float, float]]:
    """How far the model, trained long with good rates, stays behind a plain network; its size; both scores."""
    if "against plain" not in case.kept:
        case.kept["against plain"] = _compare(case)
    found: tuple[float, int, Skill, tuple[float, float]] = case.kept["against plain"]
    return found


def _compare(case: Case) -> tuple[float, int, Skill, tuple[float, float]]:
    own = rehearsed(case)
    plain = probe_scores(case, own.seen, own.held)
    many = sum(p.numel() for p in case.model.parameters())
    own.case.model.eval()
    mine = [*skills(own.case, own.seen)]
    for rate in RATES:
        if mine and plain[0] - mine[0].score <= GAP:
            break
        if case.left() < 8:
            raise NotMeasured("there was no time to train it long enough")
        twin = case.copy()
        trained = [p for p in twin.model.parameters() if p.requires_grad]
        twin.optimizer = torch.optim.Adam(trained, rate)
        longer = rehearse(twin, steps=STEPS)
        if longer.steps < STEPS and longer.broke is None:
            raise NotMeasured("there was no time to train it long enough")
        longer.case.model.eval()
        mine = sorted([*mine, *skills(longer.case, own.seen)], key=lambda each: -each.score)
    if not mine or mine[0].rows < 60:
        raise NotMeasured("the loss is of no known kind, or there are too few rows")
    best = mine[0]
    if not skilled(best):
        raise NotMeasured("the model learns nothing at all: its size is not what is wanting first")
    if plain[1] == plain[1] and own.held:
        own.case.model.eval()
        held = skills(own.case, own.held)
        if held and plain[1] - held[0].score <= HELD_GAP:
            return 0.0, many, best, plain
    return plain[0] - best.score, many, best, plain
