"""What every augmentation keeps, on the data of its kind: found in the catalogue, so a new one is covered at once."""

from types import SimpleNamespace

import pytest
import torch
from test_contract import CASES, applied

from steelyard.parts import Augmentation
from steelyard.techniques import catalogue
from steelyard.training.streams import torch_stream
from steelyard.training.views import Changed

PARTS = [kind() for kind in catalogue().values() if issubclass(kind, Augmentation)]
every_augmentation = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name())
alone = pytest.mark.parametrize("part", [part for part in PARTS if part.alone], ids=lambda part: part.name())


def batch(part):
    """Inputs of a case the part applies to, and what encodes them."""
    case = next(iter(applied(part)))
    recipe, (dataset, problem) = CASES[case]
    prepared = recipe.prepare.fit(dataset)
    torch.manual_seed(0)
    network = recipe.network.build(prepared.shape, problem.outputs).eval()
    network.channels_last = False
    inputs = tuple(torch.tensor(values) for values in prepared.transform(dataset))
    return inputs, network.encode, torch.eye(problem.outputs)[torch.from_numpy(dataset.target)]


def drawn(part, inputs, seed=0, progress=0.0):
    return part.draw(tuple(tensor.shape for tensor in inputs), torch_stream(seed, part.kind), progress)


def changed(part, inputs, encode, targets, noise):
    with torch.no_grad():
        return part.on_features(encode(*part.on_inputs(inputs, noise)), targets, torch.ones(len(targets)), noise)


def nan_equal(one, other):
    return torch.equal(one.isnan(), other.isnan()) and torch.equal(one.nan_to_num(), other.nan_to_num())


@every_augmentation
def test_the_same_stream_changes_to_the_same_bits_and_another_one_differently(part):
    inputs, encode, targets = batch(part)
    one, again, other = (changed(part, inputs, encode, targets, drawn(part, inputs, seed)) for seed in (0, 0, 1))
    assert all(map(torch.equal, one, again))
    if not getattr(part, "reshapes", False):
        assert not torch.equal(one[0], other[0])


@every_augmentation
def test_what_it_is_given_is_not_written_to(part):
    inputs, encode, targets = batch(part)
    before = [tensor.clone() for tensor in (*inputs, targets)]
    changed(part, inputs, encode, targets, drawn(part, inputs))
    assert all(map(nan_equal, before, (*inputs, targets)))


@every_augmentation
def test_inputs_keep_their_shapes_and_types(part):
    inputs, _, _ = batch(part)
    after = part.on_inputs(inputs, drawn(part, inputs))
    assert [(t.shape, t.dtype) for t in after] == [(t.shape, t.dtype) for t in inputs]


@every_augmentation
def test_members_of_a_fleet_see_what_each_would_see_alone(part):
    inputs, encode, targets = batch(part)
    few = 12
    mine = [tuple(tensor[few * i : few * i + few] for tensor in (*inputs, targets)) for i in range(3)]
    noises = [drawn(part, each[:-1], seed) for seed, each in enumerate(mine)]
    alone = [changed(part, each[:-1], encode, each[-1], noise) for each, noise in zip(mine, noises, strict=True)]
    *stacked, goals = (torch.stack(each) for each in zip(*mine, strict=True))
    noise = tuple(torch.stack(each) for each in zip(*noises, strict=True))
    after = torch.func.vmap(part.on_inputs)(tuple(stacked), noise)
    features = torch.stack([encode(*(tensor[i] for tensor in after)) for i in range(3)]).detach()
    together = torch.func.vmap(part.on_features)(features, goals, torch.ones(3, few), noise)
    for each, found in zip(together, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(each, torch.stack(found))


@alone
def test_one_that_changes_an_example_alone_leaves_targets_and_weights(part):
    inputs, encode, targets = batch(part)
    _, goals, weights = changed(part, inputs, encode, targets, drawn(part, inputs))
    assert torch.equal(goals, targets) and (weights == 1).all()


@alone
def test_one_that_changes_an_example_alone_does_the_same_to_it_in_any_company(part):
    """One draw for one example is applied to each of many: what prediction with views relies on."""
    inputs, encode, _ = batch(part)
    noise = drawn(part, tuple(tensor[:1] for tensor in inputs))
    look, network = Changed(((part, noise),)), SimpleNamespace(encode=encode)
    with torch.no_grad():
        together = look(network, inputs)
        for row in (0, 5):
            mine = tuple(tensor[row : row + 1] for tensor in inputs)
            torch.testing.assert_close(look(network, mine), together[row : row + 1])
            alone, _, _ = changed(part, mine, encode, torch.ones(1, 2), noise)
            torch.testing.assert_close(alone, together[row : row + 1])
