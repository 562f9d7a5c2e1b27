"""The page of label errors and the terminal's view of an example."""

import io

import numpy as np
import pandas as pd
from rich.console import Console

from steelyard.commands.label_views import bars, blocks, letters, show_suspect
from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.diagnosis.labels import LabelErrors, Suspect, Target
from steelyard.diagnosis.mistakes import thumbnail
from steelyard.report.labels import labels_page, parts, said

EVIL = "<script>alert(1)</script>"


def record(**more: object) -> LabelErrors:
    image = thumbnail(np.zeros((4, 4, 1), np.uint8))
    suspects = (
        Suspect(3, f"{EVIL}/3.png", "y", EVIL, "dog", 0.01, 1, True, EVIL, image),
        Suspect(9, "9.png", "y", "cat", "dog", 0.2, 2, True, "", "javascript:alert(1)"),
    )
    target = Target("y", 500, 2, 0.012, 0.004, 0.02, ((EVIL, "dog", 1), ("cat", "dog", 1)))
    return LabelErrors("zoo", "images", 500, "a network, 5 folds", (target,), suspects, **more)  # type: ignore[arg-type]


def test_nothing_from_the_data_is_markup_on_the_page() -> None:
    page = labels_page(record(output="runs/zoo/diagnosis"))
    assert EVIL not in page and "javascript:" not in page
    assert page.count("<image ") == 2  # one image, drawn for a phone and for a desk
    assert "steelyard labels review runs/zoo" in page


def test_the_first_sentence_says_how_many_and_the_last_that_suspicion_is_no_proof() -> None:
    lines = said(record())
    assert lines[0] == (
        "2 labels of 500 are likely wrong; about 1.2% (0.4% to 2.0%) of all labels are estimated to be."
    )
    assert "Suspicion is not proof" in lines[-1]
    assert all(part.text for part in parts(record()))


def test_without_suspects_there_is_no_table_of_them() -> None:
    none = Target("y", 500, 0, 0.0, 0.0, 0.0, ())
    found = LabelErrors("zoo", "images", 500, "a network, 5 folds", (none,), ())
    assert said(found)[0] == "No label of 500 images is likely wrong."
    assert [part.title for part in parts(found)] == ["How many labels are wrong"]


def test_an_image_is_shown_in_letters_or_in_blocks_of_its_colours() -> None:
    image = np.zeros((3, 2, 3), np.uint8)
    image[0, 1] = (255, 0, 9)
    assert letters(image).splitlines()[0] == "  ----"[:2] + letters(image).splitlines()[0][2:]
    shown = blocks(image)
    assert shown.plain == "▀▀\n▀▀\n" and "rgb(255,0,9) on rgb(0,0,0)" in {str(span.style) for span in shown.spans}
    assert max(len(line) for line in letters(np.full((90, 60, 1), 255, np.uint8)).splitlines()) <= 64


def test_a_series_is_shown_in_bars_with_its_gaps() -> None:
    assert bars(np.array([0.0, np.nan, 7.0])) == "▁ █"
    assert bars(np.array([np.nan, np.nan])) == ""


def test_markup_in_an_example_is_shown_as_it_is_written() -> None:
    frame = pd.DataFrame({"words": ["[red]not red[/red]"]})
    dataset = Dataset("t", Schema("text", "y", (Column("words", "text"),)), None, frame=frame)
    out = io.StringIO()
    suspect = Suspect(0, "[b]1", "y", "[i]", "dog", 0.1, 1)
    show_suspect(Console(file=out, width=100), dataset, 0, suspect, 1)
    assert "[red]not red[/red]" in out.getvalue() and "given [i], suggested dog" in out.getvalue()
