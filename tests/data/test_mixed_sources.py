"""Where rows come from, read from a column; what cannot be mixed is said in one line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import people

from steelyard.data.dataset import Dataset
from steelyard.data.layout import Layout
from steelyard.data.source import read
from steelyard.data.sources import Mix, Sources
from steelyard.errors import UserError

PHONE = Mix("origin", ("phone",))


def mixed(rows: int = 240) -> pd.DataFrame:
    """People, every third of whom was asked by phone."""
    return people(rows).assign(origin=np.resize(["phone", "studio", "web"], rows))


def sources(found: Dataset) -> Sources:
    assert found.sources is not None
    return found.sources


def test_the_source_of_each_row_is_read_and_is_no_input() -> None:
    found = read(mixed(), "income", mix=PHONE)
    assert "origin" not in [column.name for column in found.schema.columns]
    assert sources(found).names == ("phone", "studio", "web")
    assert np.array_equal(found.asked, np.arange(240) % 3 == 0)
    assert any("dev and test hold rows of 'phone' only" in note for note in found.notes)
    assert any("'origin' is no input, it would give the source away" in note for note in found.notes)


def test_rows_that_are_taken_keep_their_sources() -> None:
    found = read(mixed(), "income", mix=PHONE).take(np.array([2, 3]))
    assert [sources(found).names[code] for code in sources(found).codes] == ["web", "phone"]


def test_rows_without_a_target_are_left_out_with_their_source() -> None:
    frame = mixed()
    frame.loc[0:2, "income"] = None
    found = read(frame, "income", mix=PHONE)
    assert len(found) == len(sources(found).codes) == 237


def test_the_column_may_be_named_by_its_place_and_hold_numbers() -> None:
    frame = people(200).assign(year=np.resize([2019.0, 2020.0], 200))
    found = read(frame, "income", mix=Mix(-1, ("2020",)))
    assert sources(found).column == "year"
    assert sources(found).names == ("2019", "2020")


def test_rows_of_no_named_source_are_helpers() -> None:
    frame = mixed()
    frame.loc[1, "origin"] = None
    found = read(frame, "income", mix=PHONE)
    assert sources(found).names[sources(found).codes[1]] == "(not said)"
    assert not found.asked[1]


def test_other_sources_or_targets_make_other_data() -> None:
    one, other = (read(mixed(), "income", mix=Mix("origin", (name,))) for name in ("phone", "web"))
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint == read(mixed(), "income", mix=PHONE).fingerprint


@pytest.mark.parametrize(
    ("change", "mix", "message"),
    [
        ({}, Mix("orgin", ("phone",)), "column 'orgin' is not in table; did you mean 'origin'?"),
        ({}, Mix("origin", ("fone",)), "column 'origin' names no source 'fone'; did you mean 'phone'?"),
        ({}, Mix("origin", ("radio",)), "column 'origin' names no source 'radio'; there is: phone, studio, web"),
        ({"origin": "phone"}, PHONE, "names one source only, 'phone': leave the source column out"),
        ({}, Mix("origin", ("phone", "web", "studio")), "every source in column 'origin' is a target source"),
        ({"origin": ["phone"] * 19 + ["web"] * 221}, PHONE, "19 usable rows of 'phone': dev and test need at least 20"),
        ({"income": ["low", "high", "high"] * 80}, PHONE, "all rows of 'phone' have the same target"),
        ({}, Mix("income", ("low",)), "the source column cannot be 'income': it is the target"),
        ({"origin": [["phone"]] * 240}, PHONE, "the source column 'origin' holds lists or other objects"),
    ],
)
def test_what_cannot_be_mixed_is_said(change: dict[str, object], mix: Mix, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read(mixed().assign(**change), "income", mix=mix)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_source_column_cannot_be_excluded_or_hold_the_weights() -> None:
    with pytest.raises(UserError, match="cannot exclude 'origin': it says the source"):
        read(mixed(), "income", mix=PHONE, exclude=("origin",))
    with pytest.raises(UserError, match="the source column cannot be 'age'"):
        read(mixed(), "income", mix=Mix("age", ("1",)), weights="age")


@pytest.mark.parametrize("what", ["images", "texts"])
def test_files_in_class_folders_have_no_source_column(what: str, tmp_path: Path) -> None:
    from PIL import Image

    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(6):
            if what == "images":
                Image.new("L", (8, 8), number).save(tmp_path / label / f"{number}.png")
            else:
                (tmp_path / label / f"{number}.txt").write_text(f"some words about {label} {number}")
    with pytest.raises(UserError, match=f"'origin' is one of a table, but the source holds {what}"):
        read(tmp_path, None, mix=PHONE)


def test_images_named_in_a_table_have_their_source_in_another_column(tmp_path: Path) -> None:
    from PIL import Image

    random, rows = np.random.default_rng(0), []
    for number in range(60):
        Image.fromarray(random.integers(0, 256, (8, 8), dtype=np.uint8)).save(tmp_path / f"{number}.png")
        rows.append((f"{number}.png", "ab"[number // 2 % 2], "phone" if number % 2 else "web"))
    pd.DataFrame(rows, columns=["file", "label", "origin"]).to_csv(tmp_path / "pictures.csv", index=False)
    found = read(tmp_path / "pictures.csv", "label", mix=PHONE)
    assert found.schema.modality == "image"
    assert found.asked.sum() == 30


def test_texts_in_a_table_have_their_source_in_another_column() -> None:
    random = np.random.default_rng(0)
    words = ["a", "good", "bad", "long", "film", "about", "people", "nobody", "saw", "by", "the", "sea"]
    texts = [" ".join(random.choice(words, 9)) for _ in range(90)]
    frame = pd.DataFrame(
        {"text": texts, "stars": np.resize([1, 2], 90), "origin": np.resize(["phone"] * 2 + ["web"], 90)}
    )
    found = read(frame, "stars", mix=PHONE)
    assert found.schema.modality == "text"
    assert found.asked.sum() == 60


# -- a ready split ------------------------------------------------------------------------------------------------


def test_test_rows_of_other_sources_are_left_out_and_said() -> None:
    found = read(mixed(), "income", test=mixed(30), mix=PHONE)
    assert found.part is not None
    assert (found.part == "test").sum() == found.asked[found.part == "test"].sum() == 10
    assert any("20 rows of other sources left out of the ready dev and test" in note for note in found.notes)


def test_a_test_source_without_the_column_is_of_the_target_source() -> None:
    found = read(mixed(), "income", test=people(30), mix=PHONE)
    assert found.part is not None
    assert found.asked[found.part == "test"].sum() == 30


def test_a_test_source_without_the_column_is_refused_where_it_could_be_of_several() -> None:
    with pytest.raises(UserError, match="no column 'origin' to say which of the 2 target sources"):
        read(mixed(), "income", test=people(30), mix=Mix("origin", ("phone", "web")))


def test_the_target_source_needs_rows_outside_the_test() -> None:
    frame = mixed()
    with pytest.raises(UserError, match="0 usable rows of 'phone' outside the test"):
        read(
            frame[frame["origin"] != "phone"].assign(age=0.5),
            "income",
            test=frame[frame["origin"] == "phone"],
            mix=PHONE,
        )


def test_a_test_without_any_row_of_the_target_source_is_refused() -> None:
    with pytest.raises(UserError, match="none of the 30 test rows is of 'phone'"):
        read(mixed(), "income", test=people(30).assign(origin="web"), mix=PHONE)


def test_weights_go_with_the_rows_that_are_left() -> None:
    found = read(mixed().assign(w=np.arange(240.0) + 1), "income", test=mixed(30).assign(w=7.0), mix=PHONE, weights="w")
    assert found.weights is not None
    assert len(found.weights) == len(found) == 250


# -- series -------------------------------------------------------------------------------------------------------


def visits(days: int = 90) -> pd.DataFrame:
    """Visitors a day in six shops, four of them in the towns that help."""
    random, date = np.random.default_rng(0), pd.date_range("2024-01-01", periods=days)
    shops = [
        pd.DataFrame({"shop": f"s{k}", "date": date, "visitors": random.normal(100 + k, 9, days).round(2)})
        for k in range(6)
    ]
    frame = pd.concat(shops, ignore_index=True)
    return frame.assign(town=np.where(frame["shop"].isin(["s0", "s1"]), "ours", "theirs"))


def test_windows_of_a_forecast_have_the_source_of_the_row_they_ask_for() -> None:
    layout = Layout(id="shop", time="date", horizon=1, window=7, period=0)
    found = read(visits(), "visitors", layout=layout, mix=Mix("town", ("ours",)))
    ours = [origin.startswith(("s0", "s1")) for origin in found.origin]
    assert np.array_equal(found.asked, ours)
    assert [column.name for column in found.schema.columns] == ["visitors"]


def test_later_rows_of_other_shops_are_left_out_of_a_later_test() -> None:
    layout = Layout(id="shop", time="date", horizon=1, window=7, period=0)
    frame = visits()
    early = frame["date"] < "2024-03-10"
    found = read(frame[early], "visitors", test=frame[~early], layout=layout, mix=Mix("town", ("ours",)))
    assert found.part is not None
    assert found.asked[found.part == "test"].all()
    assert (found.part == "test").sum() == 2 * 21
    assert len(found.origin) == len(found) == len(sources(found).codes)


def test_series_of_a_long_table_have_the_source_of_their_id() -> None:
    random = np.random.default_rng(0)
    rows = [
        (k, t, float(random.normal() + t * (k % 2)), "up" if k % 2 else "flat", "ours" if k % 4 < 2 else "theirs")
        for k in range(60)
        for t in range(8)
    ]
    frame = pd.DataFrame(rows, columns=["case", "t", "v", "kind", "town"])
    found = read(frame, "kind", layout=Layout(id="case", time="t"), mix=Mix("town", ("ours",)))
    assert np.array_equal(found.asked, np.array([int(origin) % 4 < 2 for origin in found.origin]))
    frame.loc[3, "town"] = "ours, too"
    with pytest.raises(UserError, match="source 'town' changes within id '0'"):
        read(frame, "kind", layout=Layout(id="case", time="t"), mix=Mix("town", ("ours",)))


def test_series_in_arrays_have_no_source_column() -> None:
    with pytest.raises(UserError, match="'origin' is one of a table, but the source holds series"):
        read((np.random.default_rng(0).normal(size=(40, 1, 30)) * 9, np.arange(40) % 2), None, mix=PHONE)
