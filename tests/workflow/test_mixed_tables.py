"""Tables with texts and images in them, from the source to predictions on new rows."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import steelyard
from steelyard.data.prepare_mixed import FittedMixed, MixedPreparation
from steelyard.data.prepared import MixedShape, TableShape, TextShape
from steelyard.data.source import read, read_like
from steelyard.networks.mixed import Mixed
from steelyard.parts import part_kind
from steelyard.recipe import Recipe
from steelyard.techniques import technique
from steelyard.training.model import load
from steelyard.training.start import start
from steelyard.workflow.ask import Ask
from steelyard.workflow.define import define
from steelyard.workflow.families import families

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
from mixed_tables import houses

ROWS, LEARNT = 320, 240


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("houses")
    houses(place, ROWS)
    return place


def plain(source: Any, exclude: tuple[str, ...] = ()) -> tuple[Any, Any, Recipe]:
    """A data set, its problem, and the plain recipe of its network with small branches and few epochs."""
    dataset, problem = define(Ask(source, "dear", exclude=exclude))
    recipe = families(problem, dataset.schema, LEARNT)[-1]
    small = {"network.table.width": 32, "network.image.width": 8, "network.text.embedding": 16, "stopping.epochs": 6}
    for path, value in small.items():
        recipe = recipe.set(path, value) if path in recipe.knobs() else recipe
    return dataset, problem, recipe


def accuracy(source: Any, exclude: tuple[str, ...] = ()) -> float:
    dataset, problem, recipe = plain(source, exclude)
    model, epochs = start(recipe.set("stopping.epochs", 60), dataset.take(np.arange(LEARNT)), problem, 0)
    list(epochs)
    rows = np.arange(LEARNT, ROWS)
    return float((model.predict(dataset.take(rows)).argmax(1) == dataset.target[rows]).mean())


def test_every_branch_adds_to_what_the_network_knows(folder: Path) -> None:
    whole = accuracy(folder / "houses.csv")
    without = [accuracy(folder / "houses.csv", exclude) for exclude in (("size", "region"), ("words",), ("photo",))]
    assert whole > 0.87 and all(other < whole - 0.08 for other in without), (whole, without)


def test_the_knobs_of_branches_are_those_of_their_parts(folder: Path) -> None:
    _, _, recipe = plain(folder / "houses.csv")
    assert recipe.family == "mixed-network"
    changed = recipe.set("network.text.pooling", "attention").set("prepare.image.size", 6)
    assert changed.get("network.text.pooling") == "attention" and changed.get("prepare.image.size") == 6
    assert Recipe.from_toml(changed.to_toml()) == changed
    assert part_kind("mixed-network").read(recipe.network.plain()) == recipe.network


def test_a_scheduled_rate_inside_of_a_branch_moves(folder: Path) -> None:
    dataset, _, recipe = plain(folder / "houses.csv")
    recipe = recipe.set("network.text.dropout", "linear(0.5, 0)").set("network.modality_dropout", 0.25)
    assert recipe.network is not None and recipe.network.moves
    network = recipe.network.build(recipe.prepare.fit(dataset).shape, 2)
    recipe.network.turn(network, 0.5)
    assert isinstance(network, Mixed)
    rates = {name: layer.p for name, layer in network.named_modules() if hasattr(layer, "p") and hasattr(layer, "knob")}
    assert rates["branches.text.dropout"] == 0.25 and rates["left_out.image"] == 0.25
    assert rates["branches.image.dropout"] == 0.0


def test_each_kind_is_prepared_as_it_would_be_alone_and_restored(folder: Path) -> None:
    dataset, _, recipe = plain(folder / "houses.csv")
    prepared = recipe.prepare.fit(dataset)
    assert isinstance(prepared, FittedMixed) and isinstance(prepared.shape, MixedShape)
    assert prepared.shape.names == ("table", "text", "image")
    numbers, codes, ids, images = prepared.transform(dataset)
    assert numbers.shape == (ROWS, 1) and codes.shape == (ROWS, 1) and images.shape == (ROWS, 3, 12, 12)
    assert ids.dtype == np.int64
    again = MixedPreparation.restored(prepared.to_dict())
    assert again.shape == prepared.shape
    assert all(map(np.array_equal, again.transform(dataset), prepared.transform(dataset)))
    assert prepared.matrix(dataset).shape[0] == ROWS


def test_missing_texts_and_images_are_marked_and_predicted_on(tmp_path: Path) -> None:
    frame = houses(tmp_path, ROWS, missing=0.2)
    dataset, problem, recipe = plain(tmp_path / "houses.csv")
    shape = recipe.prepare.fit(dataset).shape
    table = shape.branches[0]
    assert isinstance(table, TableShape) and table.numbers == 1 + 1 + 1  # size, photo, photo missing
    model, epochs = start(recipe, dataset, problem, 0)
    list(epochs)
    rows = frame.drop(columns="dear").iloc[:8].assign(words=None)
    rows.loc[2:, "photo"] = "photos/nowhere.png"
    rows.loc[4:, ["size", "region"]] = None
    rows.to_csv(tmp_path / "new.csv", index=False)
    new = read_like(tmp_path / "new.csv", dataset.schema, dataset.classes)
    predicted = model.predict(new)
    alone = read_like(rows.iloc[4:5], dataset.schema, dataset.classes)  # not one image that is there
    assert np.allclose(model.predict(alone), predicted[4:5], atol=1e-5)
    assert predicted.shape == (8, 2) and np.isfinite(predicted).all()
    assert any("cannot be read" in note for note in new.notes)


def test_texts_and_images_without_a_table_make_two_branches(folder: Path) -> None:
    dataset, problem, recipe = plain(folder / "houses.csv", ("size", "region"))
    shape = recipe.prepare.fit(dataset).shape
    assert shape.names == ("text", "image") and isinstance(shape.branches[0], TextShape)
    model, epochs = start(recipe.set("stopping.epochs", 1), dataset, problem, 0)
    list(epochs)
    assert np.isfinite(model.predict(dataset)).all()


def test_mixup_and_modality_dropout_train_and_the_model_survives_disk(folder: Path, tmp_path: Path) -> None:
    dataset, problem, recipe = plain(folder / "houses.csv")
    for name in ("mixup", "modality-dropout"):
        changed = technique(name)().apply(recipe.set("stopping.epochs", 2), problem)
        assert isinstance(changed, Recipe)
        model, epochs = start(changed, dataset, problem, 0)
        list(epochs)
        model.save(tmp_path / name)
        assert np.array_equal(load(tmp_path / name).predict(dataset), model.predict(dataset))


def test_branches_left_out_are_left_out_whole(folder: Path) -> None:
    dataset, _, recipe = plain(folder / "houses.csv")
    prepared = recipe.prepare.fit(dataset)
    torch.manual_seed(0)
    network = recipe.set("network.modality_dropout", 0.5).network.build(prepared.shape, 2)
    features = network.encode(*(torch.from_numpy(array) for array in prepared.transform(dataset)))
    pieces = features.split([norm.normalized_shape[0] for norm in network.norms.values()], dim=1)
    shares = [float((piece == 0).all(dim=1).float().mean()) for piece in pieces]
    assert len(shares) == 3 and all(0.35 < share < 0.65 for share in shares), shares


def test_a_run_on_a_mixed_table_predicts_on_new_rows(folder: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(folder / "houses.csv").iloc[:150]
    parts = np.array(["train", "train", "train", "dev", "test"])[np.arange(len(frame)) % 5]
    frame.assign(split=parts).to_csv(folder / "some.csv", index=False)
    settings = {"stopping.epochs": 20, "estimator.trees": 8, "network.image.width": 4}
    run = steelyard.run(folder / "some.csv", "dear", output=tmp_path / "run", trial_limit=9, settings=settings, jobs=1)
    assert {arm.family for arm in run.record.families} >= {"mixed-network", "linear", "forest"}
    assert run.record.problem.modality == "mixed"
    predicted = run.predict_frame(folder / "some.csv")
    assert len(predicted) == 150 and "file" not in predicted
    assert (predicted["prediction"] == frame["dear"]).mean() > 0.7
    assert (tmp_path / "run" / "report.html").exists()


def test_a_table_of_image_paths_runs_as_images_do(folder: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(folder / "houses.csv").iloc[:150]
    parts = np.array(["train", "train", "train", "dev", "test"])[np.arange(len(frame)) % 5]
    bright = np.where([read_light(folder / name) > 130 for name in frame["photo"]], "light", "dark")
    pd.DataFrame({"photo": frame["photo"], "look": bright, "split": parts}).to_csv(folder / "looks.csv", index=False)
    (folder / "photos" / "7.png").rename(folder / "photos" / "seven.png")
    settings = {"stopping.epochs": 2, "estimator.trees": 8, "network.width": 4}
    try:
        run = steelyard.run(
            folder / "looks.csv", "look", output=tmp_path / "run", trial_limit=7, settings=settings, jobs=1
        )
        predicted = run.predict_frame(folder / "looks.csv")
    finally:
        (folder / "photos" / "seven.png").rename(folder / "photos" / "7.png")
    assert run.record.problem.modality == "image"
    assert len(predicted) == 150 and predicted["prediction"].isna().tolist() == [row == 7 for row in range(150)]
    assert (predicted["prediction"] == bright).mean() > 0.9


def read_light(file: Path) -> float:
    from PIL import Image

    return float(np.asarray(Image.open(file)).mean())


def test_a_network_of_ones_own_gets_the_kinds_one_after_another(folder: Path) -> None:
    from steelyard.networks.given import builder_of
    from steelyard.networks.own import fitted

    dataset, _, recipe = plain(folder / "houses.csv")
    prepared = recipe.prepare.fit(dataset)

    class Three(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = torch.nn.LazyLinear(2)

        def forward(self, table: torch.Tensor, ids: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
            assert ids.dtype == torch.int64 and images.shape[1:] == (3, 12, 12)
            return self.last(torch.cat([table, (ids > 0).float(), images.flatten(1)], dim=1))

    owned = fitted(builder_of(Three), prepared.shape, 2)
    inputs = [torch.from_numpy(array) for array in prepared.transform(dataset)]
    seen = list(owned._arguments(owned.encode(*inputs)))
    assert torch.equal(seen[1], inputs[2])
    assert owned(owned.encode(*inputs)).shape == (ROWS, 2)


def test_the_source_is_said_to_be_mixed(folder: Path) -> None:
    dataset = read(folder / "houses.csv", "dear")
    kinds = {column.name: column.kind for column in dataset.schema.columns}
    assert kinds == {"size": "number", "words": "text", "photo": "image", "region": "category"}
