"""What augmentations of series promise: spreads, shares and lengths, that time runs forward, that gaps stay gaps."""

import pytest
import torch

from steelyard.techniques.inputs._series import along, lengths, read_at
from steelyard.techniques.inputs.channel_dropout import ChannelDropout
from steelyard.techniques.inputs.frequency_masking import FrequencyMasking
from steelyard.techniques.inputs.jitter import Jitter
from steelyard.techniques.inputs.scaling import Scaling
from steelyard.techniques.inputs.time_warp import TimeWarp, warped
from steelyard.techniques.inputs.window_slice import WindowSlice
from steelyard.techniques.inputs.window_warp import WindowWarp
from steelyard.training.streams import torch_stream

CASES, CHANNELS, TIME = 400, 3, 41
SIZES = torch.randint(2, TIME + 1, (CASES,), generator=torch_stream(0, "sizes"))
TIMES = torch.arange(TIME)
FULL = torch.randn(CASES, CHANNELS, TIME, generator=torch_stream(0, "series"))
CLOCK = (TIMES / (TIME - 1)).expand(CASES, CHANNELS, TIME).contiguous()  # every point says how far along it is
GAPS = FULL.masked_fill(torch.rand(FULL.shape, generator=torch_stream(0, "gaps")) < 0.1, torch.nan)
UNEVEN = GAPS.masked_fill(SIZES[:, None, None] <= TIMES, torch.nan)
STILL = [Jitter(), Scaling(), ChannelDropout(0.5), FrequencyMasking()]
WARPS = [TimeWarp(strength=0.5), WindowSlice(share=0.6), WindowWarp(share=0.3)]


def changed(part, series=FULL):
    (result,) = part.on_inputs((series,), part.draw((series.shape,), torch_stream(0, part.kind), 0.5))
    return result


@pytest.mark.parametrize("part", STILL, ids=lambda part: part.kind)
def test_what_is_missing_or_padding_stays_so_and_nothing_else_is(part):
    assert torch.equal(changed(part, UNEVEN).isnan(), UNEVEN.isnan())


@pytest.mark.parametrize("part", WARPS, ids=lambda part: part.kind)
def test_warps_keep_the_padding_and_about_as_many_gaps(part):
    before = UNEVEN
    after = changed(part, before)
    inside = lengths(before)[:, None, None] > TIMES
    assert after.masked_select(~inside).isnan().all()
    missing = [series.isnan()[inside.expand(series.shape)].float().mean() for series in (before, after)]
    assert missing[1] == pytest.approx(float(missing[0]), abs=0.03)
    whole = FULL.masked_fill(SIZES[:, None, None] <= TIMES, torch.nan)
    assert not changed(part, whole)[inside.expand(whole.shape)].isnan().any()


@pytest.mark.parametrize("part", WARPS, ids=lambda part: part.kind)
def test_time_runs_forward(part):
    clock = changed(part, CLOCK)
    assert (clock.diff(dim=2) >= -1e-6).all()
    assert clock.min() >= 0 and clock.max() <= 1
    torch.testing.assert_close(clock[:, 0], clock[:, 1])


@pytest.mark.parametrize("part", [TimeWarp(), WindowWarp()], ids=lambda part: part.kind)
def test_warps_begin_and_end_where_the_series_does(part):
    clock = changed(part, CLOCK)
    torch.testing.assert_close(clock[..., 0], torch.zeros(CASES, CHANNELS))
    torch.testing.assert_close(clock[..., -1], torch.ones(CASES, CHANNELS))


def test_a_stronger_time_warp_departs_further_from_the_clock():
    away = [(changed(TimeWarp(strength=s), CLOCK) - CLOCK).abs().mean() for s in (0.1, 0.3, 0.9)]
    assert 0.005 < away[0] < away[1] < away[2] < 0.3


def test_a_slice_is_that_share_of_the_series_and_lies_anywhere():
    clock = changed(WindowSlice(share=0.6), CLOCK)[:, 0]
    torch.testing.assert_close(clock[:, -1] - clock[:, 0], torch.full((CASES,), 0.6))
    torch.testing.assert_close(clock.diff(dim=1), torch.full((CASES, TIME - 1), 0.6 / (TIME - 1)))
    assert clock[:, 0].min() < 0.03 and clock[:, 0].max() > 0.37
    assert clock[:, 0].mean() == pytest.approx(0.2, abs=0.03)


def test_a_shorter_series_is_sliced_within_its_own_length():
    clock = torch.where(TIMES < 21, TIMES / 20.0, torch.nan).expand(CASES, 1, TIME)
    after = changed(WindowSlice(share=0.5), clock)[:, 0]
    torch.testing.assert_close(after[:, 20] - after[:, 0], torch.full((CASES,), 0.5))
    assert after[:, 21:].isnan().all()


