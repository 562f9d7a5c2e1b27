"""What mistakes cost: from a file or a dict to a matrix in the order of the classes."""

from pathlib import Path
from typing import Any

import pytest

from steelyard.data.costs import cost_matrix, read_costs
from steelyard.errors import UserError

CLASSES = ("ant", "bee")
GIVEN = {"bee": {"bee": 0, "ant": 5}, "ant": {"ant": -1, "bee": 1.5}}


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "costs.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_costs_come_in_the_order_of_the_classes_true_ones_down() -> None:
    assert cost_matrix(GIVEN, CLASSES) == ((-1.0, 1.5), (5.0, 0.0))


@pytest.mark.parametrize(
    "text",
    [
        "true,bee,ant\nbee,0,5\nant,1.5,-1\n",
        "\ufeff;ant;bee\r\n\r\nant;-1;1.5\r\nbee;5;0",
        '\tant\tbee\nant\t-1\t1.5\n"bee"\t5\t0',
    ],
)
def test_a_file_says_the_same_as_a_dict(text: str, tmp_path: Path) -> None:
    assert cost_matrix(read_costs(written(tmp_path, text)), CLASSES) == cost_matrix(GIVEN, CLASSES)


def test_classes_are_named_as_the_target_is_read() -> None:
    zero, one = {0: 1, 1.0: 2}, {"0": 3, "1.0": 4}
    assert cost_matrix({0: zero, "1": one}, ("0", "1")) == ((1.0, 2.0), (3.0, 4.0))
    assert cost_matrix({False: {False: 0, True: 1}, True: {False: 1, True: 0}}, ("False", "True"))[0] == (0.0, 1.0)
    assert cost_matrix({"01": {"01": 0, "2": 1}, "2": {"01": 1, "2": 0}}, ("01", "2"))[1] == (1.0, 0.0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (GIVEN | {"beee": {}}, "'beee' among the true classes, which is no class; did you mean 'bee'"),
        (GIVEN | {"ant": {"ant": 0, "bee": 1, "cat": 1}}, "'cat' among the predicted classes where 'ant' is true"),
        ({"ant": {"ant": 0, "bee": 1}}, "lack 'bee' among the true classes"),
        (GIVEN | {"ant": {"ant": 0}}, "lack 'bee' among the predicted classes where 'ant' is true"),
        (GIVEN | {"ant": {"ant": 0, "bee": "much"}}, "cost of 'ant' predicted as 'bee' is 'much': expected a number"),
        (GIVEN | {"ant": {"ant": 0, "bee": float("nan")}}, "is 'nan': expected a number"),
        (GIVEN | {"ant": {"ant": 0, "bee": None}}, "is 'None': expected a number"),
        (GIVEN | {" ant": {"ant": 0, "bee": 1}}, "name 'ant' twice among the true classes"),
        (GIVEN | {"ant": [0, 1]}, "dict of dicts"),
        ([[0, 1], [1, 0]], "dict of dicts"),
    ],
)
def test_costs_that_cannot_be_used_are_said(given: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        cost_matrix(given, CLASSES)


def test_a_regression_has_no_costs() -> None:
    with pytest.raises(UserError, match="costs are for classes, and this is a regression"):
        cost_matrix(GIVEN, ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no table of costs: expected predicted classes in the header"),
        ("true,ant,bee\n", "no table of costs"),
        ("true,ant,bee\nant,0\nbee,1,0\n", "2 cells in the line of class 'ant': expected 3"),
        ("true,ant,ant\nant,0,1\n", "more than one column for class 'ant'"),
        ("true,ant,bee\nant,0,1\nant,1,0\n", "more than one line for class 'ant'"),
        (b"\xff\xfe\x00", "not UTF-8 text"),
    ],
)
def test_a_file_of_another_shape_is_said(text: str | bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words):
        read_costs(written(tmp_path, text))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the costs in .*none\.csv: No such file"):
        read_costs(tmp_path / "none.csv")
