"""Anchor boxes: known clusters are found, the fit grows with k, the page and the record say the same."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import steelyard
from steelyard.boxes.anchors import Anchors, find_anchors, iou, k_means
from steelyard.boxes.reading import read_boxes
from steelyard.cli import main
from steelyard.records import from_plain

Heard = pytest.CaptureFixture[str]
CENTRES = np.array([[20.0, 20.0], [60.0, 200.0], [240.0, 60.0], [300.0, 300.0]])


def clustered(each: int = 40, spread: float = 0.05, seed: int = 0) -> np.ndarray:
    """Boxes (n, 2) around four sizes."""
    random = np.random.default_rng(seed)
    return np.vstack([centre * np.exp(spread * random.normal(size=(each, 2))) for centre in CENTRES])


def test_iou_of_boxes_at_a_corner_is_what_it_is_by_hand() -> None:
    found = iou(np.array([[2.0, 2.0], [4.0, 1.0]]), np.array([[2.0, 2.0], [1.0, 1.0]]))
    assert np.allclose(found, [[1, 1 / 4], [2 / 6, 1 / 4]])


def test_sizes_that_lie_in_four_clusters_give_their_middles_and_pick_four(tmp_path: Path) -> None:
    found = steelyard.anchors(clustered(), k=range(2, 8), output=tmp_path)
    assert found.pick == 4
    assert np.allclose(found.of(4).anchors, sorted(CENTRES.tolist(), key=np.prod), rtol=0.03)
    assert np.allclose(found.of(4).shares, 0.25)


def test_the_distance_is_iou_and_not_euclidean() -> None:
    """Two sizes of small boxes and a spread of large ones: Euclid spends all anchors on the large, IoU does not."""
    random = np.random.default_rng(0)
    small = np.repeat([[4.0, 4.0], [16.0, 16.0]], 50, axis=0)
    large = 300 + 10 * random.normal(size=(100, 2))
    anchors, _ = max((k_means(np.vstack([small, large]), 3, random) for _ in range(8)), key=lambda pair: pair[1])
    assert np.allclose(sorted(anchors[:, 0])[:2], [4, 16])


def test_more_anchors_never_fit_worse_the_boxes_they_are_found_on() -> None:
    sizes = np.exp(np.random.default_rng(3).normal(4, 0.7, (300, 2)))
    found = find_anchors(read_boxes(sizes), range(1, 16))
    means = [each.mean_iou for each in found.clusterings]
    assert means == sorted(means) and means[0] < 0.6 < means[-1]
    held = [each.held_out for each in found.clusterings]
    assert all(h is not None and h < m for h, m in zip(held, means, strict=True))


def test_the_same_seed_gives_the_same_anchors() -> None:
    boxes = read_boxes(np.exp(np.random.default_rng(1).normal(4, 0.7, (200, 2))))
    assert find_anchors(boxes, (5, 6), 7) == find_anchors(boxes, (5, 6), 7)


def test_interval_counts_images_not_boxes() -> None:
    """A hundred copies of a box in one image are one piece of evidence."""
    sizes = np.exp(np.random.default_rng(2).normal(4, 0.7, (40, 2)))
    alone = pd.DataFrame(sizes, columns=["w", "h"]).assign(image=np.arange(40))
    often = pd.concat([alone] * 100, ignore_index=True)
    errors = [find_anchors(read_boxes(frame), (3,)).of(3).standard_error for frame in (alone, often)]
    assert errors[0] and errors[1] and 0.5 < errors[1] / errors[0] < 2


def test_with_few_images_nothing_is_held_out_and_the_pick_still_stands() -> None:
    frame = pd.DataFrame(clustered(5), columns=["w", "h"]).assign(image=np.arange(20) % 3)
    found = find_anchors(read_boxes(frame), (3, 4, 5))
    assert {each.held_out for each in found.clusterings} == {None} and found.pick == 4


def test_the_folder_holds_the_page_with_its_pictures_and_the_record(tmp_path: Path, capsys: Heard) -> None:
    source = tmp_path / "boxes.csv"
    pd.DataFrame(clustered(), columns=["w", "h"]).to_csv(source, index=False)
    command = ["anchors", str(source), "--k", "3..6", "--output", str(tmp_path / "out")]
    assert main(command) == 0
    heard = capsys.readouterr()
    assert "4 anchors fit boxes of other images" in heard.out and "160 boxes in 160 images" in heard.err
    assert main([*command, "--json", "--quiet"]) == 0
    heard = capsys.readouterr()
    found = from_plain(json.loads(heard.out), Anchors)
    assert heard.err == "" and [each.k for each in found.clusterings] == [3, 4, 5, 6]
    assert json.loads((tmp_path / "out" / "anchors.json").read_text()) == json.loads(heard.out)
    page = (tmp_path / "out" / "anchors.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4 and "4 anchors fit boxes of other images" in page


def test_names_from_the_data_do_not_run_in_the_page(tmp_path: Path) -> None:
    source = tmp_path / "<script>x"
    source.mkdir()
    pd.DataFrame(clustered(), columns=["w", "h"]).to_csv(source / "b.csv", index=False)
    steelyard.anchors(source / "b.csv", (4,), output=tmp_path / "out")
    assert "<script>" not in (tmp_path / "out" / "anchors.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--k", "9..3"], ["--k", "range such as 3..12"]),
        (["--k", "0"], ["--k"]),
        (["--k", "many"], ["--k"]),
        (["--k", "200"], ["200 anchors need as many different boxes", "has 160"]),
        (["--relative"], ["does not say how large all images are", "image_width"]),
        (["--relative", "--pixels"], ["not allowed with"]),
        (["--seed", "-1"], ["--seed"]),
    ],
)
def test_a_wrong_option_gets_one_clear_line(
    options: list[str], words: list[str], tmp_path: Path, capsys: Heard
) -> None:
    source = tmp_path / "boxes.csv"
    pd.DataFrame(clustered(), columns=["w", "h"]).to_csv(source, index=False)
    try:
        status = main(["anchors", str(source), "--quiet", "--output", str(tmp_path / "out"), *options])
    except SystemExit as end:
        status = int(end.code or 0)
    heard = capsys.readouterr()
    assert (status, heard.out, heard.err.count("\n")) == (2, "", 1), heard
    assert all(word in heard.err for word in words), heard.err


@pytest.mark.data
def test_kangaroos_fit_better_by_the_anchor() -> None:
    annotations = Path(__file__).parents[3] / "shared" / "data" / "boxes" / "annots"
    if not annotations.is_dir():
        pytest.skip("the folder ../shared/data with real data sets is missing")
    boxes = read_boxes(annotations)
    assert len(boxes) == 266 and len(np.unique(boxes.owners)) == 164 and boxes.notes == ()
    found = find_anchors(boxes, range(3, 10))
    assert (found.unit, re.findall("differ", found.why)) == ("relative", ["differ"])
    assert 0.6 < found.of(3).mean_iou < 0.7 < found.of(9).mean_iou < 0.8
