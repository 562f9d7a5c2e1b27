"""What the tools that try out a network begin with: the rows outside the sealed test, and the network's recipe."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.data.split import Protocol, divide
from steelyard.errors import UserError
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.workflow.ask import Ask
from steelyard.workflow.define import define
from steelyard.workflow.families import Settings, families
from steelyard.workflow.own import with_network


@dataclass(frozen=True, eq=False)
class Posed:
    """A problem with the rows outside the sealed test, their split, and the recipe its network starts from.

    `train` (n,) are the rows of the pool that a training on the first split learns from; `fingerprint` is that of the
    whole source.
    """

    problem: Problem
    pool: Dataset
    protocol: Protocol
    train: np.ndarray
    recipe: Recipe
    notes: tuple[str, ...]
    fingerprint: str


def pose(ask: Ask) -> Posed:
    """Read the source and split it as a run does; raises UserError for a setting that the network does not have."""
    dataset, problem = define(ask)
    ask, said = with_network(ask, dataset, problem)
    protocol, pool_rows, _ = divide(dataset, ask.seed)
    train = protocol.split(0, 0)[0]
    recipe = _network(problem, dataset, len(train), ask.own)
    for path, text in ask.settings:
        recipe = recipe.set(path, text)
    return Posed(
        problem, dataset.take(pool_rows), protocol, train, recipe, (*dataset.notes, *said), dataset.fingerprint
    )


def _network(problem: Problem, dataset: Dataset, rows: int, own: Settings) -> Recipe:
    found = [recipe for recipe in families(problem, dataset.schema, rows, own) if recipe.network is not None]
    if not found:
        raise UserError(
            f"no network is known for {problem.modality} data: there is no learning rate or batch to choose"
        )
    return found[0]


def asked(problem: Problem, recipe: Recipe) -> str:
    """What is predicted, and by what, in words."""
    optimizer = recipe.optimizer.kind if recipe.optimizer else "none"
    return f"predict '{problem.target}' ({problem.kind}) by {recipe.family}, optimizer {optimizer}"


def folder_for(ask: Ask, tool: str) -> Path:
    """The folder that a tool writes into: the one that was asked for, else runs/NAME-tool."""
    return folder_named(ask.source, ask.output, tool)


def folder_named(source: Any, output: Path | None, tool: str) -> Path:
    """The folder `output`, else runs/NAME-tool by the name of the source; made where it is not there."""
    stem = Path(source).name.split(".")[0] if isinstance(source, str | Path) else ""
    name = re.sub(r"[^\w.-]+", "-", stem) or "run"
    folder = output or Path("runs") / f"{name}-{tool}"
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; give --output a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder} ({error.strerror}); give another --output") from error
    return folder
