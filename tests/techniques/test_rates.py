"""What the techniques that act on the schedule make of a learning rate, a momentum and a batch size."""

from dataclasses import replace

import pytest

from steelyard.classical import Forest
from steelyard.data.batches import Batch
from steelyard.data.prepare import TablePreparation
from steelyard.knobs import parse_knob, value
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable
from steelyard.techniques.schedule.batch_growth import BatchGrowth
from steelyard.techniques.schedule.constant_rate import ConstantRate
from steelyard.techniques.schedule.cyclic_rate import CyclicRate
from steelyard.techniques.schedule.exponential_decay import ExponentialDecay
from steelyard.techniques.schedule.flat_cosine import FlatCosine
from steelyard.techniques.schedule.momentum_decay import MomentumDecay
from steelyard.techniques.schedule.one_cycle import OneCycle
from steelyard.techniques.schedule.sgdr import Sgdr
from steelyard.techniques.schedule.step_decay import StepDecay
from steelyard.techniques.schedule.warmup import Warmup
from steelyard.training.losses import CrossEntropy
from steelyard.training.optimizers import AdamW, Rmsprop, Sgd
from steelyard.training.stopping import Stopping

PROBLEM = Problem("binary", "tabular", "y", 100, ("no", "yes"), "accuracy")
NETWORK = Recipe(
    TablePreparation(),
    network=TabularMlp(),
    loss=CrossEntropy(),
    optimizer=AdamW(lr=parse_knob("cosine(0.01, 0)")),
    batch=Batch(128),
    stopping=Stopping(),
)
ANNEALING = (Sgdr, CyclicRate, StepDecay, ExponentialDecay, FlatCosine, ConstantRate, OneCycle)


def rate(technique, now="cosine(0.01, 0.001, warmup=0.1, floor=0.5)"):
    """The learning rate, as text, that a technique makes of another."""
    changed = technique.apply(replace(NETWORK, optimizer=AdamW(lr=parse_knob(now))), PROBLEM)
    return str(changed.get("optimizer.lr")) if isinstance(changed, Recipe) else changed.reason


@pytest.mark.parametrize(
    ("technique", "wanted"),
    [
        (Sgdr(3), "sgdr(0.01, 0.001, cycles=3, warmup=0.1, floor=0.5)"),
        (Sgdr(2, T_mult=1.0), "sgdr(0.01, 0.001, cycles=2, T_mult=1, warmup=0.1, floor=0.5)"),
        (CyclicRate(4), "cyclic(0.01, 0.001, cycles=4, warmup=0.1, floor=0.5)"),
        (StepDecay(0.2, 0.25), "step(0.01, factor=0.2, every=0.25, warmup=0.1, floor=0.5)"),
        (ExponentialDecay(0.05), "exponential(0.01, 0.0005, warmup=0.1, floor=0.5)"),
        (FlatCosine(0.6), "flat_cosine(0.01, 0.001, flat=0.6, warmup=0.1, floor=0.5)"),
        (ConstantRate(level=0.5), "warmup(0.005, share=0.1, floor=0.5)"),
        (OneCycle(0.25, 2.0), "cosine(0.02, 0.001, warmup=0.25, floor=0.04)"),
        (OneCycle(0.05, 2.0), "cosine(0.02, 0.001, warmup=0.1, floor=0.5)"),
    ],
    ids=str,
)
def test_another_shape_of_the_rate_keeps_its_start_its_end_and_its_warm_up(technique, wanted):
    assert rate(technique) == wanted


def test_a_constant_rate_may_be_given_any_shape():
    assert rate(StepDecay(), "0.01") == "step(0.01)"
    assert rate(FlatCosine(), "0.01") == "flat_cosine(0.01, 0)"
    assert rate(CyclicRate(), "warmup(0.01, 0.1)") == "cyclic(0.01, 0, warmup=0.1)"


def test_a_rate_without_annealing_is_a_number_and_cannot_be_had_twice():
    assert rate(ConstantRate(), "cosine(0.01, 0)") == "0.01"
    assert rate(ConstantRate(), "0.01") == "the recipe already has it at this strength"


@pytest.mark.parametrize("kind", ANNEALING)
def test_switched_off_it_leaves_whatever_the_rate_goes_by(kind):
    for now in ("0.01", "step(0.01)", "onecycle(0.01)", "piecewise((0, 0.01), (1, 0))", "cosine(0.01, 0.001)"):
        assert rate(kind(**kind.off), now) == now


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ("0.01", "warmup(0.01)"),
        ("constant(0.01)", "warmup(0.01)"),
        ("cosine(0.01, 0.001)", "cosine(0.01, 0.001, warmup=0.05)"),
        ("step(0.01, milestones=(0.5,))", "step(0.01, milestones=(0.5,), warmup=0.05)"),
        ("cosine(0.01, 0, warmup=0.1)", "cosine(0.01, 0, warmup=0.15)"),
        ("warmup(0.01, share=0.2)", "warmup(0.01, share=0.25)"),
        ("cosine(0.01, 0, warmup=0.9)", "the recipe already has it at this strength"),
        ("onecycle(0.01)", "a rate that goes by onecycle has a beginning of its own"),
    ],
)
def test_a_warm_up_is_added_to_what_the_rate_goes_by_or_lengthened(now, wanted):
    assert rate(Warmup(), now) == wanted


def test_the_batch_grows_where_the_rate_would_have_dropped_and_the_rate_is_held():
    changed = BatchGrowth(5.0, 0.3).apply(NETWORK, PROBLEM)
    assert [changed.get("batch.size").at(t) for t in (0, 0.3, 0.6, 0.9)] == [128, 640, 3200, 16000]
    assert changed.get("optimizer.lr") == 0.01
    assert [changed.batch.size_at(t, 1000) for t in (0, 0.3, 0.6)] == [128, 640, 1000]
    warmed = BatchGrowth().apply(NETWORK.set("optimizer.lr", "cosine(0.01, 0, warmup=0.1)"), PROBLEM)
    assert str(warmed.get("optimizer.lr")) == "warmup(0.01, share=0.1)"


def test_momentum_falls_by_its_papers_rule_whatever_the_optimizer_calls_it():
    adam = MomentumDecay().apply(NETWORK, PROBLEM).get("optimizer.beta1")
    sgd = MomentumDecay(0.5).apply(replace(NETWORK, optimizer=Sgd(momentum=0.8)), PROBLEM).get("optimizer.momentum")
    assert [value(adam, t) for t in (0, 0.5, 1)] == pytest.approx([0.9, 0.45 / 0.55, 0.0])
    assert [value(sgd, t) for t in (0, 1)] == pytest.approx([0.8, 0.4])


def test_a_momentum_that_is_not_there_cannot_fall():
    for optimizer in (Sgd(momentum=0.0), Rmsprop()):
        assert isinstance(MomentumDecay().apply(replace(NETWORK, optimizer=optimizer), PROBLEM), NotApplicable)


@pytest.mark.parametrize("kind", [*ANNEALING, Warmup, BatchGrowth, MomentumDecay])
def test_what_is_not_trained_in_steps_has_no_schedule(kind):
    answer = kind().apply(Recipe(TablePreparation(), estimator=Forest()), PROBLEM)
    assert isinstance(answer, NotApplicable) and "is not trained" in answer.reason
