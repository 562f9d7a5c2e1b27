"""Layers that a person imports into a network of their own."""

import doctest
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from steelyard import layers
from steelyard.data.prepared import ImageShape, TableShape
from steelyard.layers import (
    AttentionMapPooling,
    AttentionPooling,
    CategoricalEmbedding,
    GlobalAveragePooling,
    GlobalMaxPooling,
    Periodic,
    PiecewiseLinear,
    SpatialPyramidPooling,
)
from steelyard.networks.image import ResidualCnn
from steelyard.networks.tabular import TabularMlp

PICTURE = ImageShape(1, 32, 32, (120.0,), (60.0,))


@pytest.mark.parametrize("name", layers.__all__)
def test_the_example_of_every_layer_is_right(name: str) -> None:
    kind = getattr(layers, name)
    examples = doctest.DocTestFinder(recurse=False).find(kind, name, import_module(kind.__module__))
    assert examples and examples[0].examples, "it has no example"
    assert doctest.DocTestRunner().run(examples[0]).failed == 0
    assert any(str(year) in (kind.__doc__ or "") for year in range(2011, 2023)), "it names no source"


def test_layers_bring_neither_tables_nor_classical_models_along() -> None:
    code = "import sys, steelyard.layers; print({'pandas', 'sklearn', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# -- maps -----------------------------------------------------------------------------------------------------


def test_a_pyramid_holds_the_largest_value_of_each_cell() -> None:
    maps = torch.arange(16.0).view(1, 1, 4, 4)
    assert SpatialPyramidPooling((1, 2))(maps).tolist() == [[15, 5, 7, 13, 15]]
    assert SpatialPyramidPooling((1, 2), "average")(maps).tolist() == [[7.5, 2.5, 4.5, 10.5, 12.5]]


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (40, 25)])
@pytest.mark.parametrize("levels", [(1,), (1, 2, 4), (3, 6)])
def test_a_pyramid_is_as_long_for_maps_of_any_size(size: tuple[int, int], levels: tuple[int, ...]) -> None:
    pool = SpatialPyramidPooling(levels)
    found = pool(torch.randn(2, 5, *size))
    assert found.shape == (2, pool.features(5)) and torch.isfinite(found).all()


def test_global_poolings_are_mean_and_maximum_in_float32() -> None:
    maps = torch.randn(3, 4, 5, 6, dtype=torch.bfloat16)
    assert GlobalAveragePooling()(maps).dtype == torch.float32
    assert torch.allclose(GlobalAveragePooling()(maps.float()), maps.float().mean((2, 3)))
    assert torch.equal(GlobalMaxPooling()(maps), maps.amax((2, 3)))
    assert GlobalMaxPooling()(torch.randn(3, 4, 9)).shape == (3, 4)


