"""The user's own training step: what is wrong in it is named, what is sound is not, and it leaves no trace."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from programs import blobs
from torch import nn

from steelyard.doctor import examine

Setup = dict[str, Any]
LEARNING = ("SY109", "SY5", "SY604", "SY607")  # not what is tested here


def program(kind: str) -> Setup:
    """A classifier with a step of its own, in which `kind` says what is wrong, or unusual and right."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 4))
    optimizer, loss_of = torch.optim.Adam(model.parameters(), 1e-2), nn.CrossEntropyLoss()
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 50)
    calls = {"n": 0}

    def step(batch: Any) -> torch.Tensor:
        x, y = batch
        if kind == "eval mode":
            model.eval()
        if kind not in ("no zero_grad", "zeroed too late", "accumulating"):
            optimizer.zero_grad()
        loss = loss_of(model(x), y)
        if kind == "detached":
            loss = loss.detach().requires_grad_()
        loss.backward()
        if kind in ("clipped away", "clipped well"):
            nn.utils.clip_grad_norm_(model.parameters(), 1e-6 if kind == "clipped away" else 1.0)
        if kind == "zeroed too late":
            optimizer.zero_grad()
        calls["n"] += 1
        if kind == "accumulating" and calls["n"] % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
        if kind not in ("accumulating", "no step"):
            optimizer.step()
            schedule.step()
        return loss

    parts = {"model": model, "loss": loss_of, "optimizer": optimizer, "train": blobs(), "step": step}
    return parts | {"calls": calls, "schedule": schedule}


FAULTS = {
    "no zero_grad": "SY407",
    "zeroed too late": "SY408",
    "no step": "SY408",
    "detached": "SY408",
    "clipped away": "SY409",
    "eval mode": "SY609",
}


def examined(parts: Setup, ignore: tuple[str, ...] = LEARNING) -> Any:
    return examine(**{k: v for k, v in parts.items() if k not in ("calls", "schedule")}, ignore=ignore)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_in_the_step_is_named(kind: str) -> None:
    found = examined(program(kind))
    assert FAULTS[kind] in [each.code for each in found.findings], found.not_measured


@pytest.mark.parametrize("kind", ["plain", "clipped well", "accumulating"])
def test_a_sound_step_has_no_finding(kind: str) -> None:
    found = examined(program(kind), ())
    assert found.healthy, [(each.code, each.saw) for each in found.findings]
    assert {"SY407", "SY408", "SY409", "SY609", "SY504"} <= set(found.passed)


def test_what_a_step_counts_and_schedules_is_put_back() -> None:
    parts = program("plain")
    examined(parts, ())
    assert parts["calls"] == {"n": 0}
    assert parts["schedule"].last_epoch == 0
    assert parts["optimizer"].param_groups[0]["lr"] == 1e-2
    assert not parts["optimizer"].state_dict()["state"]


def taking(step: Callable[..., Any]) -> Setup:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    return {"model": model, "loss": nn.CrossEntropyLoss(), "optimizer": optimizer, "train": blobs(), "step": step}


def by_model_and_batch(model: nn.Module, batch: Any, optimizer: torch.optim.Optimizer) -> float:
    return by_all(model, optimizer, nn.CrossEntropyLoss(), *batch)


def by_rows(model: nn.Module, opt: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor) -> float:
    return by_all(model, opt, nn.CrossEntropyLoss(), x, y)


def by_all(net: nn.Module, opt: torch.optim.Optimizer, criterion: Any, a: torch.Tensor, b: torch.Tensor) -> float:
    opt.zero_grad()
    loss = criterion(net(a), b)
    loss.backward()
    opt.step()
    return float(loss)


@pytest.mark.parametrize("step", [by_model_and_batch, by_rows, by_all])
def test_a_step_is_called_as_its_parameters_ask(step: Callable[..., Any]) -> None:
    found = examined(taking(step))
    assert {"SY407", "SY408"} <= set(found.passed), found.not_measured


def test_a_step_whose_parameters_cannot_be_told_says_so() -> None:
    found = examined(taking(lambda one, two, three: None))
    assert "a step takes (batch)" in found.not_measured["SY408"]
