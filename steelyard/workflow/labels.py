"""Label errors in the data of a run: every row outside the sealed test is judged by models that never saw it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.data.split import FOLDS, Protocol
from steelyard.diagnosis.label_noise import require_cleanlab
from steelyard.diagnosis.labels import LabelErrors, suspects_of, with_examples
from steelyard.errors import UserError
from steelyard.recipe import Recipe
from steelyard.trials.arms import FULL, gather, trials_of
from steelyard.trials.trial import Outcome
from steelyard.workflow.ask import Ask
from steelyard.workflow.bench import CAUTION, Bench
from steelyard.workflow.families import families
from steelyard.workflow.laid_down import laid_down
from steelyard.workflow.reopened import final_predictions, reopened
from steelyard.workflow.stored import OF_A_RUN

Watch = Callable[[Any], None]
SECONDS = 60.0
NAME = "labels"


@dataclass(frozen=True)
class Foreseen:
    """What was predicted of rows (n,) by models that did not learn from them, and by which ones, in words."""

    rows: np.ndarray
    predictions: np.ndarray
    by: str


def find_labels(
    folder: Path,
    seconds: float = SECONDS,
    output: Path | None = None,
    ask: Ask | None = None,
    watch: Watch = lambda _: None,
    command: str = "",
    network: Any = None,
) -> LabelErrors:
    """The suspicious labels of a finished run; labels.json and labels.html lie in `output` (default: DIR/diagnosis).

    Raises UserError.
    """
    with reopened(folder, seconds, ask, watch, network=network) as bench:
        found = labels_of(bench)
    from steelyard.report.labels import labels_page

    return laid_down(found, output or folder / OF_A_RUN, NAME, labels_page, command)


def labels_of(bench: Bench, seconds: float = float("inf")) -> LabelErrors:
    """The suspicious labels among the rows outside the sealed test, found in so many `seconds`. Raises UserError."""
    require_cleanlab()
    foreseen = out_of_fold(bench, seconds)
    truth = bench.truth[foreseen.rows]
    targets, suspects = suspects_of(
        bench.problem, truth, foreseen.predictions, foreseen.rows, bench.pool.origin, bench.ask.seed
    )
    found = LabelErrors(
        bench.pool.name,
        bench.problem.things[1],
        len(foreseen.rows),
        foreseen.by,
        targets,
        with_examples(suspects, bench.pool),
    )
    from steelyard.report.labels import said

    for text in said(found)[:1]:
        bench.say("finish", text)
    return found


def out_of_fold(bench: Bench, seconds: float = float("inf")) -> Foreseen:
    """A prediction for every row of the pool by models that did not learn from it.

    Where the run deals rows into folds it has them; forecasts have them of the rows that were dev. Else a recipe is
    trained on five folds, what was trained before is not trained again. Raises UserError when there is no time for it.
    """
    if bench.protocol.folds > 1 or bench.protocol.order is not None:
        kept = final_predictions(bench)
        many = f"{bench.protocol.folds} folds" if bench.protocol.folds > 1 else "dev rows only"
        return Foreseen(kept.dev_rows, kept.dev, f"the final model's recipes, {many}")
    end = bench.clock.now() + min(seconds, bench.left())
    with _folded(bench) as protocol:
        for recipe in _able(bench, end - bench.clock.now()):
            recipe = replace(recipe, decision=None)  # a moved threshold would move suspicion with it
            trials = trials_of(recipe, (0,), FULL, protocol)
            bench.say("measure", f"{recipe.family} is trained on {FOLDS} folds, so that every row is predicted")
            outcomes = bench.run(trials, end)
            tried = gather(recipe, FULL, outcomes, protocol.folds, bench.executor)
            if tried is not None:
                return Foreseen(tried.rows[0], tried.dev[0], f"{recipe.family}, {FOLDS} folds")
            bench.say("measure", f"{recipe.family} came to nothing: {_why(outcomes)}")
    raise UserError("no model could be trained on five folds in this time: raise --time-limit")


@contextmanager
def _folded(bench: Bench) -> Iterator[Protocol]:
    """The executor on folds of the pool in place of its hold-out."""
    held = bench.protocol
    folds = Protocol("folds", FOLDS, held.seed, held.strata, held.groups)
    where = (bench.folder, bench.journal, bench.clock, bench.pool, bench.problem)
    bench.executor.open(*where, folds, bench.watch, bench.ask.network)
    bench.protocol = folds
    try:
        yield folds
    finally:
        bench.protocol = held
        bench.executor.open(*where, held, bench.watch, bench.ask.network)


def _able(bench: Bench, seconds: float) -> list[Recipe]:
    """The recipes to try, one after another: the winner's if there is time for it, then families by their dev score.

    Of those for which there is no time only the cheapest is left. Without a time limit all are tried.
    """
    won = bench.record.winner.get("recipe")
    plain = {r.family: r for r in families(bench.problem, bench.pool.schema, bench.train_rows, bench.settings)}
    sign = bench.metric.sign
    scored = [arm for arm in bench.record.families if arm.score is not None and arm.family in plain]
    scored.sort(key=lambda arm: -sign * arm.score.value if arm.score else 0.0)
    recipes = [Recipe.from_dict(won)] if won else []
    recipes += [plain[arm.family] for arm in scored if arm.family != "dummy" and plain[arm.family] not in recipes]
    if not recipes:
        raise UserError(f"{bench.folder} has no model yet: finish the run first, with the same command")
    room = CAUTION * seconds * bench.executor.jobs
    fitting = [recipe for recipe in recipes if bench.cost(recipe, FULL) <= room]
    return fitting or [min(recipes, key=lambda recipe: bench.cost(recipe, FULL))]


def _why(outcomes: list[Outcome]) -> str:
    return next((o.message or o.status for o in outcomes if not o.done), "")
