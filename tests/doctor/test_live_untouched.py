"""The doctor beside a run changes nothing of it, can be taken away, and what it saw goes to JSON and back."""

import copy
import gc
import io
import weakref
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from live_loops import Convolutions, classes, images, nothing, seeded, watched
from programs import blobs, mlp
from torch import nn
from torch.nn.modules import module as torch_module

from steelyard.doctor.live import Doctor, Health

hooks = import_module("torch.optim.optimizer")


def hanging(model: nn.Module) -> int:
    """Hooks that hang in the model, in torch and in the parameters."""
    own = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())
    parameters = sum(
        len(p._backward_hooks or ()) + len(p._post_accumulate_grad_hooks or ()) for p in model.parameters()
    )
    everywhere = len(hooks._global_optimizer_pre_hooks) + len(hooks._global_optimizer_post_hooks)
    return own + parameters + everywhere + len(torch_module._global_forward_hooks)


def dropout_net() -> nn.Module:
    return seeded(
        lambda: nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 4))
    )


@pytest.mark.parametrize("every", [1, 3])
def test_training_is_the_same_bit_for_bit(every: int) -> None:
    ends = []
    for with_doctor in (False, True):
        model = dropout_net()
        optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True)
        doctor = Doctor(model, optimizer, every=every, on_finding=nothing) if with_doctor else None
        torch.manual_seed(3)
        for batch in blobs() * 3:
            optimizer.zero_grad()
            loss = classes(model, batch)
            loss.backward()
            grads = [p.grad.clone() for p in model.parameters() if p.grad is not None]
            optimizer.step()
            if doctor is not None:
                doctor.step(loss)
        model.eval()
        ends.append((model.state_dict(), grads, torch.rand(1), [m.training for m in model.modules()]))
    for one, other in zip(*(each[0].values() for each in ends), strict=True):
        assert torch.equal(one, other)
    for one, other in zip(ends[0][1], ends[1][1], strict=True):
        assert torch.equal(one, other)
    assert ends[0][2:] == ends[1][2:]


def test_tracing_a_nan_puts_buffers_and_random_states_back() -> None:
    ends = []
    batches = blobs()
    batches[2][0][0, 0] = float("nan")
    for with_doctor in (False, True):
        model = dropout_net()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        doctor = Doctor(model, optimizer, on_finding=nothing) if with_doctor else None
        torch.manual_seed(3)
        for batch in batches[:4]:
            optimizer.zero_grad()
            loss = classes(model, batch)
            loss.backward()
            optimizer.step()
            if doctor is not None:
                doctor.step(loss)
        ends.append((int(model[1].num_batches_tracked), torch.rand(1)))
        assert doctor is None or "inputs" in doctor.findings[0].saw
    assert ends[0] == ends[1]


def test_all_hooks_are_gone_when_it_is_closed() -> None:
    model = seeded(Convolutions)
    before = hanging(model)
    doctor = Doctor(model, on_finding=nothing)
    assert hanging(model) > before
    doctor.close()
    doctor.close()
    assert hanging(model) == before
    with pytest.raises(RuntimeError, match="watches no model"):
        doctor.step(1.0)


def test_a_loop_that_breaks_off_leaves_no_hooks_and_no_word_about_its_end() -> None:
    model = mlp()
    before = hanging(model)
    with pytest.raises(KeyError), Doctor(model, on_finding=nothing) as doctor:
        for batch in blobs() * 8:
            doctor.step(classes(model, batch) - len(doctor.record.losses.values) * 0.01)
        raise KeyError
    assert hanging(model) == before
    assert "SY512" not in [each.code for each in doctor.findings]


def test_a_doctor_that_is_forgotten_takes_its_hooks_along() -> None:
    model = mlp()
    before = hanging(model)
    doctor = Doctor(model, torch.optim.SGD(model.parameters(), 0.1))
    gone = weakref.ref(doctor)
    del doctor
    gc.collect()
    assert gone() is None
    assert hanging(model) == before


def test_the_model_can_be_copied_and_saved_while_it_is_watched() -> None:
    model = mlp()
    with Doctor(model, every=1, on_finding=nothing) as doctor:
        for batch in blobs():
            doctor.step(classes(model, batch))
            looks = len(doctor.health.layers[0].mean.values)
            twin = copy.deepcopy(model)
            twin(batch[0])  # an average of weights, say, which is no step of the model
            torch.save(model, io.BytesIO())
        assert looks == len(blobs())


