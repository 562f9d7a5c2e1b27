"""The preview of augmentation: a picture of images, a text of tables, never a row of the sealed test."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import steelyard
from steelyard.cli import main
from steelyard.data.prepared import ImageShape
from steelyard.errors import UserError
from steelyard.report.preview import pictures, tables
from steelyard.report.preview import shown as written
from steelyard.trials.journal import Journal
from steelyard.workflow.preview import preview
from steelyard.workflow.stored import asked_again


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short run on the first 120 digits as files in class folders."""
    base = tmp_path_factory.mktemp("digits")
    images, labels = load_digits(return_X_y=True)
    for number, (image, label) in enumerate(zip(images[:120].reshape(-1, 8, 8), labels, strict=False)):
        place = base / "digits" / f"the {label}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 15).astype(np.uint8)).save(place / f"{number}.png")
    steelyard.run(base / "digits", output=base / "run", trial_limit=1, jobs=1)
    return base / "run"


def found(run, names=(), **how):
    return preview(run, steelyard.load(run).record, names, **how)


def test_without_names_every_technique_that_applies_is_shown_once(digits_run):
    names = [each.name for each in found(digits_run).after]
    assert len(names) == len(set(names)) > 15
    assert {"flips", "mixup", "cutmix", "rotation", "padded-crops"} <= set(names)
    assert not {"input-noise", "dropout", "center-crop"} & set(names)


def test_each_class_is_shown_and_the_examples_are_images_of_the_run(digits_run):
    seen = found(digits_run, ["flips"], rows=10)
    assert sorted(seen.labels) == [f"the {digit}" for digit in range(10)]
    digits = {(image * 15).astype(np.uint8).tobytes() for image in load_digits().images[:120]}
    assert all(image.tobytes() in digits for image in seen.inputs[0][:, 0])


def test_after_flips_each_image_is_itself_or_its_mirror(digits_run):
    seen = found(digits_run, ["flips"])
    before, mirrored = seen.inputs[0], seen.inputs[0][..., ::-1]
    for each in seen.after:
        images = each.inputs[0]
        same = [any(np.array_equal(image, other[i]) for other in (before, mirrored)) for i, image in enumerate(images)]
        assert all(same) and each.labels == seen.labels
    assert len({each.inputs[0].tobytes() for each in seen.after}) > 1, "every draw is another one"


def test_labels_say_what_two_images_have_become_and_pixels_follow_them(digits_run):
    seen = found(digits_run, ["mixup"], settings=[("augment.mixup.alpha", "100")], rows=8)
    mixed = [label for each in seen.after for label in each.labels if " + " in label]
    assert len(mixed) > 24, "some are mixed with their own class"
    for label in mixed:
        shares = [float(part.split(" the ")[0]) for part in label.split(" + ")]
        assert len(shares) == 2 and sum(shares) == pytest.approx(1) and min(shares) > 0.3
    assert not np.array_equal(seen.after[0].inputs[0], seen.inputs[0])


def test_what_acts_on_encoded_images_is_shown_as_pixels(digits_run):
    (crop, *_) = found(digits_run, ["crop"], settings=[("augment.crop.share", "0.5")]).after
    assert crop.inputs[0].shape[1:] == (1, 4, 4) and crop.inputs[0].dtype == np.uint8
    (several, *_) = found(digits_run, ["multi-crop"], rows=3).after
    assert len(several.inputs[0]) == len(several.labels) == 3


