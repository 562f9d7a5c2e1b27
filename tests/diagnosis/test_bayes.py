"""Proxies of the Bayes error keep their side of it on data whose Bayes error is known."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from steelyard.diagnosis.bayes import bayes_proxies
from steelyard.diagnosis.nearest import cover_hart
from steelyard.diagnosis.noise_floor import noise_floor
from steelyard.diagnosis.noise_rate import doubt, noise_rate
from steelyard.diagnosis.proxy import BayesProxies
from steelyard.errors import UserError

Array = np.ndarray


def gaussians(rows: int, apart: float, seed: int = 0, inputs: int = 2) -> tuple[Array, Array, Array, float]:
    """Inputs, codes, the probabilities they were drawn by, and the Bayes error in closed form."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, rows)
    x = random.normal(size=(rows, inputs))
    x[:, 0] += apart * (y - 0.5)
    right = 1 / (1 + np.exp(-apart * x[:, 0]))
    return x, y, np.column_stack([1 - right, right]), float(norm.cdf(-apart / 2))


def flipped(rows: int, rate: float, classes: int, seed: int = 0) -> tuple[Array, Array, Array, float]:
    """Fields of a square, one class each, labels flipped to others at that rate, which is the Bayes error."""
    random = np.random.default_rng(seed)
    x = random.random((rows, 2))
    true = np.floor(x[:, 0] * classes).astype(int)
    y = np.where(random.random(rows) < rate, (true + random.integers(1, classes, rows)) % classes, true)
    chances = np.full((rows, classes), rate / (classes - 1))
    chances[np.arange(rows), true] = 1 - rate
    return x, y, chances, rate


def kept(found: BayesProxies, bayes: float) -> dict[str, bool]:
    """Whether the Bayes error is on the right side of the interval of each bound."""
    side = {"lower bound": lambda p: p.low <= bayes, "upper bound": lambda p: p.high >= bayes}
    return {p.name: bool(side[p.kind](p)) for p in found.proxies if p.kind in side}


