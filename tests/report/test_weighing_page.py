"""The page, the terminal lines and the plain form of a weighing, from records that no training made."""

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache

import pytest
import weighings
from rich.console import Console
from samples import EVIL
from test_page import Reader

from steelyard.report import weighing_tables as tables
from steelyard.report.figures import Mark, intervals
from steelyard.report.figures.canvas import NARROW, WIDE, text_width
from steelyard.report.figures.race import race
from steelyard.report.plain import weighing_answer
from steelyard.report.weighing import weighing_page
from steelyard.report.weighing_lines import weighing_lines
from steelyard.report.weighing_words import answers, measured, noise_sentence, p_text, share_text
from steelyard.terminal import show_weighing
from steelyard.weighing.comparison import Lap


@cache
def made(name):
    """The page of a sample, made once for all tests."""
    return weighing_page(weighings.ALL[name]())


def texts(table, column):
    return [row[column].text for row in table.rows]


def read(page):
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    return reader


@pytest.mark.parametrize("name", weighings.ALL)
def test_the_page_is_well_formed_whatever_was_weighed(name):
    reader = read(made(name))
    assert len(reader.ids) == len(set(reader.ids))


@pytest.mark.parametrize("name", weighings.ALL)
def test_the_page_needs_no_network(name):
    assert not re.search(r"(src|href)=\"(?!data:|#)", made(name).replace("xlink:href", ""))


@pytest.mark.parametrize("name", weighings.ALL)
def test_numbers_that_are_none_are_written_as_a_dash(name):
    assert not re.search(r"\b(nan|inf|None)\b", read(made(name)).text)
    assert not re.search(r'data-sort="-?(nan|inf|None)', made(name))


def test_texts_of_the_data_do_not_run_in_the_page():
    page = made("evil")
    assert EVIL not in page
    assert page.count("<script>") == 1
    assert "&lt;script&gt;alert" in page


def test_the_only_script_is_the_one_the_page_allows():
    script = re.search(r"<script>(.*)</script>", made("twelve"), re.DOTALL)[1]
    assert f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}" in made("twelve")


def test_the_noise_stands_before_any_claim():
    page = made("twelve")
    assert page.index("±0.0022") < page.index("±0.0052") < page.index("4 help") < page.index("<svg")


def test_the_page_has_its_sections_in_their_order():
    titles = re.findall(r"<h[23]>(.*?)</h[23]>", made("twelve")[made("twelve").index('id="answer"') :])
    assert titles == [
        "What each arm does", "Not weighed", "The race", "Together", "By class", "The evidence", "How it was done",
        "Do it again",
    ]  # fmt: skip
    assert "<h2>By slice</h2>" in made("one")


def test_a_weighing_that_has_just_begun_claims_nothing():
    text = read(made("begun")).text
    assert "Nothing was weighed." in text
    assert "was not measured" in text
    assert "ran out" not in text


def test_when_no_arm_applies_every_reason_is_given():
    assert texts(tables.refused_table(weighings.nothing()), 0) == ["flips", "crops", "cut-out"]
    assert answers(weighings.nothing()) == ["– 3 were not weighed: flips, crops, cut-out."]
    assert "<svg" not in made("nothing")


def test_the_best_arm_comes_first_whatever_the_sign_of_the_metric():
    effects = [one.effect for one in measured(weighings.houses())]
    assert effects == sorted(effects)
    effects = [one.effect for one in measured(weighings.rich())]
    assert effects == sorted(effects, reverse=True)


def test_an_arm_without_a_number_comes_last():
    assert measured(weighings.endless())[-1].effect != measured(weighings.endless())[-1].effect


def test_one_arm_is_answered_in_a_sentence():
    first = answers(weighings.one())[0]
    assert first.startswith("▲ mixup helps: accuracy +0.0041 (+0.0015 to +0.0067), p 0.004, over 4 pairs;")


def test_an_arm_that_helps_but_breaks_a_limit_is_warned_about():
    assert "batch-norm helps but breaks latency_ms<=5: it cannot win." in answers(weighings.rich())
    assert "batch-norm, breaks a limit" in made("twelve")


