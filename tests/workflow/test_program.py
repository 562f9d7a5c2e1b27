"""The training program that the doctor is given is the one that a trial trains."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import people

from steelyard.data.dataset import Dataset
from steelyard.doctor import Examination, examine
from steelyard.knobs import parse_knob
from steelyard.recipe import Recipe
from steelyard.training.member import Runner
from steelyard.training.model import Model
from steelyard.training.start import begin, ready, start
from steelyard.training.streams import numpy_stream
from steelyard.training.team import Team
from steelyard.workflow.ask import Ask
from steelyard.workflow.define import define
from steelyard.workflow.families import families
from steelyard.workflow.program import Program, peak, program_of, program_of_trained, rises_again

SMALL = {"network.width": "8", "network.channels": "8", "network.depth": "1", "batch.size": "16"}


def posed(source: Any, target: str | None = None, **more: Any) -> tuple[Recipe, Any, Any, Any]:
    """The network's recipe, the rows to learn from, other rows, the problem."""
    dataset, problem = define(Ask(source, target, **more))
    rows = np.arange(len(dataset))
    found = next(r for r in families(problem, dataset.schema, len(rows) * 4 // 5) if r.network is not None)
    for path, text in SMALL.items():
        found = found.set(path, text) if path in found.knobs() else found
    return found, dataset.take(rows[rows % 5 > 0]), dataset.take(rows[rows % 5 == 0]), problem


def program(source: Any, target: str | None = None, edits: dict[str, str] | None = None, **more: Any) -> Program:
    recipe, train, dev, problem = posed(source, target, **more)
    for path, text in (edits or {}).items():
        recipe = recipe.set(path, text)
    return program_of(recipe, train, dev, problem, 0)


def values(rows: int = 160) -> pd.DataFrame:
    random = np.random.default_rng(1)
    x = random.normal(size=(rows, 3)).round(4)
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(price=900 + 120 * x[:, 0] - 60 * x[:, 1])


def several(rows: int = 160) -> pd.DataFrame:
    """Two values to predict, one of which is not always known."""
    frame = values(rows).assign(cost=lambda f: 2 * f["c"] + f["a"])
    frame.loc[frame.index % 7 == 0, "cost"] = np.nan
    return frame


def pictures() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    code = np.arange(96) % 2
    light = 90 * code[:, None, None] * (np.arange(8) > 3)
    return (random.integers(0, 150, (96, 8, 8)) + light).astype(np.uint8), code


def series(folder: Path) -> Path:
    """A .ts file of series with a bump early or late, every third with gaps."""
    random = np.random.default_rng(0)
    given = 0.2 * random.normal(size=(60, 12))
    given[np.arange(60), np.where(np.arange(60) % 2, 3, 7)] += 4
    texts = [[f"{v:.3f}" for v in row] for row in given]
    for row in texts[::3]:
        row[10] = "?"
    lines = [f"{','.join(row)}:{'left' if i % 2 else 'right'}" for i, row in enumerate(texts)]
    file = folder / "bumps.ts"
    head = "@problemName bumps\n@missing true\n@classLabel true left right\n@data\n"
    file.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return file


def texts(folder: Path) -> Path:
    random = np.random.default_rng(0)
    words = ["fine", "film", "plot", "scene", "actor", "music", "story"]
    lines = [
        f"{'good' if i % 2 else 'bad'}\t{' '.join(random.permutation([*words, 'great' if i % 2 else 'awful']))} {i}"
        for i in range(96)
    ]
    file = folder / "films.txt"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_the_first_step_of_the_program_is_the_first_step_of_the_training() -> None:
    recipe, train, dev, problem = posed(people(), "income")
    made = program_of(recipe, train, dev, problem, 3)
    prepared = ready(recipe, train, problem, 3)
    _, member = begin(recipe, prepared, train, problem, 3)
    team = Team([Runner.start(0, member, torch.device("cpu"))], torch.device("cpu"))
    step = next(iter(team.feed.epoch(0.0, [numpy_stream(3, "order")])))
    trained = team.learn(step)
    *inputs, codes = next(iter(made.train))
    loss = made.loss(made.model(*inputs), codes)
    assert float(loss.detach()) == pytest.approx(float(trained.mean()), rel=1e-6)
    loss.backward()
    made.optimizer.step()
    pairs = zip(made.model.parameters(), member.network.parameters(), strict=True)
    assert all(torch.allclose(mine, theirs, rtol=1e-4, atol=1e-7) for mine, theirs in pairs)


def test_batches_come_in_another_order_every_time_and_hold_the_train_rows() -> None:
    made = program(people(), "income")
    once, again = ([batch[0] for batch in made.train] for _ in range(2))
    assert len(once) == len(made.train)
    assert not torch.equal(once[0], again[0])
    assert len(torch.cat(once)) == len(made.train) * 16 <= 160
    assert sum(len(batch[-1]) for batch in made.dev) == 40


@pytest.mark.parametrize("kind", ["classes", "values", "several", "pictures", "series", "texts"])
def test_a_sound_network_of_ours_has_no_findings(kind: str, tmp_path: Path) -> None:
    sources: dict[str, Any] = {
        "classes": lambda: program(people(), "income"),
        "values": lambda: program(values(), "price"),
        "several": lambda: program(several(), ("price", "cost")),  # type: ignore[arg-type]
        "pictures": lambda: program(pictures()),
        "series": lambda: program(series(tmp_path)),
        "texts": lambda: program(texts(tmp_path)),
    }
    made = sources[kind]()
    found = examine(**made.parts(), time_limit=40)
    assert found.codes == ()
    assert len(found.passed) >= 14
    assert not [why for why in found.not_measured.values() if "raised" in why]


def test_gaps_in_series_come_marked_in_a_channel_of_their_own(tmp_path: Path) -> None:
    made = program(series(tmp_path))
    features = torch.cat([batch[0] for batch in made.train])
    assert bool(torch.isfinite(features).all())
    assert set(features[:, 1, 10].tolist()) == {0.0, 1.0}
    assert set(features[:, 1, 9].tolist()) == {1.0}


@pytest.mark.parametrize(
    ("edits", "code"), [({}, "SY102"), ({"network.activation": "tanh", "network.periodic": "0"}, "SY404")]
)
def test_a_recipe_that_is_broken_is_found_out(edits: dict[str, str], code: str) -> None:
    frame = values().assign(a=lambda f: 5000 + 900 * f["a"])
    found = examine(
        **program(frame, "price", {"prepare.numbers": "none"} | edits).parts(), ignore=("SY2", "SY5", "SY6")
    )
    assert code in found.codes


def _gradients(model: Model, train: Dataset, dev: Dataset) -> Examination:
    """What the doctor finds about the gradients of a trained model."""
    return examine(**program_of_trained(model, train, dev, 0).parts(), ignore=("SY1", "SY2", "SY3", "SY5", "SY6"))


def test_units_that_died_in_training_are_found_in_the_trained_network() -> None:
    recipe, train, dev, problem = posed(people(), "income")
    recipe = recipe.set("network.activation", "relu").set("stopping.epochs", "3")
    model, epochs = start(recipe, train, problem, 0)
    assert len(list(epochs)) == 3
    assert "SY403" in _gradients(model, train, dev).passed
    with torch.no_grad():
        model.network.layers[0].bias -= 100.0  # type: ignore[union-attr,index,operator]
    assert "SY403" in _gradients(model, train, dev).codes


def test_the_highest_rate_and_rates_that_rise_again() -> None:
    assert peak(0.1) == 0.0
    assert peak(parse_knob("cosine(0.1, 0)")) == 0.0  # type: ignore[arg-type]
    assert 0 < peak(parse_knob("cosine(0.1, 0, warmup=0.2)")) < 0.3  # type: ignore[arg-type]
    assert not rises_again(parse_knob("cosine(0.1, 0, warmup=0.2)"))  # type: ignore[arg-type]
    assert not rises_again(0.1)
    assert rises_again(parse_knob("sgdr(0.1, 0, 4)"))  # type: ignore[arg-type]
