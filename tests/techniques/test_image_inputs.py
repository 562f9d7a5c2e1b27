import numpy as np
import pytest
import torch

from steelyard.data.batches import Batch
from steelyard.data.dataset import Dataset, Schema
from steelyard.data.prepare_images import ImagePreparation
from steelyard.networks.image import ResidualCnn
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques.inputs.flips import Flips
from steelyard.techniques.inputs.progressive_resizing import ProgressiveResizing
from steelyard.techniques.inputs.shifted_crops import ShiftedCrops
from steelyard.training.losses import CrossEntropy
from steelyard.training.optimizers import AdamW
from steelyard.training.start import start
from steelyard.training.stopping import Stopping
from steelyard.training.streams import torch_stream

# every pixel names its image, row and column, so that one can see where it came from
IMAGES = (16 * torch.arange(8).view(8, 1) + torch.arange(8)).to(torch.uint8).expand(400, 1, 8, 8).contiguous()


def changed(part, images=IMAGES):
    drawn = part.draw((images.shape,), torch_stream(0, part.kind), 0.5)
    (result,) = part.on_inputs((images,), drawn)
    return result


def resized(part, progress, images):
    """The images as a part that acts on encoded ones shows them at that progress; None: as they are."""
    drawn = part.draw((images.shape,), torch_stream(0, part.kind), progress)
    if drawn is None:
        return None
    targets, weights = torch.ones(len(images), 2), torch.ones(len(images))
    result, *others = part.on_features(images, targets, weights, drawn)
    assert others[0] is targets and others[1] is weights
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


# -- progressive resizing -------------------------------------------------------------------------------------


def test_images_grow_until_they_have_their_full_size_well_before_the_end():
    part, images = ProgressiveResizing(), torch.randn(2, 3, 64, 64)
    sides = [tuple(resized(part, progress, images).shape) for progress in (0.0, 0.2, 0.4)]
    assert sides == [(2, 3, 44, 44), (2, 3, 52, 52), (2, 3, 56, 56)]
    assert all(resized(part, progress, images) is None for progress in (0.6, 0.9, 1.0))


def test_sides_are_multiples_of_four_that_keep_the_aspect_and_never_grow():
    for progress in (0.0, 0.2, 0.4, 0.6):
        height, width = ProgressiveResizing().sides(64, 32, progress)
        assert height % 4 == width % 4 == 0 and abs(height - 2 * width) <= 4
    assert ProgressiveResizing(scale=0.9).sides(30, 3, 0.0) == (28, 3)
    assert ProgressiveResizing(scale=0.1).sides(8, 8, 0.0) == (4, 4)


def test_at_half_the_size_every_pixel_is_the_mean_of_four():
    images = torch.arange(2 * 64.0).view(2, 1, 8, 8)
    small = resized(ProgressiveResizing(scale=0.5), 0.0, images)
    torch.testing.assert_close(small, torch.nn.functional.avg_pool2d(images, 2))


def test_far_below_half_the_size_no_pixel_is_left_out():
    images = torch.zeros(1, 1, 32, 32)
    images[..., ::8, ::8] = 1
    assert resized(ProgressiveResizing(scale=0.25), 0.0, images).mean() == pytest.approx(1 / 64, rel=0.2)


def test_resizing_keeps_the_memory_format_and_passes_gradients_on():
    images = torch.randn(4, 3, 16, 16).contiguous(memory_format=torch.channels_last).requires_grad_()
    small = resized(ProgressiveResizing(scale=0.5), 0.0, images)
    assert small.is_contiguous(memory_format=torch.channels_last)
    small.sum().backward()
    assert images.grad.sum() == pytest.approx(4 * 3 * 64)


def test_members_mapped_together_see_what_each_would_see_alone():
    images = torch.randn(3, 5, 1, 12, 12)
    part = ProgressiveResizing(scale=0.7)
    (drawn,) = part.draw((images.shape[1:],), torch_stream(0, "resizing"), 0.0)
    targets, weights = torch.ones(3, 5, 2), torch.ones(3, 5)
    together, _, _ = torch.func.vmap(part.on_features)(images, targets, weights, (torch.stack([drawn] * 3),))
    alone = [part.on_features(each, targets[0], weights[0], (drawn,))[0] for each in images]
    torch.testing.assert_close(together, torch.stack(alone))


def test_a_network_trained_on_growing_images_predicts_full_ones_and_crops_fit_beside_it():
    """Crops are drawn for the full size and sorted behind resizing by name: they must still be cut first."""
    random = np.random.default_rng(0)
    code = np.arange(60) % 2
    pixels = (random.integers(0, 100, (60, 16, 16, 1)) + 120 * code[:, None, None, None]).astype(np.uint8)
    dataset = Dataset("dots", Schema("image", "class", shape=(16, 16, 1)), code, ("a", "b"), images=pixels)
    problem = Problem("binary", "image", "class", 60, ("a", "b"), "accuracy")
    recipe = Recipe(
        ImagePreparation(),
        network=ResidualCnn(width=4),
        loss=CrossEntropy(),
        optimizer=AdamW(lr=0.01),
        batch=Batch(20),
        stopping=Stopping(epochs=12),
        augment=(ProgressiveResizing(), ShiftedCrops()),
    )
    model, epochs = start(recipe, dataset, problem, 0)
    assert len(list(epochs)) == 12
    assert (model.predict(dataset).argmax(1) == code).mean() > 0.9
