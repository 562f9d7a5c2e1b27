"""A network of the user's own in a run: tried on a few rows before anything is written."""

from dataclasses import replace
from typing import Any

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.errors import UserError
from steelyard.parts import Part
from steelyard.problem import Problem
from steelyard.workflow.ask import Ask
from steelyard.workflow.families import families

TRIED = 500  # images from which the shape of the inputs is seen; that of a table hangs on all of its rows


def with_network(ask: Ask, dataset: Dataset, problem: Problem) -> tuple[Ask, tuple[str, ...]]:
    """The ask with the part that stands for the user's network, and what is said of it; as it is where there is none.

    Raises UserError when the network cannot be had, or does not fit what it would be given.
    """
    if ask.network is None or isinstance(ask.network, Part):
        return ask, ()
    from steelyard.networks.given import builder_of, remember
    from steelyard.networks.own import part_of

    ours = [r for r in families(problem, dataset.schema, len(dataset)) if r.network is not None]
    if not ours:
        raise UserError(f"no network is known for {problem.modality} data: leave network out")
    builder = builder_of(ask.network)
    many = len(dataset) if dataset.images is None else min(len(dataset), TRIED)
    few = dataset.take(np.linspace(0, len(dataset) - 1, many).astype(int))
    part = part_of(builder, ours[0].prepare.fit(few).shape, problem.outputs)
    remember(part.content, builder)
    how = ", every training from the weights it has" if builder.as_given else ""
    return replace(ask, network=part), (f"the network is {builder.by}, of your own, in the place of ours{how}",)


def same_network(ask: Ask, before: dict[str, Any] | None) -> None:
    """UserError when a run was given a network of the user's own, and the ask has none, or another one.

    `before` is the identity of what the run was asked.
    """
    theirs = (before or {}).get("network")
    if theirs is None:
        return
    if ask.network is None:
        raise UserError(
            f"the run was given a network of your own ({theirs['by']}): name it again with --network or network=…"
        )
    if ask.network.content != theirs["content"]:
        raise UserError(
            f"the network {ask.network.by} is not the one that the run was given ({theirs['by']}), or has changed "
            "since: run again, with another --output"
        )
