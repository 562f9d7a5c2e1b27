"""Nearly equal rows, texts and images: planted ones are found, clean data raises no alarm."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import datasets as bundled

from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.near import joined, kept_together, near_pairs, same_inputs
from steelyard.data.near_images import near_images
from steelyard.data.near_rows import near_rows
from steelyard.data.near_texts import bucket_pairs, near_texts, normalised
from steelyard.data.source import read
from steelyard.data.split import divide

Array = np.ndarray


def table(values: Array) -> tuple[pd.DataFrame, list[Column]]:
    names = [f"x{i}" for i in range(values.shape[1])]
    return pd.DataFrame(values, columns=names), [Column(name, "number") for name in names]


def with_copies(
    frame: pd.DataFrame, count: int, noise: float, seed: int = 0
) -> tuple[pd.DataFrame, set[tuple[int, int]]]:
    """The frame with noisy copies of some rows below it (noise in spreads of a column), and which rows these are."""
    random = np.random.default_rng(seed)
    rows = random.choice(len(frame), count, replace=False)
    copies = frame.iloc[rows].copy()
    for name in copies.columns:
        copies[name] = copies[name] + noise * frame[name].std() * random.uniform(-1, 1, count)
    pairs = {(int(row), len(frame) + i) for i, row in enumerate(rows)}
    return pd.concat([frame, copies], ignore_index=True), pairs


def pairs_of(found: Array) -> set[tuple[int, int]]:
    return {(min(a, b), max(a, b)) for a, b in found.tolist()}


# -- rows -----------------------------------------------------------------------------------------------------

CLEAN = ("iris", "wine", "breast_cancer", "diabetes", "digits")


def bundle(name: str) -> pd.DataFrame:
    frame: pd.DataFrame = getattr(bundled, f"load_{name}")(as_frame=True).data
    return frame


@pytest.mark.parametrize("name", CLEAN)
def test_clean_tables_raise_no_alarm(name: str) -> None:
    frame = bundle(name)
    assert len(near_rows(frame, [Column(c, "number") for c in frame.columns])) == 0


@pytest.mark.parametrize("noise", [1e-6, 1e-4, 1e-2])
@pytest.mark.parametrize("name", CLEAN[1:])
def test_noisy_copies_of_rows_are_found_and_nothing_else(name: str, noise: float) -> None:
    frame, planted = with_copies(bundle(name), 8, noise)
    assert pairs_of(near_rows(frame, [Column(c, "number") for c in frame.columns])) == planted


def test_one_noisy_copy_is_enough() -> None:
    frame, planted = with_copies(bundle("wine"), 1, 1e-4)
    assert pairs_of(near_rows(frame, [Column(c, "number") for c in frame.columns])) == planted


def made(kind: str, random: np.random.Generator) -> Array:
    plain = random.normal(size=(1500, 6))
    line = np.linspace(0, 60, 1500)[:, None] + 0.02 * random.normal(size=(1500, 1))
    return {
        "normal": plain,
        "one column": plain[:, :1],
        "two columns": plain[:, :2],
        "copied columns": plain[:, [0, 0, 0, 1]] * [1, 2, -3, 1],
        "coarse": plain.round(1),
        "coarse but one": np.hstack([plain[:, :3].round(0), plain[:, 3:4]]),
        "heavy tails": np.exp(3 * plain),
        "a smooth curve": np.hstack([np.sin(line), np.cos(1.7 * line), np.sin(0.3 * line), line]),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "normal",
        "one column",
        "two columns",
        "copied columns",
        "coarse",
        "coarse but one",
        "heavy tails",
        "a smooth curve",
    ],
)
def test_twenty_clean_tables_of_each_kind_raise_no_alarm(kind: str) -> None:
    found = [near_rows(*table(made(kind, np.random.default_rng(seed)))) for seed in range(20)]
    assert [len(pairs) for pairs in found] == [0] * 20


def test_rows_of_other_categories_or_other_missing_cells_are_not_alike() -> None:
    frame, planted = with_copies(bundle("wine"), 6, 1e-5)
    columns = [Column(c, "number") for c in frame.columns]
    split = frame.assign(kind=np.where(frame.index < 178, "a", "b"))
    assert len(near_rows(split, [*columns, Column("kind", "category")])) == 0
    assert pairs_of(near_rows(split.assign(kind="a"), [*columns, Column("kind", "category")])) == planted
    frame.loc[frame.index >= 178, "hue"] = np.nan
    assert len(near_rows(frame, columns)) == 0


def test_a_column_without_any_number_is_no_obstacle() -> None:
    frame, planted = with_copies(bundle("wine"), 4, 1e-5)
    frame = frame.assign(empty=np.nan, same=1.0)
    assert pairs_of(near_rows(frame, [Column(c, "number") for c in frame.columns])) == planted


def test_a_table_of_categories_or_of_few_rows_has_no_nearly_equal_rows() -> None:
    assert len(near_rows(pd.DataFrame({"a": list("xyx")}), [Column("a", "category")])) == 0
    assert len(near_rows(*table(np.zeros((1, 2))))) == 0
    assert len(near_rows(*table(np.zeros((5, 2))))) == 0


# -- texts ----------------------------------------------------------------------------------------------------

LONG = (
    "The committee met on Tuesday to discuss the new bridge over the river, which has been closed since the flood in "
    "March; work will begin in the autumn and last for about two years, the mayor said after the meeting."
)


def test_case_spaces_and_signs_do_not_make_texts_different() -> None:
    texts = ["Call me, please!", "other", "call  me please", None, "CALL ME PLEASE…", "", "", "!!!", "???", "!!!"]
    groups = joined(np.arange(len(texts)), near_texts(texts))
    assert groups[0] == groups[2] == groups[4] and groups[7] == groups[9]
    assert len(set(groups.tolist())) == len(texts) - 3
    assert normalised("Straße ﬁn") == normalised("STRASSE  FIN")


def test_a_changed_word_in_a_long_text_is_nearly_the_same() -> None:
    texts = [LONG, "Nothing to do with it, a text about cooking pasta and sauces.", LONG.replace("Tuesday", "Monday")]
    assert pairs_of(near_texts(texts)) == {(0, 2)}


def test_a_changed_word_in_a_short_text_is_another_meaning() -> None:
    texts = ["What is the capital of the state of Iowa?", "What is the capital of the state of Ohio?"]
    more = ["What's a fear of cold ?", "What's a fear of color ?", "yes", "yep", "no way", "no day"]
    assert len(near_texts([*texts, *more])) == 0
    assert pairs_of(near_texts([*more, "So, " + texts[0].lower(), texts[0]])) == {(6, 7)}


def random_texts(count: int, words: tuple[int, int], seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    known = ["".join(random.choice(list("abcdefghijklmnoprstuvw"), random.integers(3, 9))) for _ in range(800)]
    return [" ".join(random.choice(known, random.integers(*words))) for _ in range(count)]


def test_of_thousands_of_texts_just_the_planted_ones_are_found() -> None:
    texts = random_texts(3000, (25, 45))
    planted = {}
    for number in range(0, 300, 10):
        words = texts[number].split()
        del words[len(words) // 2]
        planted[number] = len(texts)
        texts.append(" ".join(words) + ".")
    assert pairs_of(near_texts(texts)) == set(planted.items())


def test_a_thousand_variants_of_one_text_are_one_group_at_few_comparisons() -> None:
    variants = [f"{LONG} Reference {number}." for number in range(1000)]
    pairs = near_texts(variants)
    assert len(set(joined(np.arange(1000), pairs).tolist())) == 1
    assert len(pairs) < 100 * 1000


def test_pairs_of_a_bucket_join_all_that_share_a_key() -> None:
    keys = np.array([3, 1, 3, 2, 3, 3, 3, 3, 1])
    groups = joined(np.arange(9), bucket_pairs(keys, 2))
    assert len(set(groups.tolist())) == 3 and len(set(groups[keys == 3].tolist())) == 1
    assert len(bucket_pairs(np.arange(5), 3)) == 0


# -- images ---------------------------------------------------------------------------------------------------


def photographs(count: int = 250, side: int = 48, seed: int = 0) -> Array:
    """Smooth colour images (n, side, side, 3), no two alike."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        made.append(np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC)))
    return np.stack(made)


