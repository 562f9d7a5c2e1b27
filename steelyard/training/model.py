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
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.scale import Scale, answered, in_units, plain, restored

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

    def predict(self, dataset: Dataset) -> np.ndarray:
        """Probabilities (n, classes) float32, or values (n,) float64 in the target's own unit.

        For several targets (n, outputs): the probability of each label, or the numbers of all targets side by side.
        """
        if self.network is not None:
            return self.answers(
                forward(self.network, tuple(torch.from_numpy(v) for v in self.prepared.transform(dataset)))
            )
        return in_units(self.problem, self.scale, self.estimator.predict(self.prepared.matrix(dataset)))

    def answers(self, outputs: torch.Tensor) -> np.ndarray:
        """What raw outputs (n, outputs) of the network say: probabilities or values, as `predict` returns them."""
        return answered(self.problem, self.scale, outputs)

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder: JSON and safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {
            "format": FORMAT,
            "problem": self.problem.to_dict(),
            "schema": self.schema.to_dict(),
            "recipe": self.recipe.to_dict(),
            "prepared": self.prepared.to_dict(),
            "scale": plain(self.scale),
        }
        (folder / "model.json").write_text(json.dumps(state), encoding="utf-8")
        if self.network is not None:
            save_file({k: v.contiguous() for k, v in self.network.state_dict().items()}, folder / "network.safetensors")
        else:
            storage.save(self.estimator, folder)


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
    model = Model(problem, schema, recipe, prepared, restored(state["scale"]))
    if recipe.network is None:
        return replace(model, estimator=storage.load(folder))
    network = recipe.network.build(prepared.shape, problem.outputs)
    network.load_state_dict(load_file(folder / "network.safetensors"))
    return replace(model, network=network.eval())


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
def forward(network: nn.Module, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Raw outputs (n, outputs) of a network in prediction on input tensors (n, …)."""
    was_training = network.training
    network.eval()
    found = []
    for begin in range(0, max(1, len(inputs[0])), CHUNK):
        found.append(network(network.encode(*(tensor[begin : begin + CHUNK] for tensor in inputs))))  # type: ignore[operator]
    network.train(was_training)
    return torch.cat(found)
