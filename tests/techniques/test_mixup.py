import pytest
import torch

from steelyard.knobs import parse_knob
from steelyard.techniques.batch.mixup import Mixup
from steelyard.training.losses import CrossEntropy
from steelyard.training.streams import torch_stream

CODES = torch.arange(600) % 3
FEATURES = CODES.float().unsqueeze(1).repeat(1, 4)  # a row of class k holds k four times
TARGETS = torch.eye(3)[CODES]


def mixed(alpha=1.0, weights=None, features=FEATURES, seed=0, progress=0.5):
    weights = torch.ones(len(features)) if weights is None else weights
    drawn = Mixup(alpha).draw((features.shape,), torch_stream(seed, "mixup"), progress)
    return (
        (features, TARGETS, weights) if drawn is None else Mixup(alpha).on_features(features, TARGETS, weights, drawn)
    )


def test_targets_stay_probabilities():
    _, targets, _ = mixed()
    assert targets.min() >= 0
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(600))


def test_features_and_targets_are_mixed_by_the_same_share():
    features, targets, _ = mixed()
    expected = targets @ torch.tensor([0.0, 1.0, 2.0])
    torch.testing.assert_close(features, expected.unsqueeze(1).repeat(1, 4))


def test_every_pair_draws_its_own_share():
    _, targets, _ = mixed()
    assert len(targets.max(dim=1).values.unique()) > 300


def test_small_alpha_leaves_most_examples_almost_alone_and_large_alpha_halves_them():
    rare, half = mixed(alpha=0.05)[1].max(dim=1).values, mixed(alpha=100.0)[1].max(dim=1).values
    assert (rare > 0.99).float().mean() > 0.8
    assert (half[half < 0.99] < 0.7).all()


def test_equal_weights_stay_one():
    torch.testing.assert_close(mixed()[2], torch.ones(600))


def test_the_loss_of_a_blend_is_that_of_its_two_weighted_examples():
    weights = torch.tensor([0.5, 1.0, 3.0])[CODES]
    outputs = torch.randn(600, 3, generator=torch_stream(0, "outputs"))
    _, targets, blended = mixed(weights=weights)
    share = mixed()[1]  # the same draws with equal weights: the shares themselves
    wanted = -(share * torch.tensor([0.5, 1.0, 3.0]) * outputs.log_softmax(1)).sum(1)
    torch.testing.assert_close(CrossEntropy().per_example(outputs, targets, 0) * blended, wanted)


def test_images_keep_their_shape_and_memory_format():
    images = torch.randn(600, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    features, _, _ = mixed(features=images)
    assert features.shape == images.shape
    assert features.is_contiguous(memory_format=torch.channels_last)


def test_gradients_reach_the_features_of_both_examples():
    features = FEATURES.clone().requires_grad_()
    mixed(features=features)[0].sum().backward()
    torch.testing.assert_close(features.grad.sum(), torch.tensor(2400.0))


def test_alpha_may_follow_a_schedule_and_does_nothing_where_it_is_zero():
    fading = parse_knob("linear(1, 0)")
    assert mixed(alpha=fading, progress=1.0)[0] is FEATURES
    assert mixed(alpha=fading, progress=0.0)[0] is not FEATURES


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_stream_gives_the_same_blend(seed):
    assert torch.equal(mixed(seed=seed)[0], mixed(seed=seed)[0])
    assert not torch.equal(mixed(seed=seed)[0], mixed(seed=seed + 7)[0])