def test_evaluation_is_not_looked_at() -> None:
    model = mlp()
    with Doctor(model, every=1, on_finding=nothing) as doctor:
        model.eval()
        for batch in blobs():
            with torch.no_grad():
                model(batch[0] * float("nan"))
        model.train()
        doctor.step(classes(model, blobs()[0]))
    assert not doctor.findings
    assert len(doctor.health.layers[0].mean.values) == 1


def test_updates_and_gradients_are_those_of_the_step() -> None:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with Doctor(model, optimizer, every=1, on_finding=nothing) as doctor:
        before = model[2].weight.detach().clone()
        loss = classes(model, blobs()[0])
        loss.backward()
        optimizer.step()
        doctor.step(loss)
    layer = next(each for each in doctor.health.layers if each.name == "2")
    assert layer.update.last == pytest.approx(
        float((model[2].weight.detach() - before).norm() / before.norm()), rel=1e-4
    )
    slopes = torch.cat([p.grad.flatten() for p in model[2].parameters() if p.grad is not None])
    assert layer.gradient.last == pytest.approx(float(slopes.norm()), rel=1e-5)


def test_dead_units_and_activations_are_counted() -> None:
    model = mlp()
    with torch.no_grad():
        model[0].bias[:20] = -1e3
    doctor = watched(model, torch.optim.SGD(model.parameters(), 1e-3), epochs=2, every=1)
    relu = next(each for each in doctor.health.layers if each.name == "1")
    assert relu.dead.last == pytest.approx(20 / 32)
    assert relu.mean.last > 0


def test_masked_logits_are_no_finding() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = mlp()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.cover(self.body(x))

        def cover(self, out: torch.Tensor) -> torch.Tensor:
            return torch.cat([out, torch.full((len(out), 1), -float("inf"))], 1)

    model = nn.Sequential(Masked(), nn.Identity())
    doctor = watched(model, torch.optim.Adam(model.parameters(), 1e-3), every=2)
    assert not doctor.findings
    assert doctor.health.state == "settled"


def test_without_a_loss_outputs_that_are_not_finite_are_named() -> None:
    model = mlp()
    with torch.no_grad():
        model[2].weight[0, 0] = float("nan")
    with Doctor(model, on_finding=nothing) as doctor:
        model(blobs()[0][0])
        doctor.step()
    assert [(each.code, each.evidence["step"]) for each in doctor.findings] == [("SY401", 1)]
    assert "2 was the first layer" in doctor.findings[0].saw


def test_long_runs_take_little_memory() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    with Doctor(model, every=1, on_finding=nothing) as doctor:
        x = torch.ones(4, 2)
        for _ in range(3000):
            doctor.step(model(x).sum())
    layer = doctor.health.layers[0]
    assert 200 < len(layer.mean.values) <= 512
    assert layer.mean.steps[0] == 1 and layer.mean.steps[-1] > 2900
    assert 1000 < len(doctor.health.loss.values) <= 2048


def test_what_was_seen_goes_to_json_and_back(tmp_path: Path) -> None:
    doctor = watched(seeded(Convolutions), torch.optim.SGD(mlp().parameters(), 1.0), images(), epochs=2)
    doctor.health.to_json(tmp_path / "health.json")
    again = Health.from_json(tmp_path / "health.json")
    assert again.to_dict() == doctor.health.to_dict()
    assert [each.code for each in again.findings] == [each.code for each in doctor.findings] != []
    assert not again.healthy


@pytest.mark.parametrize("given", ["[]", "{}", '{"kind": "health", "format": 1}', '{"kind": "run", "format": 1}'])
def test_a_file_that_is_no_record_of_health_is_refused(tmp_path: Path, given: Any) -> None:
    (tmp_path / "x.json").write_text(given)
    with pytest.raises(ValueError, match="record of health"):
        Health.from_json(tmp_path / "x.json")


def test_the_table_names_layers_and_findings() -> None:
    text = watched(mlp(), torch.optim.SGD(mlp().parameters(), 1.0), epochs=2).table()
    assert "update/weight" in text and "Linear" in text and "SY408" in text
