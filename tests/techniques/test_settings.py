"""What single techniques do to a recipe, in numbers."""

from dataclasses import replace

import pytest
import torch

from steelyard.classical import Boosting, Forest, Linear
from steelyard.data.batches import Batch
from steelyard.data.prepare import TablePreparation
from steelyard.knobs import parse_knob, value
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable
from steelyard.techniques.inputs.input_noise import InputNoise
from steelyard.techniques.network.deeper import Deeper
from steelyard.techniques.network.wider import Wider
from steelyard.techniques.optimizer.l1 import L1
from steelyard.techniques.optimizer.weight_decay import WeightDecay
from steelyard.techniques.schedule.longer import Longer
from steelyard.techniques.schedule.one_cycle import OneCycle
from steelyard.techniques.schedule.sgdr import Sgdr
from steelyard.training.losses import CrossEntropy
from steelyard.training.optimizers import AdamW, Sgd
from steelyard.training.stopping import Stopping
from steelyard.training.streams import torch_stream

PROBLEM = Problem("binary", "tabular", "y", 100, ("no", "yes"), "accuracy")
NETWORK = Recipe(
    TablePreparation(),
    network=TabularMlp(),
    loss=CrossEntropy(),
    optimizer=AdamW(lr=parse_knob("cosine(0.01, 0)")),
    batch=Batch(),
    stopping=Stopping(),
)


def estimator(part):
    return Recipe(TablePreparation(), estimator=part)


def with_optimizer(optimizer):
    return replace(NETWORK, optimizer=optimizer)


def test_sgdr_keeps_the_rate_the_end_and_the_warm_up():
    recipe = with_optimizer(AdamW(lr=parse_knob("cosine(0.01, 0.001, warmup=0.1)")))
    lr = Sgdr(cycles=2).apply(recipe, PROBLEM).get("optimizer.lr")
    assert str(lr) == "sgdr(0.01, 0.001, cycles=2, warmup=0.1)"


def test_sgdr_lets_a_constant_rate_fall_to_zero():
    lr = Sgdr().apply(with_optimizer(AdamW(lr=0.01)), PROBLEM).get("optimizer.lr")
    assert (lr.at(0.0), lr.at(1.0)) == (0.01, 0.0)


def test_one_cycle_reaches_the_peak_rate_and_the_lowest_momentum_together():
    recipe = OneCycle(warmup=0.25, peak=3.0, swing=0.1).apply(NETWORK, PROBLEM)
    rates = [recipe.get("optimizer.lr").at(t) for t in (0, 0.25, 1)]
    betas = [recipe.get("optimizer.beta1").at(t) for t in (0, 0.25, 1)]
    assert rates == pytest.approx([0.03 / 25, 0.03, 0.0], abs=1e-12)
    assert betas == pytest.approx([0.95, 0.85, 0.95])


def test_one_cycle_never_asks_for_a_momentum_of_one_or_below_zero():
    for momentum, swing in ((0.99, 0.1), (0.0, 0.5), (0.2, 0.5)):
        recipe = OneCycle(swing=swing).apply(with_optimizer(Sgd(momentum=momentum)), PROBLEM)
        assert isinstance(recipe, Recipe)
        points = [value(recipe.get("optimizer.momentum"), t / 10) for t in range(11)]
        assert 0 <= min(points) <= max(points) <= 0.98 + 1e-12


def test_weight_decay_adds_to_what_the_recipe_has():
    assert WeightDecay(0.2).apply(NETWORK.set("optimizer.weight_decay", 0.1), PROBLEM).get(
        "optimizer.weight_decay"
    ) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("recipe", "path", "wanted"),
    [
        (NETWORK, "optimizer.weight_decay", 0.3),
        (with_optimizer(Sgd()), "optimizer.weight_decay", 5e-3),
        (estimator(Linear(l2=2.0)), "estimator.l2", 20.0),
        (estimator(Boosting()), "estimator.l2", 10.0),
    ],
)
def test_weight_decay_left_open_suits_the_model(recipe, path, wanted):
    assert WeightDecay().apply(recipe, PROBLEM).get(path) == pytest.approx(wanted)


def test_l1_left_open_suits_the_optimizer():
    assert L1().apply(NETWORK, PROBLEM).get("optimizer.l1") == 0.03
    assert L1().apply(with_optimizer(Sgd()), PROBLEM).get("optimizer.l1") == 1e-4


def test_wider_multiplies_the_width_the_leaves_or_the_trees():
    assert Wider(1.5).apply(NETWORK, PROBLEM).get("network.width") == 384
    assert Wider().apply(estimator(Boosting()), PROBLEM).get("estimator.max_leaf_nodes") == 62
    assert Wider().apply(estimator(Forest()), PROBLEM).get("estimator.trees") == 200


def test_what_would_leave_the_range_of_a_knob_does_not_apply():
    answer = Wider(100.0).apply(NETWORK, PROBLEM)
    assert isinstance(answer, NotApplicable) and "must lie in 1..4096" in answer.reason


def test_deeper_adds_layers():
    assert Deeper(2).apply(NETWORK, PROBLEM).get("network.depth") == NETWORK.get("network.depth") + 2


def test_longer_stretches_epochs_and_the_time_they_may_take():
    recipe = Longer(1.5).apply(replace(NETWORK, stopping=Stopping(10, seconds=4.0)), PROBLEM)
    assert (recipe.get("stopping.epochs"), recipe.get("stopping.seconds")) == (15, 6.0)


def test_longer_boosting_takes_more_smaller_steps():
    recipe = Longer(4).apply(estimator(Boosting()), PROBLEM)
    knobs = ("iterations", "learning_rate", "patience")
    assert [recipe.get(f"estimator.{knob}") for knob in knobs] == [400, 0.025, 40]


def test_noise_shakes_the_numbers_and_leaves_the_codes():
    numbers, codes = torch.zeros(4000, 2), torch.ones(4000, 1, dtype=torch.int64)
    part = InputNoise(0.3)
    noisy, same = part.on_inputs(
        (numbers, codes), part.draw((numbers.shape, codes.shape), torch_stream(0, "noise"), 0.0)
    )
    assert same is codes
    assert noisy.std() == pytest.approx(0.3, rel=0.05)
    assert abs(noisy.mean()) < 0.02
