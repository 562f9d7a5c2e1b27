"""The linear machine for sparse features: right margins, probabilities that fit, classes that are absent."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.svm import LinearSVC

from steelyard.classical import Linear, LinearSvm, load, save


def rows(count: int, classes: int, seed: int = 0) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Sparse rows of 60 features, of which each class has some of its own; a tenth of the labels is wrong."""
    random = np.random.default_rng(seed)
    y = random.integers(0, classes, count)
    x = random.random((count, 60)) * (random.random((count, 60)) < 0.1)
    x[np.arange(count), y * 7 + random.integers(0, 7, count)] += 1
    wrong = random.random(count) < 0.1
    return sparse.csr_matrix(x, dtype=np.float32), np.where(wrong, random.integers(0, classes, count), y)


@pytest.mark.parametrize("classes", [2, 4])
def test_it_answers_as_scikit_learns_machine(classes: int):
    x, y = rows(300, classes)
    found = LinearSvm(l2=1.0).fit(x, y, "x", classes, 0).predict(x)
    expected = LinearSVC(C=1.0, dual=True, random_state=0).fit(x, y).predict(x)
    assert (found.argmax(axis=1) == expected).mean() > 0.99
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_probabilities_are_as_sure_as_they_are_right_on_new_rows(classes: int, power: float):
    x, y = rows(2000, classes)
    found = LinearSvm(naive_bayes=power).fit(x[:1000], y[:1000], "x", classes, 0).predict(x[1000:])
    right = found.argmax(axis=1) == y[1000:]
    assert right.mean() > 0.7 and abs(found.max(axis=1).mean() - right.mean()) < 0.05


def test_sparse_and_dense_rows_give_the_same_model():
    x, y = rows(200, 3)
    for part in (LinearSvm(naive_bayes=0.5), Linear()):
        one, other = (part.fit(given, y, "multiclass", 3, 0).predict(given) for given in (x, x.toarray()))
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_class_that_is_absent_is_never_predicted():
    x, y = rows(300, 4)
    for kept in ([0, 1, 3], [1, 3], [2]):
        some = np.isin(y, kept)
        found = LinearSvm().fit(x[some], y[some], "multiclass", 4, 0).predict(x)
        assert found.shape == (300, 4) and not found[:, [k for k in range(4) if k not in kept]].any()


def test_naive_bayes_helps_where_rows_are_few():
    x, y = rows(1200, 2)
    plain, scaled = (
        (LinearSvm(l2=0.1, naive_bayes=power).fit(x[:60], y[:60], "binary", 2, 0).predict(x[60:])).argmax(axis=1)
        for power in (0.0, 1.0)
    )
    assert (scaled == y[60:]).mean() > (plain == y[60:]).mean()


def test_rows_of_rare_classes_weigh_more_when_asked():
    x, y = rows(900, 2)
    some = np.flatnonzero((y == 1) | (np.arange(900) % 12 == 0))
    found = [LinearSvm(class_weights=w).fit(x[some], y[some], "binary", 2, 0).predict(x) for w in (0.0, 1.0)]
    assert found[1].argmax(axis=1).mean() < found[0].argmax(axis=1).mean() - 0.05


def test_it_is_saved_and_predicts_the_same(tmp_path):
    x, y = rows(100, 3)
    fitted = LinearSvm().fit(x, y, "multiclass", 3, 0)
    save(fitted, tmp_path)
    assert np.array_equal(load(tmp_path).predict(x), fitted.predict(x))


def test_two_rows_of_two_classes_are_enough():
    x = sparse.csr_matrix(np.eye(2, dtype=np.float32))
    assert LinearSvm().fit(x, np.array([0, 1]), "binary", 2, 0).predict(x).argmax(axis=1).tolist() == [0, 1]
