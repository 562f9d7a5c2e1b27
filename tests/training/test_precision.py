"""Mixed precision, accumulated gradients, memory that runs out, and what needs a GPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from steelyard.data.batches import Batch
from steelyard.data.prepare import TablePreparation
from steelyard.data.prepared import ImageShape, TableShape
from steelyard.knobs import parse_knob
from steelyard.networks.image import ResidualCnn
from steelyard.networks.tabular import TabularMlp
from steelyard.recipe import Recipe
from steelyard.training.feed import Rows
from steelyard.training.fleet import Fleet
from steelyard.training.loop import Epoch
from steelyard.training.losses import CrossEntropy
from steelyard.training.member import Member
from steelyard.training.optimizers import AdamW, Sgd
from steelyard.training.precision import Precision
from steelyard.training.stopping import Stopping

RECIPE = Recipe(
    TablePreparation(),
    network=TabularMlp(width=32, depth=2, periodic=4),
    loss=CrossEntropy(),
    optimizer=AdamW(lr=0.01),
    batch=Batch(32),
    stopping=Stopping(epochs=8),
    precision=Precision(),
)
gpu = pytest.mark.gpu


def rows(n: int = 192) -> Rows:
    random = np.random.default_rng(0)
    numbers = random.normal(size=(n, 6)).astype(np.float32)
    classes = (numbers[:, :3] @ np.array([1.0, -1.0, 0.5]) > 0).astype(np.int64)
    codes = random.integers(0, 4, (n, 1))
    return Rows((torch.from_numpy(numbers), torch.from_numpy(codes)), torch.eye(2)[torch.from_numpy(classes)], classes)


def member(recipe: Recipe, seed: int = 0, network: nn.Module | None = None) -> Member:
    torch.manual_seed(seed)
    assert recipe.network is not None
    return Member(network or recipe.network.build(TableShape(6, (4,)), 2), recipe, rows(), seed)


def trained(*members: Member, device: str = "cpu") -> list[list[Epoch]]:
    found: list[list[Epoch]] = [[] for _ in members]
    for epochs in Fleet(members, device):
        for epoch in epochs:
            found[epoch.member].append(epoch)
    return found


def accuracy(given: Member) -> float:
    network = given.network.eval()
    outputs = network(network.encode(*given.rows.inputs))
    return float((outputs.argmax(1) == given.rows.targets.argmax(1)).float().mean())


class Spy(nn.Module):
    """A network that notes in which formats it computes."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = TabularMlp(width=32, depth=2, periodic=4).build(TableShape(6, (4,)), 2)
        self.seen: set[torch.dtype] = set()
        self.inner.layers[0].register_forward_hook(lambda layer, given, output: self.seen.add(output.dtype))

    def encode(self, *inputs: Tensor) -> Tensor:
        features: Tensor = self.inner.encode(*inputs)
        return features

    def forward(self, features: Tensor) -> Tensor:
        outputs: Tensor = self.inner(features)
        assert outputs.dtype == torch.float32, "the head computes in float32"
        return outputs


# -- precision ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_short_format_is_computed_in_and_learns_as_well(dtype: str) -> None:
    recipe = RECIPE.set("precision.dtype", dtype)
    given = member(recipe, network=Spy())
    (epochs,) = trained(given)
    assert given.network.seen == {getattr(torch, dtype)}  # type: ignore[comparison-overlap]
    assert epochs[-1].ends == "complete"
    assert all(tensor.dtype == torch.float32 for tensor in given.network.parameters())
    plain = member(RECIPE)
    trained(plain)
    assert accuracy(given) > 0.9
    assert abs(accuracy(given) - accuracy(plain)) < 0.06


def test_predictions_are_computed_in_float32() -> None:
    given = member(RECIPE.set("precision.dtype", "bfloat16"), network=Spy())
    trained(given)
    given.network.seen.clear()  # type: ignore[operator]
    accuracy(given)
    assert given.network.seen == {torch.float32}  # type: ignore[comparison-overlap]


def test_a_float16_overflow_leaves_a_step_out_and_scales_the_loss_down() -> None:
    scaler = Precision("float16").scaler(torch.device("cpu"))
    assert scaler is not None
    before = scaler.get_scale()
    weight = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    weight.grad = scaler.scale(torch.tensor([float("inf"), 0.0]))
    scaler.step(optimizer)
    scaler.update()
    assert weight.tolist() == [1.0, 1.0]
    assert scaler.get_scale() < before


def test_bfloat16_members_of_a_fleet_come_near_their_solo_runs() -> None:
    recipe = RECIPE.set("precision.dtype", "bfloat16")
    together, alone = ([member(recipe, seed) for seed in range(3)] for _ in "ab")
    epochs = trained(*together)
    for number, mine in enumerate(alone):
        (expected,) = trained(mine)
        assert epochs[number][-1].train_loss == pytest.approx(expected[-1].train_loss, abs=0.05)


