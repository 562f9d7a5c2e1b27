"""Every transform of images keeps the distribution it promises, draws from its own stream, and can be mapped."""

import math
from itertools import pairwise

import pytest
import torch

from steelyard.knobs import parse_knob
from steelyard.parts import Augmentation
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable, catalogue, operations, pixels
from steelyard.techniques.batch.cutmix import Cutmix
from steelyard.techniques.inputs.blur import Blur
from steelyard.techniques.inputs.brightness import Brightness
from steelyard.techniques.inputs.color_jitter import ColorJitter
from steelyard.techniques.inputs.contrast import Contrast
from steelyard.techniques.inputs.crop import Crop
from steelyard.techniques.inputs.erasing import Erasing
from steelyard.techniques.inputs.flips import Flips
from steelyard.techniques.inputs.multi_crop import MultiCrop
from steelyard.techniques.inputs.padded_crops import PaddedCrops
from steelyard.techniques.inputs.rand_augment import RandAugment
from steelyard.techniques.inputs.random_resized_crop import RandomResizedCrop
from steelyard.techniques.inputs.rotation import Rotation
from steelyard.techniques.inputs.shifted_crops import ShiftedCrops
from steelyard.techniques.inputs.trivial_augment import TrivialAugment
from steelyard.techniques.inputs.vertical_flips import VerticalFlips
from steelyard.techniques.inputs.zoom import Zoom
from steelyard.training.losses import CrossEntropy
from steelyard.training.streams import torch_stream

PROBLEM = Problem("binary", "image", "class", 60, ("a", "b"), "accuracy")
MANY = 4000
ALL = (
    *(Flips(), VerticalFlips(), ShiftedCrops(), ShiftedCrops(border="black"), Rotation(), Zoom(), RandomResizedCrop()),
    *(Brightness(), Contrast(), ColorJitter(), Blur(), Erasing(), Erasing(fill="mean"), Erasing(fill="black")),
    *(RandAugment(), TrivialAugment(), Crop(), MultiCrop(), Cutmix()),
)
every = pytest.mark.parametrize("part", ALL, ids=lambda part: f"{part.kind}-{getattr(part, 'fill', '')}")


def noise(n=40, channels=3, height=16, width=12):
    return torch.randint(0, 256, (n, channels, height, width), generator=torch_stream(0, "noise"), dtype=torch.uint8)


def drawn(part, images, seed=0, progress=0.5):
    return part.draw((images.shape,), torch_stream(seed, part.kind), progress)


def changed(part, images, seed=0, progress=0.5):
    """The images after a part that changes inputs, or encoded ones."""
    numbers = drawn(part, images, seed, progress)
    (images,) = part.on_inputs((images,), numbers)
    if type(part).on_features is Augmentation.on_features:
        return images
    targets, weights = torch.eye(2)[torch.arange(len(images)) % 2], torch.ones(len(images))
    return part.on_features(images.float(), targets, weights, numbers)[0]


def flat(values):
    """Whether numbers in 0..1 are spread evenly: each tenth holds about a tenth (five standard errors)."""
    counts = torch.histc(values, 10, 0.0, 1.0) / len(values)
    return (counts - 0.1).abs().max() < 5 * math.sqrt(0.09 / len(values))


# -- all of them ----------------------------------------------------------------------------------------------


@every
def test_the_same_stream_gives_the_same_bits_and_another_one_others(part):
    images = noise()
    before = images.clone()
    assert torch.equal(changed(part, images), changed(part, images))
    assert not torch.equal(changed(part, images), changed(part, images, seed=1))
    assert torch.equal(images, before), "the source was written to"


@every
def test_bytes_stay_bytes_of_the_same_shape(part):
    result, images = changed(part, noise()), noise()
    if type(part).on_features is Augmentation.on_features:
        assert (result.dtype, result.shape) == (torch.uint8, images.shape)


@every
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 5), (5, 2)])
def test_tiny_images_are_borne(part, height, width):
    result = changed(part, noise(8, 3, height, width))
    assert len(result) in (8, 16) and result.float().isfinite().all()


