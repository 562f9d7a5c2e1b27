"""What a part of a recipe is and what the parts in each slot promise to do.

The parts themselves live in the rooms of what they build; here are only their promises and their text form.
"""

import re
from collections.abc import Sequence
from dataclasses import Field, dataclass, fields
from importlib import import_module
from types import UnionType
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args, get_type_hints

import numpy as np

from steelyard.errors import UserError, suggest
from steelyard.knobs import Schedule, Spelled, parse_knob, value, within

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

_PARTS: dict[str, type["Part"]] = {}
ROOMS = (
    "steelyard.classical",
    "steelyard.data.batches",
    "steelyard.data.prepare",
    "steelyard.data.prepare_images",
    "steelyard.data.prepare_mixed",
    "steelyard.data.prepare_series",
    "steelyard.data.prepare_text",
    "steelyard.networks.image",
    "steelyard.networks.mixed",
    "steelyard.networks.own",
    "steelyard.networks.series",
    "steelyard.networks.series_recurrent",
    "steelyard.networks.series_transformer",
    "steelyard.networks.tabular",
    "steelyard.networks.text",
    "steelyard.training.averaging",
    "steelyard.training.decision",
    "steelyard.training.losses",
    "steelyard.training.optimizers",
    "steelyard.training.precision",
    "steelyard.training.stopping",
    "steelyard.training.sources",
    "steelyard.training.suspects",
    "steelyard.training.target_losses",
)


@dataclass(frozen=True)
class Part:
    """One frozen piece of a recipe; subclasses add fields and know how to build their own thing.

    `kind` is the word by which TOML and the command line name the part (the class name in kebab case).
    """

    kind: ClassVar[str] = "part"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", cls.__name__).lower()
        known = _PARTS.get(cls.kind)
        if known is not None and known.__module__ != cls.__module__:
            raise TypeError(f"two parts are called '{cls.kind}': {known.__module__} and {cls.__module__}")
        _PARTS[cls.kind] = cls

    def __post_init__(self) -> None:
        check_ranges(self, self.kind)

    @classmethod
    def read(cls, given: dict[str, Any]) -> Self:
        """The part from plain values, as TOML or JSON hold them."""
        types = get_type_hints(cls)
        names = [f.name for f in knobs_of(cls)]
        for name in given:
            if name not in names:
                raise UserError(f"'{cls.kind}' has no knob '{name}'{suggest(name, names)}")
        return cls(**{name: convert(text, types[name], f"{cls.kind}.{name}") for name, text in given.items()})

    def plain(self) -> dict[str, Any]:
        """The part's own fields as plain values; fields that are None are left out."""
        return {f.name: plain(getattr(self, f.name)) for f in knobs_of(self) if getattr(self, f.name) is not None}


def knobs_of(part: Part | type[Part]) -> "list[Field[Any]]":
    """The fields of a part that are knobs, not what is filled in from train rows."""
    return [f for f in fields(part) if not f.metadata.get("filled")]


# -- what the slots promise -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preparation(Part):
    """Fitted on train rows; the fitted form is a `data.prepared.Prepared`. `target` is the scale models learn on."""

    @classmethod
    def restored(cls, given: dict[str, Any]) -> Any:
        """The fitted preparation from what its `to_dict` gave."""
        raise NotImplementedError

    def fit(self, dataset: Any) -> Any:
        """The preparation fitted on the rows of a data set."""
        raise NotImplementedError


@dataclass(frozen=True)
class Network(Part):
    """Builds a module with `encode(*inputs) -> features` and `forward(features) -> (n, outputs)`.

    Between the two lies `represent(features) -> (n, represented)`, what the last layer sees: in a network with one
    branch a kind of input, only that is asked of each branch (`networks.mixed`).
    `build` never looks at values, only at shapes: fleets train modules of the same shapes together.
    """

    def build(self, shape: Any, outputs: int) -> "nn.Module":
        """The module for inputs of that shape (`data.prepared`)."""
        raise NotImplementedError

    def together(self, batch: int) -> int:
        """How many of these, at most, are trained as one on a CPU since that costs less; 1: each alone."""
        return 1

    def blends(self, modality: str) -> bool:
        """Whether the encoded inputs of two examples can be averaged."""
        return True

    @property
    def moves(self) -> bool:
        """Whether any knob is a schedule."""
        return any(isinstance(getattr(self, f.name), Schedule) for f in fields(self))

    def turn(self, module: "nn.Module", progress: float) -> None:
        """Set the scheduled rates of a built module (layers that name their `knob`) to where they stand."""
        for layer in module.modules():
            if name := getattr(layer, "knob", ""):
                layer.p = value(getattr(self, name), progress)  # type: ignore[assignment]


