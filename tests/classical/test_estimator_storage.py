"""Saved models: what is not ours, damaged or foreign is refused in one line."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from steelyard.classical import Forest, Linear, Neighbors, load, save
from steelyard.errors import UserError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(Forest(trees=5).fit(X, Y, "binary", 2, 0), tmp_path)
    return tmp_path


def with_arrays(folder: Path, **changed: Any) -> None:
    save_file(load_file(folder / "estimator.safetensors") | changed, folder / "estimator.safetensors")


def with_numbers(folder: Path, **changed: Any) -> None:
    file = folder / "estimator.json"
    head = json.loads(file.read_text())
    file.write_text(json.dumps(head | {"values": head["values"] | changed}))


def test_a_model_is_one_file_of_arrays_and_one_of_numbers(folder: Path) -> None:
    assert sorted(file.name for file in folder.iterdir()) == ["estimator.json", "estimator.safetensors"]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a saved model"):
        load(tmp_path)


def test_missing_arrays_are_refused(folder: Path) -> None:
    (folder / "estimator.safetensors").unlink()
    with pytest.raises(UserError, match="damaged"):
        load(folder)


def test_a_pickle_is_refused_and_never_run(folder: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (folder / "sprung",))

    for name in ("estimator.safetensors", "estimator.json"):
        (folder / name).write_bytes(pickle.dumps(Trap()))
        with pytest.raises(UserError):
            load(folder)
    assert not (folder / "sprung").exists()


def test_a_form_that_is_not_ours_is_refused(folder: Path) -> None:
    (folder / "estimator.json").write_text('{"version": 1, "form": "os.system", "values": {}}')
    with pytest.raises(UserError, match=r"not a model of this release: 'os\.system'"):
        load(folder)


@pytest.mark.parametrize("text", ["[]", "null", '{"form": ["trees"], "version": 1}', '{"form": "trees", "version": 1}'])
def test_json_of_another_shape_is_refused(folder: Path, text: str) -> None:
    (folder / "estimator.json").write_text(text)
    with pytest.raises(UserError):
        load(folder)


def test_a_later_version_is_refused(folder: Path) -> None:
    (folder / "estimator.json").write_text('{"version": 2, "form": "trees", "values": {}}')
    with pytest.raises(UserError, match="this release reads version 1"):
        load(folder)


def test_a_truncated_file_is_refused(folder: Path) -> None:
    file = folder / "estimator.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UserError, match="damaged"):
        load(folder)


def test_a_missing_array_is_named(folder: Path) -> None:
    arrays = load_file(folder / "estimator.safetensors")
    del arrays["child"]
    save_file(arrays, folder / "estimator.safetensors")
    with pytest.raises(UserError, match="'child' is missing"):
        load(folder)


@pytest.mark.parametrize("name", ["child", "feature", "leaf", "roots", "split", "seen"])
@pytest.mark.parametrize("value", [-7, 2**30])
def test_a_pointer_that_leads_outside_is_refused(folder: Path, name: str, value: int) -> None:
    array = load_file(folder / "estimator.safetensors")[name]
    array[0] = value
    with_arrays(folder, **{name: array})
    with pytest.raises(UserError, match="leads outside"):
        load(folder)


def test_a_tree_that_runs_in_circles_is_refused(folder: Path) -> None:
    child = load_file(folder / "estimator.safetensors")["child"]
    child[2] = 0
    with_arrays(folder, child=child)
    with pytest.raises(UserError, match="leads outside"):
        load(folder)


@pytest.mark.parametrize("name", ["child", "values", "threshold"])
def test_an_array_of_another_type_is_refused(folder: Path, name: str) -> None:
    array = load_file(folder / "estimator.safetensors")[name]
    with_arrays(folder, **{name: array.astype(np.float64)})
    with pytest.raises(UserError, match="damaged"):
        load(folder)


@pytest.mark.parametrize(
    "changed", [{"per_round": 0}, {"classes": 1}, {"features": 2}, {"link": "eval"}, {"scale": []}]
)
def test_a_number_that_does_not_fit_is_refused(folder: Path, changed: dict[str, Any]) -> None:
    with_numbers(folder, **changed)
    with pytest.raises(UserError, match="damaged"):
        load(folder)


def test_a_linear_model_with_a_bias_of_another_length_is_refused(tmp_path: Path) -> None:
    save(Linear().fit(X, Y, "binary", 2, 0), tmp_path)
    with_arrays(tmp_path, bias=np.zeros(3))
    with pytest.raises(UserError, match="damaged"):
        load(tmp_path)


def test_neighbours_with_an_unknown_class_are_refused(tmp_path: Path) -> None:
    save(Neighbors().fit(X, Y, "binary", 2, 0), tmp_path)
    with_arrays(tmp_path, y=np.full(80, 2))
    with pytest.raises(UserError, match="damaged"):
        load(tmp_path)
