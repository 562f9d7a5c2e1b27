"""Images in: folders, zips and arrays; modes, sizes and what cannot be read."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steelyard.data.dataset import Dataset
from steelyard.data.images import decode
from steelyard.data.source import read, read_like
from steelyard.errors import UserError


def picture(seed: int, size: tuple[int, int] = (12, 10), grey: bool = False) -> Image.Image:
    shape = (size[1], size[0]) if grey else (size[1], size[0], 3)
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def folder(root: Path, places: tuple[str, ...] = ("cat", "dog"), count: int = 6, grey: bool = False) -> Path:
    """`count` PNG files in each folder, no two alike."""
    for number, place in enumerate(places):
        (root / place).mkdir(parents=True)
        for i in range(1, count + 1):
            picture(100 * number + i, grey=grey).save(root / place / f"{i}.png")
    return root


def zipped(root: Path) -> Path:
    path = root.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*")):
            archive.write(file, file.relative_to(root.parent))
    return path


def said(dataset: Dataset, *words: str) -> bool:
    return any(all(word in note for word in words) for note in dataset.notes)


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def test_class_folders_become_classes_in_natural_order(tmp_path: Path) -> None:
    dataset = read(folder(tmp_path / "pets", count=11), None)
    assert dataset.classes == ("cat", "dog") and dataset.images is not None
    assert dataset.images.shape == (22, 10, 12, 3) and dataset.images.dtype == np.uint8
    assert dataset.origin[:3] == ("cat/1.png", "cat/2.png", "cat/3.png") and dataset.origin[10] == "cat/11.png"
    assert np.array_equal(dataset.images[0], np.asarray(picture(1)))
    assert dataset.schema.shape == (10, 12, 3) and dataset.groups is None and dataset.part is None


def test_a_zip_gives_what_its_folder_gives(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets")
    (root / "LICENSE").write_text("MIT")
    (root / "labels.csv").write_text("a,b")
    (root / "__MACOSX").mkdir()
    (root / "__MACOSX" / "._1.png").write_text("x")
    (root / "cat" / ".hidden.png").write_text("x")
    whole, packed = read(root, None), read(zipped(root), None)
    assert packed.fingerprint == whole.fingerprint and packed.unreadable == ()
    assert said(packed, "2 files not used")


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "TEST"), ("deep/er/train", "deep/er/test")])
def test_top_folders_train_and_test_are_a_ready_split(tmp_path: Path, names: tuple[str, str]) -> None:
    root = folder(tmp_path / "pets", tuple(f"{n}/{c}" for n in names for c in ("cat", "dog")))
    dataset = read(root, None)
    assert dataset.classes == ("cat", "dog") and dataset.part is not None
    assert sorted(set(dataset.part)) == ["test", "train"] and np.sum(dataset.part == "test") == 12
    assert said(dataset, "ready split", "12 train, 12 test")


@pytest.mark.parametrize("dev", ["dev", "val", "valid"])
def test_a_folder_for_dev_is_part_of_the_ready_split(tmp_path: Path, dev: str) -> None:
    dataset = read(folder(tmp_path / "p", tuple(f"{n}/{c}" for n in ("train", dev, "test") for c in "ab")), None)
    assert dataset.part is not None and set(dataset.part) == {"train", "dev", "test"}


def test_a_second_source_is_the_test_part(tmp_path: Path) -> None:
    train, test = folder(tmp_path / "train"), folder(tmp_path / "more", ("cat", "dog"), count=2)
    picture(77).save(test / "cat" / "2.png")
    dataset = read(train, None, test=test)
    assert dataset.part is not None and dataset.part.tolist() == ["train"] * 12 + ["test"] * 4
    assert said(dataset, "3 of the test images also found in the training data")


def test_folders_named_by_numbers_are_classes_and_sorted_as_numbers(tmp_path: Path) -> None:
    dataset = read(folder(tmp_path / "digits", ("0", "2", "10"), count=4), None)
    assert dataset.classes == ("0", "2", "10")
    assert read(tmp_path / "digits", None, task="regression").classes == ()


def test_grey_images_have_one_channel_even_when_stored_in_colour(tmp_path: Path) -> None:
    root = folder(tmp_path / "grey", grey=True)
    picture(5, grey=True).convert("RGB").save(root / "cat" / "5.png")
    dataset = read(root, None)
    assert dataset.images is not None and dataset.images.shape[-1] == 1 and said(dataset, "grey")
    picture(6).save(root / "cat" / "6.png")
    mixed = read(root, None)
    assert mixed.images is not None and mixed.images.shape[-1] == 3


def test_every_mode_is_brought_to_8_bits() -> None:
    grey, colour = picture(1, grey=True), picture(2)
    for image in (grey, grey.convert("1"), colour.convert("P"), colour, colour.convert("LA")):
        pixels, size = decode(encoded(image))
        assert pixels.dtype == np.uint8 and pixels.shape[:2] == (10, 12) and size == (12, 10)
    assert np.array_equal(decode(encoded(colour))[0], np.asarray(colour))
    cmyk, _ = decode(encoded(colour.convert("CMYK"), "TIFF"))
    assert np.abs(cmyk.astype(int) - np.asarray(colour)).mean() < 3


def test_sixteen_bits_are_scaled_to_eight() -> None:
    deep = np.array([[0, 257 * 100, 65535]], dtype=np.uint16)
    for form in ("PNG", "TIFF"):
        assert decode(encoded(Image.fromarray(deep), form))[0].tolist() == [[0, 100, 255]]


def test_transparency_is_laid_over_white() -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert np.all(decode(encoded(clear))[0] == 255)
    half = Image.new("RGBA", (4, 4), (255, 0, 0, 128))
    assert decode(encoded(half))[0][0, 0].tolist() == [255, 127, 127]


def test_the_orientation_of_a_camera_is_respected() -> None:
    image = Image.new("RGB", (20, 10), "black")
    image.paste((255, 255, 255), (0, 0, 10, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    for form in ("JPEG", "PNG", "TIFF", "WEBP"):
        pixels, size = decode(encoded(image, form, exif=exif))
        assert size == (10, 20) and pixels.shape[:2] == (20, 10)
        assert pixels[:9].mean() > 200 and pixels[11:].mean() < 50


def test_large_images_are_brought_to_64_pixels_and_it_is_said(tmp_path: Path) -> None:
    root = tmp_path / "big"
    for number, place in enumerate(("a", "b")):
        (root / place).mkdir(parents=True)
        for i in range(5):
            picture(10 * number + i, (200, 150)).save(root / place / f"{i}.jpg")
    dataset = read(root, None)
    assert dataset.schema.shape == (48, 64, 3) and said(dataset, "200x150", "64x48")


def test_different_sizes_are_brought_to_the_median_one(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets")
    for i, size in enumerate([(30, 31), (28, 28), (40, 38)] * 3):
        picture(500 + i, size).save(root / "cat" / f"x{i}.png")
        picture(600 + i, size).save(root / "dog" / f"x{i}.png")
    dataset = read(root, None)
    assert dataset.schema.shape == (28, 28, 3) and said(dataset, "4 different sizes")


def test_single_pixels_are_accepted_and_the_oddity_is_said(tmp_path: Path) -> None:
    for place in "ab":
        (tmp_path / "p" / place).mkdir(parents=True)
        for i in range(6):
            picture(ord(place) + 10 * i, (1, 1)).save(tmp_path / "p" / place / f"{i}.png")
    dataset = read(tmp_path / "p", None)
    assert dataset.schema.shape == (1, 1, 3) and said(dataset, "single pixel")


def test_damaged_files_are_set_aside_and_said(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets", count=7)
    whole = (root / "cat" / "1.png").read_bytes()
    (root / "cat" / "1.png").write_bytes(whole[: len(whole) // 2])
    (root / "cat" / "2.png").write_bytes(b"no image at all")
    (root / "dog" / "3.png").write_bytes(b"")
    dataset = read(root, None)
    assert len(dataset) == 11 and [path for path, _ in dataset.unreadable] == ["cat/1.png", "cat/2.png", "dog/3.png"]
    assert said(dataset, "3 files set aside", "cat/2.png (not an image)")


def test_an_image_of_too_many_pixels_is_set_aside(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets")
    bomb = encoded(Image.new("1", (11000, 11000)))
    (root / "cat" / "bomb.png").write_bytes(bomb)
    assert [path for path, _ in read(root, None).unreadable] == ["cat/bomb.png"]


def test_identical_files_share_a_group_and_twins_in_two_classes_are_said(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets")
    (root / "dog" / "6.png").write_bytes((root / "cat" / "1.png").read_bytes())
    dataset = read(root, None)
    assert dataset.groups is not None and dataset.groups[0] == dataset.groups[-1]
    assert len(set(dataset.groups)) == 11
    assert said(dataset, "2 images are exact duplicates") and said(dataset, "1 image found in more than one class")


def test_images_in_no_class_folder_are_left_out_and_said(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets")
    picture(9).save(root / "cover.png")
    dataset = read(root, None)
    assert len(dataset) == 12 and said(dataset, "1 image left out: in no class folder")


def test_arrays_of_images_are_read() -> None:
    x = np.random.default_rng(0).integers(0, 17, (30, 8, 8)).astype(float)
    dataset = read((x, np.arange(30) % 3), None)
    assert dataset.images is not None and dataset.images.shape == (30, 8, 8, 1) and dataset.classes == ("0", "1", "2")
    assert np.array_equal(dataset.images[..., 0], x)
    assert read_like(x[:3], dataset.schema).images is not None
    assert len(read((x, np.arange(30) % 3), None, test=(x[:5], np.arange(5) % 3))) == 35


def test_fractions_are_scaled_and_channels_are_put_last() -> None:
    x = np.random.default_rng(0).random((12, 3, 8, 9))
    dataset = read((x, np.arange(12) % 2), None)
    assert dataset.images is not None and dataset.images.shape == (12, 8, 9, 3)
    assert dataset.images[0, 0, 0, 0] == np.rint(255 * x[0, 0, 0, 0]) and said(dataset, "turned to")


def test_reading_like_takes_a_file_a_flat_folder_a_zip_and_class_folders(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets")
    dataset = read(root, None)
    like = read_like(root, dataset.schema, dataset.classes)
    assert like.target is not None and dataset.target is not None and like.target.tolist() == dataset.target.tolist()
    flat = read_like(root / "cat", dataset.schema, dataset.classes)
    assert flat.target is None and flat.origin == tuple(f"{i}.png" for i in range(1, 7))
    one = read_like(root / "cat" / "1.png", dataset.schema, dataset.classes)
    assert one.origin == ("1.png",) and one.images is not None and one.images.shape == (1, 10, 12, 3)
    assert len(read_like(zipped(root), dataset.schema)) == 12


def test_reading_like_brings_images_to_the_training_shape_and_sets_bad_ones_aside(tmp_path: Path) -> None:
    dataset = read(folder(tmp_path / "grey", grey=True), None)
    (tmp_path / "new").mkdir()
    picture(3, (90, 70)).save(tmp_path / "new" / "a.jpg")
    (tmp_path / "new" / "b.jpg").write_bytes(b"junk")
    like = read_like(tmp_path / "new", dataset.schema, dataset.classes)
    assert like.images is not None and like.images.shape == (1, 10, 12, 1)
    assert like.unreadable == (("b.jpg", "not an image"),) and like.origin == ("a.jpg",)


def refused(source: object, *words: str, **options: object) -> None:
    with pytest.raises(UserError) as caught:
        read(source, None, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value) and all(word in str(caught.value) for word in words), caught.value


def test_folders_that_cannot_be_learnt_from_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "holds no images", "it is empty")
    refused(folder(tmp_path / "one", ("cat",)), "expected one folder of images for each class")
    refused(folder(tmp_path / "few", count=2), "4 usable rows", "at least 10")
    refused(folder(tmp_path / "pets"), "exclude names columns", exclude=["age"])
    refused(tmp_path / "pets" / "cat" / "1.png", "is a single image")


def test_a_folder_of_files_none_of_which_can_be_read_is_refused(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets")
    for file in root.rglob("*.png"):
        file.write_bytes(b"junk")
    refused(root, "none of the 12 files", "not an image")


def test_image_arrays_that_make_no_sense_are_refused() -> None:
    labels = np.arange(20) % 2
    refused(np.zeros((20, 8, 8)), "give the pair (X, y)")
    refused((np.zeros((19, 8, 8)), labels), "19 images", "20 values")
    refused((np.full((20, 8, 8), -1.0), labels), "scale them")
    refused((np.full((20, 8, 8), np.nan), labels), "scale them")
    refused((np.zeros((20, 8, 8, 7)), labels), "(20, 8, 8, 7)")


def test_a_table_for_a_model_of_images_is_refused(tmp_path: Path) -> None:
    dataset = read(folder(tmp_path / "pets"), None)
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="trained on images"):
        read_like(tmp_path / "a.csv", dataset.schema)