@dataclass(frozen=True)
class Estimator(Part):
    """A classical model; `wants` names the matrix it is fitted on."""

    wants: ClassVar[str] = "onehot"

    def fit(
        self, x: np.ndarray, y: np.ndarray, task: str, classes: int, seed: int, categorical: Sequence[int] = ()
    ) -> Any:
        """The estimator fitted on a matrix (n, features) and targets (n,); `categorical` are its columns of codes."""
        raise NotImplementedError


@dataclass(frozen=True)
class Loss(Part):
    """Compares outputs with targets, one example at a time; any axes may stand before the last one."""

    def per_example(self, outputs: "Tensor", targets: "Tensor", progress: float) -> "Tensor":
        """Losses (…, n) of outputs (…, n, k) against targets (…, n, k)."""
        raise NotImplementedError

    def check(self, problem: Any) -> None:
        """Raise UserError when its knobs do not fit the targets of a problem."""

    def row_weights(self, classes: np.ndarray) -> np.ndarray | None:
        """How much rows with those class codes (n,) weigh while they are learnt from, mean 1; None: all alike."""
        return None

    def fitted(self, problem: Any, targets: "Tensor") -> "Loss":
        """The loss as train rows with those targets (n, outputs) need it; what it counted there is not in a recipe."""
        return self

    def slope(self, outputs: "Tensor", targets: "Tensor", progress: float) -> "tuple[Tensor, Tensor]":
        """Losses (…, n) and their gradient (…, n, k) by the outputs; a closed form here saves a step its graph."""
        import torch

        with torch.enable_grad():
            leaf = outputs.detach().requires_grad_()
            losses = self.per_example(leaf, targets, progress)
        return losses.detach(), torch.autograd.grad(losses.sum(), leaf)[0]