# -- pieces of a batch ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("micro", [1, 5, 8, 31, 32, 100])
@pytest.mark.parametrize("count", [1, 3])
def test_accumulated_pieces_come_to_what_the_whole_batch_comes_to(micro: int, count: int) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        data = rows()
        data = replace(data, inputs=(data.inputs[0].double(), data.inputs[1]), targets=data.targets.double())

        def members(recipe: Recipe) -> list[Member]:
            return [replace(member(recipe, seed), rows=data) for seed in range(count)]

        whole, pieces = members(RECIPE), members(RECIPE.set("batch.micro", micro))
        trained(*whole)
        trained(*pieces)
        for one, other in zip(whole, pieces, strict=True):
            for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True):
                assert torch.allclose(a, b, atol=1e-9)
    finally:
        torch.set_default_dtype(torch.float32)


class Hungry(Spy):
    """A network for which memory runs out on more than `most` rows."""

    def __init__(self, most: int, error: type[Exception], text: str) -> None:
        super().__init__()
        self.most, self.error, self.text = most, error, text

    def forward(self, features: Tensor) -> Tensor:
        if self.training and len(features) > self.most:
            raise self.error(self.text)
        return super().forward(features)


ALLOCATOR = "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to"


@pytest.mark.parametrize(
    "error", [(torch.OutOfMemoryError, "CUDA out of memory"), (RuntimeError, ALLOCATOR), (MemoryError, "")]
)
def test_when_memory_runs_out_the_pieces_are_halved_and_training_goes_on(error: tuple[type[Exception], str]) -> None:
    hungry, plain = member(RECIPE, network=Hungry(9, *error)), member(RECIPE, network=Spy())
    hungry.network.inner.load_state_dict(plain.network.inner.state_dict())  # type: ignore[union-attr]
    (epochs,) = trained(hungry)
    (expected,) = trained(plain)
    assert {epoch.micro for epoch in epochs} == {8}
    assert [e.train_loss for e in epochs] == pytest.approx([e.train_loss for e in expected], rel=1e-3)


def test_what_is_no_lack_of_memory_is_not_swallowed() -> None:
    with pytest.raises(RuntimeError, match="something else"):
        trained(member(RECIPE, network=Hungry(9, RuntimeError, "something else")))


def test_memory_that_does_not_hold_one_row_ends_the_training() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        trained(member(RECIPE, network=Hungry(0, torch.OutOfMemoryError, "CUDA out of memory")))


# -- every schedule moves what it should ----------------------------------------------------------------------


def test_a_batch_size_that_moves_changes_the_number_of_steps() -> None:
    sizes = []

    class Counting(Spy):
        def forward(self, features: Tensor) -> Tensor:
            if self.training:
                sizes.append(len(features))
            return super().forward(features)

    trained(member(RECIPE.set("batch.size", "linear(8, 64)").set("stopping.epochs", 4), network=Counting()))
    assert sizes == [8] * 24 + [22] * 8 + [36] * 5 + [50] * 3


# -- on a GPU -------------------------------------------------------------------------------------------------


@gpu
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_gpu_trains_a_fleet(dtype: str) -> None:
    members = [member(RECIPE.set("precision.dtype", dtype).set("network.dropout", "0.1"), seed) for seed in range(4)]
    epochs = trained(*members, device="cuda")
    assert [each[-1].ends for each in epochs] == ["complete"] * 4
    assert all(accuracy(each) > 0.85 for each in members)
    assert all(parameter.device.type == "cpu" for each in members for parameter in each.network.parameters())


@gpu
def test_a_gpu_trains_convolutional_networks_together_as_alone() -> None:
    images = torch.randint(0, 256, (64, 1, 8, 8), dtype=torch.uint8)
    data = Rows((images,), torch.eye(3)[torch.arange(64) % 3], None)
    recipe = replace(RECIPE, network=ResidualCnn(width=4), optimizer=Sgd(lr=parse_knob("cosine(0.1, 0)")))

    def members() -> list[Member]:
        found = []
        for seed in range(3):
            torch.manual_seed(seed)
            found.append(
                Member(ResidualCnn(width=4).build(ImageShape(1, 8, 8, (127.0,), (70.0,)), 3), recipe, data, seed)
            )
        return found

    together, alone = trained(*members(), device="cuda"), [trained(each, device="cuda")[0] for each in members()]
    for one, other in zip(together, alone, strict=True):
        assert one[0].train_loss == pytest.approx(other[0].train_loss, rel=0.02)


@gpu
def test_a_gpu_that_runs_out_of_memory_goes_on_in_pieces() -> None:
    hungry = member(RECIPE, network=Hungry(9, torch.OutOfMemoryError, "CUDA out of memory"))
    (epochs,) = trained(hungry, device="cuda")
    assert epochs[-1].micro == 8
