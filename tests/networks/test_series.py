"""Networks for series: any length, gaps, padding that changes nothing, and that they learn."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from steelyard.data.batches import Batch
from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.prepare_series import SeriesPreparation
from steelyard.data.prepared import SeriesShape
from steelyard.knobs import parse_knob
from steelyard.networks.pooling import AttentionPooling, LastPooling, MeanPooling
from steelyard.networks.series import InceptionTime, SeriesResnet
from steelyard.networks.series_recurrent import SeriesRnn
from steelyard.networks.series_transformer import SeriesTransformer
from steelyard.networks.steps import alive, halved, visible
from steelyard.parts import Network
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.losses import CrossEntropy
from steelyard.training.model import load
from steelyard.training.optimizers import AdamW
from steelyard.training.start import start
from steelyard.training.stopping import Stopping

NETWORKS: dict[str, Network] = {
    "resnet": SeriesResnet(width=4, depth=2, steps=8),
    "resnet with group norm": SeriesResnet(width=4, depth=2, normalization="group", stochastic_depth=0.2),
    "resnet without norm": SeriesResnet(width=4, depth=2, normalization="none"),
    "inception": InceptionTime(width=4, depth=4, steps=8),
    "gru": SeriesRnn(width=6),
    "lstm": SeriesRnn(cell="lstm", width=6, depth=2, pooling="last"),
    "simple rnn": SeriesRnn(cell="rnn", width=6, pooling="mean"),
    "transformer": SeriesTransformer(width=8, depth=2),
    "transformer with attention pooling": SeriesTransformer(width=8, depth=1, pooling="attention"),
}
every_network = pytest.mark.parametrize("part", NETWORKS.values(), ids=list(NETWORKS))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def built(part: Network, length: int = 20, channels: int = 2) -> nn.Module:
    """The network with weights that are all in use: heads start at a hundredth, gates of norms at 0 or 1."""
    network = part.build(SeriesShape(channels, length), 3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return network.eval()


def outputs(network: nn.Module, series: Tensor) -> Tensor:
    return network(network.encode(series))  # type: ignore[operator,no-any-return]


@every_network
@pytest.mark.parametrize("length", [1, 2, 7, 20, 65])
def test_series_of_any_length_give_outputs_and_finite_gradients(part: Network, length: int) -> None:
    network = built(part).train()
    found = outputs(network, torch.randn(4, 2, length))
    assert found.shape == (4, 3)
    found.square().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


@every_network
def test_missing_values_and_empty_series_give_numbers(part: Network) -> None:
    series = torch.randn(5, 2, 20)
    series[0, 0, 3:9] = float("nan")
    series[1, :, 12:] = float("nan")
    series[2] = float("nan")
    assert torch.isfinite(outputs(built(part), series)).all()


@every_network
def test_what_is_missing_is_seen(part: Network) -> None:
    series = torch.zeros(2, 2, 20)
    series[1, :, 5:9] = float("nan")
    first, second = outputs(built(part), series)
    assert not torch.allclose(first, second)


@every_network
def test_padding_behind_the_end_changes_nothing(part: Network) -> None:
    network, series = built(part), torch.randn(3, 2, 19)
    longer = torch.cat([series, torch.full((3, 2, 14), float("nan"))], dim=2)
    assert torch.allclose(outputs(network, series), outputs(network, longer), atol=1e-5)


@every_network
def test_the_last_layer_sees_what_it_says(part: Network) -> None:
    network, series = built(part), torch.randn(3, 2, 19)
    represented = network.represent(network.encode(series))
    assert represented.shape == (3, network.represented)
    assert torch.equal(network.head(represented), outputs(network, series))


# -- pieces -------------------------------------------------------------------------------------------------------


def test_gaps_are_zero_and_shown_in_a_channel_of_their_own() -> None:
    series = torch.tensor([[[1.0, float("nan"), 3.0, float("nan")], [4.0, 5.0, float("nan"), float("nan")]]])
    features = visible(series)
    assert features[0].tolist() == [[1, 0, 3, 0], [4, 5, 0, 0], [1, 0.5, 0.5, 0]]
    assert alive(features)[0, 0].tolist() == [1, 1, 1, 0]


def test_halved_maps_average_what_is_there() -> None:
    maps, mask = torch.tensor([[[1.0, 3.0, 5.0, 0.0]]]), torch.tensor([[[1.0, 1.0, 1.0, 0.0]]])
    mean, there = halved(maps, mask)
    assert (mean[0, 0].tolist(), there[0, 0].tolist()) == ([2, 5], [1, 1])


def test_pooling_ignores_what_is_behind_the_end() -> None:
    states, mask = torch.tensor([[[1.0], [3.0], [99.0]]]), torch.tensor([[1.0, 1.0, 0.0]])
    assert MeanPooling()(states, mask).item() == 2
    assert LastPooling()(states, mask).item() == 3
    assert AttentionPooling(1)(states, mask).item() == pytest.approx(2)  # starts as the mean
    assert torch.isfinite(AttentionPooling(1)(states, torch.zeros(1, 3))).all()


# -- training -----------------------------------------------------------------------------------------------------


def bumps(count: int = 48) -> tuple[Dataset, Problem]:
    """Noise with a bump that is wide or narrow, anywhere in 24 steps; every fourth series is shorter."""
    random = np.random.default_rng(0)
    code = np.arange(count) % 2
    series = 0.2 * random.normal(size=(count, 1, 24))
    for row, kind in enumerate(code):
        begin = random.integers(0, 10)
        series[row, 0, begin : begin + (8 if kind else 2)] += 3
    series[::4, :, 20:] = np.nan
    schema = Schema("series", "class", (Column("value", "number"),), length=24)
    dataset = Dataset("bumps", schema, code, ("narrow", "wide"), series=series.astype(np.float32))
    return dataset, Problem("binary", "series", "class", count, ("narrow", "wide"), "accuracy")


@every_network
def test_it_learns_a_small_problem_and_predicts_the_same_when_loaded(part: Network, tmp_path) -> None:
    dataset, problem = bumps()
    rate = parse_knob("cosine(0.02, 0)")
    recipe = Recipe(SeriesPreparation(), part, None, CrossEntropy(), AdamW(lr=rate), Batch(16), stopping=Stopping(40))
    model, epochs = start(recipe, dataset, problem, 0)
    for _ in epochs:
        pass
    predicted = model.predict(dataset)
    assert (predicted.argmax(1) == dataset.target).mean() >= 0.9
    model.save(tmp_path)
    assert np.array_equal(load(tmp_path).predict(dataset), predicted)
