"""`steelyard duplicates`: every group with where it lies, from Python and from the command line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import datasets as bundled

import steelyard
from steelyard.cli import main
from steelyard.diagnosis.duplicates import Duplicates
from steelyard.records import from_plain

Heard = pytest.CaptureFixture[str]


def wine() -> pd.DataFrame:
    frame: pd.DataFrame = bundled.load_wine(as_frame=True).frame
    return frame.assign(target=np.array(["a", "b", "c"])[frame["target"]])


def planted() -> pd.DataFrame:
    """Wine with row 1 again as 179, and row 2, but for noise and with another label, as 180."""
    frame = wine()
    noisy = frame.iloc[[1]].assign(alcohol=frame["alcohol"][1] + 1e-5, hue=frame["hue"][1] - 1e-6, target="c")
    noisy["ash"] += 1e-5
    return pd.concat([frame, frame.iloc[[0]], noisy], ignore_index=True)


def test_every_group_is_listed_with_its_rows_and_labels(tmp_path: Path) -> None:
    found = steelyard.duplicates(planted(), "target", output=tmp_path)
    groups = [(group.kind, [twin.origin for twin in group.twins], group.torn) for group in found.groups]
    assert groups == [("near", ["2", "180"], True), ("exact", ["1", "179"], False)]
    assert (found.rows, found.exact, found.near, found.torn, found.crossing) == (180, 2, 2, 1, 0)


def test_without_a_target_every_column_counts(tmp_path: Path) -> None:
    frame = planted()
    frame.loc[178, "target"] = "b"
    found = steelyard.duplicates(frame, output=tmp_path)
    assert found.groups == ()


def test_rows_that_are_in_a_second_source_too_are_said_to_cross(tmp_path: Path) -> None:
    frame = planted()
    found = steelyard.duplicates(frame.iloc[:178], "target", test=frame.iloc[170:], output=tmp_path)
    assert found.crossing == 10 and all(group.crosses for group in found.groups)
    assert found.groups[0].twins[1].origin.startswith("test ") and found.groups[0].torn
    page = (tmp_path / "duplicates.html").read_text(encoding="utf-8")
    assert "10 test rows are found among the others, too" in page and "train and test" in page


def test_clean_data_gives_no_group(tmp_path: Path) -> None:
    found = steelyard.duplicates(wine(), "target", output=tmp_path)
    assert found.groups == () and (found.exact, found.near) == (0, 0)
    assert "None of 178 rows is the same" in (tmp_path / "duplicates.html").read_text(encoding="utf-8")


def test_repeats_of_coarse_columns_are_taken_as_coincidence(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"a": random.integers(0, 3, 200), "b": random.integers(0, 2, 200), "y": random.normal(size=200)}
    )
    found = steelyard.duplicates(frame, "y", output=tmp_path)
    assert found.groups == () and "taken as coincidence" in found.notes[0]


def pictures(folder: Path) -> Path:
    """40 photographs in two classes; b/c.jpg is a/0.png stored anew, b/0.png the bytes of a/1.png."""
    random = np.random.default_rng(0)
    for number in range(40):
        coarse = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        file = folder / "ab"[number >= 20] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        coarse.resize((40, 40), Image.Resampling.BICUBIC).save(file)
    Image.open(folder / "a" / "0.png").save(folder / "b" / "c.jpg", quality=80)
    (folder / "b" / "0.png").write_bytes((folder / "a" / "1.png").read_bytes())
    return folder


def test_images_are_named_by_their_files(tmp_path: Path) -> None:
    found = steelyard.duplicates(pictures(tmp_path / "pictures"), output=tmp_path / "out")
    groups = {tuple(twin.origin for twin in group.twins): (group.kind, group.torn) for group in found.groups}
    assert groups == {("a/0.png", "b/c.jpg"): ("near", True), ("a/1.png", "b/0.png"): ("exact", True)}


def test_images_without_class_folders_are_compared_as_well(tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in pictures(tmp_path / "pictures").rglob("*.*"):
        file.rename(flat / f"{file.parent.name}-{file.name}")
    found = steelyard.duplicates(flat, output=tmp_path / "out")
    assert [len(group.twins) for group in found.groups] == [2, 2] and found.torn == 0


def test_the_command_shows_the_groups_and_json_is_the_record(tmp_path: Path, capsys: Heard) -> None:
    planted().to_csv(tmp_path / "wine.csv", index=False)
    command = ["duplicates", str(tmp_path / "wine.csv"), "--target", "target", "--output", str(tmp_path / "out")]
    assert main(command) == 0
    heard = capsys.readouterr()
    for words in ("2, 180", "near", "2 of 180 rows equal another one, 2 nearly do", "duplicates.html"):
        assert words in heard.out
    assert main([*command, "--json", "--quiet"]) == 0
    heard = capsys.readouterr()
    found = from_plain(json.loads(heard.out), Duplicates)
    assert heard.err == "" and len(found.groups) == 2
    assert json.loads((tmp_path / "out" / "duplicates.json").read_text()) == json.loads(heard.out)


def test_names_from_the_data_do_not_run_in_the_page(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    frame = planted().replace({"target": {"c": evil}})
    steelyard.duplicates(frame, "target", output=tmp_path)
    assert evil not in (tmp_path / "duplicates.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--target", "tarket"], "did you mean 'target'"),
        (["--exclude", "hue"], "--exclude goes with --target"),
        (["--test", "nowhere.csv"], "there is no file or folder"),
        (["--target", "target", "--exclude", "hu"], "cannot exclude 'hu'"),
    ],
)
def test_a_wrong_option_gets_one_clear_line(options: list[str], words: str, tmp_path: Path, capsys: Heard) -> None:
    wine().to_csv(tmp_path / "wine.csv", index=False)
    assert main(["duplicates", str(tmp_path / "wine.csv"), "--quiet", *options]) == 2
    heard = capsys.readouterr()
    assert heard.out == "" and heard.err.count("\n") == 1 and words in heard.err


def test_a_source_of_one_row_and_one_that_is_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("a,b\n1,2\n")
    for source, words in ((tmp_path / "one.csv", "nothing to compare"), (tmp_path / "two.csv", "there is no file")):
        with pytest.raises(steelyard.UserError, match=words):
            steelyard.duplicates(source, output=tmp_path / "out")
