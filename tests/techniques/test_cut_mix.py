"""Exchanging parts of tables, texts and series: the share of the target is the share of the input that stayed."""

import pytest
import torch

from steelyard.techniques.batch.column_cut_mix import ColumnCutMix
from steelyard.techniques.batch.mixup import Mixup
from steelyard.techniques.batch.span_cut_mix import SpanCutMix
from steelyard.techniques.batch.window_cut_mix import WindowCutMix
from steelyard.training.streams import torch_stream

ROWS = 500
OWN = torch.arange(1.0, ROWS + 1)  # every value of an example names the example
TARGETS = torch.eye(ROWS)
LENGTHS = torch.randint(1, 21, (ROWS,), generator=torch_stream(0, "lengths"))


def mixed(part, inputs, encode, seed=0):
    """The features, targets and weights of one batch that went through both hooks of a part."""
    drawn = part.draw(tuple(t.shape for t in inputs), torch_stream(seed, part.kind), 0.5)
    inputs = part.on_inputs(inputs, drawn)
    return part.on_features(encode(*inputs), TARGETS, torch.ones(ROWS), drawn)


def columns(alpha=1.0):
    inputs = (OWN.unsqueeze(1).repeat(1, 6), OWN.long().unsqueeze(1).repeat(1, 4))
    return mixed(ColumnCutMix(alpha), inputs, lambda numbers, codes: torch.cat([numbers, codes.float()], 1))


def texts(alpha=1.0, lengths=LENGTHS):
    real = torch.arange(20) < lengths.unsqueeze(1)
    tokens = torch.where(real, OWN.long().unsqueeze(1), 0)
    return mixed(SpanCutMix(alpha), (tokens,), lambda ids: torch.stack([ids.float(), (ids > 0).float()], 2))


def series(alpha=1.0, lengths=None):
    values = OWN.view(-1, 1, 1).repeat(1, 2, 20)
    if lengths is not None:
        values = values.masked_fill(torch.arange(20) >= lengths.view(-1, 1, 1), torch.nan)
    return mixed(WindowCutMix(alpha), (values,), lambda series: series)


def stayed(values):
    """The share (n,) of values (n, …) that are of the example itself, of those that are not padding."""
    flat = values.reshape(ROWS, -1)
    return (flat == OWN.unsqueeze(1)).sum(1) / ((flat != 0) & ~flat.isnan()).sum(1)


@pytest.mark.parametrize("made", [columns, series])
def test_the_share_of_the_own_target_is_the_share_of_the_input_that_stayed(made):
    features, targets, weights = made()
    torch.testing.assert_close(targets.diagonal().where(stayed(features) < 1, torch.ones(())), stayed(features))
    torch.testing.assert_close(targets.sum(1), torch.ones(ROWS))
    torch.testing.assert_close(weights, torch.ones(ROWS))


def test_in_texts_of_any_length_the_share_counts_tokens():
    features, targets, _ = texts()
    tokens, real = features.unbind(2)
    torch.testing.assert_close(targets.diagonal().where(stayed(tokens) < 1, torch.ones(())), stayed(tokens))
    assert torch.equal(real.sum(1), LENGTHS.float()), "a text keeps its length"
    assert torch.equal(real, (torch.arange(20) < LENGTHS.unsqueeze(1)).float()), "and has no holes"


@pytest.mark.parametrize("made", [columns, texts, series])
def test_what_is_taken_is_of_one_partner_whose_target_it_brings(made):
    features, targets, _ = made()
    values = (features[..., 0] if made is texts else features).reshape(ROWS, -1)
    for row in range(ROWS):
        theirs = values[row][(values[row] != OWN[row]) & (values[row] != 0)].unique()
        assert len(theirs) <= 1
        if len(theirs):
            assert targets[row, int(theirs) - 1] > 0


@pytest.mark.parametrize("made", [texts, series])
def test_runs_and_windows_are_one_piece(made):
    features, _, _ = made()
    values = features[..., 0] if made is texts else features[:, 0]
    foreign = ((values != OWN.unsqueeze(1)) & (values != 0)).int()
    assert foreign.diff(dim=1).clamp(min=0).sum(1).add(foreign[:, 0]).max() == 1


@pytest.mark.parametrize("made", [columns, lambda a: texts(a, torch.full((ROWS,), 20)), series])
def test_shares_are_even_at_alpha_one_and_extreme_at_small_alpha(made):
    even, extreme = (made(alpha)[1].diagonal() for alpha in (1.0, 0.05))
    assert even.mean() == pytest.approx(0.5, abs=0.05)
    assert ((even > 0.2) & (even < 0.8)).float().mean() > 0.45
    assert ((extreme < 0.06) | (extreme > 0.94)).float().mean() > 0.75


def test_a_window_of_a_series_of_another_length_is_stretched_and_padding_stays():
    features, targets, _ = series(lengths=LENGTHS)
    assert torch.equal(features.isnan()[:, 0], torch.arange(20) >= LENGTHS.unsqueeze(1))
    long = LENGTHS > 9
    assert (targets.diagonal() - stayed(features))[long].abs().max() < 0.1 + 1e-6, "within one point"


@pytest.mark.parametrize("shape", [(20, 7), (4, 20)], ids=["texts", "series"])
def test_mixup_blends_vectors_of_tokens_and_points_with_their_marks_by_the_share_of_the_target(shape):
    real = torch.arange(20) < LENGTHS.unsqueeze(1)
    inner = (torch.arange(20) < LENGTHS.unsqueeze(1)).float()
    features = OWN.view(-1, 1, 1).repeat(1, *shape)
    if shape[0] == 20:
        features = torch.cat([features[..., :-1] * inner.unsqueeze(2), inner.unsqueeze(2)], 2)
    else:
        features = torch.cat([features[:, :2] * inner.unsqueeze(1), inner.unsqueeze(1).repeat(1, 2, 1)], 1)
    drawn = Mixup(1.0).draw(((ROWS, 20),), torch_stream(0, "mixup"), 0.5)
    after, targets, _ = Mixup(1.0).on_features(features, TARGETS, torch.ones(ROWS), drawn)
    torch.testing.assert_close(after, torch.einsum("ij,j...->i...", targets, features))
    marks = after[..., -1] if shape[0] == 20 else after[:, -1]
    assert marks.min() >= 0 and marks.max() <= 1 + 1e-6
    assert (marks[real] > 0).all()