def test_a_window_runs_at_half_or_double_the_pace_of_the_rest():
    pace = changed(WindowWarp(share=0.3), CLOCK)[:, 0].diff(dim=1) * (TIME - 1)
    slowest, fastest = pace.amin(1), pace.amax(1)
    torch.testing.assert_close(fastest / slowest, torch.full((CASES,), 2.0), atol=1e-3, rtol=0)
    quick = fastest > 1.5  # the window is played at double pace, the rest a little slower
    assert 150 < quick.sum() < 250
    torch.testing.assert_close(fastest[quick], torch.full((int(quick.sum()),), 1.7), atol=1e-3, rtol=0)
    torch.testing.assert_close(slowest[~quick], torch.full((int((~quick).sum()),), 0.65), atol=1e-3, rtol=0)


def test_read_at_is_a_straight_line_between_points_and_the_nearest_one_beside_a_gap():
    series = torch.tensor([[[0.0, 2.0, torch.nan, 6.0, 8.0, torch.nan]]])
    (share,) = along(series)
    torch.testing.assert_close(share, torch.arange(6) / 4)
    points = torch.tensor([[0.125, 0.3, 0.45, 0.65, 0.99, 0.0]])
    wanted = torch.tensor([[[1.0, 2.0, torch.nan, 6.0, 7.92, torch.nan]]])
    torch.testing.assert_close(read_at(series, points), wanted, equal_nan=True)


def test_equal_pieces_are_bent_to_their_bounds():
    bounds = torch.tensor([[0.0, 0.5, 0.6, 0.7, 1.0]])
    share = torch.tensor([[0.0, 0.125, 0.25, 0.375, 0.5, 0.75, 0.875, 1.0]])
    torch.testing.assert_close(warped(share, bounds), torch.tensor([[0.0, 0.25, 0.5, 0.55, 0.6, 0.7, 0.85, 1.0]]))


@pytest.mark.parametrize("part", [*STILL, *WARPS], ids=lambda part: part.kind)
@pytest.mark.parametrize("points", [0, 1, 2])
def test_series_of_hardly_any_points_can_be_changed(part, points):
    series = torch.where(torch.arange(4) < points, 1.0, torch.nan).expand(5, 2, 4)
    assert torch.equal(changed(part, series).isnan(), series.isnan())
    if points:
        assert changed(part, torch.ones(5, 2, points)).isfinite().all()


def test_jitter_has_the_spread_it_is_given():
    noise = changed(Jitter(0.2)) - FULL
    assert noise.std() == pytest.approx(0.2, abs=0.003) and noise.mean().abs() < 0.003


def test_scaling_draws_one_factor_a_channel_around_one():
    factors = changed(Scaling(0.2)) / FULL
    torch.testing.assert_close(factors, factors[..., :1].expand(factors.shape), rtol=1e-4, atol=1e-4)
    assert factors[..., 0].std() == pytest.approx(0.2, abs=0.02) and factors[..., 0].mean() == pytest.approx(
        1, abs=0.03
    )
    assert (factors[:, 0, 0] != factors[:, 1, 0]).all()


def test_that_share_of_channels_is_silenced_as_a_whole_and_never_all():
    silent = changed(ChannelDropout(0.3)) == 0
    whole = silent.all(2)
    assert torch.equal(whole, silent.any(2))
    assert whole.float().mean() == pytest.approx(0.3 - 0.3**3 / 3, abs=0.04)  # of three that fall, one stays
    assert not (changed(ChannelDropout(1.0)) == 0).all(2).all(1).any()


def test_a_single_channel_is_never_silenced():
    assert torch.equal(changed(ChannelDropout(0.9), FULL[:, :1]), FULL[:, :1])


def test_a_band_of_frequencies_is_gone_and_all_others_are_as_they_were():
    before, after = torch.fft.rfft(FULL), torch.fft.rfft(changed(FrequencyMasking(0.25)))
    gone = after.abs().amax(1) < 1e-4  # (cases, frequencies)
    assert (gone.sum(1) == 5).all()  # of 20
    assert (gone.int().diff(dim=1).abs().sum(1) <= 2).all(), "one band"
    assert not gone[:, 0].any(), "the mean stays"
    torch.testing.assert_close(
        after[~gone.unsqueeze(1).expand(after.shape)],
        before[~gone.unsqueeze(1).expand(after.shape)],
        atol=1e-4,
        rtol=1e-4,
    )
    assert gone[:, 1:].float().mean(0).min() > 0.02, "any of them may go"
