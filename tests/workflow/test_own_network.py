"""A network of one's own in every place ours fits."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import people
from own_networks import Parted, Plain
from torch import nn

import steelyard
from steelyard.cli import main
from steelyard.errors import UserError
from steelyard.networks.given import builder_of, content_of
from steelyard.networks.own import Owned
from steelyard.techniques import NotApplicable, catalogue, technique
from steelyard.training.start import start
from steelyard.workflow.ask import Ask
from steelyard.workflow.define import define
from steelyard.workflow.families import families
from steelyard.workflow.own import with_network

HERE = Path(__file__).parent
QUICK = {"stopping.epochs": 3, "estimator.trees": 8}
EPOCHS = {"stopping.epochs": 3}
WORDS = [word for knob, text in QUICK.items() for word in ("--set", f"{knob}={text}")]


def some(rows: int = 160) -> pd.DataFrame:
    """People with a ready split: every family is one training."""
    parts = np.array(["train", "train", "train", "dev", "test"])[np.arange(rows) % 5]
    return people(rows).assign(split=parts)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("data") / "people.csv"
    some().to_csv(file, index=False)
    return file


def went(source: Any, folder: Path, network: Any, jobs: int = 1, trials: int = 8, **more: Any) -> steelyard.Run:
    options = {"target": "income", "trial_limit": trials, "settings": QUICK} | more
    return steelyard.run(source, output=folder, network=network, jobs=jobs, **options)


def own(run: steelyard.Run) -> list[dict[str, Any]]:
    """The trials of the network of one's own in the journal of a run."""
    found = [each.to_dict() for each in run.journal().outcomes()]
    return [each for each in found if each["trial"]["recipe"].get("network", {}).get("kind") == "own-network"]