def test_attention_starts_as_the_mean_and_learns_where_to_look() -> None:
    torch.manual_seed(0)
    maps = torch.randn(256, 4, 5, 5)
    where = torch.randint(0, 25, (256,))
    maps[torch.arange(256), 0, where // 5, where % 5] = 6.0  # a bright spot marks the place whose channel 1 counts
    wanted = maps[torch.arange(256), 1, where // 5, where % 5]
    pool = AttentionMapPooling(4)
    assert torch.allclose(pool(maps), maps.mean((2, 3)), atol=1e-6)
    optimizer = torch.optim.Adam(pool.parameters(), lr=0.03)
    for _ in range(150):
        optimizer.zero_grad()
        loss = (pool(maps)[:, 1] - wanted).square().mean()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.1 * float((maps.mean((2, 3))[:, 1] - wanted).square().mean())


def test_attention_over_steps_needs_no_mask() -> None:
    pool, steps = AttentionPooling(4), torch.randn(3, 7, 4)
    nn.init.normal_(pool.score.weight)
    assert torch.equal(pool(steps), pool(steps, torch.ones(3, 7)))
    mask = torch.cat([torch.ones(3, 5), torch.zeros(3, 2)], dim=1)
    assert torch.allclose(pool(steps, mask), pool(steps[:, :5]), atol=1e-6)


def stripes(number: int, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """Grey pictures (n, 1, size, size) of stripes across or upright, four pixels wide, in noise; and which it is."""
    stream = torch.Generator().manual_seed(seed)
    upright = torch.randint(0, 2, (number,), generator=stream)
    phase = torch.randint(0, 8, (number, 1), generator=stream)
    waves = (((torch.arange(size) + phase) // 4) % 2).float() * 60 + 90
    across = waves.view(number, 1, size, 1).expand(-1, 1, size, size)
    noise = 40 * torch.randn(number, 1, size, size, generator=stream)
    return torch.where(upright.view(-1, 1, 1, 1) > 0, across.mT, across) + noise, upright


@pytest.mark.parametrize("pooling", ["average", "max", "pyramid", "attention"])
def test_a_network_trained_on_one_size_of_images_predicts_others(pooling: str) -> None:
    images, target = stripes(320, 32, 0)
    torch.manual_seed(0)
    network = ResidualCnn(width=4, pooling=pooling).build(PICTURE, 2)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for step in range(40):
        rows = torch.arange(step * 32, step * 32 + 32) % 320
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(network.encode(images[rows])), target[rows]).backward()
        optimizer.step()
    network.eval()
    for size in (32, 40, 56):
        new, wanted = stripes(100, size, 1)
        with torch.no_grad():
            found = network(network.encode(new)).argmax(1)
        assert float((found == wanted).float().mean()) > 0.9, size


@pytest.mark.parametrize("pooling", ["average", "max", "pyramid", "attention"])
def test_a_network_built_for_one_size_takes_any_other(pooling: str) -> None:
    network = ResidualCnn(width=4, pooling=pooling).build(PICTURE, 2).eval()
    for size in ((40, 40), (7, 50), (1, 1)):
        assert torch.isfinite(network(network.encode(torch.rand(3, 1, *size) * 255))).all()


# -- numbers --------------------------------------------------------------------------------------------------


def test_numbers_are_encoded_by_pieces_as_in_the_paper() -> None:
    layer = PiecewiseLinear(torch.tensor([[0.0, 1.0, 3.0, 4.0]]), width=3)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(3)[None])
        layer.bias.zero_()
    found = layer(torch.tensor([[-1.0], [0.5], [2.0], [3.5], [6.0]]))
    expected = [[-1, 0, 0], [0.5, 0, 0], [1, 0.5, 0], [1, 1, 0.5], [1, 1, 3]]
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float32))


def test_bins_hold_about_as_many_rows_each() -> None:
    rows = torch.randn(1000, 2).exp()
    rows[::7, 1] = torch.nan
    layer = PiecewiseLinear.of(rows, bins=10)
    counts = torch.histogram(rows[:, 0], layer.edges[0]).hist
    assert counts.min() >= 95 and counts.max() <= 105
    assert torch.isfinite(layer.edges).all()


def test_a_column_of_few_values_has_bins_of_no_width_that_count_for_nothing() -> None:
    layer = PiecewiseLinear.of(torch.tensor([[0.0]] * 70 + [[1.0]] * 30), bins=10)
    found = layer(torch.tensor([[0.0], [0.5], [1.0], [2.0]]))
    assert torch.isfinite(found).all()
    found.sum().backward()
    assert torch.isfinite(layer.weight.grad).all()


def test_edges_of_normal_scores_are_those_of_normal_rows() -> None:
    shares = PiecewiseLinear.of_scores(2, 8, 3).edges[0][1:-1]
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(40_000, 1)))
    assert torch.allclose(shares, PiecewiseLinear.of(rows, bins=8).edges[0][1:-1], atol=0.03)


