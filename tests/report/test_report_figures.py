import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache

import pytest
import samples

from steelyard.records import Curve
from steelyard.report.drawings import Drawings, drawings
from steelyard.report.figures.canvas import NARROW, WIDE, clipped, text_width


@cache
def made(name):
    """The drawings of a sample, made once for all tests."""
    return drawings(samples.ALL[name]())


def every(given):
    """All drawings; `given` is the name of a sample or a record."""
    found = made(given) if isinstance(given, str) else drawings(given)
    single = [getattr(found, name) for name in ("ladder", "families", "effects", "errors", "confusion", "residuals")]
    return [d for d in [*single, *(drawing for _, _, drawing in found.curves)] if d is not None]


def elements(svg):
    return list(ET.fromstring(str(svg)).iter())


@pytest.mark.parametrize("name", samples.ALL)
def test_every_drawing_is_well_formed_for_a_phone_and_for_a_desk(name):
    for drawing in every(name):
        for svg, width in ((drawing.narrow, NARROW), (drawing.wide, WIDE)):
            root = ET.fromstring(str(svg))
            assert root.get("viewBox", "").split()[2] == str(width)
            assert root.get("role") == "img" and root.get("aria-label")


def test_drawings_are_the_same_bits_every_time():
    assert drawings(samples.garments()) == made("garments")


def test_drawings_take_their_colours_from_the_page():
    for drawing in every("adult"):
        assert not re.search(r"(fill|stroke): #", drawing.wide)
        assert "var(--" in drawing.wide


def test_drawings_carry_no_fonts_dates_or_styles_of_their_own():
    for drawing in every("adult"):
        assert not re.search(r"<style|<metadata|font-family|dc:date", drawing.wide)


def test_text_in_a_drawing_stays_text_and_cannot_break_out():
    for drawing in every("evil"):
        assert "<script" not in drawing.narrow
        assert not [e for e in elements(drawing.narrow) if e.tag.endswith("script")]
    assert "&lt;script&gt;alert('x')&lt;/script&gt;" in made("evil").ladder.wide


@pytest.mark.parametrize("name", ["many", "evil", "garments", "houses"])
def test_no_text_reaches_beyond_its_drawing(name):
    for drawing in every(name):
        for svg, width in ((drawing.narrow, NARROW), (drawing.wide, WIDE)):
            for element in elements(svg):
                if element.tag.endswith("text") and element.get("transform") is None:
                    size = float(re.search(r"font-size: ([\d.]+)px", element.get("style"))[1])
                    across, x = text_width(element.text or "", size), float(element.get("x"))
                    start = {"start": x, "middle": x - across / 2, "end": x - across}
                    left = start[re.search(r"text-anchor: (\w+)", element.get("style"))[1]]
                    assert left >= -9 and left + across <= width + 14, element.text


def test_a_long_text_is_cut_with_an_ellipsis_to_the_room_it_has():
    assert clipped("label-smoothing", 500) == "label-smoothing"
    cut = clipped("a-technique-with-a-very-long-name", 100)
    assert cut.endswith("…") and text_width(cut) <= 105


def test_line_breaks_and_control_characters_do_not_reach_a_drawing():
    assert clipped("a\nb\x00\x1b c", 500) == "a b c"


def test_scripts_of_other_languages_and_formulas_are_drawn_as_they_are():
    record = samples.adult()
    record = replace(record, problem=replace(record.problem, classes=("日本語", "$x_2$")))
    svg = drawings(record).confusion.wide
    assert "日本語" in svg and "$x_2$" in svg


def test_a_run_that_has_just_begun_has_no_drawings():
    assert made("empty") == Drawings()


def test_more_than_twenty_classes_have_no_heat_map():
    assert made("many").confusion is None


def test_the_epoch_from_which_a_model_overfits_is_written_into_its_curve():
    assert "epoch 21" in made("adult").curves[0][2].narrow


@pytest.mark.parametrize(
    "points",
    [
        (),
        ((1, 0.5, None, None),),
        ((1, 0.5, None, None), (2, 0.4, None, None)),
        ((1, 1.0, None, None), (2, 0.5, 0.6, 0.7)),
        ((1, float("nan"), float("inf"), None),),
    ],
)
def test_curves_with_gaps_are_drawn(points):
    assert every(replace(samples.adult(), curves=(Curve("odd", points),)))


@pytest.mark.parametrize("residuals", [((1.0, 1.0),), ((2.0, 2.0), (2.0, 2.0)), ((1.0, float("nan")), (1e-3, 1e3))])
def test_residuals_without_spread_are_drawn(residuals):
    assert drawings(replace(samples.houses(), residuals=residuals)).residuals is not None


def test_losses_that_span_orders_of_magnitude_are_drawn_on_a_logarithmic_axis_with_plain_numbers():
    curve = Curve("steep", tuple((e, 10.0 ** (1 - e), 10.0 ** (0.5 - e / 2), 0.9) for e in range(1, 6)))
    svg = drawings(replace(samples.adult(), curves=(curve,))).curves[0][2].narrow
    assert "mathdefault" not in svg
    assert {"train", "dev"} <= {element.text for element in elements(svg)}


def test_a_model_without_a_curve_has_no_empty_drawing():
    assert drawings(replace(samples.adult(), curves=(Curve("forest", ((1, 0.2, None, 0.9),)),))).curves == ()


def test_a_score_that_is_not_a_number_does_not_stop_the_drawings():
    record = samples.adult()
    broken = replace(record.ladder[1], score=samples.score(float("nan"), 0.1, 5))
    endless = replace(record.weighed[0], low=float("-inf"), high=float("inf"))
    assert every(replace(record, ladder=(broken, *record.ladder), weighed=(endless, *record.weighed)))
