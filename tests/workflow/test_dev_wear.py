"""A run says what its final choice owes to chance, before the test is opened."""

import json
from pathlib import Path

import steelyard
from steelyard.records import RunRecord, from_plain, to_plain


def test_a_run_corrects_its_dev_score_for_having_chosen_on_it(people_run: Path) -> None:
    record = steelyard.load(people_run).record
    wear = record.wear
    assert wear is not None and wear.optimism is not None and wear.corrected is not None
    assert wear.plain == record.dev
    assert wear.looks == record.dev_looks
    assert 5 <= wear.candidates <= wear.looks
    assert 0 < wear.optimism < 0.05
    assert wear.corrected.value == wear.plain.value - wear.optimism
    assert wear.corrected.low < wear.corrected.value < wear.corrected.high


def test_the_wear_is_said_before_the_test_is_opened(people_run: Path) -> None:
    said = [each.text for each in steelyard.load(people_run).record.said]
    wear, test = (next(i for i, text in enumerate(said) if word in text) for word in ("looked at", "sealed test ("))
    assert wear < test
    assert "competed at full size" in said[wear]


def test_the_wear_survives_the_record_on_disk(people_run: Path) -> None:
    record = steelyard.load(people_run).record
    assert from_plain(json.loads(json.dumps(to_plain(record))), RunRecord).wear == record.wear


def test_json_gives_the_plain_and_the_corrected_score(people_run: Path) -> None:
    answer = json.loads((people_run.parent / "people.json").read_text(encoding="utf-8"))
    assert answer["wear"]["plain"] == answer["dev"]
    assert answer["wear"]["corrected"]["score"] == answer["dev"]["score"] - answer["wear"]["optimism"]
