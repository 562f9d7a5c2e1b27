"""The pages of the range test and of the exploration, from records that no training made."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from steelyard.problem import Problem, Score
from steelyard.records import Said
from steelyard.report.figures.canvas import NARROW, WIDE, text_width
from steelyard.report.figures.rates import rate_curve
from steelyard.report.figures.score_map import score_map
from steelyard.report.numbers import Format
from steelyard.report.tools import exploration_page, pair_table, rate_page, remark
from steelyard.training.rate_range import RateRange
from steelyard.weighing.trade_off import Exploration, Pair

EVIL = "<script>alert('x')</script>"


def rate_range(diverged=True, scale=1.0):
    """A range test with its usual shape, seen by three seeds."""
    rates = np.geomspace(1e-6, 0.3, 150)
    x = np.log10(rates)
    curve = scale * (0.3 + 1 / (1 + 10 ** (4 * (x + 3))) + 10 ** (3 * (x + 0.7)))
    losses = tuple(tuple(curve * factor) for factor in (0.9, 1.0, 1.1))
    setting = "optimizer.lr=cosine(0.0032, 0, warmup=0.1)"
    marks = (0.001, 0.01, 0.3, diverged, 0.0032, setting)
    return RateRange("tabular-mlp", "adam-w", 256, 22142, tuple(rates), losses, tuple(curve), *marks)


def pair(size, epochs, value, seconds, **more):
    if value is None:
        return Pair(size, epochs, "0.1", 100, **{"predicted": 47.0} | more)
    score, low = Score(value, value - 0.01, value + 0.01, 500), more.pop("effect", -0.002)
    known = {"effect": low, "low": low - 0.01, "high": low + 0.01}
    return Pair(size, epochs, "cosine(0.008, 0)", 100, 1.0, "done", "", seconds, score, (value,), **known, **more)


def exploration(sizes=(64, 256, 1024), epochs=(2, 9, 36), target="income"):
    pairs = [
        pair(size, each, None if each == max(epochs) else 0.85 + 0.001 * i + 0.0001 * j, 1.0 + i * j, front=i == j)
        for i, size in enumerate(sizes)
        for j, each in enumerate(epochs)
    ]
    problem = Problem("binary", "tabular", target, 1000, ("a", "b"), "accuracy")
    said = (Said("measure", "not shown as an answer", 0.1), Said("finish", f"best is {EVIL}", 1.0))
    best, pick = (sizes[-1], epochs[0]), (sizes[0], epochs[0])
    base = (256, 9, "cosine(0.008, 0)")
    record = Exploration(
        problem, "runs/x", f"steelyard explore {EVIL}", "tabular-mlp", "adam-w", base, "linear", 3, 800
    )
    settings = ("batch.size=64", "optimizer.lr=cosine(0.008, 0)")
    return replace(record, pairs=tuple(pairs), best=best, pick=pick, settings=settings, said=said)


def texts(svg):
    return [element for element in ET.fromstring(str(svg)).iter() if element.tag.endswith("text")]


DRAWINGS = {
    "curve": lambda: rate_curve(rate_range(), "a curve"),
    "a curve that does not diverge, of large losses": lambda: rate_curve(rate_range(False, 3e4), "a curve"),
    "map": lambda: score_map(exploration(), True, Format(4), "a map"),
    "a map of many epochs": lambda: score_map(exploration(epochs=(1, 2, 4, 8, 16, 32, 64)), True, Format(3), "a map"),
    "a map of one pair": lambda: score_map(exploration((64,), (2, 3)), False, Format(3), "a map"),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_well_formed_and_keeps_its_words_inside(name):
    drawing = DRAWINGS[name]()
    for svg, width in ((drawing.narrow, NARROW), (drawing.wide, WIDE)):
        root = ET.fromstring(str(svg))
        assert root.get("viewBox", "").split()[2] == str(width)
        for element in texts(svg):
            size = float(re.search(r"font-size: ([\d.]+)px", element.get("style"))[1])
            across, x = text_width(element.text or "", size), float(element.get("x"))
            anchor = re.search(r"text-anchor: (\w+)", element.get("style"))[1]
            left = {"start": x, "middle": x - across / 2, "end": x - across}[anchor]
            assert left >= -9 and left + across <= width + 14, element.text


def test_the_curve_names_its_marks():
    drawn = [element.text for element in texts(rate_curve(rate_range(), "a curve").wide)]
    assert {"falls fastest", "lowest", "suggestion 0.0032", "learning rate", "loss"} <= set(drawn)


def test_marks_that_fall_together_keep_their_names_apart():
    close = replace(rate_range(), steepest=0.009, lowest=0.01)
    for svg in (rate_curve(close, "").narrow, rate_curve(close, "").wide):
        spots = {e.text: float(e.get("x")) for e in texts(svg) if e.text in {"falls fastest", "lowest"}}
        assert (
            spots["lowest"] - spots["falls fastest"]
            > (text_width("falls fastest", 10.5) + text_width("lowest", 10.5)) / 2
        )


def test_the_page_of_a_range_test_holds_the_setting_and_the_marks():
    page = rate_page(rate_range(), EVIL, "steelyard lr-range x.csv", "the loss falls")
    assert "--set &#39;optimizer.lr=cosine(0.0032, 0, warmup=0.1)&#39;" in page
    assert "largest before it diverges" in page
    assert "<script" not in page and EVIL not in page
    assert "largest that was tried" in rate_page(rate_range(False), "y", "", "")


def test_the_page_of_an_exploration_answers_first_and_shows_every_pair():
    found = exploration()
    page = exploration_page(found)
    assert page.index("Best is") < page.index("Score and cost") < page.index("Every pair")
    assert "not shown as an answer" not in page
    assert "--set batch.size=64 --set &#39;optimizer.lr=cosine(0.008, 0)&#39;" in page
    assert "<script" not in page
    assert len(pair_table(found).rows) == 9


def test_an_exploration_without_results_still_has_its_page():
    found = exploration()
    nothing = replace(
        found, pairs=(replace(found.pairs[2], status="diverged", reason="at step 3"),), best=None, pick=None
    )
    assert "diverged: at step 3" in exploration_page(replace(nothing, settings=()))


@pytest.mark.parametrize(
    ("place", "words"),
    [((64, 2), "pick, on the front"), ((1024, 2), "best"), ((64, 36), "left out, about 47 s each"), ((64, 9), "")],
)
def test_what_there_is_to_say_about_a_pair_stands_beside_it(place, words):
    found = exploration()
    assert remark(found, found.pair(place)) == words
