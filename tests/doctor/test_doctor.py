"""The doctor names a planted fault, is silent on healthy programs, and leaves everything as it was."""

import random
import time
from copy import deepcopy

import numpy as np
import pytest
import torch
from programs import FAULTS, HEALTHY, blobs, classifier
from torch import nn

from steelyard.doctor import assert_healthy, examine
from steelyard.doctor.check import checks


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_program_has_no_finding(name: str) -> None:
    found = examine(**HEALTHY[name]())
    assert found.healthy, [(each.code, each.saw) for each in found.findings]
    assert len(found.passed) >= 8
    assert all("your code raised" not in why for why in found.not_measured.values()), found.not_measured


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(name: str) -> None:
    code, setup = FAULTS[name]
    training = ("SY109", "SY4", "SY5", "SY604", "SY607")  # what trains takes long
    found = examine(**setup(), ignore=[each for each in training if not code.startswith(each)])
    grave = [each.code for each in found.findings if each.severity != "tip"]
    assert code in grave, (grave, found.not_measured)


def test_nothing_of_the_user_is_changed() -> None:
    setup = HEALTHY["dropout"]()
    model, optimizer = setup["model"], setup["optimizer"]
    model[2].eval()
    model(blobs()[0][0]).sum().backward()
    optimizer.step()
    before = deepcopy((model.state_dict(), optimizer.state_dict(), [p.grad for p in model.parameters()]))
    modes = [m.training for m in model.modules()]
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    expected = torch.rand(1), np.random.rand(), random.random()
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    examine(**setup)
    assert (torch.rand(1), np.random.rand(), random.random()) == expected
    after = (model.state_dict(), optimizer.state_dict(), [p.grad for p in model.parameters()])
    for one, other in zip(before[0].values(), after[0].values(), strict=True):
        assert torch.equal(one, other)
    for one, other in zip(before[2], after[2], strict=True):
        assert torch.equal(one, other)
    assert str(before[1]) == str(after[1])
    assert [m.training for m in model.modules()] == modes


class Drawing(torch.utils.data.Dataset):
    """Rows to which every reading adds noise from NumPy's stream."""

    def __len__(self) -> int:
        return 64

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        return torch.eye(4, 10)[row % 4] + torch.tensor(np.random.normal(size=10)).float(), row % 4


def test_streams_that_a_loader_draws_from_stand_where_they_stood() -> None:
    own = torch.Generator().manual_seed(3)
    loader = torch.utils.data.DataLoader(Drawing(), 16, shuffle=True, generator=own)
    np.random.seed(5)
    before, expected = own.get_state(), np.random.RandomState(5).rand()
    examine(**classifier(train=loader))
    assert torch.equal(own.get_state(), before)
    assert np.random.rand() == expected


class Raises(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(10, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            raise RuntimeError("no table for this voltage")
        return self.layer(x)


def test_an_exception_of_the_user_is_shown_as_theirs_and_the_weights_stay() -> None:
    model = Raises()
    before = model.layer.weight.clone()
    found = examine(**classifier(model))
    told = [why for why in found.not_measured.values() if "no table for this voltage" in why]
    assert told and "your code raised RuntimeError" in told[0] and "test_doctor.py" in told[0]
    assert torch.equal(model.layer.weight, before)
    assert model.training


class Hangs:
    def __iter__(self) -> "Hangs":
        return self

    def __next__(self) -> None:
        time.sleep(30)


class Slow:
    """Iterable, but each of its iterators waits for ever."""

    def __iter__(self):
        while True:
            time.sleep(0.2)
            if False:
                yield None


def test_a_loader_that_hangs_is_a_finding_in_time() -> None:
    began = time.monotonic()
    found = examine(**classifier(train=Slow()), time_limit=3.0)
    assert "SY001" in found.codes
    assert time.monotonic() - began < 15


def test_an_iterator_is_not_used_up() -> None:
    source = iter(blobs())
    found = examine(**classifier(train=source))
    assert "SY001" in found.codes
    assert len(list(source)) == len(blobs())


def test_checks_can_be_ignored_by_the_beginning_of_their_codes() -> None:
    code, setup = FAULTS["softmax before cross-entropy"]
    found = examine(**setup(), ignore=["SY2"])
    assert code not in found.codes
    assert code in found.ignored


def test_a_test_of_the_users_own_fails_with_the_findings() -> None:
    assert_healthy(**HEALTHY["classes"]())
    with pytest.raises(AssertionError, match="SY201"):
        assert_healthy(**FAULTS["softmax before cross-entropy"][1]())


def test_every_check_has_a_code_of_its_own_and_says_what_to_do() -> None:
    codes = [each.code for each in checks()]
    assert len(set(codes)) == len(codes)
    for each in checks():
        assert each.page.count("\n\n") >= 1 and "Broken:" in each.page and "Mended:" in each.page, each.code
        assert each.means and each.treat
