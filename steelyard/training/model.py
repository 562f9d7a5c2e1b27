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

FORMAT = 1
CHUNK = 1024  # rows predicted at once


class Predictor(Protocol):
    """What predicts: a model or an ensemble of them."""

    def predict(self, dataset: Dataset) -> np.ndarray: ...

    def save(self, folder: Path) -> None: ...


@dataclass(frozen=True)
class TargetScale:
    """The scale on which a regression is learnt: (log1p of) the target, centred and divided by its spread on train."""

    log: bool
    mean: float
    std: float

    @classmethod
    def fit(cls, target: np.ndarray, log: bool) -> "TargetScale":
        if log and target.min() <= -1:
            raise UserError(f"the logarithm of the target needs values above -1, got {target.min():g}")
        values = np.log1p(target) if log else target
        return cls(log, float(values.mean()), float(values.std()) or 1.0)

    def forward(self, target: np.ndarray) -> np.ndarray:
        return ((np.log1p(target) if self.log else target) - self.mean) / self.std

    def back(self, values: np.ndarray) -> np.ndarray:
        scaled = values.astype(np.float64) * self.std + self.mean
        return np.expm1(scaled) if self.log else scaled


@dataclass(frozen=True)
class Model:
    """One trained model. `network` is a module or None; `estimator` a fitted classical model or None."""

    problem: Problem
    schema: Schema
    recipe: Recipe
    prepared: Prepared
    scale: TargetScale | None
    network: nn.Module | None = None
    estimator: Any = None

    def predict(self, dataset: Dataset) -> np.ndarray:
        """Probabilities (n, classes) float32, or values (n,) float64 in the target's own unit."""
        if self.network is not None:
            return self.answers(
                forward(self.network, tuple(torch.from_numpy(v) for v in self.prepared.transform(dataset)))
            )
        raw = self.estimator.predict(self.prepared.matrix(dataset))
        return raw if self.scale is None else self.scale.back(raw.reshape(-1))

    def answers(self, outputs: torch.Tensor) -> np.ndarray:
        """What raw outputs (n, outputs) of the network say: probabilities or values, as `predict` returns them."""
        if self.scale is None:
            return np.asarray(torch.softmax(outputs, dim=1).numpy())
        return self.scale.back(outputs[:, 0].numpy())

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder: JSON and safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {
            "format": FORMAT,
            "problem": self.problem.to_dict(),
            "schema": self.schema.to_dict(),
            "recipe": self.recipe.to_dict(),
            "prepared": self.prepared.to_dict(),
            "scale": vars(self.scale) if self.scale else None,
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
    scale = TargetScale(**state["scale"]) if state["scale"] else None
    model = Model(problem, schema, recipe, prepared, scale)
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
