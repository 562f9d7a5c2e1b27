import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest
import samples

from steelyard.report.page import page

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and holds that what is opened is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.ids, self.texts = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@cache
def made(name):
    """The page of a sample, made once for all tests."""
    return page(samples.ALL[name]())


def read(given):
    """What a page says; `given` is the name of a sample or a record."""
    reader = Reader()
    reader.feed(made(given) if isinstance(given, str) else page(given))
    assert not reader.open
    return reader


@pytest.mark.parametrize("name", samples.ALL)
def test_the_page_is_well_formed_at_every_stage_of_a_run(name):
    reader = read(name)
    assert len(reader.ids) == len(set(reader.ids))


@pytest.mark.parametrize("name", samples.ALL)
def test_the_page_needs_no_network(name):
    for tag, attributes in read(name).tags:
        for key in ("src", "href", "xlink:href", "action", "data", "srcset"):
            assert re.match(r"data:|#|$", attributes.get(key) or ""), (tag, attributes)
    style = re.search(r"<style>(.*?)</style>", made(name), re.DOTALL)[1]
    assert "url(" not in style and "@import" not in style


def test_links_within_the_page_lead_somewhere():
    for name in samples.ALL:
        reader = read(name)
        there = {a["href"][1:] for t, a in reader.tags if t == "a"}
        assert there <= set(reader.ids)


def test_nothing_that_came_from_data_becomes_markup():
    reader = read("evil")
    assert [tag for tag, _ in reader.tags].count("script") == 1
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert samples.EVIL in reader.text


def test_only_images_that_the_record_carries_are_shown():
    assert not [a for t, a in read("evil").tags if t == "img"]
    assert len([a for t, a in read("garments").tags if t == "img"]) == 12


def test_only_the_page_s_own_script_may_run():
    policy = next(a["content"] for t, a in read("adult").tags if a.get("http-equiv"))
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy and "script-src 'unsafe" not in policy


@pytest.mark.parametrize("name", ["adult", "garments", "houses", "many"])
def test_a_page_is_small_enough_to_be_sent_by_mail(name):
    assert len(made(name).encode()) < 400_000


def test_the_same_record_gives_the_same_page():
    assert page(samples.houses()) == made("houses")


def test_the_page_says_what_was_asked_what_came_out_and_how_to_use_it():
    text = read("adult").text
    for said in (
        "Predicting income",
        "--constraint 'latency_ms<=5'",
        "95 % interval 0.865 to 0.881, 6,513 examples",
        "▲ helps",
        "it moves pixels, and this is a table",
        "human-level error was given",
        "steelyard predict runs/adult NEW_DATA",
        "opened once",
    ):
        assert said in text


def test_a_folder_with_a_space_is_quoted_in_the_command_to_predict():
    assert "steelyard predict 'runs/ames housing' NEW_DATA" in read("houses").text


def test_a_second_opening_of_the_test_is_marked_before_the_answer():
    html = made("houses")
    assert html.index("Test set opened 2 times") < html.index('id="answer"')
    assert "Test set opened" not in made("adult")


def test_an_unfinished_run_says_so():
    assert "Not finished" in made("underway")
    assert "Not finished" not in made("adult")


def test_many_classes_are_shown_as_the_pairs_that_are_confused_most():
    assert "The pairs that are confused most" in made("many")


def test_every_drawing_has_its_words():
    for tag, attributes in read("adult").tags:
        if tag == "svg":
            assert attributes["role"] == "img" and attributes["aria-label"]


def test_the_members_of_an_ensemble_are_named_with_their_weights():
    blend = [{"family": "boosting", "weight": 0.625, "seed": 0}, {"family": "linear", "weight": 0.375, "seed": 0}]
    text = read(replace(samples.adult(), winner={"family": "boosting + linear", "members": blend})).text
    assert "boosting + linear , made of 62 % boosting, 38 % linear." in text


def test_a_technique_that_does_not_apply_to_two_models_for_one_reason_is_listed_once():
    record = samples.adult()
    assert page(replace(record, weighed=record.weighed * 2)).count("it moves pixels") == 1


@pytest.mark.parametrize("members", [None, 0, 1, 5, ["boosting", "forest"], "boosting + forest"])
def test_members_of_the_winner_may_come_in_any_form(members):
    assert "The model is" in page(replace(samples.adult(), winner={"family": "boosting", "members": members}))