def jpeg(pixels: Array, quality: int) -> Array:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def smaller(pixels: Array) -> Array:
    side = len(pixels)
    small = Image.fromarray(pixels).resize((2 * side // 3, 2 * side // 3), Image.Resampling.BILINEAR)
    return np.asarray(small.resize((side, side), Image.Resampling.BILINEAR))


CHANGES = {
    "the same": lambda pixels: pixels,
    "stored anew": lambda pixels: jpeg(pixels, 60),
    "resized": smaller,
    "brighter": lambda pixels: (pixels * 0.8 + 40).astype(np.uint8),
    "a grey frame of one pixel": lambda pixels: np.pad(
        pixels[1:-1, 1:-1], ((1, 1), (1, 1), (0, 0)), constant_values=99
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_of_images_are_found_and_nothing_else(change: str) -> None:
    images = photographs()
    copies = np.stack([CHANGES[change](image) for image in images[:20]])
    found = near_images(np.concatenate([images, copies]))
    assert pairs_of(found) == {(i, len(images) + i) for i in range(20)}


def test_digits_that_look_alike_raise_no_alarm_and_stored_anew_they_are_found() -> None:
    digits = (bundled.load_digits().images * 15.9).astype(np.uint8)
    assert len(near_images(digits[..., None])) == 0
    copies = np.stack([jpeg(image, 95) for image in digits[:40]])
    found = pairs_of(near_images(np.concatenate([digits, copies])[..., None]))
    planted = {(i, len(digits) + i) for i in range(40)}
    assert found <= planted and len(found) >= 35


def test_photographs_and_noise_raise_no_alarm() -> None:
    assert len(near_images(photographs(600, 24, 1))) == 0
    noise = np.random.default_rng(0).integers(0, 256, (600, 12, 12, 1), dtype=np.uint8)
    assert len(near_images(noise)) == 0


def test_flat_images_and_few_images_are_like_no_other() -> None:
    flat = np.full((50, 8, 8, 1), 7, np.uint8)
    assert len(near_images(flat)) == 0
    assert len(near_images(np.concatenate([flat, photographs(30, 8)[..., :1]]))) == 0
    assert len(near_images(photographs(4))) == 0


# -- in a data set --------------------------------------------------------------------------------------------


def test_nearly_equal_rows_stay_on_one_side_of_every_split_and_are_said() -> None:
    frame, planted = with_copies(bundle("breast_cancer"), 30, 1e-4)
    target = np.arange(len(frame)) % 2
    dataset = kept_together(read(frame.assign(y=target), "y"))
    (note,) = [note for note in dataset.notes if "nearly the same" in note]
    assert note.startswith("60 rows are nearly the same as others: kept on one side of every split")
    for seed in range(3):
        protocol, pool, test = divide(dataset, seed)
        side = np.zeros(len(dataset))
        side[test] = -1
        for fold in range(5):
            side[pool[protocol.split(0, fold)[1]]] = fold + 1
        assert all(side[a] == side[b] for a, b in planted)


def test_what_a_ready_test_part_has_of_the_training_data_is_said() -> None:
    frame, _ = with_copies(bundle("wine"), 5, 1e-5)
    target = np.arange(len(frame)) % 3
    whole = frame.assign(y=target)
    dataset = kept_together(read(whole.iloc[:178], "y", test=whole.iloc[178 - 10 :]))
    assert "5 of the test rows nearly the same as some in the training data" in dataset.notes


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_data_set_is_left_as_it_came(name: str) -> None:
    loaded = getattr(bundled, f"load_{name}")(as_frame=True).frame
    dataset = read(loaded, "target")
    assert kept_together(dataset) is dataset


def texts_table(texts: list[str | None], kind: list[str]) -> Dataset:
    frame = pd.DataFrame({"text": pd.Series(texts, dtype=object), "kind": pd.Series(kind, dtype=object)})
    columns = (Column("text", "text"), Column("kind", "category"))  # type: ignore[arg-type, unused-ignore]
    return Dataset("t", Schema("tabular", "y", columns), None, frame=frame)


def test_texts_in_a_table_are_alike_where_all_else_is_equal() -> None:
    texts: list[str | None] = [LONG, LONG.upper(), LONG + " Later.", None, None, "short"]
    dataset = texts_table(texts, ["a", "a", "b", "a", "a", "a"])
    assert pairs_of(near_pairs(dataset)) == {(0, 1)}
    assert same_inputs(dataset)[3] == same_inputs(dataset)[4]
