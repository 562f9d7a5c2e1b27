"""The doctor as a callback of Lightning's Trainer, which asks a callback for methods by name and needs no base class.

`Trainer(callbacks=[Doctor()])` works with `lightning` and with `pytorch_lightning`; neither is imported here.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def _nothing(*_: Any, **__: Any) -> None:
    """A hook of Lightning's that the doctor does not need."""


class LightningHooks:
    """The hooks that are called with (trainer, module, …)."""

    attach: Callable[[nn.Module], Any]
    step: Callable[[Any], None]
    close: Callable[..., None]
    epoch: Callable[[Any], None]
    model: nn.Module | None
    _loss: Tensor | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("on_") or name in ("setup", "teardown"):
            return _nothing
        raise AttributeError(f"'{type(self).__name__}' has no attribute '{name}'")

    @property
    def state_key(self) -> str:
        """Its name in a checkpoint, of which it needs none."""
        return "steelyard.Doctor"

    _legacy_state_key = state_key

    def state_dict(self) -> dict[str, Any]:
        """Nothing is kept in checkpoints."""
        return {}

    def load_state_dict(self, _: dict[str, Any]) -> None:
        """Nothing is kept in checkpoints."""

    def on_train_start(self, _: Any, module: nn.Module) -> None:
        """Training begins."""
        if self.model is None:
            self.attach(module)

    def on_before_backward(self, _: Any, __: Any, loss: Tensor) -> None:
        """The loss with its graph."""
        self._loss = loss

    def on_train_batch_end(self, _: Any, __: Any, outputs: Any, *___: Any) -> None:
        """A batch is done: its loss, with the graph where there is one."""
        given = outputs.get("loss") if isinstance(outputs, dict) else outputs
        loss = self._loss if self._loss is not None else given if isinstance(given, Tensor) else None
        self._loss = None
        if loss is not None:
            self.step(loss)

    def on_validation_end(self, trainer: Any, _: Any) -> None:
        """The loss on dev, where the module logs one with `loss` in its name."""
        if getattr(trainer, "sanity_checking", False):
            return
        for name, value in trainer.callback_metrics.items():
            if "loss" in name and name.startswith(("val", "dev")) and torch.as_tensor(value).numel() == 1:
                self.epoch(value)
                return

    def on_train_end(self, _: Any, __: Any) -> None:
        """Training is over."""
        self.close()

    def on_exception(self, _: Any, __: Any, error: BaseException) -> None:
        """Training broke off."""
        self.close(broke_off=True)
