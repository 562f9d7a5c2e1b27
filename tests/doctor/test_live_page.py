"""The page of a run that the doctor watched."""

import re
from pathlib import Path
from typing import Any

import torch
from live_loops import Convolutions, classes, images, nothing, seeded, watched
from programs import blobs, mlp
from torch import nn

from steelyard.doctor.live import Doctor, Health
from steelyard.report.health import health_page


def drawings(page: str) -> int:
    return len(re.findall(r'<div class="wide"><svg', page))


def words(page: str) -> str:
    """The page without its drawings, whose paths differ in the last digit."""
    return re.sub(r"<path[^>]*>", "", page)


def with_dev(epochs: int = 3) -> Doctor:
    model = seeded(Convolutions)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    with Doctor(model, optimizer, every=2, on_finding=nothing) as doctor:
        for _ in range(epochs):
            for batch in images():
                optimizer.zero_grad()
                loss = classes(model, batch)
                loss.backward()
                optimizer.step()
                doctor.step(loss)
            doctor.epoch(loss)
    return doctor


def test_the_page_shows_loss_updates_gradients_and_dead_units(tmp_path: Path) -> None:
    page = health_page(with_dev(), tmp_path / "health.html")
    assert (tmp_path / "health.html").read_text(encoding="utf-8") == page
    assert drawings(page) == 4
    for words in ("Update/weight", "Gradients", "Dead units", "relu before head", "BatchNorm2d", ">dev<"):
        assert words in page


def test_the_page_of_a_saved_record_is_the_same(tmp_path: Path) -> None:
    doctor = with_dev()
    doctor.health.to_json(tmp_path / "health.json")
    again, page = health_page(Health.from_json(tmp_path / "health.json")), health_page(doctor)
    assert drawings(again) == drawings(page) == 4
    assert words(again) == words(page)


def test_findings_stand_first_with_what_treats_them() -> None:
    page = health_page(watched(mlp(), torch.optim.SGD(mlp().parameters(), 0.1), epochs=2))
    assert "SY408" in page and "call optimizer.step() after backward" in page
    assert page.index("SY408") < page.index("<svg")


def test_names_of_layers_are_escaped() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.add_module("<script>alert(1)</script>", nn.Linear(10, 4))

        def forward(self, x: Any) -> Any:
            return next(self.children())(x)

    model = Odd()
    page = health_page(watched(model, torch.optim.SGD(model.parameters(), 0.1), epochs=2))
    assert "alert(1)" in page
    assert "<script>alert" not in page


def test_a_run_without_a_step_or_with_nan_alone_has_a_page() -> None:
    with Doctor(mlp(), on_finding=nothing) as doctor:
        assert "0 steps" in health_page(doctor)
    model = mlp()
    batches = [(x * float("nan"), y) for x, y in blobs()]
    page = health_page(watched(model, torch.optim.SGD(model.parameters(), 0.1), batches, epochs=2))
    assert "the inputs of the batch" in page