def test_an_arm_that_helps_on_the_whole_but_hurts_a_class_is_warned_about():
    assert "mixup helps on the whole but hurts on >50K." in answers(weighings.one())


def test_a_column_that_says_the_same_of_all_arms_is_left_out():
    titles = [title for title, _ in tables.comparison_table(weighings.houses()).columns]
    assert titles == ["Arm", "Effect", "Verdict", "p", "Pairs", "P(better)", "Time"]
    titles = [title for title, _ in tables.comparison_table(weighings.rich()).columns]
    assert titles[-2:] == ["Latency", "In equal time"]


def test_every_pair_is_listed():
    assert len(tables.pair_table(weighings.one()).rows) == 4


def test_of_very_many_parts_only_those_with_a_clear_effect_are_listed():
    clear, open_ = weighings.part("a", 0.1, 0.01, 5), weighings.part("b", 0.0, 0.01, 5)
    assert len(tables.part_table([("x", [clear, open_])], "Class").rows) == 2
    table = tables.part_table([("x", [clear] + [open_] * tables.CLEAR)], "Class")
    assert texts(table, 1) == ["a"]
    assert table.caption == "Effects by class; of 301 only those that are clear"


@pytest.mark.parametrize(("p", "text"), [(0.0, "< 0.001"), (0.0123, "0.012"), (1.0, "1.000"), (float("nan"), "–")])
def test_a_p_value_is_written_with_the_digits_it_deserves(p, text):
    assert p_text(p) == text


@pytest.mark.parametrize(("share", "text"), [(0.0, "< 1 %"), (0.5, "50 %"), (1.0, "> 99 %"), (float("nan"), "–")])
def test_a_probability_is_never_written_as_certain(share, text):
    assert share_text(share) == text


def test_one_seed_says_nothing_about_the_noise_of_seeds():
    assert noise_sentence(weighings.endless()).startswith("One seed does not show how far another moves accuracy")


# -- drawings -------------------------------------------------------------------------------------------------


def drawn(name):
    """Every drawing of a page, with the width it was made for."""
    for svg in re.findall(r"<svg.*?</svg>", made(name), re.DOTALL):
        root = ET.fromstring(svg)
        yield root, float(root.get("viewBox").split()[2])


@pytest.mark.parametrize("name", ["one", "twelve", "forty", "houses", "endless", "evil"])
def test_a_drawing_keeps_its_words_inside(name):
    for root, width in drawn(name):
        assert width in (NARROW, WIDE)
        for element in (each for each in root.iter() if each.tag.endswith("text")):
            size = float(re.search(r"font-size: ([\d.]+)px", element.get("style"))[1])
            across, x = text_width(element.text or "", size), float(element.get("x"))
            anchor = re.search(r"text-anchor: (\w+)", element.get("style"))[1]
            left = {"start": x, "middle": x - across / 2, "end": x - across}[anchor]
            assert left >= -9 and left + across <= width + 14, element.text


def words(svg):
    return [element.text for element in ET.fromstring(str(svg)).iter() if element.tag.endswith("text")]


def test_the_race_says_how_each_arm_ended_and_after_how_many_pairs():
    laps = [Lap("a", 2, 10.0, 0.1, -0.1, 0.3, "undecided"), Lap("a", 4, 30.0, 0.1, 0.02, 0.2, "helps")]
    drawing = race([*laps, Lap("b", 2, 20.0, -0.1, -0.2, -0.01, "hurts")], ["b", "a"], 0.01, True, "a race")
    shown = words(drawing.wide)
    assert shown.index("▼ hurts, 2 pairs") < shown.index("▲ helps, 4 pairs")
    assert "seconds since the beginning" in shown
    assert "hours since the beginning" in words(race([replace(laps[0], elapsed=9e3)], ["a"], 0.0, True, "").narrow)


@pytest.mark.parametrize("greater", [True, False])
def test_in_the_race_better_is_up_whatever_the_sign_of_the_metric(greater):
    better = 0.1 if greater else -0.1
    laps = [Lap("a", 2, 5.0, better, better - 0.02, better + 0.02, "helps")]
    line, interval = re.findall(r'<path d="M ([\d. ]+)\s+L ([\d. ]+)', str(race(laps, ["a"], 0.0, greater, "").wide))[
        -2:
    ]
    assert all(float(end.split()[1]) < float(line[0].split()[1]) for end in interval)


