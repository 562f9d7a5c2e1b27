"""What becomes of rates, pulls and other knobs when a technique exchanges the optimizer."""

import pytest

from steelyard.classical import Linear
from steelyard.data.batches import Batch
from steelyard.data.prepare import TablePreparation
from steelyard.knobs import Cosine, parse_knob
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable, Technique, catalogue, technique
from steelyard.training.losses import CrossEntropy
from steelyard.training.optimizers import (
    Adam,
    AdamToSgd,
    AdamW,
    Optimizer,
    Rmsprop,
    SamAdamW,
    SamSgd,
    ScheduleFree,
    Sgd,
    Swats,
)
from steelyard.training.stopping import Stopping

PROBLEM = Problem("binary", "tabular", "y", 100, ("no", "yes"), "accuracy")
EXCHANGES = (
    *("adadelta", "adam", "adam-to-sgd", "adam-w", "muon", "nesterov", "rmsprop", "sam", "schedule-free"),
    *("sgd-momentum", "swats"),
)


def recipe(optimizer: Optimizer) -> Recipe:
    return Recipe(
        TablePreparation(),
        network=TabularMlp(),
        loss=CrossEntropy(),
        optimizer=optimizer,
        batch=Batch(),
        stopping=Stopping(),
    )


def after(given: Technique | str, optimizer: Optimizer) -> Optimizer:
    """The optimizer that a technique makes of another one."""
    applied = technique(given)() if isinstance(given, str) else given
    changed = applied.apply(recipe(optimizer), PROBLEM)
    assert isinstance(changed, Recipe), changed
    assert isinstance(changed.optimizer, Optimizer)
    return changed.optimizer


def test_all_that_exchange_the_optimizer_are_looked_at() -> None:
    changing = {
        name
        for name, kind in catalogue().items()
        if isinstance(changed := kind().apply(recipe(Rmsprop()), PROBLEM), Recipe)
        and "optimizer" in [path for path, _, _ in recipe(Rmsprop()).diff(changed)]
    }
    assert changing == set(EXCHANGES) - {"rmsprop"}


def test_rates_of_adam_and_sgd_are_fifty_apart_both_ways() -> None:
    there = after("nesterov", AdamW(lr=0.001))
    assert there == Sgd(lr=0.05)
    assert after("adam-w", there) == AdamW(lr=0.001)
    assert after("rmsprop", Sgd(lr=0.1)).lr == 0.001


def test_a_schedule_keeps_its_shape() -> None:
    lr = after("sgd-momentum", AdamW(lr=Cosine(0.002, 0.0, warmup=0.1))).lr
    assert str(lr) == "cosine(0.1, 0, warmup=0.1)"


def test_a_rate_of_adam_that_sgd_would_not_bear_becomes_one_that_it_bears() -> None:
    assert after("nesterov", AdamW(lr=0.02)).lr == 0.1
    assert after("nesterov", AdamW(lr=0.5)).lr == 0.5
    part = after("adam-to-sgd", AdamW(lr=0.02))
    assert isinstance(part, AdamToSgd)
    assert (part.lr, part.factor) == (0.02, 5.0)


def test_momentum_and_beta1_stand_for_each_other() -> None:
    schedule = parse_knob("linear(0.8, 0.9)")
    assert after("nesterov", AdamW(beta1=schedule)) == Sgd(lr=0.05, momentum=schedule)
    assert after("adam", Sgd(lr=0.05, momentum=0.8)) == Adam(lr=0.001, beta1=0.8)
    assert after("sgd-momentum", Sgd(momentum=0.0)) == Sgd(momentum=0.9, nesterov=False)


@pytest.mark.parametrize("name", EXCHANGES)
@pytest.mark.parametrize("pull", ["weight-decay", "l1", "l2"])
@pytest.mark.parametrize("optimizer", [AdamW(lr=0.002), Sgd(lr=0.1)], ids=lambda o: o.kind)
def test_a_usual_pull_is_the_usual_one_of_the_new_optimizer(name: str, pull: str, optimizer: Optimizer) -> None:
    swapped = technique(name)().apply(recipe(optimizer), PROBLEM)
    if isinstance(swapped, NotApplicable):
        assert "already" in swapped.reason
        return
    first = technique(pull)().apply(swapped, PROBLEM)
    pulled = technique(pull)().apply(recipe(optimizer), PROBLEM)
    assert isinstance(pulled, Recipe)
    assert first == technique(name)().apply(pulled, PROBLEM)


def test_sam_comes_over_the_optimizer_of_the_recipe() -> None:
    assert after("sam", Sgd(lr=0.2, nesterov=False)) == SamSgd(lr=0.2, nesterov=False)
    assert after("sam", AdamW(lr=0.002, beta2=0.99)) == SamAdamW(lr=0.002, beta2=0.99)
    assert after("sam", Rmsprop(lr=0.002)) == SamAdamW(lr=0.004)
    assert after("sgd-momentum", SamSgd()) == SamSgd(nesterov=False)


def test_a_recipe_with_sgd_goes_on_with_its_own_rate_after_a_fixed_switch() -> None:
    part = after("adam-to-sgd", Sgd(lr=0.3))
    assert isinstance(part, AdamToSgd)
    assert (part.lr, part.factor, part.at) == (0.006, 50.0, 0.5)


def test_schedule_free_keeps_the_rate_up_after_a_warm_up() -> None:
    part = after("schedule-free", AdamW(lr=Cosine(0.002, 0.0)))
    assert isinstance(part, ScheduleFree)
    assert (str(part.lr), part.beta2) == ("warmup(0.002)", 0.999)


def test_swats_brings_the_long_memory_of_the_paper() -> None:
    assert after("swats", AdamW(lr=0.002)) == Swats(lr=0.002, beta2=0.999, tolerance=0.01)


@pytest.mark.parametrize("name", EXCHANGES)
def test_what_is_not_trained_step_by_step_has_no_optimizer_to_exchange(name: str) -> None:
    answer = technique(name)().apply(Recipe(TablePreparation(), estimator=Linear()), PROBLEM)
    assert answer == NotApplicable("linear is not trained step by step by an optimizer")
