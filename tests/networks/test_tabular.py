from typing import get_args

import pytest
import torch

from steelyard.data.prepared import TableShape
from steelyard.errors import UserError
from steelyard.knobs import Linear
from steelyard.networks.embeddings import Categories, Periodic
from steelyard.networks.layers import Activation, Dropout, Initialization, Normalization
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


def test_waves_of_numbers_are_linear_in_cosines() -> None:
    torch.manual_seed(0)
    layer, x = Periodic(2, 5, 0.3).double(), torch.randn(3, 2, dtype=torch.float64)
    waves = torch.cos(x[:, :, None] * layer.frequency + layer.phase)
    wanted = (waves[..., None] * layer.weight).sum(2) + layer.bias
    assert torch.allclose(layer(x), wanted.flatten(1), atol=1e-12)


def test_large_categories_become_learnt_vectors() -> None:
    layer = Categories((12, 30), 4, 5)
    codes = torch.tensor([[3, 29], [0, 7]])
    wanted = [torch.cat([layer.table[3], layer.table[12 + 29]]), torch.cat([layer.table[0], layer.table[12 + 7]])]
    assert torch.equal(torch.cat(layer(codes), dim=1), torch.stack(wanted))


# -- rates of dropout -----------------------------------------------------------------------------------------

RATES = ("dropout", "input_dropout", "embedding_dropout")


def rates(network: torch.nn.Module, knob: str) -> list[float]:
    return [layer.p for layer in network.modules() if isinstance(layer, Dropout) and layer.knob == knob]


def test_dropout_of_the_recipe_stands_after_every_hidden_layer() -> None:
    network = TabularMlp(depth=3, dropout=0.25).build(SHAPE, 1)
    assert rates(network, "dropout") == [0.25] * 3


@pytest.mark.parametrize("knob", RATES)
def test_every_rate_follows_its_schedule_and_no_other_does(knob: str) -> None:
    part = TabularMlp(**{knob: Linear(0.1, 0.5)})  # type: ignore[arg-type]
    network = part.build(SHAPE, 1)
    assert set(rates(network, knob)) == {0.1}
    part.turn(network, 0.75)
    assert set(rates(network, knob)) == {0.4}
    assert {p for other in RATES if other != knob for p in rates(network, other)} == {0.0}


def zeros(network: torch.nn.Module, rows: int = 4000) -> torch.Tensor:
    """Which features of training are zero, of rows without zeros (rows, features)."""
    network.scale = torch.nn.Identity()
    network.layers = torch.nn.Identity()
    found: torch.Tensor = network(network.encode(torch.ones(rows, 2), torch.full((rows, 1), 9)))  # type: ignore[operator]
    return found == 0


def test_input_dropout_zeroes_every_feature_at_its_rate() -> None:
    torch.manual_seed(0)
    shares = zeros(TabularMlp(input_dropout=0.3).build(TableShape(2, (40,)), 1)).float().mean(0)
    assert torch.allclose(shares, torch.tensor(0.3), atol=0.05)


@pytest.mark.parametrize("onehot", [8, 100])
def test_embedding_dropout_zeroes_the_values_of_categories_alone(onehot: int) -> None:
    torch.manual_seed(0)
    made = TabularMlp(embedding_dropout=0.3, periodic=0, onehot=onehot).build(TableShape(2, (40,)), 1)
    numbers, categories = zeros(made)[:, :2], zeros(made)[:, 2:]
    values = categories if onehot == 8 else categories[:, [8]]  # the 0/1 column of code 9
    assert not numbers.any()
    assert torch.allclose(values.float().mean(0), torch.tensor(0.3), atol=0.05)


def test_training_with_every_rate_follows_the_streams_of_the_layers() -> None:
    network = TabularMlp(dropout=0.2, input_dropout=0.2, embedding_dropout=0.2).build(SHAPE, 3)

    def outputs(seed: int) -> torch.Tensor:
        stream = torch.Generator().manual_seed(seed)
        for layer in network.modules():
            if isinstance(layer, Dropout):
                layer.stream = stream
        found: torch.Tensor = network(network.encode(*batch()))  # type: ignore[operator]
        return found

    assert torch.equal(outputs(1), outputs(1))
    assert not torch.equal(outputs(1), outputs(2))


def test_predictions_know_no_dropout() -> None:
    dropping = TabularMlp(dropout=0.5, input_dropout=0.5, embedding_dropout=0.5).build(SHAPE, 3).eval()
    plain = TabularMlp().build(SHAPE, 3).eval()
    plain.load_state_dict(dropping.state_dict())
    assert torch.equal(*(net(net.encode(*batch())) for net in (dropping, plain)))  # type: ignore[operator]


@pytest.mark.parametrize("knob", RATES)
def test_a_rate_above_its_range_is_refused(knob: str) -> None:
    with pytest.raises(UserError, match=rf"tabular-mlp.{knob} must lie in 0..0.95, got 1.5"):
        TabularMlp(**{knob: 1.5})  # type: ignore[arg-type]


# -- hidden layers --------------------------------------------------------------------------------------------


def kinds(**knobs: object) -> list[str]:
    network = TabularMlp(depth=1, **knobs).build(SHAPE, 1)  # type: ignore[arg-type]
    return [type(layer).__name__ for layer in network.layers]  # type: ignore[union-attr]


def test_a_hidden_layer_is_linear_norm_activation_dropout() -> None:
    assert kinds() == ["Linear", "SiLU", "Dropout", "Head"]
    assert kinds(normalization="batch", activation="relu") == ["Linear", "BatchNorm1d", "ReLU", "Dropout", "Head"]
    assert kinds(normalization="layer", activation="tanh") == ["Linear", "LayerNorm", "Tanh", "Dropout", "Head"]


def test_hidden_layers_without_bias_leave_the_head_its_own() -> None:
    network = TabularMlp(bias=False).build(SHAPE, 1)
    biases = [layer.bias is not None for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
    assert biases == [False, False, False, True]


@pytest.mark.parametrize("init", get_args(Initialization))
def test_first_values_are_drawn_as_asked(init: str) -> None:
    weights = []
    for kind in ("matched", init):
        torch.manual_seed(0)
        weights.append(TabularMlp(init=kind).build(SHAPE, 1).layers[3].weight)  # type: ignore[arg-type,index,union-attr]
    assert torch.equal(*weights) == (init == "matched")


def learnt(**knobs: object) -> float:
    """The mean loss after 40 steps on 96 rows of two classes that no line parts; ln 2 = 0.69 is chance."""
    torch.manual_seed(0)
    network = TabularMlp(width=32, depth=2, periodic=0, **knobs).build(TableShape(2, ()), 2)  # type: ignore[arg-type]
    numbers, codes = torch.randn(96, 2), torch.zeros(96, 0, dtype=torch.int64)
    classes = (numbers[:, 0] * numbers[:, 1] > 0).long()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.02)
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(network(network.encode(numbers, codes)), classes)  # type: ignore[operator]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(loss.detach())


@pytest.mark.parametrize("activation", get_args(Activation))
@pytest.mark.parametrize("normalization", get_args(Normalization))
def test_every_activation_learns_with_every_norm(activation: str, normalization: str) -> None:
    assert learnt(activation=activation, normalization=normalization) < 0.5


@pytest.mark.parametrize("init", get_args(Initialization))
@pytest.mark.parametrize("bias", [True, False])
def test_every_start_learns_with_and_without_bias(init: str, bias: bool) -> None:
    assert learnt(init=init, bias=bias) < 0.5
