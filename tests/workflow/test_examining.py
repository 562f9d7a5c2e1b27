"""The doctor on runs: what it looks at, what it finds, what it proposes, what it leaves alone."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from conftest import people_command

import steelyard
from steelyard.cli import main
from steelyard.diagnosing import examine_run
from steelyard.doctor.check import checks
from steelyard.errors import UserError
from steelyard.finish.ensemble import Ensemble
from steelyard.techniques import catalogue
from steelyard.training.start import start
from steelyard.workflow.examining import RunExamination, examined
from steelyard.workflow.reopened import reopened
from steelyard.workflow.treatments import remedies_for

BUT_SIZES = ("SY1", "SY2", "SY3", "SY4", "SY50", "SY511", "SY513", "SY6")  # for what is quick
Heard = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def run(people_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of its own: its networks are trained for three epochs, and its model is a linear one."""
    return Path(shutil.copytree(people_run, tmp_path_factory.mktemp("examined") / "run"))


@pytest.fixture(scope="module")
def found(run: Path) -> RunExamination:
    return examine_run(run)


def test_the_network_of_a_run_is_found_short_of_training_and_nothing_else(found: RunExamination, run: Path) -> None:
    assert found.network == found.against == "tabular-mlp"
    assert set(found.codes) == {"SY510", "SY512"}
    assert "12 steps" in next(each.saw for each in found.findings if each.code == "SY512")
    assert {"SY201", "SY203", "SY501", "SY603", "SY607"} <= set(found.passed)
    everything = {*found.codes, *found.passed, *found.not_measured}
    assert {each.code for each in checks()} <= everything


def test_remedies_can_be_weighed_and_apply(found: RunExamination, run: Path) -> None:
    assert found.remedies[:2] == ("wider", "deeper")
    for name in found.remedies:
        assert name in catalogue() or "=" in name
    assert found.likeliest == ("wider", "deeper", "longer", "stopping.epochs=24")
    assert found.command(("longer",)) == f"steelyard weigh longer --run {run} --against tabular-mlp"
    assert "'a=f(1, 2)'" in found.command(("a=f(1, 2)",))
    assert found.to_dict()["weigh"] == found.command(found.remedies)


def test_examining_leaves_the_run_as_it_was(found: RunExamination, run: Path, people_run: Path) -> None:
    again = examined(run)
    assert (again.findings, again.passed) == (found.findings, found.passed)
    mine, theirs = steelyard.load(run), steelyard.load(people_run)
    assert mine.record == theirs.record
    assert mine.journal().openings() == theirs.journal().openings()
    assert len(mine.journal().outcomes()) == len(theirs.journal().outcomes())


def test_codes_can_be_left_out(run: Path) -> None:
    found = examine_run(run, ignore=("SY51", "SY50"))
    assert found.healthy
    assert not any(code.startswith("SY5") for code in (*found.passed, *found.not_measured))
    assert "SY501" in found.ignored


def test_a_network_in_the_model_is_looked_at_once_trained_too(run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    with reopened(copy, 0.0, jobs=1) as bench:
        outcome = next(o for o in bench.journal.outcomes() if o.trial.recipe.network is not None)
        model, epochs = start(outcome.trial.recipe, bench.pool, bench.problem, 0)
    assert len(list(epochs)) == 3
    assert model.network is not None
    Ensemble((model,), (1.0,)).save(copy / "model")
    some = ("SY1", "SY2", "SY3", "SY5", "SY6")
    assert examine_run(copy, ignore=some).codes == ()
    with torch.no_grad():
        model.network.layers[0].weight[0, 0] = torch.nan  # type: ignore[index,union-attr,operator]
    Ensemble((model,), (1.0,)).save(copy / "model")
    found = next(each for each in examine_run(copy, ignore=some).findings)
    assert found.code == "SY401"
    assert found.saw.startswith("once trained, ")
    assert found.evidence["trained"]


def test_what_was_weighed_in_vain_and_what_does_not_apply_is_no_remedy(run: Path) -> None:
    with reopened(run, 0.0, jobs=1) as bench:
        nets = [o for o in bench.journal.outcomes() if o.trial.recipe.network is not None]
        recipe = nets[0].trial.recipe
        named = remedies_for("SY403", bench, recipe, 0.8)
        assert named[0] == "network.activation=leaky-relu"
        assert remedies_for("SY403", bench, recipe.set("network.activation", "leaky-relu"), 0.8) == named[1:]
        forest = next(o.trial.recipe for o in bench.journal.outcomes() if o.trial.recipe.family == "linear")
        assert remedies_for("SY403", bench, forest, 0.8) == ()
        assert len(remedies_for("SY612", bench, recipe, 0.8)) == 4
        assert remedies_for("SY201", bench, recipe, 0.8) == ()


@pytest.fixture(scope="module")
def without(people_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose trial limit leaves no room for a network."""
    folder = tmp_path_factory.mktemp("without") / "run"
    command = people_command(people_csv, folder, "--jobs", "1", "--quiet")
    command[command.index("--trial-limit") + 1] = "10"
    assert main(command) == 0
    return folder


def test_a_run_without_a_network_is_said_and_its_predictions_are_read(without: Path, capsys: Heard) -> None:
    found = examine_run(without)
    assert found.network == ""
    assert "trained no network" in found.not_measured["SY201"]
    assert {"SY509", "SY607"} <= set(found.passed)
    capsys.readouterr()
    main(["doctor", str(without)])
    assert "trained no network: there is no training program to examine" in capsys.readouterr().out


def test_the_command_on_a_run(run: Path, tmp_path: Path, capsys: Heard) -> None:
    page = tmp_path / "found.html"
    quick = ["--ignore", ",".join(BUT_SIZES)]
    assert main(["doctor", str(run), *quick, "--html", str(page)]) == 1
    said = capsys.readouterr().out
    assert "warning SY512" in said
    assert "weigh the remedies: steelyard weigh wider deeper longer activation" in said
    assert "weigh longer" in page.read_text(encoding="utf-8")
    assert main(["doctor", str(run), *quick, "--json"]) == 1
    plain = json.loads(capsys.readouterr().out)
    assert plain["findings"][0]["remedies"][0] == "wider"
    assert set(plain) == {"findings", "passed", "not_measured", "ignored", "seconds", "run", "network", "weigh"}


def test_the_remedies_are_weighed_at_once(run: Path, capsys: Heard) -> None:
    assert (
        main(
            ["doctor", str(run), "--ignore", ",".join(("SY510", *BUT_SIZES)), "--weigh", "--time-limit", "12", "--json"]
        )
        == 1
    )
    plain = json.loads(capsys.readouterr().out)
    weighed = {each["name"] for each in plain["weighed"]["comparisons"]}
    assert weighed <= set(plain["findings"][0]["remedies"])
    assert {each["against"] for each in plain["weighed"]["comparisons"]} <= {"tabular-mlp"}


def test_what_cannot_be_examined_or_weighed_ends_with_two(tmp_path: Path, capsys: Heard) -> None:
    assert main(["doctor", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err
    program = tmp_path / "mine.py"
    program.write_text("from torch import nn\ndef setup():\n    return {'model': nn.Linear(2, 2)}\n", encoding="utf-8")
    assert main(["doctor", f"{program}:setup", "--weigh"]) == 2
    assert "--weigh needs the folder of a run" in capsys.readouterr().err
    with pytest.raises(UserError, match="holds no run"):
        examine_run(tmp_path)
