"""Labels that are likely wrong: planted ones are found in every kind of task, and about as many as were planted."""

import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.diagnosis.label_noise import judge
from steelyard.diagnosis.labels import suspects_of, with_examples
from steelyard.errors import UserError
from steelyard.problem import Head, Problem

ABC = ("a", "b", "c")
MNIST = Path(__file__).parents[3] / "shared" / "data" / "label-errors-mnist"


def noisy(rows: int, share: float, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of which a share was changed, the probabilities of a good model, and which were changed."""
    random = np.random.default_rng(seed)
    true = random.integers(0, classes, rows)
    logits = random.normal(size=(rows, classes)) + 4 * np.eye(classes)[true]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wrong = random.random(rows) < share
    given = np.where(wrong, (true + random.integers(1, classes, rows)) % classes, true)
    return given, probabilities, wrong


def problem(task: str, classes: tuple[str, ...] = (), heads: tuple[Head, ...] = ()) -> Problem:
    return Problem(task, "tabular", "y", 0, classes, "accuracy", heads=heads)  # type: ignore[arg-type]


@pytest.mark.parametrize("task", ["multiclass", "ordinal"])
def test_planted_errors_come_first_with_the_true_label_suggested(task: str) -> None:
    given, probabilities, wrong = noisy(1000, 0.08)
    rows, origin = np.arange(1000) * 2, tuple(f"row {i}" for i in range(2000))
    targets, suspects = suspects_of(problem(task, ABC), given, probabilities, rows, origin)
    assert np.mean([wrong[each.row // 2] for each in suspects]) > 0.7
    assert {each.row for each in suspects if wrong[each.row // 2]} >= set(rows[wrong][:10].tolist())
    assert [each.rank for each in suspects] == list(range(1, len(suspects) + 1))
    assert all(a.score <= b.score for a, b in pairwise(suspects))
    assert suspects[0].origin == f"row {suspects[0].row}" and suspects[0].given != suspects[0].suggested
    assert targets[0].found == len(suspects) and all(each.likely for each in suspects)
    assert sum(swap[2] for swap in targets[0].swaps) == len(suspects)


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_the_share_of_wrong_labels_is_about_what_was_planted(share: float) -> None:
    given, probabilities, wrong = noisy(3000, share)
    found, low, high = judge(Head("y", "multiclass", ABC), given, probabilities).share
    assert low <= found <= high and abs(found - wrong.mean()) < 0.04


def test_right_labels_are_hardly_suspected() -> None:
    given, probabilities, _ = noisy(1000, 0.0)
    assert judge(Head("y", "multiclass", ABC), given, probabilities).wrong.mean() < 0.03


@pytest.mark.parametrize("seed", range(3))
def test_the_ranking_is_at_least_as_precise_as_the_default_one_of_cleanlab(seed: int) -> None:
    from cleanlab.rank import get_label_quality_scores

    given, probabilities, wrong = noisy(2000, 0.1, 5, seed)
    ours = judge(Head("y", "multiclass", tuple("abcde")), given, probabilities).score
    theirs = get_label_quality_scores(given, probabilities)
    assert average_precision_score(wrong, -ours) >= average_precision_score(wrong, -theirs) - 1e-3


def test_of_labels_the_wrong_cell_is_named_and_cells_without_one_are_left_out() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, (400, 2)).astype(float)
    predicted = np.where(truth == 1, 0.93, 0.07) + random.normal(scale=0.02, size=truth.shape)
    truth[7, 1] = 1 - truth[7, 1]
    truth[::9, 0] = np.nan
    heads = (Head("p", "binary", ("no", "yes")), Head("q", "binary", ("no", "yes")))
    targets, suspects = suspects_of(problem("multilabel", (), heads), truth, predicted, np.arange(400), ())
    assert [(each.row, each.target) for each in suspects] == [(7, "q")]
    assert [target.rows for target in targets] == [400 - 45, 400]


def test_values_far_from_what_is_predicted_are_suspects_and_say_what_was_predicted() -> None:
    random = np.random.default_rng(0)
    predicted = random.normal(size=300) * 10
    given = predicted + random.normal(size=300)
    given[42] += 40
    targets, suspects = suspects_of(problem("regression"), given, predicted, np.arange(300), ())
    assert suspects[0].row == 42 and float(suspects[0].suggested) == pytest.approx(predicted[42], rel=1e-4)
    assert len(suspects) < 10 and targets[0].low <= targets[0].share <= targets[0].high


def test_several_targets_of_different_kinds_are_judged_each_by_its_own_kind() -> None:
    given, probabilities, wrong = noisy(500, 0.05)
    random = np.random.default_rng(1)
    values = random.normal(size=500)
    truth = np.column_stack([given, values + 0.1 * random.normal(size=500)])
    truth[3, 1] += 9
    heads = (Head("kind", "multiclass", ABC), Head("size", "regression"))
    predicted = np.column_stack([probabilities, values])
    _, suspects = suspects_of(problem("multitask", (), heads), truth, predicted, np.arange(500), ())
    assert (3, "size") in {(each.row, each.target) for each in suspects}
    assert np.mean([wrong[each.row] for each in suspects if each.target == "kind"]) > 0.6


def test_a_class_without_a_row_and_a_target_of_one_class_are_no_trouble() -> None:
    given, probabilities, _ = noisy(200, 0.05)
    kept = given != 2
    found = judge(Head("y", "multiclass", ABC), given[kept], probabilities[kept])
    assert len(found.score) == kept.sum()
    alone = judge(Head("y", "multiclass", ABC), np.zeros(9, int), probabilities[:9])
    assert not alone.wrong.any() and alone.share == (0.0, 0.0, 0.0)


def test_a_suspect_carries_its_text_or_its_image() -> None:
    given, probabilities, _ = noisy(300, 0.1)
    _, suspects = suspects_of(problem("multiclass", ABC), given, probabilities, np.arange(300), ())
    frame = pd.DataFrame({"words": ["so  many\nwords " * 40] * 300})
    texts = Dataset("t", Schema("text", "y", (Column("words", "text"),)), given, ABC, frame=frame)
    line = with_examples(suspects, texts)[0].shown
    assert line.startswith("so many words so") and line.endswith("…") and len(line) <= 160
    images = Dataset("i", Schema("image", "y", shape=(4, 4, 1)), given, ABC, images=np.zeros((300, 4, 4, 1), np.uint8))
    assert with_examples(suspects, images)[0].image.startswith("data:image/png;base64,")


def test_where_few_are_likely_wrong_those_that_models_disagree_with_most_are_listed_after_them() -> None:
    random = np.random.default_rng(0)
    given = random.integers(0, 2, 200)
    sure = np.where(given == 1, 0.95, 0.05)
    sure[:30] = np.where(given[:30] == 1, 0.45, 0.55)  # on the other side, but not surely
    targets, suspects = suspects_of(
        problem("binary", ("a", "b")), given, np.column_stack([1 - sure, sure]), np.arange(200), ()
    )
    assert targets[0].found == 0 and len(suspects) == 20 and not any(each.likely for each in suspects)
    assert {each.row for each in suspects} <= set(range(30))


def test_the_same_seed_gives_the_same_interval() -> None:
    given, probabilities, _ = noisy(400, 0.1)
    head = Head("y", "multiclass", ABC)
    assert judge(head, given, probabilities, 3).share == judge(head, given, probabilities, 3).share


def test_without_cleanlab_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    given, probabilities, _ = noisy(50, 0.1)
    with pytest.raises(UserError, match=r"pip install steelyard\[labels\]"):
        judge(Head("y", "multiclass", ABC), given, probabilities)


@pytest.mark.data
@pytest.mark.skipif(not MNIST.is_dir(), reason="the folder ../shared/data with real data sets is missing")
def test_errors_in_mnist_that_people_verified_are_ranked_at_least_as_well_as_by_cleanlab() -> None:
    from cleanlab.rank import get_label_quality_scores

    p, given = (np.load(MNIST / f"mnist_test_set_{what}.npy") for what in ("pyx", "original_labels"))
    wrong = np.zeros(len(given), bool)
    for each in json.loads((MNIST / "mnist_mturk.json").read_text()):
        wrong[int(each["id"])] = each["mturk"]["given"] < 3
    ours = judge(Head("digit", "multiclass", tuple("0123456789")), given, p).score
    theirs = average_precision_score(wrong, -get_label_quality_scores(given, p))
    assert average_precision_score(wrong, -ours) >= theirs > 0.4
