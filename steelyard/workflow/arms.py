"""The arms of a weighing: the recipe they start from, and what each name makes of it."""

import re
from dataclasses import dataclass
from pathlib import Path

from steelyard.errors import UserError, suggest
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable, catalogue
from steelyard.weighing.comparison import Comparison
from steelyard.workflow.bench import Bench
from steelyard.workflow.families import families
from steelyard.workflow.incumbent import edit
from steelyard.workflow.standing import Entry

ALL = "all"
JOINED = re.compile(r"\+(?![0-9])")  # joins edits, but not in a number such as 1e+3


@dataclass(frozen=True)
class Base:
    """What arms are weighed against; `why` is to be said where it is not what one would expect."""

    name: str
    recipe: Recipe
    why: str = ""


def the_base(bench: Bench, names: tuple[str, ...], against: str | None, settings: tuple[tuple[str, str], ...]) -> Base:
    """The recipe to weigh against: the one named, else the run's own model; its network where no name fits that."""
    plain = {
        recipe.family: recipe for recipe in families(bench.problem, bench.pool.schema, bench.train_rows, bench.ask.own)
    }
    if against is not None:
        return _set(_named(against, plain), settings)
    network = next((recipe for recipe in plain.values() if recipe.network is not None), None)
    won = bench.record.winner.get("recipe")
    own = Recipe.from_dict(won) if won else network
    if own is None:
        raise UserError(f"{bench.folder} has no model yet: name what to weigh against with --against")
    bases = [_set(Base(own.family, own), settings, strict=network is None)]
    if network is not None and network.family != own.family:
        why = f"this does not fit {own.family}, the run's model, as well: weighed on {network.family}, its network"
        bases.append(_set(Base(network.family, network, why), settings))
    if ALL in names and len(bases) > 1 and own.network is None:
        return bases[1]
    able = [base for base in bases if all(path in base.recipe.knobs() for path, _ in settings)] or bases
    return max(able, key=lambda base: sum(_applies(bench, base, name) for name in names))  # the first of equals


def _named(against: str, plain: dict[str, Recipe]) -> Base:
    if against.endswith(".toml"):
        return Base(Path(against).stem, _read(against))
    if against not in plain:
        raise UserError(f"there is no family '{against}'{suggest(against, plain)}; or give the TOML file of a recipe")
    return Base(against, plain[against])


def _read(file: str) -> Recipe:
    try:
        return Recipe.from_toml(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read as a recipe ({error}); `steelyard run` writes recipe.toml") from error


def _set(base: Base, settings: tuple[tuple[str, str], ...], strict: bool = True) -> Base:
    """The base with knobs set; a knob it lacks is the user's mistake, unless another base may have it."""
    recipe = base.recipe
    for path, text in settings:
        if strict or path in recipe.knobs():
            recipe = recipe.set(path, text)
    return Base(base.name, recipe, base.why)


def entries_of(bench: Bench, base: Base, names: tuple[str, ...]) -> tuple[list[Entry], list[Comparison]]:
    """The arms of the names in their order, each once, and those that do not apply, with the reason.

    Two edits joined by `+` bring each alone along where that applies, so that their interaction can be told.
    """
    wanted: list[str] = []
    for name in names:
        if name == ALL:
            wanted += [each for each in catalogue() if each not in wanted]
            continue
        parts = JOINED.split(name)
        if len(parts) == 2 and all(_applies(bench, base, part) for part in parts):
            wanted += parts
        wanted.append(name)
    entries, refused = [], []
    for name in dict.fromkeys(wanted):
        made = made_of(bench, base.recipe, name)
        if isinstance(made, NotApplicable):
            refused.append(
                Comparison(name, base.name, bench.metric.name, 0.0, 0.0, 0.0, "not applicable", reason=made.reason)
            )
        elif made.key == base.recipe.key:
            why = "it is the base itself: nothing would differ"
            refused.append(Comparison(name, base.name, bench.metric.name, 0.0, 0.0, 0.0, "not applicable", reason=why))
        else:
            entries.append(Entry(Path(name).stem if name.endswith(".toml") else name, made))
    return entries, refused


def made_of(bench: Bench, recipe: Recipe, name: str) -> Recipe | NotApplicable:
    """The recipe that a name makes of another: edited by a technique, a knob or several, or read from a file."""
    if name.endswith(".toml"):
        return _read(name)
    for part in JOINED.split(name):
        edited = edit(bench, recipe, part.strip())
        if isinstance(edited, NotApplicable):
            return edited
        recipe = edited
    return recipe


def _applies(bench: Bench, base: Base, name: str) -> bool:
    if name == ALL or name.endswith(".toml"):
        return True
    try:
        made = made_of(bench, base.recipe, name)
    except UserError:
        return False
    return not isinstance(made, NotApplicable) and made.key != base.recipe.key
