from functools import cache
from typing import get_args

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from steelyard.data.prepared import ImageShape
from steelyard.errors import UserError
from steelyard.knobs import Linear
from steelyard.networks.convolutions import Block, GroupNorm, ImageActivation, ImageNormalization, Style, groups
from steelyard.networks.image import ResidualCnn, plan
from steelyard.networks.layers import Dropout

NORMS = get_args(ImageNormalization)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def shape(side: int, channels: int = 1) -> ImageShape:
    return ImageShape(channels, side, side, (120.0,) * channels, (60.0,) * channels)


def images(n: int, side: int, channels: int = 1) -> torch.Tensor:
    return torch.randint(0, 256, (n, channels, side, side), dtype=torch.uint8)


def outputs(network: torch.nn.Module, pixels: torch.Tensor) -> torch.Tensor:
    return network(network.encode(pixels))


def gradients(network: torch.nn.Module, pixels: torch.Tensor) -> list[torch.Tensor]:
    network.zero_grad()
    outputs(network, pixels).square().mean().backward()
    return [weight.grad for weight in network.parameters()]


@pytest.mark.parametrize("side", [1, 2, 3, 8, 13, 28, 32, 33, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_any_size_give_outputs_and_finite_gradients(side, channels):
    network = ResidualCnn(width=4).build(shape(side, channels), 5)
    given = gradients(network, images(3, side, channels))
    assert outputs(network, images(3, side, channels)).shape == (3, 5)
    assert all(torch.isfinite(gradient).all() for gradient in given)


def test_images_need_not_be_square():
    network = ResidualCnn(width=4).build(ImageShape(3, 20, 64, (100.0,) * 3, (50.0,) * 3), 2)
    assert outputs(network, torch.zeros(2, 3, 20, 64, dtype=torch.uint8)).shape == (2, 2)


def test_a_network_predicts_images_of_another_size_than_it_was_built_for():
    network = ResidualCnn(width=4).build(shape(28), 3).eval()
    assert outputs(network, images(2, 40)).shape == (2, 3)


@pytest.mark.parametrize(("side", "expected"), [(8, (0, 3)), (16, (0, 4)), (28, (1, 4)), (32, (1, 4)), (64, (2, 4))])
def test_the_stem_halves_to_sixteen_pixels_and_stages_follow_to_two(side, expected):
    assert plan(side) == expected


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_features_are_standardised_to_the_bit_as_by_hand_and_channels_last(channels, dtype):
    mean, std = tuple(100.0 + i for i in range(channels)), tuple(50.0 + i for i in range(channels))
    network = ResidualCnn(width=4).build(ImageShape(channels, 9, 12, mean, std), 2)
    pixels = torch.randint(0, 256, (6, channels, 9, 12), dtype=torch.uint8).to(dtype)
    before = pixels.clone()
    features = network.encode(pixels)
    assert torch.equal(features, (pixels.float() - network.mean) / network.std)
    assert features.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(pixels, before)


def test_features_have_mean_zero_and_spread_one_where_train_pixels_had_their_own():
    network = ResidualCnn().build(ImageShape(2, 1, 2, (10.0, 100.0), (5.0, 50.0)), 2)
    pixels = torch.tensor([[[[5, 15]], [[50, 150]]]], dtype=torch.uint8)
    assert network.encode(pixels).flatten().tolist() == [-1.0, 1.0, -1.0, 1.0]


def test_bytes_and_floats_are_encoded_alike():
    network = ResidualCnn().build(shape(8), 2)
    assert torch.equal(network.encode(images(2, 8).fill_(77)), network.encode(torch.full((2, 1, 8, 8), 77.0)))


def test_first_outputs_are_near_zero():
    assert outputs(ResidualCnn().build(shape(28), 10), images(64, 28)).abs().max() < 0.2


def test_weights_and_features_lie_channels_last():
    network = ResidualCnn().build(shape(28, 3), 10)
    assert network.encode(images(2, 28, 3)).is_contiguous(memory_format=torch.channels_last)
    kernels = [weight for weight in network.parameters() if weight.ndim == 4]
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)


def test_a_prediction_does_not_depend_on_its_neighbours():
    network, pixels = ResidualCnn().build(shape(28), 10).eval(), images(8, 28)
    assert torch.allclose(outputs(network, pixels)[3:4], outputs(network, pixels[3:4]), atol=1e-5)


def test_no_dropout_draws_no_random_number():
    network, pixels = ResidualCnn(dropout=0.0).build(shape(8), 2), images(2, 8)
    before = torch.get_rng_state()
    outputs(network, pixels)
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_follows_its_schedule():
    part = ResidualCnn(dropout=Linear(0.1, 0.5))
    network = part.build(shape(8), 2)
    part.turn(network, 1.0)
    assert network.dropout.p == 0.5


def test_under_autocast_outputs_are_float32_and_close_to_those_of_float32():
    network, pixels = ResidualCnn(width=8).build(shape(16), 4), images(32, 16)
    plain = outputs(network, pixels)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = outputs(network, pixels)
    assert mixed.dtype == torch.float32
    assert 0 < (plain - mixed).abs().max() < 0.05 * plain.abs().max()


@pytest.mark.parametrize("normalization", NORMS)
def test_every_norm_learns_under_autocast(normalization):
    network = ResidualCnn(width=8, normalization=normalization).build(shape(8), 4)
    with torch.autocast("cpu", torch.bfloat16):
        given = gradients(network, images(8, 8))
    assert {gradient.dtype for gradient in given} == {torch.float32}
    assert all(torch.isfinite(gradient).all() for gradient in given)


@pytest.mark.parametrize("knobs", [{"width": 0}, {"depth": 0}, {"dropout": 1.0}, {"stochastic_depth": 1.0}])
def test_knobs_outside_their_range_are_refused(knobs):
    with pytest.raises(UserError, match="must lie in"):
        ResidualCnn(**knobs)


# -- norms and activations ------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalization", NORMS)
def test_a_residual_network_starts_as_its_shortcuts(normalization):
    torch.manual_seed(0)
    network = ResidualCnn(width=8, depth=2, normalization=normalization).build(shape(8), 4).eval()
    pixels = images(4, 8)
    assert torch.allclose(outputs(network, pixels), outputs(network.without(range(6)), pixels), atol=1e-6)


@pytest.mark.parametrize("normalization", NORMS)
def test_every_part_of_a_trained_network_takes_part(normalization):
    network = ResidualCnn(width=8, normalization=normalization).build(shape(8), 4)
    for name, parameter in network.named_parameters():
        if name.endswith("factor") or (name.endswith("body.4.weight") and parameter.ndim == 1):
            torch.nn.init.ones_(parameter)
    assert all(gradient.any() for gradient in gradients(network, images(32, 8)))


@pytest.mark.parametrize("side", [1, 2, 8, 33])
@pytest.mark.parametrize("normalization", NORMS)
@pytest.mark.parametrize("width", [1, 5, 16])
def test_every_norm_takes_images_of_any_size_and_networks_of_any_width(side, normalization, width):
    network = ResidualCnn(width, normalization=normalization).build(shape(side), 2)
    assert torch.isfinite(outputs(network, images(3, side))).all()


@pytest.mark.parametrize(("channels", "expected"), [(1, 1), (3, 1), (8, 2), (10, 2), (16, 4), (64, 16), (512, 32)])
def test_channels_are_divided_into_groups_of_four_or_more(channels, expected):
    assert groups(channels) == expected


def test_a_group_norm_is_that_of_torch():
    x = torch.randn(3, 8, 5, 5).contiguous(memory_format=torch.channels_last)
    ours, theirs = GroupNorm(2, 8), torch.nn.GroupNorm(2, 8)
    assert torch.equal(ours(x), theirs(x))
    assert torch.equal(ours(x.contiguous()), theirs(x.contiguous()))


@pytest.mark.parametrize("normalization", ["group", "layer", "none"])
def test_without_batch_norm_a_training_step_does_not_depend_on_the_neighbours(normalization):
    network, pixels = ResidualCnn(width=8, normalization=normalization).build(shape(8), 4), images(8, 8)
    assert torch.allclose(outputs(network, pixels)[:1], outputs(network, pixels[:1]), atol=1e-6)


def test_first_weights_of_convolutions_match_their_activation():
    for word, gain in (("relu", 2**0.5), ("tanh", 1.5925)):
        normed, bare = (ResidualCnn(64, activation=word, normalization=n).build(shape(8), 2) for n in ("batch", "none"))
        assert normed.blocks[1].body[0].weight.std().item() == pytest.approx(gain / (128 * 9) ** 0.5, rel=0.02)
        assert bare.blocks[1].body[0].weight.std().item() == pytest.approx(gain / (64 * 9) ** 0.5, rel=0.02)


# -- stochastic depth -----------------------------------------------------------------------------------------


def rates(network):
    return [block.dropout.p * block.dropout.share for block in network.blocks]


def test_stochastic_depth_grows_linearly_to_its_rate_at_the_last_block_and_follows_its_schedule():
    part = ResidualCnn(width=4, depth=2, stochastic_depth=Linear(0.6, 0.0))
    network = part.build(shape(4), 2)
    assert rates(network) == pytest.approx([0.15, 0.3, 0.45, 0.6])
    part.turn(network, 0.5)
    assert rates(network) == pytest.approx([0.075, 0.15, 0.225, 0.3])


def test_stochastic_depth_leaves_out_whole_blocks_of_single_examples_and_keeps_the_mean():
    style = Style("group", "relu")
    block = Block(4, 4, False, style, Dropout(0.25, "stochastic_depth", whole=True))
    torch.nn.init.ones_(block.body[-1].weight)
    block.activation = torch.nn.Identity()
    maps = torch.randn(1, 4, 6, 6)
    with torch.no_grad():
        trained, whole = block(maps.expand(20_000, -1, -1, -1)), block.eval()(maps)
    skipped = (trained == maps).flatten(1).all(1)
    assert skipped.float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert torch.allclose(trained[~skipped], maps + (whole - maps) / 0.75, atol=1e-5)
    assert torch.allclose(trained.mean(0), whole[0], atol=0.06)


def test_predictions_know_no_stochastic_depth():
    dropping, plain = (ResidualCnn(8, stochastic_depth=p).build(shape(8), 4).eval() for p in (0.5, 0.0))
    plain.load_state_dict(dropping.state_dict())
    assert torch.equal(outputs(dropping, images(2, 8).fill_(9)), outputs(plain, images(2, 8).fill_(9)))


# -- digits ---------------------------------------------------------------------------------------------------


@cache
def digits():
    pixels, codes = load_digits(return_X_y=True)
    return torch.from_numpy((pixels * 15.9375).astype(np.uint8)).view(-1, 1, 8, 8), torch.from_numpy(codes)


def trained(steps=100, **knobs):
    """A network after so many steps of SGD on the first 1300 digits."""
    network = small(**knobs)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / steps)
        learn(network, optimizer)
    return network.eval()