@every
@pytest.mark.parametrize("channels", [1, 2])
def test_images_that_are_not_in_colour_are_borne(part, channels):
    if isinstance(part, ColorJitter):
        assert drawn(part, noise(8, channels)) is None
    else:
        assert changed(part, noise(8, channels)).shape[1] == channels


@every
def test_members_mapped_together_see_what_each_would_see_alone(part):
    images = noise(3 * 6).view(3, 6, 3, 16, 12)
    draws = [drawn(part, images[0], seed) for seed in range(3)]
    numbers = tuple(torch.stack(each) for each in zip(*draws, strict=True))
    (together,) = torch.func.vmap(part.on_inputs)((images,), numbers)
    alone = torch.stack([part.on_inputs((each,), draw)[0] for each, draw in zip(images, draws, strict=True)])
    assert torch.equal(together, alone)
    batch = (images.float(), torch.eye(2)[torch.arange(18).view(3, 6) % 2], torch.rand(3, 6) + 0.5)
    mapped = torch.func.vmap(part.on_features)(*batch, numbers)
    for place, draw in enumerate(draws):
        for one, other in zip(mapped, part.on_features(*(each[place] for each in batch), draw), strict=True):
            torch.testing.assert_close(one[place], other)


@every
def test_a_schedule_moves_the_strength_and_nothing_happens_where_it_is_off(part):
    name, off = next(iter(part.off.items()))
    if name == "crops":
        return  # a number of crops, not a strength
    full = getattr(part, name)
    fading = type(part)(**(vars(part) | {name: parse_knob(f"linear({full}, {off})")}))
    images = noise()
    if isinstance(part, ColorJitter):
        fading = ColorJitter(parse_knob("linear(0.4, 0)"), 0.0)
    assert drawn(fading, images, progress=1.0) is None
    assert not torch.equal(changed(fading, images, progress=0.0).float(), images.float())
    assert drawn(type(part)(**(vars(part) | part.off)), images) is None


def test_techniques_for_images_say_why_they_do_not_apply_to_other_data():
    table = Problem("binary", "tabular", "class", 60, ("a", "b"), "accuracy")
    kinds = {part.kind for part in ALL}
    for name in kinds | {"padded-crops", "center-crop", "progressive-resizing"}:
        answer = catalogue()[name]().apply(Recipe.from_dict({"prepare": {"kind": "image-preparation"}}), table)
        assert isinstance(answer, NotApplicable)
        assert answer.reason.startswith("it ") and answer.reason.endswith(" images, and this is a table")


# -- where pixels come from -----------------------------------------------------------------------------------


def test_half_of_the_images_are_turned_upside_down():
    images = torch.arange(4, dtype=torch.uint8).view(1, 1, 4, 1).expand(MANY, 1, 4, 3)
    result = changed(VerticalFlips(), images)
    turned = (result == images.flip(2)).flatten(1).all(1)
    assert (turned ^ (result == images).flatten(1).all(1)).all()
    assert turned.float().mean() == pytest.approx(0.5, abs=0.04)


def test_flips_keep_their_rate_at_any_probability():
    images = torch.arange(3, dtype=torch.uint8).expand(MANY, 1, 2, 3)
    for rate in (0.1, 0.7):
        assert (changed(Flips(rate), images) != images).flatten(1).any(1).float().mean() == pytest.approx(
            rate, abs=0.04
        )


def test_shifts_are_even_in_both_directions():
    down, right, _ = drawn(ShiftedCrops(0.25), torch.zeros(MANY, 1, 16, 8))
    for places, count in ((down, 9), (right, 5)):
        assert (torch.bincount(places, minlength=count) / MANY - 1 / count).abs().max() < 0.03


def test_a_padded_crop_is_black_where_the_image_ends_and_a_shifted_one_mirrored():
    images = torch.full((200, 1, 8, 8), 200, dtype=torch.uint8)
    assert (changed(ShiftedCrops(0.25), images) == 200).all()
    black = changed(ShiftedCrops(0.25, "black"), images)
    assert {*black.unique().tolist()} == {0, 200}
    dark = (black == 0).float().mean((1, 2, 3))
    assert (dark == 0).float().mean() == pytest.approx(1 / 25, abs=0.04), "unmoved in one of 5 × 5 cases"
    assert dark.max() == 1 - 0.75**2


