"""A trained model: fitted preparation and network or estimator together; saved without pickle, loaded without code."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from steelyard.classical import storage
from steelyard.data.dataset import Dataset, Schema
from steelyard.data.prepared import Prepared
from steelyard.errors import UserError
from steelyard.metrics import CLASSES
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.decision import moved
from steelyard.training.feed import Tensors
from steelyard.training.scale import Scale, answered, base_of, in_units, kept, restored, upon
from steelyard.training.views import Look, looks, plain

FORMAT = 1
CHUNK = 1024  # rows predicted at once


class Predictor(Protocol):
    """What predicts: a model or an ensemble of them."""

    def predict(self, dataset: Dataset) -> np.ndarray: ...

    def save(self, folder: Path) -> None: ...


@dataclass(frozen=True)
class Model:
    """One trained model. `network` is a module or None; `estimator` a fitted classical model or None."""

    problem: Problem
    schema: Schema
    recipe: Recipe
    prepared: Prepared
    scale: Scale
    network: nn.Module | None = None
    estimator: Any = None
    shift: tuple[float, ...] = ()  # of the log-probabilities, where a threshold was moved

    def predict(self, dataset: Dataset) -> np.ndarray:
        """Probabilities (n, classes) float32, or values (n,) float64 in the target's own unit.

        For several targets (n, outputs): the probability of each label, or the numbers of all targets side by side.
        """
        if self.network is not None:
            inputs = tuple(torch.from_numpy(v) for v in self.prepared.transform(dataset))
            return self.respond(inputs, self.base(dataset))
        found = in_units(self.problem, self.scale, self.estimator.predict(self.prepared.matrix(dataset)))
        return self.decided(upon(self.base(dataset), found))

    def respond(self, inputs: Tensors, base: np.ndarray | None = None) -> np.ndarray:
        """Answers to input tensors (n, …) of the network: the mean over the views that the recipe has of them.

        `base` (n,) is what values were learnt as the difference from.
        """
        assert self.network is not None
        views = looks(self.recipe, self.problem.modality, inputs)
        each = [self.answers(forward(self.network, inputs, look)) for look in views]
        return self.decided(upon(base, each[0] if len(each) == 1 else np.asarray(np.mean(each, axis=0))))

    def answers(self, outputs: torch.Tensor) -> np.ndarray:
        """What raw outputs (n, outputs) of the network say: probabilities before a threshold is moved, or values."""
        return answered(self.problem, self.scale, outputs)

    def base(self, dataset: Dataset) -> np.ndarray | None:
        """What the target of each row (n,) was learnt as the difference from; None: from nothing."""
        return base_of(self.prepared, dataset)

    def decided(self, probabilities: np.ndarray) -> np.ndarray:
        """Probabilities (n, k) with the thresholds of this model."""
        if not self.shift:
            return probabilities
        return moved(probabilities, np.array(self.shift), self.problem.task not in CLASSES)

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder: JSON and safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {
            "format": FORMAT,
            "problem": self.problem.to_dict(),
            "schema": self.schema.to_dict(),
            "recipe": self.recipe.to_dict(),
            "prepared": self.prepared.to_dict(),
            "scale": kept(self.scale),
            "shift": list(self.shift),
        }
        (folder / "model.json").write_text(json.dumps(state), encoding="utf-8")
        if self.network is not None:
            save_file(_apart(self.network.state_dict()), folder / "network.safetensors")
        else:
            storage.save(self.estimator, folder)


def _apart(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of a state, each with memory of its own: layers may share theirs."""
    found, seen = dict[str, torch.Tensor](), set[int]()
    for name, tensor in state.items():
        place = tensor.untyped_storage().data_ptr()
        found[name] = tensor.clone(memory_format=torch.contiguous_format) if place in seen else tensor.contiguous()
        seen.add(place)
    return found


def load(folder: Path) -> Model:
    """The model a folder holds; anything that could run code is refused."""
    state = read_state(folder)
    try:
        return _restored(folder, state)
    except UserError:
        raise
    except (SafetensorError, OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"the model in {folder} is damaged ({error}); copy it anew, or run again") from error


def _restored(folder: Path, state: dict[str, Any]) -> Model:
    recipe, problem = Recipe.from_dict(state["recipe"]), Problem.from_dict(state["problem"])
    schema = Schema.from_dict(state["schema"])
    prepared: Prepared = recipe.prepare.restored(state["prepared"])
    shift = _shift(state.get("shift", []), problem)
    model = Model(problem, schema, recipe, prepared, restored(state["scale"]), shift=shift)
    if recipe.network is None:
        return replace(model, estimator=storage.load(folder))
    network = recipe.network.build(prepared.shape, problem.outputs)
    try:
        network.load_state_dict(load_file(folder / "network.safetensors"))
    except RuntimeError as error:
        if recipe.family != "own-network":
            raise
        said = " ".join(str(error).split())[:200]
        raise UserError(f"the weights in {folder} are those of another network than the one named: {said}") from error
    return replace(model, network=network.eval())


def _shift(given: Any, problem: Problem) -> tuple[float, ...]:
    shift = tuple(float(each) for each in given)
    if shift and (len(shift) != problem.outputs or not np.isfinite(shift).all()):
        raise ValueError(f"its thresholds are {given}, and it has {problem.outputs} outputs")
    return shift


def read_state(folder: Path) -> dict[str, Any]:
    """The JSON of a model folder, or one clear error."""
    try:
        state: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder} holds no readable model ({error}); expected a folder written by steelyard"
        ) from error
    if state.get("format") != FORMAT:
        raise UserError(f"{folder} is a model of format {state.get('format')}; this version reads format {FORMAT}")
    return state


@torch.inference_mode()
def forward(network: nn.Module, inputs: Tensors, look: Look = plain) -> torch.Tensor:
    """Raw outputs (n, outputs) of a network in prediction on one view of input tensors (n, …)."""
    was_training = network.training
    network.eval()
    found = []
    for begin in range(0, max(1, len(inputs[0])), CHUNK):
        found.append(network(look(network, tuple(tensor[begin : begin + CHUNK] for tensor in inputs))))
    network.train(was_training)
    return torch.cat(found)