def small(**knobs):
    torch.manual_seed(0)
    return ResidualCnn(width=8, **knobs).build(ImageShape(1, 8, 8, (78.0,), (96.0,)), 10)


def learn(network, optimizer):
    """One step on 64 digits; returns the loss."""
    pixels, codes = digits()
    chosen = torch.randint(0, 1300, (64,))
    loss = torch.nn.functional.cross_entropy(outputs(network, pixels[chosen]), codes[chosen])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def accuracy(network):
    pixels, codes = digits()
    return (outputs(network, pixels[1300:]).argmax(1) == codes[1300:]).float().mean().item()


def test_digits_are_learnt_in_a_hundred_steps():
    assert accuracy(trained()) > 0.9


@pytest.mark.parametrize("activation", get_args(ImageActivation))
@pytest.mark.parametrize("normalization", NORMS)
def test_every_activation_learns_with_every_norm(normalization, activation):
    network = small(normalization=normalization, activation=activation)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.02)
    losses = [learn(network, optimizer) for _ in range(40)]
    assert losses[0] > 2
    assert losses[-1] < 1


def test_a_network_still_predicts_when_any_one_residual_block_is_removed():
    network = trained(depth=2, stochastic_depth=0.5)
    whole, blocks = accuracy(network), len(network.blocks)
    assert whole > 0.9
    for number in range(blocks):
        assert accuracy(network.without([number])) > 0.8, number
    assert accuracy(network) == whole


def test_a_network_predicts_something_without_any_of_its_blocks():
    network = ResidualCnn(8, depth=2).build(shape(8), 4).eval()
    rest = network.without(range(6))
    assert torch.isfinite(outputs(rest, images(4, 8))).all()
    assert sum(p.numel() for p in rest.parameters()) < 0.2 * sum(p.numel() for p in network.parameters())


def test_a_block_that_is_not_there_cannot_be_removed():
    with pytest.raises(UserError, match="the network has blocks 0 to 2, got 3"):
        ResidualCnn(4).build(shape(8), 2).without([0, 3])
