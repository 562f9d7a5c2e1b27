from typing import get_args

import pytest
import torch

from steelyard.data.prepared import TableShape
from steelyard.errors import UserError
from steelyard.networks.layers import ACTIVATIONS, GAINS, Activation, Dropout
from steelyard.networks.tabular import TabularMlp

SHAPE = TableShape(4, (3, 20))


def batch(rows: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    stream = torch.Generator().manual_seed(1)
    codes = torch.stack([torch.randint(0, k, (rows,), generator=stream) for k in SHAPE.cardinalities], dim=1)
    return torch.randn(rows, SHAPE.numbers, generator=stream), codes


@pytest.mark.parametrize("periodic", [0, 8])
@pytest.mark.parametrize("depth", [0, 2])
def test_features_are_float32_and_outputs_one_row_an_example(periodic: int, depth: int) -> None:
    network = TabularMlp(periodic=periodic, depth=depth).build(SHAPE, 3)
    features = network.encode(*batch())  # type: ignore[operator]
    assert features.dtype == torch.float32
    assert len(features) == 16
    assert network(features).shape == (16, 3)


@pytest.mark.parametrize("shape", [TableShape(3, ()), TableShape(0, (3,)), TableShape(0, (40, 2)), TableShape(1, (1,))])
def test_tables_without_numbers_or_without_categories_build(shape: TableShape) -> None:
    network = TabularMlp().build(shape, 2)
    codes = torch.zeros(5, len(shape.cardinalities), dtype=torch.int64)
    assert network(network.encode(torch.zeros(5, shape.numbers), codes)).shape == (5, 2)  # type: ignore[operator]


def test_first_outputs_are_near_zero() -> None:
    torch.manual_seed(0)
    network = TabularMlp().build(SHAPE, 3)
    assert network(network.encode(*batch())).abs().max() < 0.2  # type: ignore[operator]


def test_every_parameter_gets_a_gradient() -> None:
    network = TabularMlp().build(SHAPE, 3)
    network(network.encode(*batch(64))).square().sum().backward()  # type: ignore[operator]
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_a_code_never_seen_in_training_starts_as_all_zeros() -> None:
    network = TabularMlp(periodic=0).build(SHAPE, 1)
    features = network.encode(torch.zeros(1, 4), torch.zeros(1, 2, dtype=torch.int64))  # type: ignore[operator]
    assert not features.any()


def test_small_categories_become_zero_one_columns() -> None:
    network = TabularMlp(periodic=0, onehot=8).build(TableShape(0, (4,)), 1)
    features = network.encode(torch.zeros(3, 0), torch.tensor([[0], [1], [3]]))  # type: ignore[operator]
    assert features.tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_same_seed_builds_the_same_network() -> None:
    outputs = []
    for _ in range(2):
        torch.manual_seed(3)
        network = TabularMlp().build(SHAPE, 2)
        outputs.append(network(network.encode(*batch())))  # type: ignore[operator]
    assert torch.equal(*outputs)


@pytest.mark.parametrize("activation", get_args(Activation))
def test_a_hidden_layer_keeps_the_second_moment_of_its_inputs(activation: str) -> None:
    z = torch.randn(200_000, generator=torch.Generator().manual_seed(0)).double()
    moment = ACTIVATIONS[activation]()(z).square().mean()
    assert float(moment) * GAINS[activation] ** 2 == pytest.approx(1, abs=0.02)


def test_dropout_at_zero_returns_its_input_and_draws_no_random_number() -> None:
    x, layer = torch.randn(8, 8), Dropout(0.0)
    before = torch.get_rng_state()
    assert layer(x) is x
    assert torch.equal(torch.get_rng_state(), before)


def test_the_rate_of_dropout_can_be_changed_between_steps() -> None:
    x, layer = torch.ones(4000), Dropout(0.0)
    layer.p = 0.5
    assert float((layer(x) == 0).float().mean()) == pytest.approx(0.5, abs=0.05)
    assert layer.eval()(x) is x


def test_dropout_of_the_recipe_stands_after_every_hidden_layer() -> None:
    network = TabularMlp(depth=3, dropout=0.25).build(SHAPE, 1)
    assert [m.p for m in network.modules() if isinstance(m, Dropout)] == [0.25] * 3


def test_a_dropout_above_its_range_is_refused() -> None:
    with pytest.raises(UserError, match=r"tabular-mlp.dropout must lie in 0..0.95, got 1.5"):
        TabularMlp(dropout=1.5)