PROBLEMS = {
    "gaussians 1 apart": lambda seed: gaussians(700, 1.0, seed),
    "gaussians 2 apart": lambda seed: gaussians(700, 2.0, seed),
    "ten inputs": lambda seed: gaussians(700, 2.0, seed, inputs=10),
    "5 % flipped": lambda seed: flipped(700, 0.05, 2, seed),
    "20 % flipped of three": lambda seed: flipped(700, 0.2, 3, seed),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_bound_keeps_its_side_of_the_known_bayes_error(name: str) -> None:
    held: dict[str, list[bool]] = {}
    for seed in range(8):
        x, y, chances, bayes = PROBLEMS[name](seed)
        predictions = cross_val_predict(LogisticRegression(), x, y, cv=3, method="predict_proba")
        counts = np.random.default_rng(seed).multinomial(7, chances)
        found = bayes_proxies(y, predictions, {"inputs": x}, classes=chances.shape[1], counts=counts)
        for proxy, right in kept(found, bayes).items():
            held.setdefault(proxy, []).append(right)
    assert len(held) == 9 and all(np.mean(each) >= 0.75 for each in held.values()), held
    assert np.mean([right for each in held.values() for right in each]) >= 0.95


def test_cover_harts_bound_is_the_bayes_error_of_flipped_labels() -> None:
    assert abs(cover_hart(2 * 0.1 * 0.9, 2) - 0.1) < 1e-12
    assert cover_hart(0.0, 3) == 0 and abs(cover_hart(2 / 3, 3) - 2 / 3) < 1e-12
    x, y, _, _ = flipped(3000, 0.1, 2)
    found = bayes_proxies(y, None, {"inputs": x}, classes=2).of("Cover-Hart, inputs")
    assert found is not None and abs(found.value - 0.1) < 0.025 and found.low < 0.1 < found.high


def test_soft_labels_that_are_exact_say_the_bayes_error() -> None:
    _, y, chances, bayes = gaussians(4000, 1.5)
    found = bayes_proxies(y, classes=2, soft=chances)
    assert found.default == "soft labels" and found.chosen is not None
    assert found.chosen.low <= bayes <= found.chosen.high


def test_few_labels_a_row_bracket_the_bayes_error_on_the_average() -> None:
    _, y, chances, _ = gaussians(6000, 1.5)
    exact = float((1 - chances.max(axis=1)).mean())
    for many in (3, 10, 50):
        counts = np.random.default_rng(many).multinomial(many, chances)
        found = bayes_proxies(y, classes=2, counts=counts)
        below, above = found.of("soft labels, plain"), found.of("soft labels, left out")
        assert below is not None and above is not None and below.value < exact < above.value


def test_soft_labels_that_contradict_a_model_are_not_used() -> None:
    x, y, chances, _ = gaussians(1000, 4.0)
    careless = np.random.default_rng(0).multinomial(5, 0.6 * chances + 0.2)  # annotators err where nothing is unsure
    found = bayes_proxies(y, chances, {"inputs": x}, classes=2, counts=careless)
    assert found.default is not None and found.default.startswith("Cover-Hart")


def test_a_poor_model_does_not_hide_what_is_avoidable() -> None:
    random = np.random.default_rng(0)
    x = random.random((1500, 2))
    y = ((x[:, 0] > 0.5) ^ (x[:, 1] > 0.5)).astype(int)
    poor = cross_val_predict(LogisticRegression(), x, y, cv=3, method="predict_proba")
    found = bayes_proxies(y, poor, {"inputs": x}, classes=2)
    assert found.default == "Cover-Hart, inputs" and found.chosen is not None and found.chosen.value < 0.03


def test_upper_bounds_alone_are_no_default() -> None:
    found = bayes_proxies(np.arange(8) % 2, np.full((8, 2), 0.5), classes=2)
    assert found.default is None and found.chosen is None and "nothing bounds the Bayes error from below" in found.why


def test_every_proxy_has_its_caveat_and_none_is_called_human() -> None:
    x, y, chances, _ = gaussians(300, 2.0)
    found = bayes_proxies(y, chances, {"inputs": x}, classes=2, counts=np.full((300, 2), 3))
    assert all(p.caveat and "human" not in p.name for p in found.proxies) and found.why
    assert all(0 <= p.low <= p.value <= p.high + 1e-9 <= 1 + 1e-9 for p in found.proxies)


def test_the_share_of_wrong_labels_is_found_where_classes_are_apart() -> None:
    _, y, chances, _ = flipped(4000, 0.08, 4)
    assert abs(noise_rate(y, chances).value - 0.08) < 0.015


def test_wrong_labels_are_counted_as_cleanlab_counts_them() -> None:
    count = pytest.importorskip("cleanlab.count")
    x, y, _, _ = gaussians(1500, 2.0)
    probabilities = cross_val_predict(LogisticRegression(), x, y, cv=3, method="predict_proba")
    joint = count.estimate_joint(y, probabilities)
    assert abs(noise_rate(y, probabilities).value - (1 - np.trace(joint))) < 0.01


def test_an_overconfident_model_is_calibrated_before_its_doubt_is_taken() -> None:
    _, y, chances, bayes = gaussians(4000, 1.5)
    sure = chances**4 / (chances**4).sum(axis=1, keepdims=True)
    found = doubt(y, sure)
    assert abs(found.value - bayes) < 0.02 and float((1 - sure.max(axis=1)).mean()) < bayes - 0.05


# -- values ---------------------------------------------------------------------------------------------------


def waves(rows: int, noise: float, seed: int = 0) -> tuple[Array, Array, Array]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 2))
    signal = np.sin(2 * x[:, 0]) + x[:, 1] ** 2
    return x, signal + noise * random.normal(size=rows), signal


@pytest.mark.parametrize("noise", [0.1, 0.5, 1.0])
def test_the_noise_floor_is_in_its_interval(noise: float) -> None:
    for seed in range(4):
        x, y, _ = waves(1200, noise, seed)
        found = noise_floor(x, y)
        assert found is not None and found.low <= noise <= found.high


def test_a_regression_has_a_floor_below_and_the_best_model_above() -> None:
    x, y, signal = waves(1500, 0.5)
    found = bayes_proxies(y, signal, {"inputs": x})
    assert found.unit == "rmse" and found.default == "Gamma test, inputs"
    assert all(p.high >= 0.5 for p in found.proxies if p.kind == "upper bound")


def test_rows_that_do_not_match_are_said() -> None:
    with pytest.raises(UserError, match="inputs has 3 rows, but there are 2 targets"):
        bayes_proxies(np.array([0, 1]), None, {"inputs": np.zeros((3, 1))}, classes=2)
