"""ARFF: dense and sparse, quoted and broken, against scipy's reader where that can read it."""

import io
from pathlib import Path

import numpy as np
import pytest
from scipy.io import arff as scipy_arff

from steelyard.data.arff import parse
from steelyard.data.source import read
from steelyard.errors import UserError

DENSE = """% a comment
@relation 'weather today'
@attribute outlook {sunny, 'over cast', rainy}
@attribute 'the temperature' real
@attribute humidity NUMERIC
@ATTRIBUTE play {yes,no}

@data
sunny, 85.5, 85, no
% another
'over cast',?,78,yes
rainy,70,96,?
"""
SPARSE = """@relation words
@attribute apple numeric
@attribute "big pear" numeric
@attribute kind {fruit,nut}
@data
{0 1.5, 2 nut}
{}
{1 2}
"""


def test_a_dense_file_has_numbers_and_texts_and_gaps() -> None:
    frame = parse(DENSE.encode(), "weather.arff")
    assert list(frame.columns) == ["outlook", "the temperature", "humidity", "play"]
    assert frame["outlook"].tolist() == ["sunny", "over cast", "rainy"]
    assert frame["the temperature"].tolist()[::2] == [85.5, 70]
    assert np.isnan(frame["the temperature"][1])
    assert frame["play"].tolist() == ["no", "yes", None]


def test_a_dense_file_reads_as_scipy_reads_it() -> None:
    text = DENSE.replace("'weather today'", "weather").replace("'over cast'", "overcast")
    theirs, _ = scipy_arff.loadarff(io.StringIO(text))
    ours = parse(text.encode(), "weather.arff")
    assert ours["outlook"].tolist() == [value.decode() for value in theirs["outlook"]]
    assert np.array_equal(ours["the temperature"], theirs["the temperature"], equal_nan=True)


def test_a_sparse_row_leaves_out_zeros_and_first_values() -> None:
    frame = parse(SPARSE.encode(), "words.arff")
    assert frame.to_numpy().tolist() == [[1.5, 0, "nut"], [0, 0, "fruit"], [0, 2, "fruit"]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "line 1: expected @attribute or @data, got 'a,b'"),
        ("@relation x\n@attribute a numeric\n", "is cut off: there is no line @data"),
        ("@relation x\n@data\n1\n", "no @attribute before @data"),
        ("@attribute a numeric\n@data\n", "has no rows"),
        ("@attribute a numeric\n@data\n1,2\n", "line 3: expected 1 values, got 2"),
        ("@attribute a numeric\n@data\nx\n", "attribute 'a' is numeric, but holds 'x'"),
        ("@attribute a {u,v}\n@data\nw\n", "'w' is none of the values that @attribute 'a' names"),
        ("@attribute a {u,v\n@data\nu\n", "are not closed"),
        ("@attribute a colour\n@data\nu\n", "has no known type"),
        ("@attribute a relational\n@data\nu\n", "is relational"),
        ("@attribute a\n@data\nu\n", "expected @attribute NAME TYPE"),
        ("@attribute a numeric\n@data\n{3 1}\n", "cannot read '3 1' of a sparse row"),
        ("@attribute a numeric\n@data\n{0 1}\n1\n", "line 4: expected a sparse row"),
        ("\0\1\2", "is binary"),
        ("@attribute a numeric\n@attribute a numeric\n@data\n1,2\n", "more than one column named 'a'"),
    ],
)
def test_a_broken_file_is_an_error_that_says_where(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.arff"
    file.write_text(text)
    with pytest.raises(UserError, match=said.replace("(", r"\(")):
        read(file, "a")


def mulan(folder: Path, labels: str = '<label name="sad"/><label name="happy &amp; glad"></label>') -> Path:
    rows = "\n".join(f"{k},{k % 3},{int(k % 2 == 0)},{int(k % 3 == 0)}" for k in range(30))
    head = "@relation m\n@attribute x numeric\n@attribute z numeric\n@attribute sad {0,1}\n"
    (folder / "m-train.arff").write_text(f"{head}@attribute 'happy & glad' {{0,1}}\n@data\n{rows}\n")
    (folder / "m.xml").write_text(f'<?xml version="1.0"?><labels xmlns="x">{labels}</labels>')
    return folder / "m-train.arff"


def test_the_labels_that_mulan_names_beside_the_file_are_the_targets(tmp_path: Path) -> None:
    dataset = read(mulan(tmp_path), None)
    assert [head.name for head in dataset.heads] == ["sad", "happy & glad"]
    assert "the targets are the 2 labels that m.xml names" in dataset.notes
    assert read(mulan(tmp_path), "z").task == "multiclass"


def test_a_label_that_is_no_column_is_an_error_unless_targets_are_named(tmp_path: Path) -> None:
    source = mulan(tmp_path, '<label name="angry"/>')
    with pytest.raises(UserError, match=r"m.xml names the label 'angry', which m-train.arff lacks: name the targets"):
        read(source, None)
    assert read(source, ["sad", "happy & glad"]).task == "multilabel"


def test_without_an_xml_file_a_target_must_be_named(tmp_path: Path) -> None:
    source = mulan(tmp_path)
    (tmp_path / "m.xml").unlink()
    with pytest.raises(UserError, match="name the column to predict as target"):
        read(source, None)
