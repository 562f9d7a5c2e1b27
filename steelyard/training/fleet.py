"""A fleet: several training runs behind one call; those that can step together do, the others take turns."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from steelyard.knobs import Schedule
from steelyard.training.feed import Tensors
from steelyard.training.loop import Epoch, train
from steelyard.training.member import Member, Runner
from steelyard.training.stack import Unstackable
from steelyard.training.team import Team


class Fleet:
    """Training runs that are consumed epoch by epoch; one model is a fleet of one.

    Members with networks of the same shapes, as many rows and the same batches are trained as one batched program;
    each has its own data order, random streams and stopping, and comes to what it would have come to alone, within
    float tolerance. Where layers have no batched form the members are trained one after another.
    """

    def __init__(self, members: Sequence[Member], device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.members = list(members)
        runners = [Runner.start(number, member, self.device) for number, member in enumerate(members)]
        runners.sort(key=lambda runner: runner.plan.order)
        self._leaving: set[int] = set()
        self._waiting = _teams(runners, self.device)
        self._now: Team | None = None

    def __iter__(self) -> Iterator[tuple[Epoch, ...]]:
        """Trains; yields what each epoch left of every member that took part in it."""
        while self._waiting:
            first = self._waiting.pop(0)
            for team, epochs in train(first if isinstance(first, Team) else Team(first, self.device), self._leaving):
                self._now = team
                yield epochs
            self._now = None

    def leave(self, member: int) -> None:
        """Let a member end after this epoch, with the weights it has."""
        self._leaving.add(member)

    def look(self, rows: Mapping[int, Tensors]) -> dict[int, Tensor]:
        """Raw outputs (n, outputs) on input tensors of members of the epoch just yielded, with the weights to keep."""
        assert self._now is not None, "there is something to look at only between two epochs"
        places = {runner.number: place for place, runner in enumerate(self._now.runners)}
        some = next(iter(rows.values()))
        with self._now.resting():
            outputs = self._now.outputs([rows.get(number, some) for number in places])
        return {number: outputs[places[number]].cpu() for number in rows}


def _teams(runners: list[Runner], device: torch.device) -> "list[Team | list[Runner]]":
    """Teams of those that can take their steps together; the others are built alone, when their turn comes."""
    groups: dict[object, list[Runner]] = {}
    for runner in runners:
        alone = runner.plan.precision.dtype == "float16" or runner.plan.optimizer.passes > 1
        groups.setdefault(runner.number if alone else _likeness(runner), []).append(runner)
    found: list[Team | list[Runner]] = []
    for group in groups.values():
        try:
            found.append(group if len(group) == 1 else Team(group, device))
        except Unstackable:
            found += [[runner] for runner in group]
    return found


def _likeness(runner: Runner) -> object:
    """What members of one team must have in common: layers, shapes, number format and the sizes of all batches."""
    network, plan, given = runner.member.network, runner.plan, runner.member.rows
    rows = plan.batch.drawn(len(given), given.classes)
    layers = tuple((name, type(layer)) for name, layer in network.named_modules())
    shapes = tuple((name, tuple(tensor.shape)) for name, tensor in network.state_dict().items())
    inputs = tuple(tuple(tensor.shape[1:]) for tensor in runner.member.rows.inputs)
    reshaping = tuple(part for part in runner.member.recipe.augment if getattr(part, "reshapes", False))
    size = plan.batch.size_at(0.0, rows)
    pace: object = (size, max(1, rows // size))
    knobs = [plan.batch.size, *(knob for part in reshaping for knob in vars(part).values())]
    if any(isinstance(knob, Schedule) for knob in knobs):
        pace = (plan.batch.size, rows, plan.stopping.epochs, plan.stopping.seconds)
    return (layers, shapes, inputs, plan.precision, plan.batch.micro, reshaping, pace)
