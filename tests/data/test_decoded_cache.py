"""What was decoded is kept, found again, and never read when it is stale or damaged; what memory cannot hold."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steelyard.cli import main
from steelyard.data import decoded
from steelyard.data.batches import Batch
from steelyard.data.dataset import Dataset, Schema
from steelyard.data.files import Listed, opened
from steelyard.data.image_files import read_files
from steelyard.data.mapped import MappedImages
from steelyard.data.pictures import FRESH, Known
from steelyard.data.prepare_images import ImagePreparation
from steelyard.data.source import read, read_like
from steelyard.errors import UserError
from steelyard.networks.image import ResidualCnn
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.losses import CrossEntropy
from steelyard.training.optimizers import AdamW
from steelyard.training.start import start
from steelyard.training.stopping import Stopping

COUNT = 100  # images of 12×10 pixels, half of them in each class
NEEDED = COUNT * 12 * 10 * 3  # bytes of them, decoded
RECIPE = Recipe(
    ImagePreparation(),
    network=ResidualCnn(width=4),
    loss=CrossEntropy(),
    optimizer=AdamW(lr=0.01),
    batch=Batch(16),
    stopping=Stopping(epochs=2),
)
KEPT, TAKEN = "kept for next time", "taken from the cache"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache, turned on in a folder that is not there yet."""
    monkeypatch.setenv("STEELYARD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """A folder of two classes of images, no two alike, in files that are all of one size."""
    for number in range(COUNT):
        picture(tmp_path / "pets" / ("cat" if number < COUNT // 2 else "dog") / f"{number}.bmp", number)
    return tmp_path / "pets"


def picture(path: Path, seed: int, size: tuple[int, int] = (12, 10)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def pack(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.bmp")):
            archive.write(file, file.relative_to(folder))
    return path


def said(dataset: Dataset, words: str) -> bool:
    return any(words in note for note in dataset.notes)


def entries(cache: Path) -> list[Path]:
    return sorted((cache / "decoded").iterdir())


# -- found again ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cache")
def test_the_second_reading_takes_what_the_first_one_kept(pets: Path) -> None:
    first, second = read(pets, None), read(pets, None)
    assert said(first, "decoded 100 images in ") and said(first, KEPT) and not said(first, TAKEN)
    assert said(second, f"100 decoded images {TAKEN}") and not said(second, KEPT)
    assert second.fingerprint == first.fingerprint and second.origin == first.origin
    assert second.notes[1:] == first.notes[1:]


@pytest.mark.usefixtures("cache")
def test_predicting_on_the_training_data_decodes_nothing(pets: Path) -> None:
    dataset = read(pets, None)
    like = read_like(pets, dataset.schema, dataset.classes)
    assert said(like, TAKEN) and np.array_equal(like.images, dataset.images)  # type: ignore[arg-type]


@pytest.mark.usefixtures("cache")
def test_another_size_is_decoded_anew_and_both_are_kept(pets: Path) -> None:
    dataset, smaller = read(pets, None), Schema("image", "class", shape=(5, 6, 3))
    for words in (KEPT, TAKEN):
        like = read_like(pets, smaller)
        assert like.images is not None and like.images.shape == (COUNT, 5, 6, 3) and said(like, words)
    assert said(read_like(pets, dataset.schema), TAKEN)


@pytest.mark.usefixtures("cache")
def test_files_with_new_times_but_the_same_content_are_not_decoded_again(pets: Path) -> None:
    read(pets, None)
    shutil.copytree(pets, pets.with_name("copy"))
    assert said(read(pets.with_name("copy"), None), TAKEN)


@pytest.mark.usefixtures("cache")
def test_a_zip_is_kept_too(pets: Path, tmp_path: Path) -> None:
    path = pack(pets, tmp_path / "pets.zip")
    assert said(first := read(path, None), KEPT) and said(second := read(path, None), TAKEN)
    assert first.fingerprint == second.fingerprint


@pytest.mark.usefixtures("cache")
def test_damaged_files_and_those_in_no_class_are_said_as_the_first_time(pets: Path) -> None:
    (pets / "cat" / "7.bmp").write_bytes(b"no image")
    picture(pets / "cover.bmp", 1)
    first, second = read(pets, None), read(pets, None)
    assert said(second, TAKEN) and second.unreadable == first.unreadable == (("cat/7.bmp", "not an image"),)
    assert said(second, "1 image left out: in no class folder") and second.notes[1:] == first.notes[1:]


@pytest.mark.usefixtures("cache")
def test_a_second_source_that_is_the_test_part_is_kept_with_the_first(pets: Path, tmp_path: Path) -> None:
    test = picture(tmp_path / "more" / "cat" / "1.bmp", 999).parents[1]
    first, second = read(pets, None, test=test), read(pets, None, test=test)
    assert said(second, TAKEN) and first.fingerprint == second.fingerprint
    assert second.part is not None and second.part.tolist() == ["train"] * COUNT + ["test"]
    picture(tmp_path / "more" / "cat" / "1.bmp", 998)
    assert said(read(pets, None, test=test), KEPT)


def test_a_handful_of_files_is_not_worth_an_entry(cache: Path, tmp_path: Path) -> None:
    for number in range(20):
        picture(tmp_path / "few" / "ab"[number % 2] / f"{number}.bmp", number)
    dataset = read(tmp_path / "few", None)
    assert not cache.exists() and not said(dataset, "decoded")


# -- never stale ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cache")
def test_other_bytes_in_a_file_of_the_same_size_and_time_are_decoded_anew(pets: Path) -> None:
    read(pets, None)
    file = pets / "cat" / "3.bmp"
    before = file.stat()
    picture(file, 12345)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert_decoded_anew(pets)


@pytest.mark.usefixtures("cache")
def test_a_file_of_another_size_is_decoded_anew(pets: Path) -> None:
    read(pets, None)
    picture(pets / "dog" / "80.bmp", 80, (14, 10))
    assert_decoded_anew(pets)


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("change", ["added", "removed", "renamed", "moved to the other class"])
def test_other_files_are_decoded_anew(pets: Path, change: str) -> None:
    read(pets, None)
    file = pets / "cat" / "0.bmp"
    if change == "added":
        picture(pets / "dog" / "100.bmp", 100)
    elif change == "removed":
        picture(pets / "dog" / "100.bmp", 100)
        read(pets, None)
        file.unlink()
    else:
        file.rename(pets / "cat" / "0b.bmp" if change == "renamed" else pets / "dog" / "0.bmp")
    assert_decoded_anew(pets)


@pytest.mark.usefixtures("cache")
def test_two_files_that_changed_places_are_decoded_anew(pets: Path) -> None:
    read(pets, None)
    for name, new in (("0.bmp", "x"), ("1.bmp", "0.bmp"), ("x", "1.bmp")):
        (pets / "cat" / name).rename(pets / "cat" / new)
    assert_decoded_anew(pets)


@pytest.mark.usefixtures("cache")
def test_a_zip_with_another_image_of_the_same_size_is_decoded_anew(pets: Path, tmp_path: Path) -> None:
    path = pack(pets, tmp_path / "pets.zip")
    read(path, None)
    before = path.stat()
    picture(pets / "cat" / "3.bmp", 12345)
    pack(pets, path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert_decoded_anew(path)


@pytest.mark.usefixtures("cache")
def test_what_another_decoder_left_is_not_taken(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(pets, None)
    monkeypatch.setattr(decoded, "FORMAT", decoded.FORMAT + 1)
    assert_decoded_anew(pets)


def assert_decoded_anew(source: Path) -> None:
    """What is read is what a reading without a cache gives, and the next reading has it from the cache."""
    dataset = read(source, None)
    assert said(dataset, KEPT) and said(read(source, None), TAKEN)
    os.environ["STEELYARD_CACHE"] = "off"  # the fixture puts it back
    assert dataset.fingerprint == read(source, None).fingerprint


def test_a_file_is_trusted_by_its_times_only_when_it_has_rested() -> None:
    now = 10**18
    stamps = np.array([[360, now - 2 * FRESH, now - 2 * FRESH, 7]] * 5)
    stamps[1, 1] = stamps[2, 2] = now - FRESH // 2
    hashes = [b"a", b"b", b"c", b"", b"e"]
    later = stamps.copy()
    later[4, 3] = 8
    assert Known.of(now, stamps, hashes).trusted(later).tolist() == [True, False, False, False, False]


# -- never damaged --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["pixels.npy", "facts.npz", "known.npz"])
@pytest.mark.parametrize("damage", ["cut off", "empty", "gone", "one byte"])
def test_a_damaged_entry_is_decoded_anew_and_mended(cache: Path, pets: Path, file: str, damage: str) -> None:
    whole = read(pets, None)
    (entry,) = entries(cache)
    data = (entry / file).read_bytes()
    middle = len(data) // 2
    if damage == "gone":
        (entry / file).unlink()
    elif damage == "one byte":
        (entry / file).write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    else:
        (entry / file).write_bytes(data[:middle] if damage == "cut off" else b"")
    again = read(pets, None)
    assert said(again, KEPT) and again.fingerprint == whole.fingerprint
    assert said(read(pets, None), TAKEN) and len(entries(cache)) == 1


def test_nothing_in_an_entry_is_unpickled(cache: Path, pets: Path, tmp_path: Path) -> None:
    whole = read(pets, None)
    (entry,) = entries(cache)
    np.save(entry / "pixels.npy", np.array([Trap(tmp_path / "sprung")], object), allow_pickle=True)
    assert read(pets, None).fingerprint == whole.fingerprint
    assert not (tmp_path / "sprung").exists()


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


# -- where it is and how large --------------------------------------------------------------------------------


def test_switched_off_nothing_is_kept(tmp_path: Path, pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    for word in ("off", "OFF", "no", "0"):
        monkeypatch.setenv("STEELYARD_CACHE", word)
        assert not said(read(pets, None), KEPT)
    assert not (tmp_path / "home").exists()


def test_by_default_it_lies_where_the_system_keeps_caches(
    tmp_path: Path, pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STEELYARD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    read(pets, None)
    assert len(entries(tmp_path / "xdg" / "steelyard")) == 1
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    read(pets, None)
    assert len(entries(tmp_path / "home" / ".cache" / "steelyard")) == 1


def test_only_its_owner_may_look_into_an_entry(cache: Path, pets: Path) -> None:
    read(pets, None)
    assert entries(cache)[0].stat().st_mode & 0o077 == 0


def test_the_least_recently_used_entry_gives_way(cache: Path, pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schemas = [Schema("image", "class", shape=(10 + more, 12, 3)) for more in range(3)]
    for age, schema in ((200, schemas[0]), (100, schemas[1])):
        before = set(entries(cache)) if cache.exists() else set()
        read_like(pets, schema)
        (entry,) = set(entries(cache)) - before
        os.utime(entry / "used", (entry.stat().st_mtime - age,) * 2)
    two = sum(file.stat().st_size for entry in entries(cache) for file in entry.iterdir())
    assert said(read_like(pets, schemas[0]), TAKEN)
    monkeypatch.setenv("STEELYARD_CACHE_GB", str((two + 5000) / 1e9))
    read_like(pets, schemas[2])
    assert said(read_like(pets, schemas[0]), TAKEN) and said(read_like(pets, schemas[1]), KEPT)


def test_images_larger_than_the_cache_are_read_and_not_kept(
    cache: Path, pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEELYARD_CACHE_GB", "0.00001")
    for _ in range(2):
        assert said(read(pets, None), "not kept (larger than the 0.0 GB of the cache)")
    assert entries(cache) == []


def test_a_cache_that_cannot_be_written_keeps_nobody_from_reading(cache: Path, pets: Path) -> None:
    cache.write_text("a file where the folder should be")
    dataset = read(pets, None)
    assert len(dataset) == COUNT and said(dataset, "not kept (Not a directory)")


@pytest.mark.usefixtures("cache")
def test_a_size_that_is_no_number_is_the_users_error(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_CACHE_GB", "much")
    with pytest.raises(UserError, match="STEELYARD_CACHE_GB is a number of gigabytes such as 4, got 'much'"):
        read(pets, None)


# -- many at once ---------------------------------------------------------------------------------------------


def test_any_number_of_threads_decodes_the_same_in_the_same_order(pets: Path) -> None:
    (pets / "cat" / "5.bmp").write_bytes(b"junk")
    with opened(pets) as tree:
        files = [Listed(tree, path, path) for path in tree.paths]
        one, *others = [read_files(files, threads) for threads in (1, 2, 5)]
    assert one.places == [*range(5), *range(6, COUNT)] and one.unreadable == ((5, "not an image"),)
    for other in others:
        assert (other.hashes, other.places, other.sizes) == (one.hashes, one.places, one.sizes)
        assert all(np.array_equal(a, b) for a, b in zip(one.pixels, other.pixels, strict=True))


READ = """
import os, sys, time
from pathlib import Path
from steelyard.data.source import read
go = Path(sys.argv[2])
(go.parent / f"ready-{os.getpid()}").touch()
while not go.exists():
    time.sleep(0.002)
print(read(sys.argv[1], None).fingerprint)
"""


def test_processes_that_read_at_once_share_one_whole_entry(cache: Path, pets: Path, tmp_path: Path) -> None:
    """All begin with an empty cache at the same moment; one of them clears it in between."""
    gate = tmp_path / "gate"
    gate.mkdir()
    clear = READ.replace("print(", "from steelyard.data import cache\nfor _ in range(20): cache.clear()\nprint(")
    command = [sys.executable, "-c"]
    readers = [
        subprocess.Popen([*command, code, str(pets), str(gate / "go")], stdout=subprocess.PIPE, text=True)
        for code in (READ, READ, clear)
    ]
    while len(list(gate.iterdir())) < len(readers):
        assert all(reader.poll() is None for reader in readers), "a reader ended before it began"
        time.sleep(0.01)
    (gate / "go").touch()
    prints = {reader.communicate(timeout=60)[0].strip() for reader in readers}
    assert all(reader.returncode == 0 for reader in readers)
    assert prints == {read(pets, None).fingerprint}
    assert said(read(pets, None), TAKEN) and len(entries(cache)) == 1


# -- the command ----------------------------------------------------------------------------------------------


def test_the_command_says_where_it_is_how_large_and_what_it_holds(
    cache: Path, pets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cache"]) == 0
    assert "0 entries, 0.0 MB of" in capsys.readouterr().out
    read(pets, None)
    assert main(["cache"]) == 0
    heard = capsys.readouterr().out
    assert "100 images of 12×10, colour" in heard and "1 entry, 0.0 MB" in heard and str(cache) in heard
    assert main(["cache", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (entry,) = entries(cache)
    assert found["folder"] == str(cache) and [each["key"] for each in found["entries"]] == [entry.name]
    assert found["entries"][0]["size"] == sum(file.stat().st_size for file in entry.iterdir()) > NEEDED


def test_cleared_by_a_command_it_is_decoded_anew_and_what_is_not_ours_stays(
    cache: Path, pets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = read(pets, None)
    (cache / "decoded" / "mine").mkdir()
    (cache / "thesis.txt").write_text("not ours")
    assert main(["cache", "clear"]) == 0
    assert "1 entry (0.0 MB) removed from" in capsys.readouterr().out
    assert [each.name for each in entries(cache)] == ["mine"] and (cache / "thesis.txt").exists()
    again = read(pets, None)
    assert said(again, KEPT) and again.fingerprint == whole.fingerprint


def test_images_that_are_mapped_survive_that_the_cache_is_cleared(
    pets: Path, cache: Path, little_memory: None, capsys: pytest.CaptureFixture[str]
) -> None:
    read(pets, None)
    mapped = read(pets, None)
    before = np.asarray(mapped.images).copy()
    assert main(["cache", "clear", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 1 and entries(cache) == []
    assert isinstance(mapped.images, MappedImages) and np.array_equal(np.asarray(mapped.images), before)


def test_a_damaged_entry_is_listed_and_cleared(cache: Path, pets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read(pets, None)
    (entries(cache)[0] / "pixels.npy").write_bytes(b"junk")
    assert main(["cache"]) == 0 and "cannot be read" in capsys.readouterr().out
    assert main(["cache", "clear"]) == 0 and entries(cache) == []


def test_a_switched_off_cache_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("STEELYARD_CACHE", "off")
    for command in (["cache"], ["cache", "clear"]):
        assert main(command) == 0
        assert "switched off" in capsys.readouterr().out


def test_an_unknown_action_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["cache", "clean"])
    assert "invalid choice: 'clean'" in capsys.readouterr().err


# -- more than memory holds -----------------------------------------------------------------------------------


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_MEMORY_GB", str(NEEDED / 1e9))


@pytest.mark.usefixtures("cache")
def test_images_that_do_not_fit_into_memory_are_mapped_and_are_the_same(
    pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(pets / "cat" / "0.bmp", 0, (20, 30))  # not all are of one size
    inside = read(pets, None)
    shutil.rmtree(os.environ["STEELYARD_CACHE"])
    monkeypatch.setenv("STEELYARD_MEMORY_GB", str(NEEDED / 1e9))
    for words in (KEPT, TAKEN):
        mapped = read(pets, None)
        assert (
            isinstance(mapped.images, MappedImages) and said(mapped, words) and said(mapped, "do not fit into memory")
        )
        assert mapped.fingerprint == inside.fingerprint and mapped.notes[2:] == inside.notes[1:]


@pytest.mark.usefixtures("little_memory")
def test_images_that_do_not_fit_are_mapped_without_a_cache_too(pets: Path) -> None:
    dataset = read(pets, None)
    assert isinstance(dataset.images, MappedImages) and not said(dataset, KEPT)
    assert np.array_equal(dataset.images[7], np.asarray(Image.open(pets / "cat" / "7.bmp")))


@pytest.mark.usefixtures("little_memory")
def test_mapped_images_are_picked_and_prepared_like_others(pets: Path) -> None:
    mapped = read(pets, None)
    inside = np.asarray(mapped.images)
    rows = np.array([3, 99, 3, 1])
    taken = mapped.take(np.arange(1, COUNT)).take(rows - 1)
    assert isinstance(taken.images, MappedImages) and np.array_equal(np.asarray(taken.images), inside[rows])
    assert np.array_equal(mapped.images[2:5], inside[2:5])  # type: ignore[index]
    plain = Dataset("", mapped.schema, mapped.target, mapped.classes, images=inside)
    for size in (0, 6):
        one, other = (ImagePreparation(size=size).fit(each) for each in (mapped, plain))
        assert one == other
        assert np.array_equal(one.transform(mapped)[0], other.transform(plain)[0])
        assert np.array_equal(one.matrix(mapped), other.matrix(plain))


def test_a_network_trained_on_mapped_images_gets_the_same_bits(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = []
    for gigabytes in ("1", str(NEEDED / 1e9)):
        monkeypatch.setenv("STEELYARD_MEMORY_GB", gigabytes)
        dataset = read(pets, None)
        problem = Problem("binary", "image", "class", COUNT, dataset.classes, "accuracy")
        model, epochs = start(RECIPE, dataset.take(np.arange(0, COUNT, 2)), problem, 0)
        assert len(list(epochs)) == 2
        trained.append((type(dataset.images), model.predict(dataset).tobytes()))
    assert [kind for kind, _ in trained] == [np.ndarray, MappedImages]
    assert trained[0][1] == trained[1][1]


@pytest.mark.usefixtures("little_memory")
def test_another_process_is_told_where_mapped_images_lie(pets: Path) -> None:
    mapped = read(pets, None).images
    sent = pickle.dumps(mapped)
    assert len(sent) < 5000 and np.array_equal(np.asarray(pickle.loads(sent)), np.asarray(mapped))


@pytest.mark.usefixtures("little_memory")
def test_mapped_images_outlive_their_entry_and_leave_nothing_behind(cache: Path, pets: Path) -> None:
    code = (
        "import shutil, sys; from pathlib import Path; import numpy as np; from steelyard.data.source import read\n"
        "images = read(sys.argv[1], None).images; before = np.asarray(images[0:100])\n"
        "again = read(sys.argv[1], None).images; shutil.rmtree(Path(sys.argv[2]) / 'decoded')\n"
        "assert (np.asarray(type(again)(again.path, again.rows)) == before).all()\n"
    )
    subprocess.run([sys.executable, "-c", code, str(pets), str(cache)], check=True)
    assert list((cache / "scratch").iterdir()) == []


def test_a_disk_without_room_is_the_users_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from steelyard.data import room

    monkeypatch.setenv("STEELYARD_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UserError, match="fit neither into memory nor onto the disk"):
        room.on_disk((1 << 22, 1 << 10, 1 << 10, 1 << 10))
