"""What augmentation does to examples of a run's own data: each before and after, with the label it then has."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from steelyard.data.dataset import Dataset
from steelyard.data.prepared import Prepared
from steelyard.data.split import divide
from steelyard.errors import UserError, suggest
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.records import RunRecord
from steelyard.techniques import NotApplicable, catalogue, technique
from steelyard.techniques.preview import Preview, after, labels
from steelyard.training.streams import numpy_stream, torch_stream
from steelyard.trials.journal import Journal
from steelyard.workflow.ask import Ask
from steelyard.workflow.define import define
from steelyard.workflow.families import families
from steelyard.workflow.stored import asked_again

BATCH = 64  # rows that are changed together: some of them are the partners of those shown
DRAWS = 6  # of all techniques together, at least one of each


def preview(
    folder: Path,
    record: RunRecord,
    names: Sequence[str] = (),
    *,
    rows: int = 6,
    at: float = 0.5,
    seed: int = 0,
    settings: Sequence[tuple[str, str]] = (),
    ask: Ask | None = None,
) -> Preview:
    """What techniques make of `rows` examples of the data of the run in `folder`.

    Without `names` the augmentations of the run's recipe act together; where it has none, each that applies to the data
    acts alone. `at` is the point of training, 0 to 1, at which scheduled strengths are looked at; `settings` are knobs
    such as ("augment.rotation.degrees", "90"). Rows of the sealed test are never shown. Raises UserError.
    """
    if rows < 1:
        raise UserError(f"rows is a number of examples from 1, got {rows}")
    if not 0 <= at <= 1:
        raise UserError(f"at is a point of training from 0 to 1, got {at:g}")
    if seed < 0:
        raise UserError(f"seed is a whole number from 0, got {seed}")
    problem, train, asked = _data(folder, ask)
    recipe = _recipe(record, problem, train, asked)
    shown, recipe = _parts(recipe, problem, names, settings)
    prepared: Prepared = recipe.prepare.fit(train)
    chosen = _examples(train, rows, seed)
    sample = train.take(chosen)
    assert sample.target is not None
    inputs = tuple(torch.from_numpy(values) for values in prepared.transform(sample))
    targets = torch.from_numpy(sample.target)
    targets = torch.eye(problem.outputs)[targets] if problem.classes else targets.float().unsqueeze(1)
    count = min(rows, len(chosen))
    draws = max(1, DRAWS // len(shown))
    streams = {part.kind: torch_stream(seed, part.kind) for parts in shown.values() for part in parts}
    found = [
        after(name, parts, streams, (inputs, targets), at, prepared, problem, count)
        for name, parts in shown.items()
        for _ in range(draws)
    ]
    before = tuple(values[:count].numpy() for values in inputs)
    return Preview(problem, prepared, before, labels(targets[:count], problem), tuple(found))


def _data(folder: Path, ask: Ask | None) -> tuple[Problem, Dataset, Ask]:
    """The problem of a run, the rows that its first training learns from, and what it was asked."""
    with closing(Journal(folder / "journal.db", create=False)) as journal:
        asked, known = ask or asked_again(journal, folder), journal.fact("data")
    dataset, problem = define(asked)
    if known != dataset.fingerprint:
        raise UserError(f"the data are others now than in the run in {folder}: run again, with another --output")
    protocol, pool, _ = divide(dataset, asked.seed)
    return problem, dataset.take(pool[protocol.split(0, 0)[0]]), asked


def _recipe(record: RunRecord, problem: Problem, train: Dataset, asked: Ask) -> Recipe:
    """The recipe of the run's model if that is a network, else of the network that its data would get."""
    won = record.winner.get("recipe")
    if won and (own := Recipe.from_dict(won)).network is not None:
        return own
    plain = families(problem, train.schema, len(train), asked.settings)
    network = next((recipe for recipe in plain if recipe.network is not None), None)
    if network is None:
        raise UserError(f"no network is known for {problem.modality} data: there is nothing to augment")
    return network


def _parts(
    recipe: Recipe, problem: Problem, names: Sequence[str], settings: Sequence[tuple[str, str]]
) -> tuple[dict[str, tuple[Augmentation, ...]], Recipe]:
    """What is shown by its name, and a recipe whose preparation is that of all."""
    if not names and recipe.augment:
        recipe = _set([recipe], settings)[0]
        return {" + ".join(part.kind for part in recipe.augment): recipe.augment}, recipe
    if names:
        found = {name: _part(recipe, problem, name) for name in dict.fromkeys(names)}
    else:
        answers = {name: _answer(recipe, problem, name) for name in catalogue()}
        found = {name: part for name, part in answers.items() if isinstance(part, Augmentation)}
    if not found:
        raise UserError(f"no technique augments {problem.modality} data for {recipe.family}")
    alone = _set([replace(recipe, augment=()).with_part("augment", part) for part in found.values()], settings)
    return dict(zip(found, (each.augment for each in alone), strict=True)), alone[0]


def _set(recipes: list[Recipe], settings: Sequence[tuple[str, str]]) -> list[Recipe]:
    """The recipes with the knobs set that they have; one that none has is the user's mistake."""
    for path, text in settings:
        known = {knob for recipe in recipes for knob in recipe.knobs()}
        if path not in known:
            raise UserError(f"there is no knob '{path}' to show{suggest(path, sorted(known))}")
        recipes = [recipe.set(path, text) if path in recipe.knobs() else recipe for recipe in recipes]
    return recipes


def _part(recipe: Recipe, problem: Problem, name: str) -> Augmentation:
    answer = _answer(recipe, problem, name)
    if isinstance(answer, NotApplicable):
        raise UserError(f"{name} cannot be shown: {answer.reason}")
    return answer


def _answer(recipe: Recipe, problem: Problem, name: str) -> Augmentation | NotApplicable:
    """The augmentation that a technique is, as the recipe has it if it does; or why there is none."""
    kind = technique(name)
    own = next((part for part in recipe.augment if isinstance(part, kind)), None)
    if own is not None:
        return own
    applied = kind().apply(replace(recipe, augment=()), problem)
    if isinstance(applied, NotApplicable):
        return applied
    if not applied.augment:
        return NotApplicable("it changes how a network learns, not the examples it learns from")
    return applied.augment[0]


def _examples(train: Dataset, rows: int, seed: int) -> np.ndarray:
    """Row numbers: first those shown, from one class after the other, then others that they may be mixed with."""
    order = numpy_stream(seed, "preview").permutation(len(train))
    if train.classes and train.target is not None:
        codes = train.target[order]
        turn = np.empty(len(order), np.int64)  # the how-manieth of its class each row is
        for code in np.unique(codes):
            where = np.flatnonzero(codes == code)
            turn[where] = np.arange(len(where))
        order = order[np.lexsort((codes, turn))]
    return order[: max(rows, BATCH)]
