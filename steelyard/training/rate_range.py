"""The learning-rate range test: the rate grows at every step of one short training until the loss falls apart.

Source: Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3 (arXiv 1506.01186). That the
rate grows geometrically, that the loss is smoothed and that four times its lowest ends the test is the practice of
Howard & Gugger 2020, "fastai: A Layered API for Deep Learning" (arXiv 2002.04688).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from steelyard.errors import UserError
from steelyard.recipe import Recipe
from steelyard.training.feed import Step
from steelyard.training.member import Member, Runner
from steelyard.training.rates import peaking
from steelyard.training.stack import Unstackable
from steelyard.training.team import Team

MEMORY = 0.9  # of the running mean that says when the loss has diverged
TIMES, BACK = 4.0, 0.25  # diverged: so many times the lowest mean, and so much of the descent lost again
DECADES = 0.15  # width of the kernel that smooths a curve, in powers of ten of the rate
NEAR = 0.01  # of the descent: a loss so near the lowest one is as low; of several such rates the first counts
SHARE = 0.05  # of the first loss: a smaller descent says little
FEWEST = 10  # steps that make a curve


@dataclass(frozen=True)
class Sweep:
    """Training losses (members, steps) at growing rates (steps,), all finite; `diverged` if that is why they end."""

    rates: np.ndarray
    losses: np.ndarray
    diverged: bool


@dataclass(frozen=True)
class RateRange:
    """What a range test found.

    `rates` (steps,) are those of the steps that were taken, `losses` (seeds, steps) the mean losses of their batches,
    `smoothed` (steps,) is the median over seeds. `steepest` is the rate at which the loss falls fastest, `lowest` the
    one at which it is lowest, `largest` the last one before it diverges, which is to say comes back to where it began
    or ends the test; the last of all where it does neither.
    `suggestion` lies halfway between `steepest` and `lowest` on the logarithmic axis, between the two usual choices:
    the first is often timid, the second on the edge. `setting` is what to `--set`: the recipe's schedule, scaled so
    that its highest rate is the suggestion. It is a place to begin; what is best may be anywhere between the two.
    """

    family: str
    optimizer: str
    batch_size: int
    rows: int
    rates: tuple[float, ...]
    losses: tuple[tuple[float, ...], ...]
    smoothed: tuple[float, ...]
    steepest: float
    lowest: float
    largest: float
    diverged: bool
    suggestion: float
    setting: str
    caveat: str = ""


def sweep(
    members: Sequence[Member],
    rates: Sequence[float],
    device: torch.device | str = "cpu",
    went: Callable[[float], None] = lambda _: None,
) -> Sweep:
    """Train members one step at each rate, together where that pays, until the median of their losses diverges.

    Every other knob stands where it begins. `went` is told how much of it is done (0..1). The members' networks are of
    no use afterwards.
    """
    teams = _teams(members, torch.device(device))
    batches = [_endless(team) for team in teams]
    found: list[np.ndarray] = []
    mean, first, lowest, diverged = 0.0, math.inf, math.inf, False
    for step, rate in enumerate(rates, start=1):
        for team in teams:
            _turn(team, float(rate))
        each = [team.learn(next(feed)).mean(-1).view(-1) for team, feed in zip(teams, batches, strict=True)]
        losses = torch.cat(each).double().cpu().numpy()
        mean = MEMORY * mean + (1 - MEMORY) * float(np.median(losses))
        now = mean / (1 - MEMORY**step)
        first = now if step == 1 else first
        if diverged := not np.isfinite(losses).all() or now > _limit(first, lowest):
            break
        lowest = min(lowest, now)
        found.append(losses)
        went(step / len(rates))
    return Sweep(np.array(rates[: len(found)]), np.array(found).reshape(len(found), len(members)).T, diverged)


def judge(found: Sweep, recipe: Recipe, batch_size: int, rows: int) -> RateRange:
    """The record of a sweep that the recipe made; raises UserError when it ended too soon to say anything."""
    if len(found.rates) < FEWEST:
        said = f"from {found.rates[0]:.2g} on" if len(found.rates) else "at once"
        raise UserError(f"the loss diverges {said}, within {FEWEST} steps: begin at a lower rate (--low)")
    curve = np.median(smooth(found.rates, found.losses), axis=0)
    bottom = int(curve.argmin())
    descent = float(curve[0] - curve[bottom])
    lowest = int(np.argmax(curve <= curve[bottom] + NEAR * descent))
    over = np.flatnonzero(curve[bottom:] > curve[0])
    last = bottom + int(over[0]) - 1 if len(over) else len(curve) - 1
    slope = np.gradient(curve, np.log(found.rates))
    steepest = int(slope[: lowest + 1].argmin())
    suggestion = float(f"{math.sqrt(found.rates[steepest] * found.rates[lowest]):.2g}")
    return RateRange(
        recipe.family,
        recipe.optimizer.kind if recipe.optimizer else "",
        batch_size,
        rows,
        tuple(found.rates.tolist()),
        tuple(map(tuple, found.losses.tolist())),
        tuple(curve.tolist()),
        float(found.rates[steepest]),
        float(found.rates[lowest]),
        float(found.rates[last]),
        found.diverged or len(over) > 0,
        suggestion,
        f"optimizer.lr={peaking(recipe.get('optimizer.lr'), suggestion)}",
        _caveat(found, descent / abs(float(curve[0]) or 1.0), bottom),
    )


def smooth(rates: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Losses (…, steps) smoothed over neighbouring rates, on both sides so that nothing moves to larger rates.

    A loss that shoots up counts as no more than what ends a test, so that it does not lift what was before.
    """
    first, lowest = np.median(losses[..., :FEWEST]), np.median(losses, axis=0).min()
    width = DECADES / math.log10(rates[1] / rates[0])
    return np.asarray(gaussian_filter1d(np.minimum(losses, _limit(first, lowest) + first), width, mode="nearest"))


def _limit(first: float, lowest: float) -> float:
    """The loss above which training has diverged; near a loss of zero, four times very little is still very little."""
    return max(TIMES * lowest, lowest + BACK * (first - lowest)) if math.isfinite(lowest) else math.inf


def _caveat(found: Sweep, share: float, bottom: int) -> str:
    if share < SHARE:
        return "the loss hardly falls: there is little to go by"
    if not found.diverged and bottom > 0.95 * len(found.rates):
        return "the loss still falls at the highest rate: go on to a higher one (--high)"
    return ""


def _teams(members: Sequence[Member], device: torch.device) -> list[Team]:
    """One team of all members, or one for each where that is cheaper or cannot be otherwise."""
    runners = [Runner.start(number, member, device) for number, member in enumerate(members)]
    plan, rows = runners[0].plan, len(runners[0].member.rows)
    pays = device.type != "cpu" or plan.network.together(plan.batch.size_at(0.0, rows)) > 1
    if pays and plan.optimizer.passes == 1 and plan.precision.dtype != "float16":
        try:
            return [Team(runners, device)]
        except Unstackable:
            pass
    return [Team([runner], device) for runner in runners]


def _endless(team: Team) -> Iterator[Step]:
    """The batches of one epoch after the other."""
    while True:
        yield from team.feed.epoch(0.0, [runner.order for runner in team.runners])


def _turn(team: Team, rate: float) -> None:
    """Set the rate of every member."""
    for learner in team.learners:
        learner.part = replace(learner.part, lr=rate)
        learner.part.turn(learner.optimizer, 0.0)
