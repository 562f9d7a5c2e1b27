"""A team: the members of a fleet that take their steps together, and everything one step needs.

A team of one computes with its network as it is. A larger one computes with all networks stacked into one module whose
tensors have an axis of members in front; parts that are equal in neighbouring members serve them as one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from steelyard.training.averaging import Average
from steelyard.training.by_class import minority_of
from steelyard.training.changes import Change
from steelyard.training.feed import Feed, Step, Tensors
from steelyard.training.learner import Learner, part_of
from steelyard.training.member import Runner
from steelyard.training.stack import Unstackable, stack
from steelyard.training.vmapped import Vmapped

CHUNK = 1024  # rows evaluated at once


class Team:
    """Members stepping together; raises Unstackable when several cannot be computed as one."""

    def __init__(self, runners: Sequence[Runner], device: torch.device) -> None:
        self.runners, self.size, self.device = list(runners), len(runners), device
        networks = [runner.member.network.to(device).train() for runner in runners]
        self.module: Any = networks[0] if self.size == 1 else _stacked(networks, runners)
        self.tensors: dict[str, Tensor] = self.module.state_dict(keep_vars=True)
        plans = [runner.plan for runner in runners]
        moved = {id(rows): rows.to(device) for rows in (runner.member.rows for runner in runners)}
        self.feed = Feed(
            [moved[id(runner.member.rows)] for runner in runners], [p.batch for p in plans], [p.loss for p in plans]
        )
        self.precision, self.micro = plans[0].precision, plans[0].batch.micro
        self._scaler = self.precision.scaler(device)
        self._minority = minority_of(runners, device)
        self._losses = [(plans[span.start].loss, span) for span in spans([plan.loss for plan in plans])]
        alone = [runner.number * (not runner.plan.optimizer.together) for runner in runners]
        keys = [(plan.order[:2], number) for plan, number in zip(plans, alone, strict=True)]
        self.learners = [Learner(self.module, runners, span) for span in spans(keys)]
        averaging = [(plans[span.start].averaging, span) for span in spans([plan.order for plan in plans])]
        self.averages = [(Average(part), span) for part, span in averaging if part is not None]
        self._moving = [runner for runner in runners if runner.plan.network.moves]
        kinds = sorted({part.kind for runner in runners for part in runner.member.recipe.augment})
        self._changes = [Change(kind, runners, device) for kind in kinds]

    # -- a step ---------------------------------------------------------------------------------------------------

    def learn(self, batch: Step) -> Tensor:
        """One step of every member; the losses of their examples ((members,) n)."""
        for runner in self._moving:
            runner.plan.network.turn(runner.member.network, runner.progress)
        inputs = batch.inputs
        rare = None if self._minority is None else (batch.targets * self._minority).sum(-1) > 0.5
        drawn = [change.draw(inputs) for change in self._changes]
        for change, noise in zip(self._changes, drawn, strict=True):
            inputs = change.inputs(inputs, noise, rare)

        def gradients() -> Tensor:
            self.learners[0].zero()
            features, targets, weights = self.module.encode(*inputs), batch.targets, batch.weights
            for change, noise in zip(self._changes, drawn, strict=True):
                features, targets, weights = change.features(features, targets, weights, noise, rare)
            return self._descend(features, targets, weights)

        losses = self._fitting(gradients, batch.targets.shape[-2])
        for learner in self.learners:
            learner.step(gradients, self._scaler)
        if self._scaler:
            self._scaler.update()
        return losses

    def _fitting(self, gradients: Callable[[], Tensor], rows: int) -> Tensor:
        """The gradients in pieces of a batch that memory can hold."""
        while True:
            try:
                return gradients()
            except (RuntimeError, MemoryError) as error:
                most = min(self.micro or rows, rows)
                if not _out_of_memory(error) or most == 1:
                    raise
                self.micro = (most + 1) // 2
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    def _descend(self, features: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
        """The losses ((members,) n); the gradients of their mean are in the parameters."""
        rows = targets.shape[-2]
        if self.micro is None or self.micro >= rows:
            return self._pass(features, targets, weights, rows)
        leaf, axis, found = features.detach().requires_grad_(features.requires_grad), targets.ndim - 2, []
        for begin in range(0, rows, self.micro):
            few = min(self.micro, rows - begin)
            piece = None if weights is None else weights.narrow(axis, begin, few)
            found.append(self._pass(leaf.narrow(axis, begin, few), targets.narrow(axis, begin, few), piece, rows))
        if features.requires_grad:
            features.backward(leaf.grad)  # type: ignore[no-untyped-call]
        return torch.cat(found, dim=-1)

    def _pass(self, features: Tensor, targets: Tensor, weights: Tensor | None, rows: int) -> Tensor:
        if self.precision.mixed:
            with self.precision.region(self.device):
                outputs = self.module(features)
        else:
            outputs = self.module(features)
        losses, slope = self._slope(outputs.detach(), targets)
        if weights is not None:
            losses, slope = losses * weights, slope * weights.unsqueeze(-1)
        slope = slope.div_(rows)
        outputs.backward(self._scaler.scale(slope) if self._scaler else slope)
        return losses

    def _slope(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        if len(self._losses) == 1:
            losses, slope = self._losses[0][0].slope(outputs, targets, self.runners[0].progress)
            return losses, slope
        found = [part.slope(outputs[s], targets[s], self.runners[s.start].progress) for part, s in self._losses]
        return torch.cat([losses for losses, _ in found]), torch.cat([slope for _, slope in found])

    def average(self, epoch_ends: bool, steps: int) -> None:
        """Let the averages see the weights after a step; an epoch has so many steps."""
        for average, span in self.averages:
            runner = self.runners[span.start]
            now = {name: part_of(tensor, span, self.size) for name, tensor in self.tensors.items()}
            average.update(now, epoch_ends, runner.plan.stopping.epochs * steps, runner.progress)

    # -- at rest --------------------------------------------------------------------------------------------------

    def state(self, position: int) -> dict[str, Tensor]:
        """Views of the tensors of one member, by the names and in the shapes of its network."""
        span = slice(position, position + 1)
        return {name: part_of(tensor, span, self.size) for name, tensor in self.tensors.items()}

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Inside, the tensors are those that would be kept (the averages), and the module computes as in prediction."""
        switching: list[Any] = [learner.optimizer for learner in self.learners if hasattr(learner.optimizer, "eval")]
        for optimizer in switching:
            optimizer.eval()
        swapped = []
        for average, span in self.averages:
            for name, kept in average.tensors.items():
                here = part_of(self.tensors[name], span, self.size)
                swapped.append((here, here.clone()))
                here.copy_(kept)
        self.module.eval()
        try:
            yield
        finally:
            self.module.train()
            for here, there in swapped:
                here.copy_(there)
            for optimizer in switching:
                optimizer.train()

    @torch.no_grad()
    def outputs(self, inputs: Sequence[Tensors]) -> list[Tensor]:
        """Raw outputs (n, outputs) of every member on inputs of its own; call it while `resting`."""
        longest = max(len(each[0]) for each in inputs)
        padded = [tuple(_padded(tensor.to(self.device), longest) for tensor in each) for each in inputs]
        joined = padded[0] if self.size == 1 else tuple(torch.stack(each) for each in zip(*padded, strict=True))
        axis, found = min(1, self.size - 1), []
        for begin in range(0, longest, CHUNK):
            few = min(CHUNK, longest - begin)
            found.append(self.module(self.module.encode(*(tensor.narrow(axis, begin, few) for tensor in joined))))
        outputs = torch.cat(found, dim=axis)
        each = [outputs] if self.size == 1 else list(outputs)
        return [mine[: len(given[0])] for mine, given in zip(each, inputs, strict=True)]

    def without(self, leaving: set[int]) -> "Team":
        """The team of those that stay, which go on where they are."""
        places = [position for position in range(self.size) if position not in leaving]
        for place in places:
            self.runners[place].member.network.load_state_dict(self.state(place))
        team = Team([self.runners[place] for place in places], self.device)
        team.micro = self.micro
        for learner in team.learners:
            old = next(o for o in self.learners if o.span.start <= places[learner.span.start] < o.span.stop)
            learner.adopt(old, [place - old.span.start for place in places[learner.span]])
        for average, span in team.averages:
            was, before = next((a, s) for a, s in self.averages if s.start <= places[span.start] < s.stop)
            average.seen = was.seen
            kept = [place - before.start for place in places[span]]
            for name, tensor in was.tensors.items():
                whole = tensor if before.stop - before.start > 1 else tensor.unsqueeze(0)
                average.tensors[name] = whole[kept[0]].clone() if len(kept) == 1 else whole[kept]
        return team


def spans(keys: Sequence[Any]) -> list[slice]:
    """Runs of equal neighbours."""
    starts = [i for i, key in enumerate(keys) if i == 0 or key != keys[i - 1]]
    return [slice(begin, end) for begin, end in zip(starts, [*starts[1:], len(keys)], strict=True)]


def _stacked(networks: list[nn.Module], runners: Sequence[Runner]) -> nn.Module:
    if any(getattr(network, "alone", False) for network in networks):
        raise Unstackable("a network of one's own is computed alone")
    try:
        return stack(networks)
    except Unstackable:
        mapped = Vmapped(networks)
    device = next(networks[0].parameters()).device
    few = zip(*((tensor[:2].to(device) for tensor in runner.member.rows.inputs) for runner in runners), strict=True)
    if any(runner.plan.network.moves for runner in runners):
        raise Unstackable("rates of dropout that move cannot be mapped")
    mapped.probe(tuple(torch.stack(each) for each in few))
    return mapped


def _padded(tensor: Tensor, rows: int) -> Tensor:
    missing = rows - len(tensor)
    return tensor if missing == 0 else torch.cat([tensor, tensor[-1:].expand(missing, *tensor.shape[1:])])


def _out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