@pytest.fixture(scope="module")
def by_path(csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run from the command line, in which the network is the only family worth having."""
    folder = tmp_path_factory.mktemp("run") / "own"
    command = ["run", str(csv), "--target", "income", "--output", str(folder), "--network", "own_networks:build"]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        assert main([*command, "--trial-limit", "10", "--jobs", "2", "--quiet", *WORDS]) == 0
    return folder


def elsewhere(code: str, *places: Path) -> subprocess.CompletedProcess[str]:
    """Python that has not seen the network, and finds it only in those places."""
    paths = [str(Path(steelyard.__file__).parents[1]), *map(str, places)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)


# -- run, weigh, lr-range, explore ----------------------------------------------------------------------------


def test_it_runs_by_its_path_in_workers_and_is_compared_with_the_other_families(by_path: Path) -> None:
    run = steelyard.load(by_path, network="own_networks:build")
    trained = own(run)
    assert trained and all(each["status"] == "done" for each in trained)
    families = {arm.family for arm in run.record.families}
    assert "own-network" in families and "tabular-mlp" not in families and "linear" in families
    assert any("the network is own_networks:build, of your own" in note for note in run.record.notes)


def test_the_same_command_again_trains_nothing(by_path: Path, csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = len(steelyard.load(by_path).journal().outcomes())
    command = ["run", str(csv), "--target", "income", "--output", str(by_path), "--network", "own_networks:build"]
    assert main([*command, "--trial-limit", "10", "--jobs", "1", "--quiet", *WORDS]) == 0
    assert len(steelyard.load(by_path).journal().outcomes()) == before


def test_techniques_are_weighed_on_it(by_path: Path, tmp_path: Path) -> None:
    found = steelyard.weigh(
        ["mixup", "label-smoothing", "dropout"],
        by_path,
        network="own_networks:build",
        against="own-network",
        settings=EPOCHS,
        seeds=3,
        jobs=1,
        output=tmp_path,
    )
    assert isinstance(found, steelyard.Weighing)
    assert len(found["mixup"].pairs) >= 3 and len(found["label-smoothing"].pairs) >= 3
    assert found["dropout"].verdict == "not applicable"


def test_weighing_wants_the_network_named_again_and_the_same(by_path: Path) -> None:
    with pytest.raises(UserError, match="was given a network of your own"):
        steelyard.weigh("mixup", by_path)
    with pytest.raises(UserError, match="is not the one that the run was given"):
        steelyard.weigh("mixup", by_path, network="own_networks:lazy")


def test_rates_and_batches_are_tried_out_on_it(csv: Path, tmp_path: Path) -> None:
    common: dict[str, Any] = {"target": "income", "network": "own_networks:build"}
    found = steelyard.rate_range(csv, output=tmp_path / "rates", steps=40, seeds=2, **common)
    assert found.setting
    grid = steelyard.explore(csv, output=tmp_path / "grid", batch_sizes=[16, 64], epochs=[1], seeds=3, jobs=1, **common)
    assert grid.pick is not None and any("by own-network" in each.text for each in grid.said)


# -- prediction -----------------------------------------------------------------------------------------------


FINE = {"stopping.epochs": 30, "optimizer.lr": 0.01, "prepare.numbers": "standard", "estimator.trees": 8}


def saved_with(folder: Path) -> Path:
    """The folder of a run whose model on disk holds the network of one's own."""
    assert any("own-network" in file.read_text() for file in (folder / "model").rglob("model.json"))
    return folder


@pytest.fixture(scope="module")
def lasting(csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which nothing is better than the network: the target is a wave that only it knows."""
    folder = tmp_path_factory.mktemp("lasting") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        went(waves(), folder, "wave_network:build", target="y", trials=8, settings=FINE)
    return saved_with(folder)


def waves(rows: int = 400) -> pd.DataFrame:
    x = np.random.default_rng(0).uniform(-20, 20, (rows, 2))
    parts = np.array(["train", "train", "train", "dev", "test"])[np.arange(rows) % 5]
    y = np.sin(0.6 * x[:, 0]) * np.cos(0.4 * x[:, 1])
    return pd.DataFrame(x, columns=["a", "b"]).assign(y=y, split=parts)


def test_a_saved_model_imports_no_code_by_itself(lasting: Path, tmp_path: Path) -> None:
    waves(30).drop(columns="y").to_csv(tmp_path / "new.csv", index=False)
    command = ["predict", str(lasting), str(tmp_path / "new.csv")]
    code = f"""
import sys
from steelyard.cli import main
assert main({command}) == 2
assert "wave_network" not in sys.modules
sys.exit(main([*{command}, "--network", "wave_network:build"]))
"""
    done = elsewhere(code, HERE)
    assert "whose code a saved model does not hold: name it, as --network wave_network:build" in done.stderr
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 31, done.stderr


def test_named_again_it_predicts_what_the_run_predicts(lasting: Path) -> None:
    import wave_network

    rows = waves(50).drop(columns="y")
    one = steelyard.load(lasting, network="wave_network:build").predict(rows)
    assert np.array_equal(one, steelyard.load(lasting, network=wave_network.build).predict(rows))
    assert np.abs(one - waves(50)["y"]).mean() < 0.5


def test_code_that_has_changed_since_training_is_said(lasting: Path) -> None:
    import wave_network

    class Wave(wave_network.Wave):
        pass

    notes = [
        steelyard.load(lasting, network=network).predict_frame(waves(5)).attrs["notes"]
        for network in (wave_network.build, lambda shape, outputs: Wave(shape.width, outputs))
    ]
    assert [any("code of the network" in note for note in each) for each in notes] == [False, True]


def test_another_network_than_the_trained_one_is_refused(lasting: Path) -> None:
    with pytest.raises(UserError, match="are those of another network than the one named"):
        steelyard.load(lasting, network=partial(Plain, 2, 1)).predict(waves(5))


# -- objects --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_module_is_the_starting_point_of_every_training_and_stays_as_it_is(tmp_path: Path, jobs: int) -> None:
    torch.manual_seed(0)
    module = Plain(shape_of(some()), 2)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    run = went(some(), tmp_path / "run", module, jobs, trials=8)
    trained = own(run)
    assert trained and all(each["status"] == "done" for each in trained), [each["message"] for each in trained]
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert any("every training from the weights it has" in note for note in run.record.notes)
    assert len(run.predict(some(20).drop(columns="income"))) == 20


def shape_of(frame: pd.DataFrame) -> int:
    from steelyard.data.prepare import TablePreparation
    from steelyard.data.source import read

    return TablePreparation().fit(read(frame, "income")).shape.width


def test_code_that_no_other_process_can_import_is_trained_in_this_one(tmp_path: Path) -> None:
    class Inside(nn.Module):
        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__()
            self.layer = nn.Linear(inputs, outputs)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x)

    run = went(some(), tmp_path / "run", lambda shape, outputs: Inside(shape.width, outputs), jobs=2)
    assert own(run) and all(each["status"] == "done" for each in own(run))


def test_the_same_bits_come_out_in_this_process_and_in_a_worker(csv: Path, tmp_path: Path) -> None:
    import own_networks

    here = went(csv, tmp_path / "here", lambda shape, outputs: own_networks.build(shape, outputs), trials=8)
    there = went(csv, tmp_path / "there", own_networks.build, trials=8)
    first, second = (own(run) for run in (here, there))
    assert first and [each["curve"] for each in first] == [each["curve"] for each in second]


def test_a_time_limit_cuts_what_is_trained_in_this_process(tmp_path: Path) -> None:
    slow = {"stopping.epochs": 100_000}
    run = went(
        some(),
        tmp_path / "run",
        lambda shape, outputs: nn.Linear(shape.width, outputs),
        trials=None,
        time_limit=8,
        settings=slow | {"estimator.trees": 8},
    )
    assert run.record.seconds < 20
    assert run.record.finished


# -- modalities -----------------------------------------------------------------------------------------------


def test_images_come_standardised_and_values_may_be_a_vector(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 120, (120, 8, 8, 3)) + 100 * (np.arange(120) % 2)[:, None, None, None]
    seen: list[torch.Tensor] = []

    class Looking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(192, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.detach())
            return self.layer(x.flatten(1)).squeeze(1)

    target = images.mean((1, 2, 3))
    run = went((images.astype(np.uint8), target), tmp_path / "run", Looking, trials=31, target=None)
    assert own(run) and all(each["status"] == "done" for each in own(run))
    largest = max(seen, key=len)
    assert largest.shape[1:] == (3, 8, 8) and largest.dtype == torch.float32
    assert abs(float(largest.mean())) < 0.3 and 0.7 < float(largest.std()) < 1.3


def test_a_convolutional_network_starts_with_adam_w_and_is_augmented() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 120, (60, 8, 8)) + 100 * (np.arange(60) % 2)[:, None, None]
    dataset, problem = posed((images.astype(np.uint8), np.array(["dark", "light"])[np.arange(60) % 2]), None)
    ask, _ = with_network(Ask(None, network="own_networks:pictures"), dataset, problem)
    recipe = families(problem, dataset.schema, 60, ask.choices)[-1]
    assert recipe.family == "own-network" and recipe.get("optimizer") == "adam-w"
    flipped = technique("flips")().apply(recipe.set("stopping.epochs", 2), problem)
    assert isinstance(flipped, steelyard.Recipe)
    model, epochs = start(flipped, dataset, problem, 0)
    assert len(list(epochs)) == 2 and np.isfinite(model.predict(dataset)).all()


def test_numbers_and_codes_come_apart_where_a_forward_takes_two() -> None:
    dataset, problem = posed(some(), "income")
    ask, _ = with_network(Ask(None, network="own_networks:parted"), dataset, problem)
    recipe = families(problem, dataset.schema, 160, ask.choices)[-1].set("stopping.epochs", 2)
    model, epochs = start(recipe, dataset, problem, 0)
    assert len(list(epochs)) == 2
    assert isinstance(model.network, Owned)
    numbers, codes = (torch.from_numpy(each) for each in model.prepared.transform(dataset))
    features = model.network.encode(numbers, codes)
    assert torch.equal(list(model.network._arguments(features))[1], codes)
    blended = list(model.network._arguments(features[:1].lerp(features, 0.7)))[1]  # the larger share decides
    assert torch.equal(blended, codes)


def posed(source: Any, target: str | None) -> tuple[Any, Any]:
    return define(Ask(source, target))


# -- every technique ------------------------------------------------------------------------------------------


def test_every_technique_applies_or_says_why_not(by_path: Path) -> None:
    run = steelyard.load(by_path)
    recipe = steelyard.Recipe.from_dict(own(run)[0]["trial"]["recipe"])
    answers = {name: kind().apply(recipe, run.record.problem) for name, kind in catalogue().items()}
    applied = {name for name, answer in answers.items() if not isinstance(answer, NotApplicable)}
    assert {"mixup", "label-smoothing", "adam", "sgd-momentum", "ema", "one-cycle", "longer", "sam"} <= applied
    for name, kind in catalogue().items():
        if kind.place() == "network":
            assert name not in applied, name


# -- mistakes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("own_networks", "network is the path of code to import, as mypackage.module:build"),
        ("nowhere.at_all:build", "there is no module 'nowhere'"),
        ("own_networks:biuld", "has no 'biuld'; did you mean 'build'"),
        ("own_networks:NOTHING", "is int: expected a torch.nn.Module"),
        ("own_networks:number", "gave int: expected a torch.nn.Module"),
        ("own_networks:broken", "own_networks:broken failed: ValueError: no such layer"),
        ("own_networks:three", r"takes \(a, b, c\): expected \(shape, outputs\), or nothing"),
        ("own_networks:wide", r"gives \(2, 9\) of torch.float32 for 2 rows: expected \(2, 2\) logits"),
        ("own_networks:narrow", r"cannot take a matrix \(n, \d+\): mat1 and mat2"),
        ("own_networks:weightless", "has no weights that can be learnt"),
        (3, "got int"),
    ],
)
def test_a_network_that_does_not_fit_is_said_before_anything_is_written(
    csv: Path, tmp_path: Path, network: Any, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        went(csv, tmp_path / "run", network)
    assert not (tmp_path / "run").exists()


def test_a_module_that_fails_when_it_is_imported_is_said_in_one_line(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shaky.py").write_text("raise RuntimeError('no licence')\n")
    monkeypatch.chdir(tmp_path)  # one's own code lies in the working directory
    assert main(["run", str(csv), "--target", "income", "--network", "shaky:build"]) == 2
    assert capsys.readouterr().err == "steelyard: 'shaky:build' cannot be imported: RuntimeError: no licence\n"


# -- what it is -----------------------------------------------------------------------------------------------


def test_other_code_or_other_weights_are_another_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    text = "from torch import nn\ndef build():\n    return nn.Linear(2, {0})\n# {1}\n"
    found = []
    for name, numbers in {"one_net": (2, 0), "two_net": (2, 1), "same_net": (2, 0)}.items():
        (tmp_path / f"{name}.py").write_text(text.format(*numbers))
        builder = builder_of(f"{name}:build")
        found.append(content_of(builder, builder(None, 2)))
    assert found[0] == found[2] != found[1]
    torch.manual_seed(0)
    modules = [nn.Linear(2, 2), nn.Linear(2, 2)]
    contents = [content_of(builder_of(module), module) for module in [*modules, modules[0]]]
    assert contents[0] == contents[2] != contents[1]


def test_a_changed_network_is_trained_anew(tmp_path: Path) -> None:
    counts = []
    for width in (4, 4, 8):
        made = partial(lambda shape, outputs, width: Plain(shape.width, outputs, width), width=width)
        run = went(some(), tmp_path / "run", made)
        counts.append(len(own(run)))
    assert counts[0] == counts[1] < counts[2]


def test_the_module_is_called_with_what_it_asks_for_by_name() -> None:
    assert isinstance(builder_of(partial(Plain, 3, 2))(None, 2), Plain)
    made = builder_of("own_networks:parted")(type("Shape", (), {"numbers": 1, "cardinalities": (3,)}), 4)
    assert isinstance(made, Parted) and made.last.out_features == 4


def test_the_record_of_a_run_names_it(by_path: Path) -> None:
    asked = steelyard.load(by_path).journal().fact("ask")
    assert asked["network"]["by"] == "own_networks:build"
    assert json.dumps(asked)
