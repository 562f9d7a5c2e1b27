"""The wear of dev in words, on the page and on the first card."""

from dataclasses import replace

import samples

from steelyard.records import RunRecord, Wear
from steelyard.report.cards import cards
from steelyard.report.page import facts


def worn(**changes: object) -> RunRecord:
    record = samples.adult()
    assert record.wear is not None
    return replace(record, wear=replace(record.wear, **changes))  # type: ignore[arg-type]


def line(record: RunRecord) -> str:
    return dict(facts(record))["Wear of dev"]


def test_the_page_says_how_often_dev_was_looked_at_and_what_that_is_worth() -> None:
    assert line(worn()) == (
        "looked at 74 times; 31 models competed there at full size, which is expected to make the final one look "
        "0.0021 too good"
    )


def test_the_first_card_gives_the_corrected_score_beside_the_plain_one() -> None:
    assert (
        "On dev, corrected for having been chosen there among 31 models: 0.874 (0.862 to 0.886)"
        in cards(worn())[0].lines
    )


def test_without_optimism_nothing_is_corrected() -> None:
    record = worn(optimism=0.0)
    assert "nothing measurable" in line(record)
    assert not any("corrected" in text for text in cards(record)[0].lines)


def test_what_could_not_be_estimated_says_why() -> None:
    record = worn(optimism=None, corrected=None, method="not estimated: 4 dev rows are too few (at least 10)")
    assert line(record).endswith("the optimism of the choice is not estimated: 4 dev rows are too few (at least 10)")
    assert not any("corrected" in text for text in cards(record)[0].lines)


def test_a_record_without_an_estimate_still_counts_the_looks() -> None:
    assert line(replace(samples.adult(), wear=None)) == "looked at 74 times"
    assert "Wear of dev" not in dict(facts(replace(samples.adult(), wear=None, dev_looks=0)))


def test_one_candidate_is_no_choice() -> None:
    score = samples.score(0.87, 0.01, 100)
    assert line(replace(samples.adult(), wear=Wear(3, 1, score, 0.0, score, "one"))) == "looked at 74 times"
