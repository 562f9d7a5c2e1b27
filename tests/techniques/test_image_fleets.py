"""Augmented images in fleets: members come to what they would have come to alone."""

from collections.abc import Iterator

import pytest
import torch

from steelyard.data.batches import Batch
from steelyard.data.prepare_images import ImagePreparation
from steelyard.data.prepared import ImageShape
from steelyard.knobs import parse_knob
from steelyard.networks.image import ResidualCnn
from steelyard.recipe import Recipe
from steelyard.techniques.batch.cutmix import Cutmix
from steelyard.techniques.inputs.blur import Blur
from steelyard.techniques.inputs.color_jitter import ColorJitter
from steelyard.techniques.inputs.crop import Crop
from steelyard.techniques.inputs.erasing import Erasing
from steelyard.techniques.inputs.flips import Flips
from steelyard.techniques.inputs.multi_crop import MultiCrop
from steelyard.techniques.inputs.progressive_resizing import ProgressiveResizing
from steelyard.techniques.inputs.rand_augment import RandAugment
from steelyard.techniques.inputs.rotation import Rotation
from steelyard.techniques.inputs.shifted_crops import ShiftedCrops
from steelyard.training.feed import Rows
from steelyard.training.fleet import Fleet
from steelyard.training.losses import CrossEntropy
from steelyard.training.member import Member
from steelyard.training.optimizers import AdamW
from steelyard.training.stopping import Stopping
from steelyard.training.team import Team

IMAGES = torch.randint(0, 256, (24, 3, 12, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
ROWS = Rows((IMAGES,), torch.eye(3, dtype=torch.float64)[torch.arange(24) % 3], None)
GEOMETRY = (Flips(), ShiftedCrops(), Rotation())
COLOURS = (ColorJitter(), Blur(), Erasing(), RandAugment(operations=1))
SIZES = (Crop(), MultiCrop(), Cutmix())


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def members(*augments, epochs=(2, 2)):
    found = []
    for seed, (augment, count) in enumerate(zip(augments, epochs, strict=True)):
        recipe = Recipe(
            ImagePreparation(),
            network=ResidualCnn(width=4),
            loss=CrossEntropy(),
            optimizer=AdamW(lr=0.01),
            batch=Batch(8),
            stopping=Stopping(count),
            augment=tuple(sorted(augment, key=lambda part: part.kind)),
        )
        torch.manual_seed(seed)
        network = recipe.network.build(ImageShape(3, 12, 8, (127.0,) * 3, (70.0,) * 3), 3)
        found.append(Member(network, recipe, ROWS, seed))
    return found


def assert_as_alone(build):
    together = build()
    assert all(epoch.ends != "diverged" for epochs in Fleet(together) for epoch in epochs)
    for one, other in zip(together, build(), strict=True):
        for _ in Fleet([other]):
            pass
        for name, tensor in one.network.state_dict().items():
            torch.testing.assert_close(tensor, other.network.state_dict()[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize("augment", [GEOMETRY, COLOURS, SIZES], ids=["geometry", "colours", "sizes"])
def test_seeds_with_the_same_augmentation_train_as_one_team(augment):
    assert isinstance(Fleet(members(augment, augment))._waiting[0], Team)
    assert_as_alone(lambda: members(augment, augment))


def test_members_with_and_without_an_augmentation_share_a_team():
    assert isinstance(Fleet(members((Flips(),), (Rotation(30),)))._waiting[0], Team)
    assert_as_alone(lambda: members((Flips(),), (Rotation(30),)))


def test_members_whose_images_are_moved_by_different_amounts_train_one_after_another():
    def build():
        return members((ShiftedCrops(0.125),), (ShiftedCrops(0.25, "black"),))

    assert len(Fleet(build())._waiting) == 2
    assert_as_alone(build)


def test_members_of_different_length_do_not_share_a_schedule_of_sizes():
    """At the same step one has come further than the other, so their images have different sizes."""
    growing = (ProgressiveResizing(parse_knob("linear(0.5, 1)")),)
    assert_as_alone(lambda: members(growing, growing, epochs=(2, 3)))
