"""What augmentations of tables promise: how much is changed, by what, and what stays."""

from itertools import pairwise

import pytest
import torch

from steelyard.knobs import parse_knob
from steelyard.techniques.inputs.feature_masking import FeatureMasking
from steelyard.techniques.inputs.input_noise import InputNoise
from steelyard.techniques.inputs.swap_noise import SwapNoise
from steelyard.training.streams import torch_stream

ROWS = 2000
NUMBERS = torch.randn(ROWS, 5, generator=torch_stream(0, "numbers"))  # no two are equal
CODES = torch.randint(1, 9, (ROWS, 3), generator=torch_stream(0, "codes"))


def changed(part, inputs=(NUMBERS, CODES), progress=0.5):
    drawn = part.draw(tuple(t.shape for t in inputs), torch_stream(0, part.kind), progress)
    return inputs if drawn is None else part.on_inputs(inputs, drawn)


def share(mask):
    return mask.float().mean(0)


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_masking_hides_that_share_of_every_column_and_leaves_the_rest(rate):
    for before, after in zip((NUMBERS, CODES), changed(FeatureMasking(rate)), strict=True):
        hidden = after == 0
        assert (share(hidden) - rate).abs().max() < 0.05  # 4.5 standard deviations
        assert torch.equal(after[~hidden], before[~hidden])
        assert after.dtype == before.dtype


def test_masking_hides_columns_independently():
    numbers, _ = changed(FeatureMasking(0.5))
    together = (numbers == 0).float().T.corrcoef()
    assert (together - torch.eye(5)).abs().max() < 0.1


def test_swapping_keeps_the_values_of_every_column():
    for before, after in zip((NUMBERS, CODES), changed(SwapNoise(0.3)), strict=True):
        assert torch.equal(after.sort(0).values, before.sort(0).values)


@pytest.mark.parametrize("rate", [0.1, 0.4, 1.0])
def test_that_share_of_values_come_from_another_row(rate):
    numbers, _ = changed(SwapNoise(rate))
    assert (share(numbers != NUMBERS) - rate).abs().max() < 0.05


def test_columns_are_swapped_apart_from_each_other():
    numbers, _ = changed(SwapNoise(1.0))
    origins = [(numbers[:, [j]] == NUMBERS[:, j]).int().argmax(1) for j in range(5)]
    assert all((one == other).float().mean() < 0.01 for one, other in pairwise(origins))


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_tiny_batches_and_tables_without_categories_can_be_swapped_and_masked(rows):
    inputs = (NUMBERS[:rows], CODES[:rows, :0])
    numbers, codes = changed(SwapNoise(1.0), inputs)
    assert torch.equal(numbers.sort(0).values, inputs[0].sort(0).values) and codes.shape == (rows, 0)
    assert changed(FeatureMasking(1.0), inputs)[0].eq(0).all()


def test_noise_has_the_spread_it_is_given_and_leaves_codes_alone():
    numbers, codes = changed(InputNoise(0.2))
    noise = numbers - NUMBERS
    assert (noise.std(0) - 0.2).abs().max() < 0.02 and noise.mean(0).abs().max() < 0.02
    assert codes is CODES


@pytest.mark.parametrize("kind", [FeatureMasking, SwapNoise])
def test_the_rate_may_follow_a_schedule(kind):
    rising = kind(parse_knob("linear(0, 0.8)"))
    assert changed(rising, progress=0.0)[0] is NUMBERS
    assert (changed(rising, progress=1.0)[0] != NUMBERS).float().mean() == pytest.approx(0.8, abs=0.03)
