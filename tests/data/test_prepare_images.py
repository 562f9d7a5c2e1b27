import json

import numpy as np
import pytest

from steelyard.data.dataset import Dataset, Schema
from steelyard.data.prepare_images import FittedImages, ImagePreparation
from steelyard.errors import UserError


def images(n: int = 6, height: int = 28, width: int = 28, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, height, width, channels), dtype=np.uint8)


def dataset(pixels: np.ndarray) -> Dataset:
    schema = Schema("image", "class", shape=tuple(pixels.shape[1:]))
    return Dataset("pictures", schema, np.zeros(len(pixels), np.int64), ("a", "b"), images=pixels)


def test_images_come_out_channels_first_and_unchanged_at_size_zero():
    pixels = images(channels=3)
    (out,) = ImagePreparation().fit(dataset(pixels)).transform(dataset(pixels))
    assert out.dtype == np.uint8 and out.shape == (6, 3, 28, 28) and out.flags.c_contiguous
    assert np.array_equal(out.transpose(0, 2, 3, 1), pixels)


def test_mean_and_spread_are_those_of_the_pixels_per_channel():
    pixels = images(n=50, channels=3)
    shape = ImagePreparation().fit(dataset(pixels)).shape
    assert np.allclose(shape.mean, pixels.mean((0, 1, 2))) and np.allclose(shape.std, pixels.std((0, 1, 2)))


def test_a_constant_channel_has_spread_one():
    assert ImagePreparation().fit(dataset(np.full((4, 8, 8, 1), 7, np.uint8))).shape.std == (1.0,)


def test_the_longer_side_is_brought_down_to_size_and_the_aspect_is_kept():
    fitted = ImagePreparation(size=16).fit(dataset(images(height=64, width=32)))
    assert (fitted.shape.height, fitted.shape.width) == (16, 8)


def test_images_are_never_enlarged():
    fitted = ImagePreparation(size=64).fit(dataset(images(height=8, width=8)))
    assert (fitted.shape.height, fitted.shape.width) == (8, 8)


def test_shrinking_averages_areas():
    pixels = np.zeros((1, 4, 4, 1), np.uint8)
    pixels[0, :2, :2, 0] = [[0, 40], [80, 120]]
    (out,) = ImagePreparation(size=2).fit(dataset(pixels)).transform(dataset(pixels))
    assert out[0, 0].tolist() == [[60, 0], [0, 0]]


def test_images_of_another_size_are_brought_to_the_size_of_train():
    fitted = ImagePreparation().fit(dataset(images(height=8, width=8)))
    assert fitted.transform(dataset(images(height=20, width=12)))[0].shape == (6, 1, 8, 8)


def test_another_number_of_channels_is_an_error_that_says_what_to_do():
    fitted = ImagePreparation().fit(dataset(images(channels=3)))
    with pytest.raises(UserError, match=r"3 channels, pictures has 1; convert the images to colour"):
        fitted.transform(dataset(images(channels=1)))


@pytest.mark.parametrize(
    ("side", "channels", "features"), [(8, 1, 64), (16, 1, 256), (28, 1, 196), (64, 3, 768), (1, 1, 1), (17, 1, 81)]
)
def test_the_matrix_has_at_most_sixteen_pixels_a_side_between_zero_and_one(side, channels, features):
    pixels = dataset(images(height=side, width=side, channels=channels))
    matrix = ImagePreparation().fit(pixels).matrix(pixels)
    assert matrix.shape == (6, features) and matrix.dtype == np.float32
    assert matrix.min() >= 0 and matrix.max() <= 1


def test_rows_that_are_not_given_do_not_change_the_fit():
    both = images(n=20)
    other = np.concatenate([both[:10], 255 - both[10:]])
    rows = np.arange(10)
    fits = [ImagePreparation(size=14).fit(dataset(pixels).take(rows)) for pixels in (both, other)]
    assert fits[0].to_dict() == fits[1].to_dict()


def test_an_image_is_transformed_alike_alone_and_among_others():
    pixels = images(n=9, channels=3)
    fitted = ImagePreparation(size=10).fit(dataset(pixels))
    (together,) = fitted.transform(dataset(pixels))
    (alone,) = fitted.transform(dataset(pixels[4:5]))
    assert np.array_equal(together[4:5], alone)


def test_no_images_give_empty_arrays():
    fitted = ImagePreparation(size=14).fit(dataset(images()))
    assert fitted.transform(dataset(images(n=0)))[0].shape == (0, 1, 14, 14)
    assert fitted.matrix(dataset(images(n=0))).shape == (0, 196)


def test_a_fitted_preparation_survives_json():
    fitted = ImagePreparation(size=14, target="log").fit(dataset(images(channels=3)))
    assert FittedImages.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted


def test_the_middle_is_cut_out_before_anything_else_in_training_and_prediction():
    pixels = images(height=20, width=12)
    fitted = ImagePreparation(center=0.5).fit(dataset(pixels))
    middle = pixels[:, 5:15, 3:9]
    (out,) = fitted.transform(dataset(pixels))
    assert np.array_equal(out.transpose(0, 2, 3, 1), middle)
    assert (fitted.shape.height, fitted.shape.width) == (10, 6)
    assert fitted.shape.mean == pytest.approx((middle.mean(),))
    assert np.allclose(fitted.matrix(dataset(pixels)), middle.reshape(6, -1) / 255)
    again = FittedImages.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert np.array_equal(again.transform(dataset(pixels))[0], out)


def test_the_middle_is_brought_down_to_size():
    fitted = ImagePreparation(size=8, center=0.5).fit(dataset(images(height=64, width=32)))
    assert (fitted.shape.height, fitted.shape.width) == (8, 4)
