"""Thresholds moved on dev: the best there is, honest where they are scored, and nothing else changed."""

import numpy as np
import pytest
from sklearn import metrics as sk

from steelyard.errors import UserError
from steelyard.metrics import METRICS, Metric, cost, metric
from steelyard.training.confusions import SCORES, scores_of
from steelyard.training.decision import FOLDS, TunedThreshold, folds_of, moved, tuned

LABELS = [m for m in METRICS.values() if m.needs == "labels" and "binary" in m.tasks]
DEAR = cost(((0.0, 1.0), (20.0, 0.0)))
Array = np.ndarray


def rare(rows: int, classes: int = 2, seed: int = 0, signal: float = 1.5) -> tuple[Array, Array]:
    """Class codes of which the last is rarest, and probabilities that know of them by `signal`."""
    random = np.random.default_rng(seed)
    shares = np.array([0.05 ** (k / (classes - 1)) for k in range(classes)])
    truth = random.choice(classes, rows, p=shares / shares.sum())
    logits = np.log(shares) + signal * np.eye(classes)[truth] + random.normal(size=(rows, classes))
    powers = np.exp(logits)
    return truth, (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def confusion(truth: Array, predicted: Array, classes: int, weights: Array | None = None) -> Array:
    return np.asarray(sk.confusion_matrix(truth, predicted, labels=range(classes), sample_weight=weights), float)


# -- the best there is ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("measure", [m for m in LABELS if m.name in SCORES], ids=lambda m: m.name)
def test_scores_of_confusions_are_those_of_the_metrics(measure: Metric, classes: int) -> None:
    random = np.random.default_rng(0)
    for few in (3, 40):
        truth, predicted = random.integers(0, classes, (2, few))
        weights = random.integers(1, 4, few).astype(float)
        found = scores_of(measure, confusion(truth, predicted, classes, weights)[None])
        assert found[0] == pytest.approx(measure(truth, np.eye(classes)[predicted], weights))


def test_a_metric_that_only_scores_examples_is_asked_about_the_cells() -> None:
    like = Metric("another", "labels", True, METRICS["balanced_accuracy"].function, ("binary", "multiclass"))
    truth, p = rare(80, 3)
    table = confusion(truth, p.argmax(1), 3)[None]
    assert scores_of(like, table)[0] == pytest.approx(METRICS["balanced_accuracy"](truth, p))
    gained = [m(truth, moved(p, tuned(m, truth, p))) for m in (like, METRICS["balanced_accuracy"])]
    assert gained[0] == pytest.approx(gained[1], abs=0.02)


@pytest.mark.parametrize("measure", [*LABELS, DEAR], ids=lambda m: m.name)
def test_of_two_classes_no_threshold_is_better(measure: Metric) -> None:
    truth, p = rare(60)
    weights = np.random.default_rng(1).integers(0, 3, 60).astype(float)
    for counted in (None, weights):
        found = measure(truth, moved(p, tuned(measure, truth, p, counted)), counted)
        odds = np.sort(np.log(p[:, 0]) - np.log(p[:, 1]))
        every = [odds[0] - 1, *(odds[1:] + odds[:-1]) / 2, odds[-1] + 1]
        scores = [measure(truth, moved(p, np.array([0.0, gain])), counted) for gain in every]
        assert found == pytest.approx(max(measure.sign * s for s in scores) * measure.sign)


@pytest.mark.parametrize("name", ["balanced_accuracy", "f1_macro", "accuracy"])
def test_of_many_classes_it_never_scores_worse_and_finds_rare_ones(name: str) -> None:
    truth, p = rare(3000, 5)
    measure = metric(name)
    before, after = measure(truth, p), measure(truth, moved(p, tuned(measure, truth, p)))
    assert after >= before
    if name == "balanced_accuracy":
        known = measure(truth, moved(p, -np.log(np.bincount(truth) / 3000)))  # the shares taken out: best in theory
        assert after > before + 0.1
        assert after >= known - 0.005


def test_costs_move_the_threshold_to_where_theory_says() -> None:
    random = np.random.default_rng(0)
    p = random.uniform(size=200_000)
    truth = (random.uniform(size=len(p)) < p).astype(int)
    shift = tuned(DEAR, truth, np.column_stack([1 - p, p]))
    threshold = 1 / (1 + np.exp(shift[1] - shift[0]))
    assert threshold == pytest.approx(1 / 21, abs=0.01)  # Elkan 2001: a miss costs twenty false alarms


def test_nothing_moves_where_nothing_is_gained() -> None:
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    assert not tuned(metric("f1"), np.array([0, 0, 1]), p).any()
    assert not tuned(metric("f1"), np.zeros(3, int), p).any()  # one class alone says nothing of a threshold
    assert moved(p, np.zeros(2)) is p


def test_a_class_of_probability_zero_is_never_predicted() -> None:
    p = np.array([[1.0, 0.0], [1.0, 0.0], [0.9, 0.1], [0.7, 0.3]])
    shift = tuned(metric("recall"), np.array([1, 0, 1, 1]), p)
    assert np.isfinite(shift).all()
    assert moved(p, shift).argmax(1).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("shift", [[0.0, 800.0], [0.0, -800.0], [0.3, -0.3]])
def test_moved_probabilities_sum_to_one_keep_their_type_and_their_order(shift: list[float]) -> None:
    p = rare(300)[1]
    after = moved(p, np.array(shift))
    assert after.dtype == np.float32
    assert after.sum(axis=1) == pytest.approx(np.ones(300), abs=1e-6)
    assert (np.diff(after[np.argsort(p[:, 1]), 1]) >= 0).all()


def test_the_share_goes_a_part_of_the_way() -> None:
    truth, p = rare(500)
    whole, half, none = (TunedThreshold(share).tune(metric("f1"), truth, p) for share in (1.0, 0.5, 0.0))
    assert half == pytest.approx(whole / 2)
    assert whole.any()
    assert not none.any()
    with pytest.raises(UserError, match="share must lie in"):
        TunedThreshold(1.5)


def test_several_labels_get_a_threshold_each() -> None:
    random = np.random.default_rng(0)
    truth = (random.uniform(size=(400, 3)) < [0.5, 0.2, 0.05]).astype(int)
    p = 1 / (1 + np.exp(-(3 * truth + random.normal(size=truth.shape) - [1.5, 3.0, 4.5])))

    def hits(truth: Array, predictions: Array, weights: Array | None) -> float:
        both = (truth * (predictions > 0.5)).sum(axis=0)
        return float(np.mean(2 * both / (truth.sum(axis=0) + (predictions > 0.5).sum(axis=0))))

    measure = Metric("f1 of labels", "labels", True, hits, ("multilabel",))
    part = TunedThreshold()
    after = moved(p, part.tune(measure, truth, p), each=True)
    assert measure(truth, after) > measure(truth, p) + 0.1
    assert measure(truth, part.cross_fitted(measure, truth, p, None, 0)) > measure(truth, p) + 0.05
    assert ((after > 0) & (after < 1)).all()


@pytest.mark.parametrize("name", ["f1_micro", "f1_macro", "f1_samples", "hamming_loss", "accuracy"])
def test_a_label_is_moved_to_the_best_of_the_places_tried(name: str) -> None:
    random = np.random.default_rng(0)
    truth = (random.uniform(size=(300, 3)) < [0.4, 0.2, 0.05]).astype(float)
    truth[::9, 1] = np.nan
    p = 1 / (1 + np.exp(-(2 * np.nan_to_num(truth) + random.normal(size=truth.shape) - [1.5, 3.0, 4.0])))
    weights, measure = random.integers(1, 3, 300).astype(float), metric(name)
    shift = TunedThreshold().tune(measure, truth, p, weights)
    best = measure(truth, moved(p, shift, each=True), weights)
    assert measure.sign * best > measure.sign * measure(truth, p, weights)
    needed = np.log(1 - p) - np.log(p)
    for label in range(3):
        for gain in np.quantile(needed[:, label], np.linspace(0.02, 0.98, 9)):
            other = shift.copy()
            other[label] = gain + 1e-6
            worse = measure(truth, moved(p, other, each=True), weights)
            assert measure.sign * (best - worse) > -0.02


# -- honest -----------------------------------------------------------------------------------------------------


def test_on_random_labels_a_cross_fitted_threshold_gains_nothing_though_the_tuned_one_seems_to() -> None:
    measure, seeming, honest = metric("balanced_accuracy"), [], []
    for seed in range(200):  # standard error of the mean honest gain: about 0.004
        random = np.random.default_rng(seed)
        truth, p = random.integers(0, 2, 100), random.dirichlet([5, 5], 100)
        seeming.append(measure(truth, moved(p, tuned(measure, truth, p))) - measure(truth, p))
        honest.append(measure(truth, TunedThreshold().cross_fitted(measure, truth, p, None, seed)) - measure(truth, p))
    assert np.mean(seeming) > 0.03
    assert np.mean(honest) < 0.01


def test_no_row_is_moved_by_a_threshold_it_helped_to_tune() -> None:
    truth, p = rare(200)
    found, part = TunedThreshold().cross_fitted(metric("f1"), truth, p, None, 0), folds_of(truth, 0)
    for k in range(FOLDS):
        here = part == k
        elsewhere = TunedThreshold().tune(metric("f1"), truth[~here], p[~here])
        assert np.array_equal(found[here], moved(p[here], elsewhere))


def test_folds_are_seeded_and_hold_every_class_evenly() -> None:
    truth = np.repeat([0, 1], [480, 20])
    part = folds_of(truth, 3)
    assert np.array_equal(part, folds_of(truth, 3))
    assert not np.array_equal(part, folds_of(truth, 4))
    assert [int((truth[part == k] == 1).sum()) for k in range(FOLDS)] == [4] * FOLDS
    assert sorted(np.bincount(part)) == [100] * FOLDS


def test_a_threshold_that_is_worth_it_helps_on_rows_it_was_not_tuned_on() -> None:
    truth, p = rare(2000)
    measure = metric("f1")
    found = measure(truth, TunedThreshold().cross_fitted(measure, truth, p, None, 0))
    assert found > measure(truth, p) + 0.05