def test_the_same_seed_shows_the_same_and_another_one_others(digits_run):
    one, same, other = (found(digits_run, ["rotation"], seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one.after[0].inputs[0], same.after[0].inputs[0])
    assert not np.array_equal(one.inputs[0], other.inputs[0])


def test_a_schedule_is_looked_at_where_one_asks_for(digits_run):
    fading = [("augment.brightness.brightness", "linear(1, 0)")]
    early, late = (found(digits_run, ["brightness"], settings=fading, at=at) for at in (0.0, 1.0))
    assert not np.array_equal(early.after[0].inputs[0], early.inputs[0]) and early.after[0].note == ""
    assert np.array_equal(late.after[0].inputs[0], late.inputs[0])
    assert "changes nothing" in late.after[0].note


def test_what_the_recipe_has_is_shown_together(digits_run):
    record = steelyard.load(digits_run).record
    with_network = {"prepare": {"kind": "image-preparation"}, "network": {"kind": "residual-cnn"}}
    augment = {"flips": {"flip": 1.0}, "erasing": {"probability": 1.0, "fill": "black"}}
    record.winner["recipe"] = with_network | {"augment": augment}
    seen = preview(digits_run, record)
    assert {each.name for each in seen.after} == {"erasing + flips"} and len(seen.after) == 6
    for image, after in zip(seen.inputs[0], seen.after[0].inputs[0], strict=True):
        kept = after != 0
        assert np.array_equal(after[kept], image[..., ::-1][kept])
    assert preview(digits_run, record, ["flips"]).after[0].inputs[0].tolist() == seen.inputs[0][..., ::-1].tolist()


def test_a_picture_has_a_row_an_example_and_a_column_a_draw(digits_run, tmp_path):
    sizes = []
    for rows, names in ((2, ["flips"]), (4, ["flips"]), (2, ["flips", "rotation", "zoom", "blur", "crop", "cutmix"])):
        file = steelyard.load(digits_run).show_augment(names, rows=rows, output=tmp_path / "seen.png")
        with Image.open(file) as picture:
            sizes.append(picture.size)
    assert sizes[0][0] == sizes[1][0] == sizes[2][0] and sizes[1][1] > 1.5 * sizes[0][1]


def test_the_pixels_of_the_picture_are_those_of_the_examples(digits_run):
    seen = found(digits_run, ["vertical-flips"], settings=[("augment.vertical-flips.flip", "1")], rows=1)
    file = digits_run.parent / "one.png"
    file.write_bytes(pictures.view(seen))
    with Image.open(file) as picture:
        grey = np.asarray(picture.convert("L")).astype(float)
    scale = pictures.DPI / 72
    top, side = (pictures.MARGIN + pictures.TITLE) * scale, pictures.CELL * scale
    for column, image in ((0, seen.inputs[0][0, 0]), (1, seen.inputs[0][0, 0, ::-1])):
        left = pictures.MARGIN * scale + column * side
        inner = grey[int(top + 6) : int(top + side - 6), int(left + 6) : int(left + side - 6)]
        small = np.asarray(Image.fromarray(inner.astype(np.uint8)).resize((8, 8), Image.Resampling.BOX))
        assert np.corrcoef(small.ravel(), image.ravel())[0, 1] > 0.97


def test_a_class_named_in_any_way_is_drawn_as_text(digits_run):
    seen = found(digits_run, ["flips"], rows=1)
    for name in ("$x^", "<b>狗</b>", "a\nb" * 30):
        object.__setattr__(seen, "labels", (name,))
        assert pictures.view(seen).startswith(b"\x89PNG")


def test_a_table_is_shown_as_text_with_marks_at_what_changed(people_run):
    text = steelyard.load(people_run).show_augment("input-noise", rows=2, settings={"augment.input-noise.std": 0.3})
    assert isinstance(text, str)
    lines = text.splitlines()
    (age, *_) = [line.split() for line in lines if line.startswith("age")]
    assert all(cell.endswith("*") and cell[:-1] != age[1] for cell in age[2:]) and not age[1].endswith("*")
    (colour, *_) = [line for line in lines if line.startswith("colour")]
    assert "*" not in colour and any(word in colour for word in ("red", "green", "blue"))
    assert sum(line.startswith("income") for line in lines) == 2


def test_what_cannot_be_seen_in_a_table_is_said(people_run):
    text = tables.view(found(people_run, ["mixup"]))
    assert "mixup acts on what the network computes: it cannot be shown" in text
    assert text.count("mixup") == 1


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"names": ["flipz"]}, "did you mean 'flips'"),
        ({"names": ["dropout"]}, "dropout cannot be shown: it changes how a network learns"),
        ({"names": ["input-noise"]}, "input-noise cannot be shown: it shakes"),
        ({"rows": 0}, "rows is a number of examples from 1, got 0"),
        ({"at": 1.5}, "at is a point of training from 0 to 1, got 1.5"),
        ({"seed": -1}, "seed is a whole number from 0, got -1"),
        ({"settings": [("augment.flips.flipp", "1")]}, "did you mean 'augment.flips.flip'"),
        ({"settings": [("augment.flips.flip", "2")]}, "must lie in 0..1"),
    ],
)
def test_wrong_questions_are_the_users_errors(digits_run, more, word):
    with pytest.raises(UserError, match=word):
        found(digits_run, **more)


@pytest.mark.parametrize(("place", "word"), [("seen.jpg", "ends with .png"), ("no/seen.png", "folder that exists")])
def test_a_picture_that_cannot_be_written_is_the_users_error(digits_run, tmp_path, place, word):
    with pytest.raises(UserError, match=word):
        steelyard.load(digits_run).show_augment("flips", output=tmp_path / place)


def test_other_data_than_the_runs_are_refused(digits_run, tmp_path):
    with_other = tmp_path / "run"
    shutil.copytree(digits_run, with_other)
    journal = Journal(with_other / "journal.db")
    journal.set_fact("data", "0" * 16)
    journal.close()
    with pytest.raises(UserError, match="the data are others now"):
        found(with_other, ["flips"])


def test_a_kind_of_data_without_a_view_is_said(digits_run):
    seen = found(digits_run, ["flips"], rows=1)
    object.__setattr__(seen.problem, "modality", "smell")
    with pytest.raises(UserError, match="no preview of smell data; there is one of image"):
        written(seen, digits_run / "augment.png")


def test_the_command_writes_the_picture_and_says_where(digits_run, people_run, capsys):
    (digits_run / "augment.png").unlink(missing_ok=True)
    assert main(["show", "augment", "--run", str(digits_run), "--technique", "flips", "--rows", "2"]) == 0
    assert capsys.readouterr().out.strip() == str(digits_run / "augment.png")
    assert (digits_run / "augment.png").read_bytes().startswith(b"\x89PNG")
    assert main(["show", "augment", "--run", str(people_run), "--set", "augment.input-noise.std=0.2"]) == 0
    assert "input-noise" in capsys.readouterr().out
    assert main(["show", "augment", "--run", str(people_run), "--technique", "flips"]) == 2
    assert "it mirrors images, and this is a table" in capsys.readouterr().err


def test_rows_of_the_sealed_test_are_never_shown(digits_run):
    from steelyard.data.split import divide
    from steelyard.workflow.define import define

    journal = Journal(digits_run / "journal.db", create=False)
    dataset, _ = define(asked_again(journal, digits_run))
    journal.close()
    _, _, test = divide(dataset, 0)
    sealed = {dataset.images[row].tobytes() for row in test}
    seen = found(digits_run, ["flips"], rows=200)
    assert isinstance(seen.prepared.shape, ImageShape) and len(seen.labels) > 60
    assert not sealed & {image.tobytes() for image in seen.inputs[0][:, 0]}
