"""MiniRocket and the ridge regression on its features."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import Ridge

from steelyard.classical import MiniRocket, load, save
from steelyard.classical.ridge import PENALTIES, fit_ridge
from steelyard.errors import UserError

RANDOM = np.random.default_rng(0)
needs_aeon = pytest.mark.skipif(find_spec("aeon") is None, reason="the library aeon is missing (extra `series`)")


def bumps(count: int, channels: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Series of 30 steps with a wide or a narrow bump somewhere."""
    random = np.random.default_rng(seed)
    y = np.arange(count) % 2
    x = 0.3 * random.normal(size=(count, channels, 30)).astype(np.float32)
    for row, kind in enumerate(y):
        begin = random.integers(0, 14)
        x[row, 0, begin : begin + (9 if kind else 3)] += 2
    return x, y


@needs_aeon
@pytest.mark.parametrize("channels", [1, 3])
def test_saved_and_loaded_it_predicts_the_same(tmp_path: Path, channels: int) -> None:
    x, y = bumps(40, channels)
    fitted = MiniRocket(features=840).fit(x, y, "binary", 2, 0)
    save(fitted, tmp_path)
    fresh, truth = bumps(60, channels, seed=1)
    predicted = fitted.predict(fresh)
    assert np.array_equal(load(tmp_path).predict(fresh), predicted)
    assert (predicted.argmax(1) == truth).mean() > 0.8
    assert predicted.sum(axis=1) == pytest.approx(1, abs=1e-5)


@needs_aeon
def test_the_same_seed_gives_the_same_bits_and_another_one_other_kernels() -> None:
    x, y = bumps(40)
    one, same, other = (MiniRocket(features=840).fit(x, y, "binary", 2, seed) for seed in (0, 0, 1))
    assert one.weights.tobytes() == same.weights.tobytes()
    assert one.biases.tobytes() != other.biases.tobytes()


@needs_aeon
def test_values_are_predicted_too() -> None:
    x, _ = bumps(60)
    y = x.max(axis=(1, 2)).astype(np.float64)
    fitted = MiniRocket(features=840).fit(x, y, "regression", 1, 0)
    assert np.corrcoef(fitted.predict(x), y)[0, 1] > 0.9


@needs_aeon
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("biases", lambda a: a[:-1]),
        ("dilations", lambda a: a * 100),
        ("picked", lambda a: a + 7),
        ("many", lambda a: a * 0),
        ("counts", lambda a: a + 1),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(tmp_path: Path, name: str, change: object) -> None:
    x, y = bumps(40)
    save(MiniRocket(features=840).fit(x, y, "binary", 2, 0), tmp_path)
    file = tmp_path / "estimator.safetensors"
    arrays = load_file(file)
    save_file(arrays | {name: np.ascontiguousarray(change(arrays[name]))}, file)  # type: ignore[operator]
    with pytest.raises(UserError, match="damaged"):
        load(tmp_path)


# -- the head -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "features"), [(40, 12), (25, 60)])
def test_the_head_is_the_ridge_regression_of_scikit_learn_at_the_penalty_it_chose(rows: int, features: int) -> None:
    x = RANDOM.normal(size=(rows, features)) * RANDOM.uniform(0.5, 3, features) + 1
    y = x[:, 0] * 2 + RANDOM.normal(size=rows)
    head = fit_ridge(x, y, 0)
    scaled = (x - x.mean(0)) / x.std(0)
    model = Ridge(alpha=head.penalty).fit(scaled, y)
    assert x @ head.weights[:, 0] + head.offsets[0] == pytest.approx(model.predict(scaled), abs=1e-6)


@pytest.mark.parametrize(("rows", "features"), [(20, 6), (15, 40)])
def test_the_penalty_is_the_best_one_for_rows_that_are_left_out(rows: int, features: int) -> None:
    x = RANDOM.normal(size=(rows, features))
    y = x[:, 0] + RANDOM.normal(size=rows)
    scaled = (x - x.mean(0)) / x.std(0)

    def left_out(penalty: float) -> float:
        errors = []
        for row in range(rows):
            rest = np.arange(rows) != row
            errors.append(Ridge(alpha=penalty).fit(scaled[rest], y[rest]).predict(scaled[[row]])[0] - y[row])
        return float(np.square(errors).sum())

    assert fit_ridge(x, y, 0).penalty == min(PENALTIES, key=left_out)


def test_a_few_rows_told_right_do_not_make_for_certainty() -> None:
    y = np.arange(20) % 2
    x = np.where(y[:, None] == 1, 5.0, -5.0) + 0.01 * RANDOM.normal(size=(20, 30))
    head = fit_ridge(x, y, 2)
    logits = head.sharpness * (x @ head.weights + head.offsets)
    sure = np.exp(logits - logits.max(1, keepdims=True))
    assert 0.9 < (sure / sure.sum(1, keepdims=True)).max() < 0.999


def test_constant_features_and_noise_give_no_error() -> None:
    head = fit_ridge(np.ones((12, 5)), np.arange(12) % 3, 3)
    assert np.isfinite(head.weights).all()
    assert np.isfinite(head.offsets).all()
