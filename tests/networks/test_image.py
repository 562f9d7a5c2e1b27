import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from steelyard.data.prepared import ImageShape
from steelyard.errors import UserError
from steelyard.knobs import Linear
from steelyard.networks.image import ResidualCnn, plan


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


def test_bfloat16_steps_agree_with_float32_to_its_precision():
    networks = []
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(1)
        networks.append(ResidualCnn(width=8, precision=precision).build(shape(16), 4))
    pixels = images(32, 16)
    first, second = (outputs(network, pixels) for network in networks)
    assert second.dtype == torch.float32
    assert (first - second).abs().max() < 0.05 * first.abs().max()


def test_predictions_are_float32_whatever_the_precision_of_training():
    networks = [ResidualCnn(width=8, precision=word).build(shape(16), 4).eval() for word in ("float32", "bfloat16")]
    networks[1].load_state_dict(networks[0].state_dict())
    pixels = images(4, 16)
    assert torch.equal(outputs(networks[0], pixels), outputs(networks[1], pixels))


@pytest.mark.parametrize("knobs", [{"width": 0}, {"depth": 0}, {"dropout": 1.0}])
def test_knobs_outside_their_range_are_refused(knobs):
    with pytest.raises(UserError, match="must lie in"):
        ResidualCnn(**knobs)


def test_digits_are_learnt_in_a_hundred_steps():
    pixels, codes = load_digits(return_X_y=True)
    pixels = torch.from_numpy((pixels * 15.9375).astype(np.uint8)).view(-1, 1, 8, 8)
    codes = torch.from_numpy(codes)
    network = ResidualCnn(width=8).build(ImageShape(1, 8, 8, (78.0,), (96.0,)), 10)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    for step in range(100):
        chosen = torch.randint(0, 1300, (64,))
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 100)
        loss = torch.nn.functional.cross_entropy(outputs(network, pixels[chosen]), codes[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    assert (outputs(network, pixels[1300:]).argmax(1) == codes[1300:]).float().mean() > 0.9
