import torch

from steelyard.data.prepared import ImageShape
from steelyard.networks.image import ResidualCnn
from steelyard.training.measure_precision import WORTH, Pace, pays

IMAGES = torch.randint(0, 256, (64, 1, 12, 12), dtype=torch.uint8)


def network(width=4):
    return ResidualCnn(width=width, dropout=0.5).build(ImageShape(1, 12, 12, (128.0,), (64.0,)), 3)


def test_the_measurement_says_what_it_measured():
    pace = pays(network(), (IMAGES,))
    assert pace.dtype == "bfloat16" and pace.float32 > 0 and pace.other > 0
    assert pace.low <= pace.ratio <= pace.high and pace.rounds >= 1 and 2 <= pace.rows <= 64


def test_the_network_and_the_random_numbers_are_as_they_were():
    measured, state = network(), torch.random.get_rng_state()
    before = {name: tensor.clone() for name, tensor in measured.state_dict().items()}
    measured.eval()
    pays(measured, (IMAGES,), budget=0.05)
    assert torch.equal(torch.random.get_rng_state(), state) and not measured.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in measured.state_dict().items())
    assert all(parameter.grad is None for parameter in measured.parameters())


def test_a_batch_of_one_row_can_be_measured():
    assert (
        pays(
            ResidualCnn(width=4, normalization="none").build(ImageShape(1, 12, 12, (128.0,), (64.0,)), 3), (IMAGES[:1],)
        ).rows
        == 1
    )


def test_without_a_budget_there_is_one_round():
    assert pays(network(), (IMAGES,), budget=0.0).rounds == 1


def test_a_format_pays_when_it_saves_a_tenth_of_the_time():
    assert Pace("bfloat16", 1.0, WORTH, WORTH, WORTH, WORTH, 3, 8).pays
    assert not Pace("bfloat16", 1.0, 0.95, 0.95, 0.9, 1.0, 3, 8).pays
