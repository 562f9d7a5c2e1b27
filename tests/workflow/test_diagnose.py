"""The diagnosis of a finished run: what it says, what it leaves behind, what it refuses."""

import json
import shutil
from pathlib import Path

import pytest

import steelyard
from steelyard.cli import main
from steelyard.errors import UserError
from steelyard.workflow.diagnose import PARTS

ALL = ",".join(PARTS)


@pytest.fixture(scope="module")
def run(people_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of its own, since a diagnosis lies in it."""
    return Path(shutil.copytree(people_run, tmp_path_factory.mktemp("diagnosed") / "run"))


@pytest.fixture(scope="module")
def diagnosed(run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, steelyard.Diagnosis]:
    place = tmp_path_factory.mktemp("elsewhere")
    found = steelyard.diagnose(run, human=0.02, seconds=8.0, output=place)
    return place, found


def test_every_part_is_measured_or_says_why_not(diagnosed: tuple[Path, steelyard.Diagnosis]) -> None:
    found = diagnosed[1]
    reasons = dict(found.skipped)
    for name in PARTS:
        assert getattr(found, name) is not None or reasons[name]
    assert found.human is not None
    assert [level.name for level in found.errors.levels][:1] == ["human level"]
    assert {"train", "dev", "test"} <= {level.name for level in found.errors.levels}


def test_remedies_apply_treat_the_likeliest_part_and_can_be_weighed(
    diagnosed: tuple[Path, steelyard.Diagnosis], run: Path
) -> None:
    for remedy in diagnosed[1].remedies:
        assert remedy.command == f"steelyard weigh {remedy.technique} --run {run}"
    hopes = [(each.gain + 0.5 * each.spread) / each.time_ratio for each in diagnosed[1].remedies]
    assert hopes == sorted(hopes, reverse=True)


def test_the_page_and_the_record_lie_in_the_folder(diagnosed: tuple[Path, steelyard.Diagnosis]) -> None:
    place, found = diagnosed
    page = (place / "diagnosis.html").read_text(encoding="utf-8")
    assert "What holds the model back" in page
    assert "Where the error comes from" in page
    assert json.loads((place / "diagnosis.json").read_text(encoding="utf-8"))["errors"]["unit"] == found.errors.unit


def test_a_run_knows_its_last_diagnosis(run: Path) -> None:
    known = steelyard.load(run)
    assert known.record.errors is not None
    assert known.diagnosis.errors.unit == known.record.errors.unit  # before: the table of the run itself
    found = steelyard.diagnose(known, human=0.05, skip=PARTS)
    assert known.diagnosis == found
    assert known.diagnosis.errors.level("human level") is not None


def test_a_broken_record_is_said_and_not_guessed(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    (copy / "diagnosis").mkdir(exist_ok=True)
    (copy / "diagnosis" / "diagnosis.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="is not a diagnosis"):
        _ = steelyard.load(copy).diagnosis


def test_the_command_prints_one_json_object(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", str(run), "--skip", ALL, "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["errors"]["dominant"]
    assert found["growth"] is None


def test_the_command_shows_the_table_and_the_verdict(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", str(run), "--skip", ALL, "--human-error", "0.02", "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "human level" in said
    assert "diagnosis.html" in said


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--skip", "shifts"], "no part 'shifts' to skip; did you mean 'shift'"),
        (["--human-error", "1.5"], "rate from 0 to 1"),
        (["--annotators", "nobody.csv"], "nobody.csv"),
    ],
)
def test_a_wrong_word_is_said_in_one_line(
    run: Path, more: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diagnose", str(run), "--quiet", *more]) == 2
    assert words in capsys.readouterr().err.replace("\n", " ")


def test_the_page_of_the_run_names_the_pages_beside_it(run: Path) -> None:
    main(["diagnose", str(run), "--skip", ALL, "--quiet", "--json"])
    page = (run / "report.html").read_text(encoding="utf-8")
    assert '<a href="diagnosis/diagnosis.html">What holds the model back</a>' in page
