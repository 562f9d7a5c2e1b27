"""What a technique is: an edit of a recipe with a card that tells a person what they need to decide."""

import inspect
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, Self

from steelyard.errors import UserError, suggest
from steelyard.parts import check_ranges, convert
from steelyard.problem import Problem
from steelyard.recipe import Recipe

Ailment = Literal["bias", "variance", "mismatch", "imbalance", "optimization", "speed"]


@dataclass(frozen=True)
class NotApplicable:
    """A first-class answer: the technique does not fit this model or this problem, because …"""

    reason: str


@dataclass(frozen=True)
class Technique:
    """An edit of a recipe. A subclass lives in a file of its own name, in the folder that says where it acts.

    `treats`: what it is a remedy for, as the diagnosis names it. `time_ratio`: expected training time against the
    recipe without it. `unasked`: whether a run proposes it by itself. `off`: the settings at which the edited recipe
    trains to the same bits as the plain one.
    The module docstring is its source, the class docstring its card: what it does, Helps when…, Hurts when…, Costs….
    """

    treats: ClassVar[tuple[Ailment, ...]] = ()
    time_ratio: ClassVar[float] = 1.0
    unasked: ClassVar[bool] = True
    off: ClassVar[dict[str, Any]] = {}

    def __post_init__(self) -> None:
        check_ranges(self, self.name())

    def apply(self, recipe: Recipe, problem: Problem) -> Recipe | NotApplicable:
        """The recipe with the technique in it, or why that cannot be."""
        raise NotImplementedError

    def turned(self, recipe: Recipe, knobs: dict[str, Any]) -> Recipe | NotApplicable:
        """The recipe with those knobs set, for `apply`; refused where it has no such knob or none may move further."""
        known, changed = recipe.knobs(), recipe
        try:
            for path, setting in knobs.items():
                if path not in known:
                    return NotApplicable(f"{recipe.family} has no knob {path}")
                changed = changed.set(path, setting)
        except UserError as error:
            return NotApplicable(str(error))
        return self.unless_same(recipe, changed)

    def raised(self, recipe: Recipe, path: str, to: Any) -> Recipe | NotApplicable:
        """The recipe with a knob set, for `apply`; refused where the recipe has it at a higher number already."""
        now = recipe.knobs().get(path)
        if isinstance(now, float) and isinstance(to, int | float) and now > to:
            return self.unless_same(recipe, recipe)
        return self.turned(recipe, {path: to})

    def unless_same(self, before: Recipe, after: Recipe) -> Recipe | NotApplicable:
        """The changed recipe; not applicable when nothing changed, unless the technique is switched off."""
        if before == after and not self.is_off:
            return NotApplicable("the recipe already has it at this strength")
        return after

    @property
    def is_off(self) -> bool:
        """Whether the settings are those at which it changes nothing."""
        return bool(self.off) and all(getattr(self, name) == setting for name, setting in self.off.items())

    @classmethod
    def name(cls) -> str:
        """The word by which it is called everywhere: its file's name with dashes."""
        return cls.__module__.rpartition(".")[2].replace("_", "-")

    @classmethod
    def place(cls) -> str:
        """Where it acts: the folder it lives in."""
        return cls.__module__.split(".")[-2]

    @classmethod
    def source(cls) -> str:
        """The paper or page it comes from: the module docstring."""
        return inspect.cleandoc(inspect.getmodule(cls).__doc__ or "")

    @classmethod
    def card(cls) -> str:
        """What it does, when it helps, when it hurts and what it costs: the class docstring."""
        return inspect.cleandoc(cls.__doc__ or "")

    @classmethod
    def read(cls, given: dict[str, Any]) -> Self:
        """The technique with settings as text or plain values."""
        types = {f.name: cls.__dataclass_fields__[f.name].type for f in fields(cls)}
        for name in given:
            if name not in types:
                raise UserError(f"technique '{cls.name()}' has no setting '{name}'{suggest(name, types)}")
        return cls(**{name: convert(text, types[name], f"{cls.name()}.{name}") for name, text in given.items()})
