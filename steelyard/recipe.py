"""A recipe says everything about one training run: a frozen tree of parts that prints, diffs, hashes and is TOML.

Parts are defined in the rooms of what they build; this module only knows what a part is. A dotted path such as
`optimizer.lr` or `augment.mixup.alpha` names a knob anywhere in the tree.
"""

import hashlib
import json
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import tomli_w

from steelyard.errors import UserError, suggest
from steelyard.parts import (
    Augmentation,
    Decision,
    Estimator,
    Labels,
    Loss,
    Network,
    Part,
    Preparation,
    Sources,
    Views,
    convert,
    fitting,
    knobs_of,
)

__all__ = ["Part", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """How one model is made. A network has `network`, `loss`, `optimizer` …; a classical model only `estimator`."""

    prepare: Preparation
    network: Network | None = None
    estimator: Estimator | None = None
    loss: Loss | None = None
    optimizer: Part | None = None
    batch: Part | None = None
    augment: tuple[Augmentation, ...] = ()
    stopping: Part | None = None
    averaging: Part | None = None
    precision: Part | None = None
    tta: Views | None = None
    decision: Decision | None = None
    labels: Labels | None = None
    sources: Sources | None = None

    @property
    def family(self) -> str:
        """The word for the model this recipe trains: the kind of its network or estimator."""
        return (self.network or self.estimator or self.prepare).kind

    @property
    def key(self) -> str:
        """A hash of the content: two recipes with the same knobs have the same key."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:16]

    # -- knobs --------------------------------------------------------------------------------------------------

    def knobs(self) -> dict[str, Any]:
        """Every knob of the recipe by its dotted path."""
        found = {}
        for path, part in self._parts():
            found[path] = part.kind
            for f in knobs_of(part):
                given = getattr(part, f.name)
                if not isinstance(given, Part):
                    found[f"{path}.{f.name}"] = given
        return found

    def get(self, path: str) -> Any:
        """The value of a knob."""
        knobs = self.knobs()
        if path not in knobs:
            raise UserError(f"this recipe has no knob '{path}'{suggest(path, knobs)}")
        return knobs[path]

    def set(self, path: str, text: Any) -> "Recipe":
        """The recipe with one knob changed; text is converted to the type of the knob."""
        self.get(path)
        parts, (*where, name) = dict(self._parts()), path.split(".")
        if path in parts:
            raise UserError(f"'{path}' names a part, not a knob; knobs of it: {', '.join(self._inside(path))}")
        part = parts[".".join(where)]
        types = get_type_hints(type(part))
        changed = replace(part, **{name: convert(text, types[name], path)})
        while len(where) > 1 and where[0] != "augment":
            *where, name = where
            changed = replace(parts[".".join(where)], **{name: changed})
        return self.with_part(where[0], changed)

    def with_part(self, slot: str, part: Any) -> "Recipe":
        """The recipe with a slot filled; in `augment` the part of the same kind is replaced, else the part is added."""
        if slot != "augment":
            return replace(self, **{slot: part})
        assert isinstance(part, Augmentation)
        others = [other for other in self.augment if other.kind != part.kind]
        return replace(self, augment=tuple(sorted([*others, part], key=lambda p: p.kind)))

    def diff(self, other: "Recipe") -> list[tuple[str, Any, Any]]:
        """The knobs in which `other` differs: (path, here, there); None where a knob does not exist."""
        here, there = self.knobs(), other.knobs()
        paths = [*here, *(path for path in there if path not in here)]
        return [(p, here.get(p), there.get(p)) for p in paths if here.get(p) != there.get(p)]

    def _parts(self) -> list[tuple[str, Part]]:
        found: list[tuple[str, Part]] = []
        for f in fields(self):
            given = getattr(self, f.name)
            if isinstance(given, Part):
                found += _inner(f.name, given)
            elif isinstance(given, tuple):
                found += [(f"{f.name}.{part.kind}", part) for part in given]
        return found

    def _inside(self, slot: str) -> list[str]:
        return [path for path in self.knobs() if path.startswith(f"{slot}.")]

    # -- text ---------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain nested values: what TOML, JSON and the hash see."""
        tree: dict[str, Any] = {}
        for f in fields(self):
            given = getattr(self, f.name)
            if isinstance(given, Part):
                tree[f.name] = {"kind": given.kind} | given.plain()
            elif isinstance(given, tuple) and given:
                tree[f.name] = {part.kind: part.plain() for part in given}
        return tree

    @classmethod
    def from_dict(cls, tree: dict[str, Any]) -> "Recipe":
        """The recipe from plain nested values; unknown slots, parts and knobs are named in the error."""
        slots = get_type_hints(cls) | {"augment": Augmentation}
        parts: dict[str, Any] = {}
        for slot, given in tree.items():
            if slot not in slots:
                raise UserError(f"a recipe has no slot '{slot}'{suggest(slot, slots)}")
            if slot == "augment":
                each = {kind: _table(f"augment.{kind}", knobs) for kind, knobs in _table(slot, given).items()}
                parts[slot] = tuple(fitting(slot, Augmentation, each[kind] | {"kind": kind}) for kind in sorted(each))
            else:
                parts[slot] = fitting(slot, _part_of(slots[slot]), given)
        if "prepare" not in parts:
            raise UserError("a recipe needs the slot 'prepare'; `steelyard run` writes a whole one")
        return cls(**parts)

    def to_toml(self) -> str:
        """The recipe as TOML."""
        return tomli_w.dumps(self.to_dict())

    @classmethod
    def from_toml(cls, text: str) -> "Recipe":
        """The recipe from TOML."""
        try:
            return cls.from_dict(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise UserError(f"the recipe is not valid TOML: {error}") from error

    @classmethod
    def read(cls, path: Path) -> "Recipe":
        """The recipe in a TOML file."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"the recipe {path} cannot be read ({error}); expected a TOML file") from error
        return cls.from_toml(text)


def _table(path: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise UserError(f"'{path}' of a recipe is a table of knobs, got {given!r}")
    return given


def _inner(path: str, part: Part) -> list[tuple[str, Part]]:
    """The part and the parts inside it, each with its path."""
    found = [(path, part)]
    for f in fields(part):
        if isinstance(given := getattr(part, f.name), Part):
            found += _inner(f"{path}.{f.name}", given)
    return found


def _part_of(wanted: Any) -> Any:
    """The class of parts that a slot takes, which may be empty."""
    return next((option for option in get_args(wanted) if option is not type(None)), wanted)
