"""A gradient of one's own is graded by central differences, kinks left out."""

import numpy as np
import pytest
import torch

from steelyard.doctor import gradient_check


def test_a_right_gradient_of_numpy_code_is_called_right() -> None:
    x = np.random.default_rng(0).normal(size=(5, 4))
    found = gradient_check(lambda z: np.sum(np.sin(z) * z), lambda z: np.cos(z) * z + np.sin(z), x)
    assert (found.grade, found.looked_at) == ("right", 20)
    assert found.error < 1e-8


def test_a_forgotten_factor_is_called_wrong_and_the_worst_coordinate_named() -> None:
    x = np.array([1.0, -2.0, 3.0])
    found = gradient_check(lambda z: np.sum(z**3), 3 * x**2 * np.array([1, 1, 2]), x)
    assert found.grade == "wrong"
    assert found.worst[0] == 2
    np.testing.assert_allclose(found.worst[1:], (54, 27), rtol=1e-4)


def test_a_kink_is_left_out() -> None:
    x = np.array([0.0, 1.0, -1.0])
    found = gradient_check(lambda z: np.maximum(z, 0).sum(), (x > 0).astype(float), x)
    assert (found.grade, found.kinks, found.looked_at) == ("right", 1, 2)


def test_tensors_are_given_as_tensors() -> None:
    x = torch.randn(6, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    assert gradient_check(lambda t: (t**2).sum(), 2 * x, x).grade == "right"


def test_a_gradient_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="must be alike"):
        gradient_check(np.sum, np.ones(3), np.ones(4))