def test_an_arm_that_was_never_looked_at_has_no_row_in_the_race():
    nan = float("nan")
    laps = [Lap("a", 2, 5.0, 0.1, 0.0, 0.2, "undecided"), Lap("b", 1, 5.0, nan, nan, nan, "undecided")]
    assert "b" not in words(race(laps, ["a", "b", "c"], 0.0, True, "").wide)


def test_an_interval_without_an_end_reaches_both_edges_of_its_plot():
    far = float("inf")
    one, endless = Mark("a", 0.1, 0.0, 0.2, "", ""), Mark("b", 0.1, -far, far, "", "")
    arrows = [
        str(intervals([one, mark], "", "x", True, 0.0, centred=True).wide).count("<use") for mark in (one, endless)
    ]
    assert arrows[1] == arrows[0] + 2


def test_a_tall_forest_has_its_axis_above_it_too():
    marks = [Mark(str(i), 0.1, 0.0, 0.2, "", "") for i in range(30)]
    assert words(intervals(marks, "", "effect", True, 0.0, centred=True).wide).count("effect, better →") == 2
    assert words(intervals(marks[:5], "", "effect", True, 0.0, centred=True).wide).count("effect, better →") == 1


def test_the_whole_band_in_which_nothing_matters_is_seen():
    mark = Mark("a", 0.01, 0.0, 0.02, "", "")
    assert {"−4", "4"} <= set(words(intervals([mark], "", "effect", True, 0.0, centred=True, band=5.0).wide))
    assert "4" not in words(intervals([mark], "", "effect", True, 0.0, centred=True).wide)


# -- terminal and JSON ----------------------------------------------------------------------------------------


def lines(found, width):
    console = Console(width=width, highlight=False, soft_wrap=True, no_color=True)
    with console.capture() as captured:
        for each in weighing_lines(found, wide=width > 100):
            console.print(each)
    return captured.get().splitlines()


@pytest.mark.parametrize("name", weighings.ALL)
def test_the_terminal_says_the_noise_first_and_the_page_last(name, capsys):
    found = weighings.ALL[name]()
    show_weighing(found)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("noise")
    assert said[-1].startswith(f"page  {found.output}/weighing.html")
    assert not any(re.search(r"\b(nan|inf|None)\b", line) for line in said)


def test_the_terminal_lists_the_arms_from_the_best_to_the_worst():
    said = [line.split()[0] for line in lines(weighings.houses(), 160)[3:8]]
    assert said == ["mixup", "ema", "label-smoothing", "weight-decay", "dropout"]


def test_the_table_fits_a_terminal_of_eighty_columns():
    said = lines(weighings.rich(), 80)
    head = next(i for i, line in enumerate(said) if line.startswith("arm"))
    table = said[head : next(i for i, line in enumerate(said) if line.startswith("batch-norm: breaks"))]
    assert max(map(len, table)) <= 80
    assert any(line.startswith("stochastic-depth +0.0007 −0.0006 to +0.0020 no") for line in table)
    assert "weight-decay: given up: three trainings diverged" in said


def test_square_brackets_in_a_name_are_shown_as_they_are():
    found = weighings.one()
    named = replace(found, comparisons=(replace(found.comparisons[0], name="[red]x[/red]", reason="[b]"),))
    assert any(line.startswith("[red]x[/red] ") and line.rstrip().endswith("[b]") for line in lines(named, 160))


@pytest.mark.parametrize("name", weighings.ALL)
def test_the_plain_form_is_valid_json_whatever_the_numbers(name):
    json.dumps(weighing_answer(weighings.ALL[name]()), allow_nan=False)


def test_the_plain_form_holds_the_record_with_interval_and_win():
    plain = weighing_answer(weighings.rich())
    first = next(each for each in plain["comparisons"] if each["name"] == "batch-norm")
    assert first["interval"] == [first["low"], first["high"]]
    assert (first["verdict"], first["wins"]) == ("helps", False)
    assert plain["noise"]["seeds"] == 16 and len(plain["race"]) == len(weighings.rich().race)
