"""The doctor as a callback of Lightning's Trainer, of both its packages."""

from importlib import import_module
from typing import Any

import pytest
import torch
from live_loops import nothing
from programs import blobs, mlp
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from steelyard.doctor.live import Doctor

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's own warnings; the doctor's findings are read


@pytest.fixture(params=["lightning.pytorch", "pytorch_lightning"])
def lightning(request: pytest.FixtureRequest) -> Any:
    pytest.importorskip(request.param.split(".")[0], reason=f"{request.param} is not installed")
    return import_module(request.param)


def fitted(
    lightning: Any, doctor: Doctor, rate: float = 1e-3, manual: bool = False, others: Any = (), **options: Any
) -> None:
    class Module(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net, self.automatic_optimization = mlp(), not manual

        def training_step(self, batch: Any, _: int) -> Any:
            loss = F.cross_entropy(self.net(batch[0]), batch[1])
            if manual:
                optimizer = self.optimizers()
                optimizer.zero_grad()
                self.manual_backward(loss)
                optimizer.step()
            return None if manual else loss

        def validation_step(self, batch: Any, _: int) -> None:
            self.log("val_loss", F.cross_entropy(self.net(batch[0]), batch[1]))

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), rate)

    x, y = (torch.cat(each) for each in zip(*blobs(), strict=True))
    if options.pop("poisoned", False):
        x[100, 0] = float("nan")
    loader = DataLoader(TensorDataset(x, y), 32)
    trainer = lightning.Trainer(
        max_epochs=options.pop("epochs", 2),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        callbacks=[doctor, *others],
        **options,
    )
    trainer.fit(Module(), loader, loader)


@pytest.mark.parametrize("manual", [False, True])
def test_it_watches_a_trainer(lightning: Any, manual: bool) -> None:
    doctor = Doctor(every=2, ignore=("SY512",))
    fitted(lightning, doctor, 0.05, manual)
    health = doctor.health
    assert health.healthy and health.steps == 16 and health.dev.steps == (8, 16)
    assert len(health.loss.values) == 16
    named = {layer.name: layer for layer in health.layers}
    assert len(named["net.0"].update.values) == 8
    assert 1e-4 < named["net.0"].update.last < 1e-1


def test_steps_that_accumulate_and_clip_are_no_finding(lightning: Any) -> None:
    doctor = Doctor(every=2, ignore=("SY512",), on_finding=nothing)
    fitted(lightning, doctor, 0.05, epochs=6, accumulate_grad_batches=2, gradient_clip_val=0.5)
    assert not doctor.findings


def test_a_rate_of_zero_is_named(lightning: Any) -> None:
    doctor = Doctor(every=2, on_finding=nothing)
    fitted(lightning, doctor, 0.0)
    assert [each.code for each in doctor.findings] == ["SY408"]


def test_a_nan_is_traced(lightning: Any) -> None:
    doctor = Doctor(on_finding=nothing)
    fitted(lightning, doctor, 0.05, poisoned=True)
    assert doctor.findings[0].code == "SY506"
    assert doctor.findings[0].evidence["step"] == 4
    assert "the inputs of the batch" in doctor.findings[0].saw


def test_hooks_are_gone_when_training_ends_or_breaks_off(lightning: Any) -> None:
    doctor = Doctor(on_finding=nothing)

    class Breaks(lightning.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, *_: Any) -> None:
            raise KeyError

    with pytest.raises(KeyError):
        fitted(lightning, doctor, 0.05, others=[Breaks()])
    assert doctor.model is None
    assert doctor.health.steps == 1
    hooks = import_module("torch.optim.optimizer")
    assert not hooks._global_optimizer_pre_hooks and not hooks._global_optimizer_post_hooks


def test_a_callback_is_no_other_thing_by_accident() -> None:
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        _ = Doctor().colour