def test_wrong_settings_are_refused() -> None:
    for wrong in (torch.zeros(3), torch.zeros(2, 1), torch.tensor([[1.0, 0.0]])):
        with pytest.raises(ValueError, match="edges are"):
            PiecewiseLinear(wrong)
    with pytest.raises(ValueError, match="levels are"):
        SpatialPyramidPooling((0, 2))
    with pytest.raises(ValueError, match="cardinalities are"):
        CategoricalEmbedding((3, 0))


def test_pieces_learn_a_jump_that_numbers_alone_do_not() -> None:
    torch.manual_seed(0)
    x = torch.randn(600, 1)
    wanted = ((x > -0.5) & (x < 0.3)).float()

    def loss(network: nn.Module) -> float:
        optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
        for _ in range(150):
            optimizer.zero_grad()
            error = (network(x) - wanted).square().mean()
            error.backward()
            optimizer.step()
        return float(error.detach())

    pieces = loss(nn.Sequential(PiecewiseLinear.of(x, bins=24, width=4), nn.Linear(4, 1)))
    assert pieces < 0.25 * loss(nn.Linear(1, 1))


@pytest.mark.parametrize("piecewise", [0, 8])
def test_the_network_for_tables_takes_pieces_in_the_place_of_waves(piecewise: int) -> None:
    network = TabularMlp(width=8, depth=1, piecewise=piecewise).build(TableShape(3, (4,)), 2)
    kinds = [type(layer) for layer in network.modules()]
    assert (PiecewiseLinear in kinds, Periodic in kinds) == (piecewise > 0, piecewise == 0)
    assert network(network.encode(torch.randn(5, 3), torch.zeros(5, 1, dtype=torch.int64))).shape == (5, 2)


# -- categories -----------------------------------------------------------------------------------------------


def test_codes_never_seen_share_the_vector_of_what_is_missing() -> None:
    layer = CategoricalEmbedding((4, 3), width=2)
    found = layer(torch.tensor([[0, 0], [4, 3], [-1, 99], [1, 1]]))
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])
    assert found[0].eq(0).all() and not found[3].eq(0).any()
    last = layer(torch.tensor([[3, 2]]))
    assert torch.equal(last.view(2, 2), layer.table[[3, 6]])


def test_the_vector_of_the_unseen_is_learnt_when_some_codes_are_taken_for_it() -> None:
    torch.manual_seed(0)
    codes, wanted = torch.randint(1, 5, (400, 1)), 3.0

    def unseen(share: float) -> float:
        layer = CategoricalEmbedding((5,), width=1, unseen=share)
        optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
        for _ in range(60):
            optimizer.zero_grad()
            (layer(codes) - wanted).square().mean().backward()
            optimizer.step()
        return float(layer.eval()(torch.tensor([[17]])).detach())

    assert unseen(0.0) == 0.0 and abs(unseen(0.1) - wanted) < 0.2


# -- together -------------------------------------------------------------------------------------------------


def test_they_make_up_a_network_of_ones_own() -> None:
    class Mine(nn.Module):
        def __init__(self, train: Tensor) -> None:
            super().__init__()
            self.numbers = PiecewiseLinear.of(train, bins=6)
            self.waves = Periodic(train.shape[1], frequencies=8, spread=0.3)
            self.levels = CategoricalEmbedding((5, 9))
            self.last = nn.Linear(self.numbers.features + self.waves.features + self.levels.features, 2)

        def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
            return self.last(torch.cat([self.numbers(numbers), self.waves(numbers), self.levels(codes)], dim=1))

    network = Mine(torch.randn(50, 3))
    outputs = network(torch.randn(7, 3), torch.randint(0, 12, (7, 2)))
    outputs.sum().backward()
    assert outputs.shape == (7, 2) and all(p.grad is not None for p in network.parameters())
    again = Mine(torch.randn(50, 3))
    again.load_state_dict(network.state_dict())
    assert torch.equal(again.numbers.edges, network.numbers.edges)
