"""An incumbent: a family, the edits that were kept on its plain recipe, and the arm that measured them.

Edits are names (`mixup`, `optimizer.lr=0.01`), so that what was kept in a small study can be put on the recipe for all
rows: the plain recipe of a family depends on the number of rows.
"""

from dataclasses import dataclass

from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable, technique
from steelyard.trials.arms import FULL, Size, Tried
from steelyard.workflow.bench import Bench
from steelyard.workflow.families import checked, families

FEWEST_ROWS = 500  # a smaller study says nothing about the full size
STEP = 0.8
STUDY_EPOCHS = 10


@dataclass(frozen=True)
class Incumbent:
    """The best known way to train a family; `full` is the best arm of it that was measured on all rows."""

    family: str
    edits: tuple[str, ...]
    tried: Tried
    full: Tried | None = None

    def improved(self, edits: tuple[str, ...], tried: Tried) -> "Incumbent":
        """The incumbent with more edits, or with more seeds behind the same ones."""
        return Incumbent(self.family, edits, tried, tried if tried.size.full else self.full)


def recipe_for(bench: Bench, family: str, edits: tuple[str, ...], rows: int) -> Recipe:
    """The family's plain recipe for so many train rows with the edits put on it, one after the other."""
    recipe = _plain(bench, family, rows)
    if rows < bench.train_rows and "stopping.epochs" in recipe.knobs():  # about as often over the data as at full size
        full = _plain(bench, family, bench.train_rows).get("stopping.epochs")
        recipe = recipe.set("stopping.epochs", min(recipe.get("stopping.epochs"), max(full, STUDY_EPOCHS)))
    for name in edits:
        edited = edit(bench, recipe, name)
        recipe = recipe if isinstance(edited, NotApplicable) else edited
    return recipe


def _plain(bench: Bench, family: str, rows: int) -> Recipe:
    plain = families(bench.problem, bench.pool.schema, rows, bench.settings)
    return next(recipe for recipe in plain if recipe.family == family)


def edit(bench: Bench, recipe: Recipe, name: str) -> Recipe | NotApplicable:
    """The recipe with one named edit: a technique at its own settings, or `knob=value`."""
    path, sign, text = name.partition("=")
    if not sign:
        return technique(name)().apply(recipe, bench.problem)
    return checked(recipe.set(path, text), bench.pool.schema)


def free(bench: Bench, recipe: Recipe, edited: Recipe) -> bool:
    """Whether an edit leaves alone what the user has set."""
    fixed = {path for path, _ in bench.ask.settings}
    return not any(path in fixed for path, _, _ in recipe.diff(edited))


def compatible(bench: Bench, recipe: Recipe, names: list[str]) -> list[str]:
    """The names, first come first kept, whose edits do not turn a knob that an earlier one turned."""
    turned: set[str] = set()
    kept = []
    for name in names:
        edited = edit(bench, recipe, name)
        paths = set() if isinstance(edited, NotApplicable) else {path for path, _, _ in recipe.diff(edited)}
        if paths and not paths & turned:
            kept.append(name)
            turned |= paths
    return kept


def study_size(bench: Bench, family: str, edits: tuple[str, ...], trials: int, seconds: float) -> Size:
    """The size at which so many trials of an arm fit into `seconds`: all rows if they do, else fewer.

    A small study trains the recipe for its own number of rows: a large-batch recipe on few rows would learn nothing.
    """
    if bench.ask.seconds is None:
        return FULL
    per_trial = seconds * bench.executor.jobs / max(1, trials * bench.protocol.folds)
    rows = bench.train_rows
    while rows > FEWEST_ROWS and bench.costs.predict(recipe_for(bench, family, edits, rows), rows) > per_trial:
        rows = int(rows * STEP)
    return FULL if rows == bench.train_rows else Size(max(rows, FEWEST_ROWS))


def size_once(bench: Bench, name: str, incumbent: Incumbent, trials: int, seconds: float) -> Size:
    """The study size, decided once and remembered, so that a resumed run weighs at the same size."""
    return Size(bench.once(name, lambda: study_size(bench, incumbent.family, incumbent.edits, trials, seconds).rows))
