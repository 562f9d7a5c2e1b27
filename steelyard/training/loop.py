"""The training loop: a generator that yields after every epoch; whoever watches is a plain `for`."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from steelyard.training.averaging import Swa, refresh_norms
from steelyard.training.member import Best, Runner
from steelyard.training.team import Team


@dataclass(frozen=True)
class Epoch:
    """What one epoch left of a member: its number from 1, mean losses, the progress reached, seconds since the start.

    `held_loss` is the mean loss on the held rows where a stopping rule looks at them. `ends` says why it was the last
    one: "complete", "stopped" by the rule or "diverged"; empty while training goes on. `micro` is the number of rows
    computed at once since memory turned out not to hold a whole batch.
    """

    member: int
    number: int
    train_loss: float
    progress: float
    seconds: float
    held_loss: float | None = None
    ends: str = ""
    message: str = ""
    micro: int | None = None


def train(team: Team, leaving: set[int]) -> Iterator[tuple[Team, tuple[Epoch, ...]]]:
    """Train the members of a team in place; yields what each epoch left, while the team can still be looked at.

    A member leaves when its training is complete, diverged or stopped by its rule, or when its number is put into
    `leaving`; its network then holds the weights to keep.
    """
    began = time.perf_counter()
    while team.runners:
        losses, steps = [], team.feed.steps(team.runners[0].progress)
        streams = [runner.order for runner in team.runners]
        for step, batch in enumerate(team.feed.epoch(team.runners[0].progress, streams)):
            seconds = time.perf_counter() - began
            for runner in team.runners:
                runner.advance(step / steps, seconds)
            losses.append(team.learn(batch))
            if team.averages:
                for runner in team.runners:
                    runner.advance((step + 1) / steps, seconds)
                team.average(step + 1 == steps, steps)
        seconds = time.perf_counter() - began
        for runner in team.runners:
            runner.advance(1.0, seconds)
        epochs = _close(team, torch.stack(losses), seconds)
        yield team, epochs
        done = {i for i, epoch in enumerate(epochs) if epoch.ends or epoch.member in leaving}
        if done:
            for place in done:
                _settle(team, place)
            if len(done) == team.size:
                return
            team = team.without(done)


def _close(team: Team, losses: Tensor, seconds: float) -> tuple[Epoch, ...]:
    """What an epoch left: losses (steps, (members,) n) are looked at only now, since looking waits for the device."""
    by_step = losses.mean(dim=-1).view(len(losses), -1).double().cpu()
    held = _held(team)
    found = []
    for place, runner in enumerate(team.runners):
        mine, loss = by_step[:, place], held[place]
        runner.epochs += 1
        micro = team.micro if team.micro != runner.plan.batch.micro else None
        epoch = Epoch(runner.number, runner.epochs, float(mine.mean()), runner.progress, seconds, loss, micro=micro)
        found.append(_judged(epoch, runner, mine))
        runner.steps += len(mine)
    return tuple(found)


def _judged(epoch: Epoch, runner: Runner, losses: Tensor) -> Epoch:
    """The epoch, with whether it is the last one of its member and why."""
    bad = torch.nonzero(~torch.isfinite(losses))
    if len(bad):
        step = int(bad[0]) + 1
        message = f"the training loss is {float(losses[step - 1])} at step {runner.steps + step} (epoch {epoch.number})"
        return replace(epoch, ends="diverged", message=message)
    if epoch.held_loss is not None:
        runner.train.append(epoch.train_loss)
        runner.held.append(epoch.held_loss)
        rule = runner.plan.stopping.rule
        if rule is not None and rule.stops(runner.train, runner.held):
            return replace(epoch, ends="stopped", message=f"{rule} after epoch {epoch.number}")
    return replace(epoch, ends="complete") if epoch.progress >= 1 else epoch


def _held(team: Team) -> list[float | None]:
    """The mean loss on the held rows of the members whose rule looks at them; the best weights are kept aside."""
    found: list[float | None] = [None] * team.size
    apart = [runner.member.held if runner.plan.stopping.rule is not None else None for runner in team.runners]
    some = next((rows for rows in apart if rows is not None), None)
    if some is None:
        return found
    with team.resting():
        outputs = team.outputs([(rows or some).inputs for rows in apart])
        for place, (runner, rows) in enumerate(zip(team.runners, apart, strict=True)):
            if rows is None:
                continue
            targets = rows.targets.to(team.device)
            loss = float(runner.plan.loss.per_example(outputs[place], targets, runner.progress).mean())
            found[place] = loss
            if math.isfinite(loss) and loss < min(runner.held, default=math.inf):
                state = {name: tensor.clone() for name, tensor in team.state(place).items()}
                runner.best = Best(runner.epochs + 1, state)
    return found


def _settle(team: Team, place: int) -> None:
    """Give a leaving member the weights to keep: the best ones of a stopping rule, else the average, else the last."""
    runner = team.runners[place]
    network = runner.member.network
    if runner.best is not None:
        network.load_state_dict(runner.best.state)
    else:
        with team.resting():
            state = {name: tensor.clone() for name, tensor in team.state(place).items()}
        network.load_state_dict(state)
        if isinstance(runner.plan.averaging, Swa) and runner.plan.averaging.start < 1:
            refresh_norms(network, runner.member.rows.inputs, runner.plan.batch.size_at(1.0, len(runner.member.rows)))
    network.to("cpu").train()
