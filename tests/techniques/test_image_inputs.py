import pytest
import torch

from steelyard.techniques.inputs.flips import Flips
from steelyard.techniques.inputs.shifted_crops import ShiftedCrops
from steelyard.training.streams import torch_stream

# every pixel names its image, row and column, so that one can see where it came from
IMAGES = (16 * torch.arange(8).view(8, 1) + torch.arange(8)).to(torch.uint8).expand(400, 1, 8, 8).contiguous()


def changed(part, images=IMAGES):
    (result,) = part.on_inputs((images,), torch_stream(0, part.kind), 0.5)
    return result


def test_the_middle_of_a_shifted_image_is_the_image_moved_by_at_most_the_shift():
    middle = changed(ShiftedCrops(shift=0.25))[:, 0, 2:6, 2:6].int()
    moved = middle - IMAGES[:, 0, 2:6, 2:6].int()
    assert (moved == moved[:, :1, :1]).all(), "an image moves as a whole"
    down, right = (moved[:, 0, 0] + 2) // 16, (moved[:, 0, 0] + 2) % 16 - 2
    assert {*down.tolist()} == {*right.tolist()} == {-2, -1, 0, 1, 2}


def test_every_pixel_of_a_shifted_image_comes_from_its_own_image():
    own = torch.arange(200, dtype=torch.uint8).view(-1, 1, 1, 1).expand(200, 3, 7, 5)
    assert torch.equal(changed(ShiftedCrops(shift=0.5), own), own)


def test_the_border_of_a_shifted_image_is_mirrored():
    images = torch.tensor([10, 20, 30, 40], dtype=torch.uint8).expand(100, 1, 4, 4)
    rows = {tuple(row.tolist()) for row in changed(ShiftedCrops(shift=0.25), images)[:, 0, 0]}
    assert rows == {(20, 10, 20, 30), (10, 20, 30, 40), (20, 30, 40, 30)}


def test_channels_move_together():
    images = IMAGES.repeat(1, 3, 1, 1)
    result = changed(ShiftedCrops(), images)
    assert torch.equal(result[:, 0], result[:, 1]) and torch.equal(result[:, 0], result[:, 2])


@pytest.mark.parametrize("side", [1, 2, 3, 7])
def test_images_too_small_to_shift_come_back_as_they_are(side):
    images = torch.randint(0, 256, (20, 1, side, side), dtype=torch.uint8)
    assert torch.equal(changed(ShiftedCrops(shift=0.125), images), images)


def test_a_one_pixel_image_bears_the_largest_shift():
    images = torch.randint(0, 256, (20, 3, 1, 1), dtype=torch.uint8)
    assert torch.equal(changed(ShiftedCrops(shift=0.5), images), images)


def test_about_half_of_the_images_are_mirrored_and_the_others_untouched():
    result = changed(Flips())
    mirrored = torch.tensor([torch.equal(image, IMAGES[0].flip(2)) for image in result])
    untouched = torch.tensor([torch.equal(image, IMAGES[0]) for image in result])
    assert (mirrored ^ untouched).all()
    assert 150 < mirrored.sum() < 250


def test_at_probability_one_every_image_is_mirrored():
    assert torch.equal(changed(Flips(flip=1.0)), IMAGES.flip(3))


@pytest.mark.parametrize("part", [Flips(), ShiftedCrops()], ids=["flips", "shifted-crops"])
def test_images_stay_bytes_and_the_source_is_not_written_to(part):
    before = IMAGES.clone()
    assert changed(part).dtype == torch.uint8
    assert torch.equal(IMAGES, before)