@dataclass(frozen=True)
class Augmentation(Part):
    """Changes a batch before it is learnt from; what is not overridden does nothing.

    All randomness and all knobs go into `draw`, which has a random stream of its own; what `on_inputs` and
    `on_features` do with the drawn tensors is plain arithmetic on one batch, which fleets map over their members.
    `alone`: an example is changed without a look at the others of its batch, and keeps its target.
    """

    alone: ClassVar[bool] = True

    def draw(
        self, shapes: "tuple[torch.Size, ...]", stream: "torch.Generator", progress: float
    ) -> "tuple[Tensor, ...] | None":
        """What a batch of inputs with those shapes is changed by; None: at this strength it stays as it is."""
        raise NotImplementedError

    def on_inputs(self, inputs: "tuple[Tensor, ...]", drawn: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        """The input tensors (n, …), changed."""
        return inputs

    def on_features(
        self, features: "Tensor", targets: "Tensor", weights: "Tensor", drawn: "tuple[Tensor, ...]"
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """The encoded batch (n, …), its targets (n, outputs) and its weights (n,), changed."""
        return features, targets, weights


@dataclass(frozen=True)
class Views(Part):
    """Shows an input to a network in several ways in prediction; the answers are averaged.

    `views` counts them, the plain one included; below 1, `crop` is the share of the sides of five crops of an image.
    """

    views: int
    crop: float

    def by(self, augment: tuple[Augmentation, ...], modality: str) -> tuple[Augmentation, ...]:
        """What views are changed by, in a recipe with those augmentations."""
        raise NotImplementedError


@dataclass(frozen=True)
class Decision(Part):
    """Moves the thresholds between classes, as shifts of log-probabilities that are tuned on dev."""

    def tune(
        self, metric: Any, truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray | None = None
    ) -> np.ndarray:
        """Shifts (k,) for a metric of labels, from the truth of rows with probabilities (n, k)."""
        raise NotImplementedError

    def cross_fitted(
        self, metric: Any, truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray | None, seed: int
    ) -> np.ndarray:
        """The probabilities (n, k), every row moved by shifts that were tuned on other rows."""
        raise NotImplementedError


@dataclass(frozen=True)
class Labels(Part):
    """Treats train labels that are likely wrong before they are learnt from; dev and test stay as they are."""

    def treated(self, dataset: Any, problem: Any, prepare: Preparation, seed: int) -> Any:
        """The train rows treated (`training.suspects.Treated`), by what a preparation makes of their inputs."""
        raise NotImplementedError


@dataclass(frozen=True)
class Sources(Part):
    """Says how much train rows of each source count where several were mixed; dev and test stay as they are."""

    def weights(self, dataset: Any) -> Any:
        """A weight for each row (n,), 1 on the average; None: all count alike."""
        raise NotImplementedError


# -- ranges ---------------------------------------------------------------------------------------------------


def check_ranges(holder: Any, name: str) -> None:
    """Raise UserError when a number or schedule in a dataclass leaves the range of its knob or is not finite."""
    for f in fields(holder):
        given = getattr(holder, f.name)
        if isinstance(given, int | float | Schedule) and not isinstance(given, bool):
            points = given.extremes() if isinstance(given, Schedule) else (given,)
            within(points, f.metadata, f"{name}.{f.name}", given)


# -- names and text -------------------------------------------------------------------------------------------


def part_kind(kind: str) -> type[Part]:
    """The part class of that name; the rooms where parts live are only entered when the name is not known yet."""
    if kind not in _PARTS:
        for room in ROOMS:
            import_module(room)
        import_module("steelyard.techniques").catalogue()
    if kind not in _PARTS:
        raise UserError(f"there is no part '{kind}'{suggest(kind, _PARTS)}")
    return _PARTS[kind]


def plain(given: Any) -> Any:
    """A field's value as TOML and JSON hold it: schedules as text, tuples as lists."""
    if isinstance(given, Spelled):
        return str(given)
    if isinstance(given, tuple):
        return [plain(item) for item in given]
    if isinstance(given, Part):
        return {"kind": given.kind} | given.plain()
    return given


def convert(text: Any, wanted: Any, path: str) -> Any:
    """A value in the type of its knob, or one clear error."""
    options = get_args(wanted) if isinstance(wanted, UnionType) else (wanted,)
    if (text is None or (isinstance(text, str) and text.lower() == "none")) and type(None) in options:
        return None
    if Schedule in options and isinstance(text, int | float | str | Schedule) and not isinstance(text, bool):
        return _whole(parse_knob(text), path) if int in options else parse_knob(text)
    for option in options:
        if isinstance(option, type) and issubclass(option, Part):
            return text if isinstance(text, option) else fitting(path, option, text)
        if isinstance(option, type) and issubclass(option, Spelled) and isinstance(text, str | option):
            return option.parse(text) if isinstance(text, str) else text  # type: ignore[attr-defined]
        try:
            return _as(text, option)
        except (ValueError, TypeError, OverflowError):
            continue
    names = " or ".join(_expected(option) for option in options)
    raise UserError(f"{path} expects {names}, got {text!r}")


def fitting(path: str, wanted: type[Part], given: Any) -> Part:
    """The part from plain values with its `kind` among them; it must be of the class its place wants."""
    if not isinstance(given, dict):
        raise UserError(f"'{path}' of a recipe is a table of knobs, got {given!r}")
    found = part_kind(str(given.get("kind", "")))
    if not issubclass(found, wanted):
        raise UserError(f"'{found.kind}' does not fit into the slot '{path}' of a recipe")
    return found.read({name: text for name, text in given.items() if name != "kind"})


def _expected(option: Any) -> str:
    choices = get_args(option) if getattr(option, "__origin__", None) is not tuple else ()
    return "one of " + ", ".join(map(str, choices)) if choices else getattr(option, "__name__", str(option))


def _whole(given: float | Schedule, path: str) -> int | Schedule:
    if isinstance(given, Schedule):
        return given
    if given != int(given):
        raise UserError(f"{path} expects a whole number or a schedule, got {given:g}")
    return int(given)


def _as(text: Any, wanted: Any) -> Any:
    if getattr(wanted, "__origin__", None) is tuple:
        items = text.split(",") if isinstance(text, str) else text
        return tuple(_as(item, get_args(wanted)[0]) for item in items)
    if choices := get_args(wanted):  # a Literal
        if text not in choices:
            raise ValueError(text)
        return text
    if wanted is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        return words[str(text).lower()] if str(text).lower() in words else _refuse(text)
    if wanted is int and float(text) == int(float(text)) and not isinstance(text, bool):
        return int(float(text))
    if wanted is float and not isinstance(text, bool):
        return float(text)
    if wanted is str and isinstance(text, str):
        return text
    return _refuse(text)


def _refuse(text: Any) -> Any:
    raise ValueError(text)
