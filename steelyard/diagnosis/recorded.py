"""What a run kept of the training of its network, read for symptoms: curves and predictions, nothing is trained.

The curves a training leaves, read as Karpathy 2019, "A Recipe for Training Neural Networks", and Li et al., "CS231n:
Neural Networks Part 3", section "Babysitting the learning process", read them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from steelyard.diagnosis.collapse import FEW_ROWS, collapse
from steelyard.doctor.check import NotMeasured, Saw, checks
from steelyard.doctor.finding import Finding, Severity
from steelyard.metrics import Metric
from steelyard.problem import Problem, Score
from steelyard.records import SURE, Arm, ErrorTable
from steelyard.trials.trial import Outcome, Point
from steelyard.weighing.comparison import Comparison

Array = np.ndarray
FEW_STEPS = 100  # steps of training below which nothing can be said of how a loss falls
STILL = 0.98  # of the first epoch's loss: one that ends above it has not fallen
LEARNT = 0.9  # of the loss of a constant answer: below it something was learnt in the first epoch
ROSE, OFTEN = 0.02, 0.25  # an epoch's rise, of the loss and of a constant's; the share of epochs that rise
STEEP, FALLING = 0.05, 0.02  # of a constant's loss, that the last quarter of training still brought


@dataclass(frozen=True, eq=False)
class Kept:
    """What there is of one training: its outcome, and what it predicted on dev where it came so far.

    Without an outcome it is a model that has no epochs. `truth` and `said` are those of dev rows; `guess` is the loss
    of the best constant answer, if that is known; `steps` those of the whole training. `train` is the score on train
    rows, `power` the comparison with the dumb baseline, `table` the error table, `others` the other families.
    `restarts`: its rate rises again.
    """

    problem: Problem
    outcome: Outcome | None = None
    steps: int = 0
    guess: float | None = None
    restarts: bool = False
    truth: Array | None = None
    said: Array | None = None
    train: Score | None = None
    power: Comparison | None = None
    table: ErrorTable | None = None
    others: tuple[Arm, ...] = field(default=())

    @property
    def metric(self) -> Metric:
        return self.problem.measure

    @property
    def losses(self) -> Array:
        """The mean train loss of every epoch."""
        return np.array([point.train_loss for point in self.curve])

    @property
    def looks(self) -> list[tuple[int, float]]:
        """(epoch, loss on dev) wherever dev was looked at."""
        return [(point.epoch, point.dev_loss) for point in self.curve if point.dev_loss is not None]

    @property
    def curve(self) -> tuple[Point, ...]:
        """The curve; NotMeasured where there is none."""
        if self.outcome is None:
            raise NotMeasured("the model was not trained in epochs")
        if not self.outcome.curve:
            raise NotMeasured(f"its training left no curve ({self.outcome.message or self.outcome.status})")
        return self.outcome.curve


@dataclass(frozen=True)
class Reading:
    """A symptom that records show: its code, and what looks for it."""

    code: str
    title: str
    severity: Severity
    means: str
    treat: str
    look: Callable[[Kept], Saw | None]

    def finding(self, saw: Saw) -> Finding:
        """The finding that the symptom makes."""
        grave = saw.severity or self.severity
        return Finding(self.code, grave, self.title, saw.text, self.means, self.treat, saw.evidence)


def read(kept: Kept) -> tuple[list[Finding], list[str], dict[str, str]]:
    """The findings, the codes of what was not there, and why others could not be read."""
    findings, passed, open_ = [], [], {}
    for each in readings():
        try:
            saw = each.look(kept)
        except NotMeasured as reason:
            open_[each.code] = f"because {reason}"
            continue
        if saw is None:
            passed.append(each.code)
        else:
            findings.append(each.finding(saw))
    return findings, passed, open_


# -- curves -----------------------------------------------------------------------------------------------------------


def diverged(kept: Kept) -> Saw | None:
    """Whether the loss became infinite or NaN."""
    if kept.outcome is not None and kept.outcome.status == "diverged":
        return Saw(kept.outcome.message, {"message": kept.outcome.message})
    _ = kept.curve  # there is one to judge by
    return None


def does_not_fall(kept: Kept) -> Saw | None:
    """Whether the train loss ends where it began, having learnt nothing in the first epoch."""
    losses = _finite(kept, 3)
    if kept.steps < FEW_STEPS:
        raise NotMeasured(f"training took {kept.steps} steps only")
    first, low = float(losses[0]), float(losses[1:].min())
    if low <= STILL * first or (kept.guess is not None and first <= LEARNT * kept.guess):
        return None
    return Saw(
        f"in {len(losses)} epochs ({kept.steps} steps) the train loss went from {first:.4g} to {losses[-1]:.4g}",
        {"first": first, "lowest": low, "epochs": len(losses)},
    )


def oscillates(kept: Kept) -> Saw | None:
    """Whether the train loss goes up and down from epoch to epoch."""
    losses = _finite(kept, 8)
    if kept.restarts:
        raise NotMeasured("its rate goes up again by design, and the loss with it")
    later = losses[len(losses) // 4 :]
    rises = np.diff(later)
    least = np.maximum(ROSE * later[:-1], ROSE * (kept.guess or losses[0]))
    often, gone = int((rises > least).sum()), float(rises[rises > 0].sum())
    if often < max(3, OFTEN * len(rises)):
        return None
    return Saw(
        f"in {often} of {len(rises)} epochs the train loss rose by more than {ROSE:.0%}, by {gone:.3g} in all",
        {"rises": often, "epochs": len(rises)},
    )


def too_short(kept: Kept) -> Saw | None:
    """Whether the loss is still falling where training ends, or there were hardly any steps."""
    losses, guess = _finite(kept, 2), kept.guess
    if guess is None:
        raise NotMeasured("it is not known what a constant answer loses here")
    if kept.steps < FEW_STEPS and losses[-1] > LEARNT * guess:
        text = f"after {kept.steps} steps training ended at a loss of {losses[-1]:.4g}"
        return Saw(f"{text}; a constant answer loses {guess:.4g}", {"steps": kept.steps, "loss": float(losses[-1])})
    looks = kept.looks
    if len(looks) < 3:
        raise NotMeasured("dev was looked at fewer than three times")
    end, last = looks[-1]
    before = [loss for epoch, loss in looks if epoch <= max(looks[0][0], 0.75 * end)][-1]
    brought = (before - last) / guess
    if last > 1.01 * min(loss for _, loss in looks) or brought < FALLING:
        return None
    text = f"the last quarter of {end} epochs still took the loss on dev from {before:.4g} to {last:.4g}"
    return Saw(text, {"before": before, "last": last, "epochs": end}, "warning" if brought >= STEEP else "tip")


# -- scores and predictions -------------------------------------------------------------------------------------------


def as_good_as_dumb(kept: Kept) -> Saw | None:
    """Whether the network is not better than the dumb baseline by more than chance."""
    found = kept.power
    if found is None:
        raise NotMeasured("there are no predictions of it and of a dumb baseline on the same rows")
    if found.verdict == "helps":
        return None
    interval = f"95 % interval {found.low:.4g} to {found.high:.4g}"
    text = f"its {kept.metric.name} on dev differs from that of the dumb baseline by {found.effect:.4g} ({interval})"
    return Saw(text, {"difference": found.effect, "low": found.low, "high": found.high})


def too_small(kept: Kept) -> Saw | None:
    """Whether the network does worse on its own train rows than another family does on dev."""
    sign, there = kept.metric.sign, [arm for arm in kept.others if arm.score is not None]
    if kept.train is None or not there:
        raise NotMeasured("there is no other family to set its score on train rows against")
    best = max(there, key=lambda arm: sign * (arm.score.value if arm.score else 0.0))
    assert best.score is not None
    mine, theirs = kept.train, best.score
    apart = theirs.low - mine.high if sign > 0 else mine.low - theirs.high
    if apart <= 0:
        return None
    text = (
        f"its {kept.metric.name} on the rows it learnt from is {mine.value:.4g}; "
        f"{best.family} reaches {theirs.value:.4g} on dev rows"
    )
    return Saw(text, {"train": mine.value, "other": best.family, "dev of the other": theirs.value})


def gap(kept: Kept) -> Saw | None:
    """Whether what it does worse on dev than on train is surely the largest part of its error."""
    found = None if kept.table is None else kept.table.gap("variance")
    if found is None or kept.table is None:
        raise NotMeasured("there are no predictions on train and dev rows")
    if found.probability < SURE or found.low <= 0:
        return None
    train, dev = kept.table.level("train"), kept.table.level(found.end)
    assert train is not None and dev is not None
    text = f"the error ({kept.table.unit}) is {train.value:.4g} on train and {dev.value:.4g} on {found.end} rows"
    return Saw(text, {"train": train.value, found.end: dev.value, "probability": found.probability})


def collapsed(kept: Kept) -> Saw | None:
    """Whether all dev rows get one class, or values that hardly vary."""
    if kept.truth is None or kept.said is None or len(kept.truth) < FEW_ROWS:
        raise NotMeasured(f"there are no predictions on {FEW_ROWS} dev rows or more")
    return collapse(kept.problem, kept.truth, kept.said)


def _finite(kept: Kept, least: int) -> Array:
    losses = kept.losses
    if not np.isfinite(losses).all():
        raise NotMeasured("its training diverged")
    if len(losses) < least:
        raise NotMeasured(f"there are {len(losses)} epochs only")
    return losses


CURVES = (("SY504", does_not_fall), ("SY505", oscillates), ("SY506", diverged))
SCORES = (("SY509", as_good_as_dumb), ("SY607", collapsed))


@cache
def readings() -> tuple[Reading, ...]:
    """All that is read; a symptom that the doctor looks for in a program, too, is told in the words of that check."""
    known = {each.code: each for each in checks()}
    shared = (
        Reading(code, known[code].title, known[code].severity, known[code].means, known[code].treat, look)
        for code, look in (*CURVES, *SCORES)
    )
    return tuple(sorted((*shared, SMALL, SHORT, GAP), key=lambda each: each.code))


SMALL = Reading(
    "SY510",
    "The network is too small, or fits too little",
    "warning",
    "it does not fit the rows it learns from as well as another model predicts new ones",
    "more units or layers, longer training, less regularisation",
    too_small,
)
SHORT = Reading(
    "SY512",
    "Training was too short",
    "warning",
    "there were too few steps, or the loss was still falling where they ended",
    "train for more epochs; the schedules are stretched to them",
    too_short,
)
GAP = Reading(
    "SY612",
    "Train is far ahead of dev",
    "tip",
    "the model knows its train rows better than new ones: variance is what holds it back",
    "more rows, augmentation, or regularisation; steelyard diagnose says what is likely to help most",
    gap,
)