def test_padded_crops_are_shifted_crops_with_a_black_border_and_warn_of_it():
    recipe = Recipe.from_dict({"prepare": {"kind": "image-preparation"}, "network": {"kind": "residual-cnn"}})
    changed_recipe = PaddedCrops(0.2).apply(recipe, PROBLEM)
    assert changed_recipe.augment == (ShiftedCrops(0.2, "black"),)
    assert "networks learn the border" in PaddedCrops.card()


def test_angles_are_even_up_to_the_limit_on_both_sides():
    (angles,) = drawn(Rotation(30), torch.zeros(MANY, 1, 2, 2))
    assert flat(angles / math.radians(60) + 0.5)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 9)])
def test_turning_by_quarters_is_exact(height, width):
    images = noise(4, 3, height, width)
    turns = torch.tensor([0.0, 0.5, 1.0, 1.5]) * math.pi
    result = pixels.warped(images, pixels.rotations(turns))
    for quarter in range(4):
        assert torch.equal(result[quarter], images[quarter].rot90(quarter, (1, 2)))


def test_a_turned_image_keeps_its_proportions_where_sides_differ():
    image = torch.zeros(1, 1, 20, 40, dtype=torch.uint8)
    image[..., 10, 12:28] = 255  # a line of 16 pixels
    turned = pixels.warped(image, pixels.rotations(torch.tensor([math.pi / 2])))
    assert 14 <= int((turned.amax(3) > 100).sum()) <= 18 and int((turned.amax(2) > 100).sum()) <= 2


def test_zooms_are_even_on_a_logarithmic_scale():
    (scales,) = drawn(Zoom(0.5), torch.zeros(MANY, 1, 2, 2))
    assert flat(scales.log() / (2 * math.log(1.5)) + 0.5)


def test_a_zoom_by_two_shows_the_middle_half():
    images = torch.zeros(1, 1, 16, 16)
    images[..., 4:12, 4:12] = 9
    centre = torch.zeros(1)
    near = pixels.warped(images, pixels.boxes(torch.tensor([0.5]), torch.tensor([0.5]), centre, centre))
    assert (near[..., 1:-1, 1:-1] == 9).all()


def test_resized_crops_keep_area_aspect_and_place():
    part = RandomResizedCrop(0.25)
    height, width, y, x = drawn(part, torch.zeros(MANY, 1, 8, 8))
    area = height * width
    assert flat((area - 0.25) / 0.75)
    assert (height / width).log().abs().max() <= math.log(4 / 3) + 1e-5
    assert (height / width).log().mean() == pytest.approx(0, abs=0.02)
    assert max(height.max(), width.max()) <= 1 + 1e-6
    assert ((y.abs() + height).max() <= 1 + 1e-5) and ((x.abs() + width).max() <= 1 + 1e-5)
    free = (1 - width) > 0.05
    assert flat((x[free] / (1 - width[free]) + 1) / 2)


def test_a_resized_crop_shows_that_part_of_the_image():
    ramp = torch.linspace(0, 255, 64).round().to(torch.uint8).expand(1, 1, 32, 64)
    part = RandomResizedCrop(0.5)
    # height, width, and the centre: the right half of the image
    numbers = tuple(torch.tensor([each]) for each in (1.0, 0.5, 0.0, 0.5))
    (shown,) = part.on_inputs((ramp,), numbers)
    torch.testing.assert_close(shown[0, 0, 0].float(), torch.linspace(127.5, 255, 64), atol=3, rtol=0)


