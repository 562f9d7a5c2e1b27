"""Pools over time: only what the mask lets count does, and where nothing is left they give zero."""

import pytest
import torch

from steelyard.networks.lengths import by_length
from steelyard.networks.pooling import AttentionPooling, LastPooling, lengths, pooling

X = torch.tensor([[[1.0, -2.0], [3.0, -4.0], [100.0, 100.0]], [[5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]])
MASK = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mean", [[2, -3], [7, 8]]),
        ("max", [[3, -2], [9, 10]]),
        ("last", [[3, -4], [9, 10]]),
        ("attention", [[2, -3], [7, 8]]),  # before it has learnt anything
    ],
)
def test_each_pool_is_what_it_is_called(kind: str, expected: list[list[float]]):
    torch.testing.assert_close(pooling(kind, 2)(X, MASK), torch.tensor(expected, dtype=torch.float32))


@pytest.mark.parametrize("kind", ["mean", "max", "last", "attention"])
def test_where_no_step_counts_the_answer_is_zero(kind: str):
    assert not pooling(kind, 2)(X, torch.zeros(2, 3)).any()


def test_states_that_run_backwards_end_at_the_first_step():
    assert LastPooling(backwards=True)(X, MASK).tolist() == [[3, -2], [9, 6]]


def test_attention_learns_where_to_look():
    torch.manual_seed(0)
    layer = AttentionPooling(2)
    x, mask = torch.randn(64, 5, 2), torch.ones(64, 5)
    at = torch.arange(64) % 5
    x[torch.arange(64), at, 1] = 2.0  # the mark of the step to look at
    x[torch.arange(64), (at + 1) % 5, 1] = -2.0
    optimizer = torch.optim.Adam(layer.parameters(), 0.1)
    losses = []
    for _ in range(80):
        optimizer.zero_grad()
        loss = (layer(x, mask)[:, 0] - x[torch.arange(64), at, 0]).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_a_mask_of_shares_weighs_the_mean():
    found = pooling("mean", 2)(X[1:], torch.tensor([[1.0, 0.5, 0.0]]))
    torch.testing.assert_close(found, torch.tensor([[17 / 3, 20 / 3]]))


def test_lengths_reach_to_the_last_step_that_counts():
    assert lengths(torch.tensor([[1.0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0.2]])).tolist() == [3, 0, 4]


def test_pieces_of_a_batch_are_no_longer_than_their_rows_and_come_back_in_order():
    seen = []

    def compute(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(mask.shape))
        return (x.squeeze(-1) * mask).sum(dim=1)

    steps = torch.arange(1, 41).flip(0)
    mask = (torch.arange(40) < steps[:, None]).float()
    found = by_length(compute, torch.ones(40, 40, 1), mask)
    assert found.tolist() == steps.tolist() and seen == [(10, 10), (10, 20), (10, 30), (10, 40)]
