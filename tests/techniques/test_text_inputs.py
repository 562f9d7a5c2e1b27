"""What augmentations of texts promise: how much is changed, that nothing is invented, and that padding stays behind."""

from collections import Counter

import pytest
import torch

from steelyard.techniques.inputs.span_deletion import SpanDeletion
from steelyard.techniques.inputs.token_dropout import TokenDropout
from steelyard.techniques.inputs.token_masking import TokenMasking
from steelyard.techniques.inputs.token_swap import TokenSwap
from steelyard.training.streams import torch_stream

TEXTS, LENGTH = 3000, 20
SIZES = torch.randint(1, LENGTH + 1, (TEXTS, 1), generator=torch_stream(0, "sizes"))
PLACES = torch.arange(LENGTH)
TOKENS = torch.where(PLACES < SIZES, PLACES + 4, 0)  # every token names its place
KINDS = [TokenDropout, TokenMasking, TokenSwap, SpanDeletion]
LONG = SIZES[:, 0] == LENGTH


def changed(part, tokens=TOKENS):
    (result,) = part.on_inputs((tokens,), part.draw((tokens.shape,), torch_stream(0, part.kind), 0.5))
    return result


def sizes(tokens):
    return (tokens != 0).sum(1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strength", [0.1, 0.5, 0.9])
def test_no_text_becomes_empty_padding_stays_behind_and_no_token_is_invented(kind, strength):
    after = changed(kind(strength))
    assert (after.dtype, after.shape) == (TOKENS.dtype, TOKENS.shape)
    assert sizes(after).min() >= 1
    assert ((sizes(after)[:, None] > PLACES) == (after != 0)).all()
    for before, now in zip(TOKENS[:200].tolist(), after[:200].tolist(), strict=True):
        left = Counter(now) - Counter(before)
        assert set(left) <= {0, 2} if kind is TokenMasking else set(left) <= {0}


@pytest.mark.parametrize("kind", KINDS)
def test_the_highest_rate_still_leaves_a_token_of_every_text(kind):
    after = changed(kind(0.9 if kind is SpanDeletion else 1.0))
    assert ((after > 2).sum(1) >= 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_of_one_token_stays_as_it_is_and_an_empty_one_stays_empty(kind):
    tokens = torch.zeros((50, 6), dtype=torch.int64)
    tokens[:25, 0] = 9
    assert torch.equal(changed(kind(0.9), tokens), tokens)


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_dropout_removes_that_share_and_keeps_the_order(rate):
    after = changed(TokenDropout(rate))
    assert 1 - (sizes(after)[LONG] / LENGTH).mean() == pytest.approx(rate, abs=0.03)
    steps = after[:, 1:] - after[:, :-1]
    assert ((steps > 0) | (after[:, 1:] == 0)).all()
    kept = torch.bincount(after[LONG].flatten(), minlength=LENGTH + 4)[4:] / LONG.sum()
    assert (kept - (1 - rate)).abs().max() < 0.2, "every place is as likely"


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_masking_hides_that_share_and_every_other_token_stays_in_its_place(rate):
    after = changed(TokenMasking(rate))
    hidden = after == 2
    assert hidden[LONG].float().mean() == pytest.approx(rate, abs=0.03)
    assert torch.equal(after[~hidden], TOKENS[~hidden])


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_swapping_moves_that_share_of_tokens_by_one_place_and_loses_none(rate):
    after = changed(TokenSwap(rate))
    assert torch.equal(after.sort(1).values, TOKENS.sort(1).values)
    moved = (after - TOKENS).abs()
    assert moved.max() == 1
    # with pairs that begin at odd places the first and the last token have no partner: 19 of 20 on average
    assert moved[LONG].float().mean() == pytest.approx(0.95 * rate, abs=0.04)


@pytest.mark.parametrize("share", [0.1, 0.33])
def test_deletion_cuts_one_run_of_that_share_out(share):
    after = changed(SpanDeletion(share))
    cut = SIZES[:, 0] - sizes(after)
    wanted = share * SIZES[:, 0]
    assert ((cut - wanted).abs() < 1).all()
    assert (cut / SIZES[:, 0])[SIZES[:, 0] > 3].mean() == pytest.approx(share, abs=0.02)
    steps = (after[:, 1:] - after[:, :-1])[:, :]
    jumps = ((steps > 1) & (after[:, 1:] != 0)).sum(1)
    assert jumps.max() == 1, "a gap, or none when the run was at one end"


def test_runs_are_cut_out_anywhere_in_a_text():
    after = changed(SpanDeletion(0.2))[LONG]
    gone = torch.stack([(after == token).any(1) for token in range(4, LENGTH + 4)], 1).logical_not().float().mean(0)
    assert gone.min() > 0.02 and gone[3:-3].max() < 0.4