def test_crops_are_windows_anywhere_in_the_image():
    places = torch.arange(64.0).view(1, 1, 8, 8).expand(MANY, 1, 8, 8)
    result = changed(Crop(0.5), places)
    assert result.shape == (MANY, 1, 4, 4)
    corner = result[:, 0, 0, 0]
    assert torch.equal(result[:, 0] - corner.view(-1, 1, 1), (places[:, 0, :4, :4]))
    for axis in (corner // 8, corner % 8):
        assert (torch.bincount(axis.long(), minlength=5) / MANY - 0.2).abs().max() < 0.04


def test_several_crops_of_an_image_stand_side_by_side_with_its_target_and_weight():
    part, images = MultiCrop(crops=3, share=0.5), noise(5).float() + 256 * torch.arange(5).view(-1, 1, 1, 1)
    targets, weights = torch.eye(5), torch.arange(5.0)
    features, labels, counts = part.on_features(images, targets, weights, drawn(part, images))
    assert features.shape == (15, 3, 8, 6)
    assert ((features // 256).flatten(1) == torch.arange(5).repeat_interleave(3).view(-1, 1)).all()
    assert torch.equal(labels.argmax(1), torch.arange(5).repeat_interleave(3))
    assert torch.equal(counts, torch.arange(5.0).repeat_interleave(3))
    assert any(not torch.equal(one, other) for one, other in pairwise(features[:3]))


# -- tones and colours ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [Brightness(0.4), Contrast(0.4)], ids=["brightness", "contrast"])
def test_factors_are_even_around_one(part):
    (factors,) = drawn(part, torch.zeros(MANY, 3, 2, 2))
    assert flat((factors - 0.6) / 0.8)


def test_brightness_multiplies_and_stops_at_white():
    images = torch.tensor([10, 100, 250], dtype=torch.uint8).view(1, 1, 1, 3).expand(MANY, 1, 1, 3)
    part = Brightness(0.5)
    (factors,) = drawn(part, images)
    wanted = (images.float() * factors.view(-1, 1, 1, 1)).clamp(max=255)
    assert (changed(part, images).float() - wanted).abs().max() <= 0.5 + 1e-3


def test_contrast_keeps_the_mean_grey():
    images = torch.randint(90, 160, (200, 3, 16, 16), generator=torch_stream(0, "noise"), dtype=torch.uint8)
    before, after = (pixels.grey(each.float()).mean((1, 2, 3)) for each in (images, changed(Contrast(0.5), images)))
    assert (before - after).abs().max() < 0.3


def test_colours_keep_their_lightness_and_greys_stay_as_they_are():
    part = ColorJitter(0.5, 0.1)
    images = torch.randint(100, 150, (100, 3, 8, 8), generator=torch_stream(0, "noise"), dtype=torch.uint8)
    result = changed(part, images)
    assert (pixels.grey(images.float()) - pixels.grey(result.float())).abs().max() < 1.5
    assert not torch.equal(result, images)
    grey = images[:, :1].expand(-1, 3, -1, -1)
    assert (changed(part, grey).int() - grey.int()).abs().max() <= 1


def test_a_hue_turned_by_a_third_of_the_circle_makes_red_green():
    red = torch.tensor([200, 50, 50], dtype=torch.uint8).view(1, 3, 1, 1)
    for angle in (-math.tau / 3, math.tau / 3):
        matrices = pixels.colour_matrices(torch.ones(1), torch.tensor([angle]))
        found = pixels.recoloured(red, matrices).flatten().tolist()
        assert found.index(max(found)) != 0
    assert torch.equal(pixels.recoloured(red, pixels.colour_matrices(torch.ones(1), torch.zeros(1))), red)


def test_saturation_and_hue_are_even():
    saturation, hue = drawn(ColorJitter(0.4, 0.1), torch.zeros(MANY, 3, 2, 2))
    assert flat((saturation - 0.6) / 0.8) and flat(hue / (0.2 * math.tau) + 0.5)


# -- blurs and holes ------------------------------------------------------------------------------------------


def test_a_blurred_point_is_a_bell_of_the_spread_drawn():
    points = torch.zeros(MANY, 1, 17, 17)
    points[..., 8, 8] = 1
    part = Blur(2.0)
    (kernels,) = drawn(part, points)
    result = pixels.smoothed(points, kernels)
    torch.testing.assert_close(result.sum((1, 2, 3)), torch.ones(MANY))
    steps = torch.arange(17.0) - 8
    spread = (result.sum((1, 2)) * steps**2).sum(1).sqrt()
    assert spread.max() < 2.01 and spread.min() < 0.2
    wide = spread > 0.8  # narrower bells fall between pixels
    sigmas = 2 * torch.rand(MANY, generator=torch_stream(0, part.kind))
    torch.testing.assert_close(spread[wide], sigmas[wide], rtol=0.05, atol=0.0)


def test_a_blur_keeps_flat_images_and_mirrors_the_border():
    images = torch.full((20, 3, 9, 9), 77, dtype=torch.uint8)
    assert torch.equal(changed(Blur(3.0), images), images)


def test_the_erased_share_is_even_up_to_the_area_in_half_of_the_images():
    images = torch.zeros(MANY, 1, 64, 64, dtype=torch.uint8)
    erased, begins, sides, _ = drawn(Erasing(0.5, 0.4), images)
    assert erased.float().mean() == pytest.approx(0.5, abs=0.04)
    shares = sides.prod(1)
    assert flat((shares - 0.02) / 0.38)
    assert (begins >= 0).all() and (begins + sides <= 1 + 1e-5).all()
    inside = pixels.rectangles(begins, sides, 64, 64).float().mean((1, 2))
    assert (inside - shares).abs().max() < 0.03 and (inside - shares).mean().abs() < 2e-3


@pytest.mark.parametrize("fill", ["noise", "mean", "black"])
def test_an_erased_rectangle_is_filled_and_all_else_stays(fill):
    images = torch.full((300, 3, 16, 16), 90, dtype=torch.uint8)
    images[:, :, ::2] = 110
    part = Erasing(1.0, 0.3, fill)
    _, begins, sides, _ = drawn(part, images)
    result, inside = changed(part, images), pixels.rectangles(begins, sides, 16, 16).unsqueeze(1).expand_as(images)
    assert torch.equal(result[~inside], images[~inside])
    if fill == "noise":
        assert flat(result[inside].float() / 256)
    else:
        assert (result[inside] == (100 if fill == "mean" else 0)).all()


def test_noise_of_bytes_is_even():
    assert flat(pixels.random_bytes((MANY, 3, 5), torch_stream(0, "bytes")).float().flatten() / 256)


# -- several operations ---------------------------------------------------------------------------------------


def test_all_fourteen_operations_are_picked_equally_often_to_both_sides():
    picks, amounts = drawn(RandAugment(0.3), torch.zeros(MANY, 3, 2, 2))
    counts = torch.bincount(picks.flatten(), minlength=14) / picks.numel()
    assert len(counts) == 14 and (counts - 1 / 14).abs().max() < 0.015
    torch.testing.assert_close(amounts.abs(), torch.full_like(amounts, 0.3))
    assert (amounts > 0).float().mean() == pytest.approx(0.5, abs=0.03)


def test_trivial_augment_draws_its_strength_evenly():
    picks, amounts = drawn(TrivialAugment(0.8), torch.zeros(MANY, 3, 2, 2))
    assert flat(amounts.abs() / 0.8)
    assert (torch.bincount(picks, minlength=14) / MANY - 1 / 14).abs().max() < 0.02


def one(operation, images, amount):
    picks = torch.full((len(images),), operations.OPERATIONS.index(operation))
    return operations.operated(images, picks, torch.full((len(images),), float(amount)))


def test_only_the_operation_that_an_image_draws_touches_it():
    images = noise(14, 3, 12, 12)
    result = operations.operated(images, torch.arange(14), torch.full((14,), 0.8))
    for place, name in enumerate(operations.OPERATIONS):
        assert torch.equal(result[place], one(name, images, 0.8)[place]), name
        assert torch.equal(result[place], images[place]) == (name == "identity"), name


def test_at_strength_zero_operations_with_a_strength_do_nothing():
    images = noise(3, 3, 12, 12)
    for name in set(operations.OPERATIONS) - {"auto-contrast", "equalize"}:
        assert torch.equal(one(name, images, 0.0), images), name


def test_operations_on_tones_do_what_their_names_say():
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(one("solarize", levels, 1.0), 255 - levels)
    assert torch.equal(one("solarize", levels, 0.5), torch.where(levels < 128, levels, 255 - levels))
    assert torch.equal(one("posterize", levels, 1.0), levels & 0xF0)
    assert torch.equal(one("posterize", levels, -0.5), levels & 0xFC)
    middle = (levels // 2 + 50).to(torch.uint8)
    stretched = one("auto-contrast", middle, 0.1)
    assert (stretched.min(), stretched.max()) == (0, 255)
    skewed = (levels.float() ** 2 / 255).to(torch.uint8)
    assert one("equalize", skewed, 0.1).float().mean() == pytest.approx(127.5, abs=8)
    assert torch.equal(one("equalize", torch.full_like(levels, 9), 0.1), torch.full_like(levels, 9))
    assert one("brightness", levels, -1.0).max() == 26  # a tenth of 255
    assert float(one("contrast", levels, -1.0).float().std()) == pytest.approx(7.4, rel=0.05)  # a tenth


def test_operations_that_move_go_as_far_as_they_say():
    image = torch.zeros(1, 1, 40, 40, dtype=torch.uint8)
    image[..., 20, 20] = 255
    (_, _, row, column) = one("translate-x", image, 0.5).nonzero()[0].tolist()
    assert (row, column) == (20, 20 - 9)  # half of 45 % of 40 pixels
    (_, _, row, column) = one("translate-y", image, -0.5).nonzero()[0].tolist()
    assert (row, column) == (20 + 9, 20)


def test_less_colour_is_nearer_to_grey_and_less_sharpness_nearer_to_blurred():
    images = noise(4, 3, 12, 12).float()

    def spread(each):
        return (each - pixels.grey(each)).abs().mean()

    assert spread(one("color", images, -0.9)) < 0.3 * spread(images) < 0.4 * spread(one("color", images, 0.3))
    rough = [one("sharpness", images, amount).diff(dim=3).abs().mean() for amount in (-1.0, 0.0, 1.0)]
    assert rough[0] < rough[1] < rough[2]


# -- cutmix ---------------------------------------------------------------------------------------------------


def test_targets_follow_the_area_that_was_pasted():
    part, codes = Cutmix(1.0), torch.arange(MANY) % 3
    images = codes.view(-1, 1, 1, 1).float().expand(MANY, 1, 32, 32)
    mixed, targets, weights = part.on_features(images, torch.eye(3)[codes], torch.ones(MANY), drawn(part, images))
    for code in range(3):
        torch.testing.assert_close((mixed == code).float().mean((1, 2, 3)), targets[:, code])
    torch.testing.assert_close(weights, torch.ones(MANY))


def test_with_alpha_one_the_area_before_it_is_cut_off_is_even():
    _, sides, partner = drawn(Cutmix(1.0, 1.0), torch.zeros(MANY, 1, 8, 8))
    assert flat(sides.prod(1))
    assert torch.equal(partner.sort().values, torch.arange(MANY))


def test_only_that_share_of_pairs_is_mixed():
    _, sides, _ = drawn(Cutmix(0.3), torch.zeros(MANY, 1, 8, 8))
    assert (sides.prod(1) > 0).float().mean() == pytest.approx(0.3, abs=0.04)


def test_the_loss_of_a_pasted_image_is_that_of_its_two_weighted_parts():
    part, codes = Cutmix(1.0), torch.arange(600) % 3
    images, weights = torch.rand(600, 1, 16, 16), torch.tensor([0.5, 1.0, 3.0])[codes]
    outputs, numbers = torch.randn(600, 3), drawn(part, torch.zeros(600, 1, 16, 16))
    _, targets, blended = part.on_features(images, torch.eye(3)[codes], weights, numbers)
    _, share, _ = part.on_features(images, torch.eye(3)[codes], torch.ones(600), numbers)
    wanted = -(share * torch.tensor([0.5, 1.0, 3.0]) * outputs.log_softmax(1)).sum(1)
    torch.testing.assert_close(CrossEntropy().per_example(outputs, targets, 0) * blended, wanted)
