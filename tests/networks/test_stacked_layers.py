"""Layers of our own take parameters with an axis of members in front: each member comes out as it does alone."""

import copy
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from steelyard.data.prepared import ImageShape, TableShape
from steelyard.networks.embeddings import Categories, Periodic
from steelyard.networks.image import ResidualCnn
from steelyard.networks.layers import Scale
from steelyard.networks.piecewise import PiecewiseLinear
from steelyard.networks.tabular import TabularMlp

MEMBERS, ROWS = 3, 7
SHAPE = TableShape(4, (3, 20, 1, 40))
PIXELS = ((120.0, 120.0), (60.0, 60.0))
TABLES = [SHAPE, TableShape(5, ()), TableShape(0, (3, 40)), TableShape(2, (30,)), TableShape(1, (1,))]


def members(build: Callable[[], nn.Module]) -> list[nn.Module]:
    """Networks in float64 whose parameters all differ."""
    torch.manual_seed(0)
    built = [build().double() for _ in range(MEMBERS)]
    for network in built:
        for parameter in network.parameters():
            nn.init.normal_(parameter)
    return built


def stacked(networks: Sequence[nn.Module]) -> nn.Module:
    """A copy of the first network with the parameters of all, one above the other."""
    whole = copy.deepcopy(networks[0])
    for name, module in whole.named_modules():
        peers = [network.get_submodule(name) for network in networks]
        for word in list(module._parameters):
            if module._parameters[word] is not None:
                module._parameters[word] = nn.Parameter(torch.stack([peer._parameters[word] for peer in peers]))
    return whole


def numbers(shape: TableShape, rows: int = ROWS) -> Tensor:
    return torch.randn(MEMBERS, rows, shape.numbers, dtype=torch.float64)


def codes(shape: TableShape, rows: int = ROWS) -> Tensor:
    columns = [torch.randint(0, k, (MEMBERS, rows, 1)) for k in shape.cardinalities]
    return torch.cat([torch.zeros(MEMBERS, rows, 0, dtype=torch.int64), *columns], dim=-1)


def same_as_alone(call: Callable[..., Tensor], networks: Sequence[nn.Module], inputs: Sequence[Tensor]) -> None:
    """Outputs and gradients of the stacked network are those of each network alone."""
    whole = stacked(networks)
    together = call(whole, *inputs)
    alone = [call(network, *each) for network, *each in zip(networks, *inputs, strict=True)]
    assert torch.allclose(together, torch.stack(alone), rtol=0, atol=1e-12)
    slope = torch.randn_like(together)
    for output, each in zip([together, *alone], [slope, *slope], strict=True):
        output.backward(each)
    for name, parameter in whole.named_parameters():
        gradients = [network.get_parameter(name).grad for network in networks]
        assert torch.allclose(parameter.grad, torch.stack(gradients), rtol=1e-12, atol=1e-12), name


def test_scales() -> None:
    same_as_alone(lambda layer, x: layer(x), members(lambda: Scale(6)), [torch.randn(3, ROWS, 6, dtype=torch.float64)])


@pytest.mark.parametrize("columns", [1, 5])
def test_waves_of_numbers(columns: int) -> None:
    shape = TableShape(columns, ())
    same_as_alone(lambda layer, x: layer(x), members(lambda: Periodic(columns, 8, 0.3)), [numbers(shape)])


@pytest.mark.parametrize("columns", [0, 1, 5])
def test_pieces_of_numbers(columns: int) -> None:
    shape = TableShape(columns, ())
    networks = members(lambda: PiecewiseLinear.of_scores(columns, 8, 3))
    same_as_alone(lambda layer, x: layer(x), networks, [numbers(shape)])


def test_embeddings_of_categories() -> None:
    def call(layer: nn.Module, given: Tensor) -> Tensor:
        return torch.cat(layer(given), dim=-1)

    same_as_alone(call, members(lambda: Categories(SHAPE.cardinalities, 4, 5)), [codes(SHAPE)])


@pytest.mark.parametrize("shape", TABLES)
@pytest.mark.parametrize("periodic", [0, 4])
def test_encoded_tables(shape: TableShape, periodic: int) -> None:
    networks = members(lambda: TabularMlp(periodic=periodic, onehot=4).build(shape, 2))
    for network in networks:
        network.layers = nn.Identity()

    def call(network: nn.Module, x: Tensor, given: Tensor) -> Tensor:
        features: Tensor = network(network.encode(x, given))  # type: ignore[operator]
        return features

    same_as_alone(call, networks, [numbers(shape), codes(shape)])


def test_a_batch_without_rows_comes_out_without_rows() -> None:
    networks = members(lambda: TabularMlp().build(SHAPE, 2))
    assert networks[0].encode(numbers(SHAPE, 0)[0], codes(SHAPE, 0)[0]).shape[0] == 0  # type: ignore[operator]
    whole = stacked(networks).encode(numbers(SHAPE, 0), codes(SHAPE, 0))  # type: ignore[operator]
    assert whole.shape[:2] == (MEMBERS, 0)


def test_layers_with_parameters_of_their_own_say_that_they_stack() -> None:
    network = TabularMlp().build(SHAPE, 2)
    own = [m for m in network.modules() if type(m).__module__.startswith("steelyard") and list(m.parameters(False))]
    assert {type(m).__name__ for m in own} == {"Periodic", "Categories", "Scale", "Head"}
    assert all(getattr(m, "stackable", False) or isinstance(m, nn.Linear) for m in own)
    assert network.stackable


@pytest.mark.parametrize("normalization", ["batch", "group", "layer", "none"])
@pytest.mark.parametrize("training", [True, False])
def test_image_networks_mapped_over_members(normalization: str, training: bool) -> None:
    networks = members(lambda: ResidualCnn(4, 2, normalization=normalization).build(ImageShape(2, 8, 8, *PIXELS), 3))
    pixels = torch.randint(0, 256, (MEMBERS, 5, 2, 8, 8), dtype=torch.uint8)
    for network in networks:
        network.train(training)
    parameters, buffers = torch.func.stack_module_state(networks)

    def call(state: dict[str, Tensor], features: Tensor) -> Tensor:
        output: Tensor = torch.func.functional_call(networks[0], state, (features,))
        return output

    features = torch.stack([network.encode(each) for network, each in zip(networks, pixels, strict=True)])
    together = torch.func.vmap(call)({**parameters, **buffers}, features.double())
    alone = [network(each) for network, each in zip(networks, features.double(), strict=True)]
    assert torch.allclose(together, torch.stack(alone), rtol=1e-11, atol=0)
