"""The training loop: what a step does, when it ends, what it leaves."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from steelyard.data.batches import Batch
from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.data.prepare import TablePreparation
from steelyard.data.split import divide, set_aside
from steelyard.knobs import Cosine, Linear, Restarts, value
from steelyard.metrics import METRICS
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import LIMITS, Problem
from steelyard.recipe import Recipe
from steelyard.training.averaging import Average, Ema, Swa, refresh_norms
from steelyard.training.loop import Epoch
from steelyard.training.losses import CrossEntropy, HuberError, SquaredError
from steelyard.training.model import Model, load
from steelyard.training.optimizers import AdamW, Sgd, parameters
from steelyard.training.start import Diverged, start
from steelyard.training.stopping import Stopping
from steelyard.trials.execute import Site, execute
from steelyard.trials.trial import Outcome, Trial

ROWS = 96
CLASSES = Problem("binary", "tabular", "y", ROWS, ("no", "yes"), "accuracy")
VALUES = Problem("regression", "tabular", "y", ROWS, (), "rmse")
RECIPE = Recipe(
    TablePreparation(),
    network=TabularMlp(width=8, depth=1),
    loss=CrossEntropy(),
    optimizer=AdamW(lr=0.01),
    batch=Batch(16),
    stopping=Stopping(epochs=3),
)


def rows(problem: Problem = CLASSES) -> Dataset:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(ROWS, 4)), columns=list("abcd"))
    signal = (frame["a"] - frame["b"] + 0.3 * random.normal(size=ROWS)).to_numpy()
    target = signal if problem is VALUES else (signal > 0).astype(np.int64)
    schema = Schema("tabular", "y", tuple(Column(name, "number") for name in "abcd"))
    return Dataset("rows", schema, target, problem.classes, frame=frame)


def trained(recipe: Recipe, problem: Problem = CLASSES, seed: int = 0) -> tuple[Model, list[Epoch]]:
    model, epochs = start(recipe, rows(problem), problem, seed)
    return model, list(epochs)


def weights(model: Model) -> torch.Tensor:
    assert model.network is not None
    return torch.cat([p.detach().flatten() for p in model.network.parameters()])


def test_loss_falls_and_progress_ends_at_one() -> None:
    _, epochs = trained(RECIPE.set("stopping.epochs", 8))
    assert [e.number for e in epochs] == list(range(1, 9))
    assert epochs[-1].train_loss < 0.8 * epochs[0].train_loss
    assert [e.progress for e in epochs] == pytest.approx(np.arange(1, 9) / 8)


def test_every_optimizer_learns() -> None:
    for optimizer in (AdamW(lr=0.01), Sgd(lr=0.05), Sgd(lr=0.05, momentum=0.0), Sgd(lr=0.05, nesterov=False)):
        model, _ = trained(replace(RECIPE, optimizer=optimizer).set("stopping.epochs", 15))
        assert (model.predict(rows()).argmax(axis=1) == rows().target).mean() > 0.85, optimizer


@pytest.mark.parametrize("loss", [SquaredError(), HuberError()])
def test_values_are_learnt_in_their_own_unit(loss: SquaredError | HuberError) -> None:
    given = rows(VALUES)
    far = replace(given, target=1000 + 50 * given.target)
    model, epochs = start(replace(RECIPE, loss=loss).set("stopping.epochs", 25), far, VALUES, 0)
    list(epochs)
    error = model.predict(far) - far.target
    assert np.sqrt((error**2).mean()) < 0.6 * far.target.std()


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    one, two, other = (weights(trained(RECIPE, seed=seed)[0]) for seed in (0, 0, 1))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


# -- knobs that move ------------------------------------------------------------------------------------------


def seen(recipe: Recipe, look: Callable[[torch.optim.Optimizer], float]) -> list[float]:
    """What an optimizer's knob stands at in 0, a quarter, … of training."""
    optimizer = recipe.optimizer.build(*parameters(torch.nn.Linear(2, 2)))
    found = []
    for progress in (0.0, 0.25, 0.5, 0.75, 1.0):
        recipe.optimizer.turn(optimizer, progress)
        found.append(look(optimizer))
    return found


@pytest.mark.parametrize("schedule", [Cosine(0.1, 0.0, warmup=0.25), Linear(0.1, 0.02), Restarts(0.1, 0.0, cycles=2)])
def test_a_schedule_moves_the_rate(schedule: Cosine | Linear | Restarts) -> None:
    recipe = replace(RECIPE, optimizer=Sgd(lr=schedule))
    wanted = [value(schedule, p) for p in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert seen(recipe, lambda o: o.param_groups[0]["lr"]) == wanted
    assert len(set(wanted)) > 2


def test_any_knob_of_an_optimizer_may_be_a_schedule() -> None:
    momentum = replace(RECIPE, optimizer=Sgd(momentum=Linear(0.5, 0.9)))
    assert seen(momentum, lambda o: o.param_groups[0]["momentum"]) == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9])
    beta = replace(RECIPE, optimizer=AdamW(beta1=Linear(0.9, 0.5)))
    assert seen(beta, lambda o: o.param_groups[-1]["betas"][0]) == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5])
    decay = replace(RECIPE, optimizer=AdamW(weight_decay=Linear(0.0, 0.4)))
    assert seen(decay, lambda o: o.param_groups[0]["weight_decay"]) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_vectors_do_not_decay() -> None:
    decay = replace(RECIPE, optimizer=AdamW(weight_decay=0.3))
    assert seen(decay, lambda o: o.param_groups[1]["weight_decay"]) == [0.0] * 5


def test_at_a_rate_of_zero_the_weights_stay_where_they_were_built() -> None:
    still = replace(RECIPE, optimizer=Sgd(lr=0.0))
    assert torch.equal(weights(trained(still)[0]), weights(start(still, rows(), CLASSES, 0)[0]))


def test_l1_makes_zeros_and_none_without_it() -> None:
    def zeros(l1: float) -> float:
        network = trained(RECIPE.set("optimizer.l1", l1).set("stopping.epochs", 15))[0].network
        assert network is not None
        matrices = [p for p in network.parameters() if p.ndim >= 2]
        return sum(int((p == 0).sum()) for p in matrices) / sum(p.numel() for p in matrices)

    assert zeros(0.0) == 0
    assert zeros(0.3) > 0.3


def test_weight_decay_makes_weights_smaller() -> None:
    norms = [
        weights(trained(RECIPE.set("optimizer.weight_decay", decay).set("stopping.epochs", 15))[0]).norm()
        for decay in (0.0, 3.0)
    ]
    assert norms[1] < 0.9 * norms[0]


# -- averages -------------------------------------------------------------------------------------------------


def test_an_average_over_no_span_is_the_last_weights() -> None:
    plain, averaged = (weights(trained(replace(RECIPE, averaging=a))[0]) for a in (None, Ema(0.0)))
    assert torch.equal(plain, averaged)


def test_an_average_is_what_the_network_holds_at_the_end_only() -> None:
    model, epochs = start(replace(RECIPE, averaging=Ema(0.5)), rows(), CLASSES, 0)
    plain, plain_epochs = start(RECIPE, rows(), CLASSES, 0)
    same = []
    for _ in zip(epochs, plain_epochs, strict=True):
        same.append(torch.equal(weights(model), weights(plain)))
    assert same == [True, True, True]
    assert not torch.equal(weights(model), weights(plain))


def test_an_average_of_steps_lies_between_them() -> None:
    average = Average(Ema(1.0))
    for step in range(1, 5):
        average.update({"weight": torch.full((2, 2), float(step))}, False, 4, step / 4)
    assert average.tensors["weight"].tolist() == [[2.5, 2.5], [2.5, 2.5]]


def test_swa_averages_the_ends_of_late_epochs_alike() -> None:
    average = Average(Swa(0.5))
    for step in range(1, 9):
        average.update({"weight": torch.tensor([float(step)])}, step % 2 == 0, 8, step / 8)
    assert average.tensors["weight"].tolist() == [(4 + 6 + 8) / 3]


def test_swa_computes_the_statistics_of_batch_norms_anew() -> None:
    recipe = replace(RECIPE, averaging=Swa(0.1)).set("network.normalization", "batch").set("stopping.epochs", 6)
    model, _ = trained(recipe)
    network = model.network
    assert network is not None
    norm = next(layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm1d))
    before = norm.running_mean.clone()
    inputs = tuple(torch.from_numpy(values) for values in model.prepared.transform(rows()))
    refresh_norms(network, inputs, 16)
    assert torch.allclose(before, norm.running_mean)
    assert norm.momentum == 0.1


# -- when it ends ---------------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_raises() -> None:
    with pytest.raises(Diverged, match="training loss is"):
        trained(replace(RECIPE, loss=SquaredError(), optimizer=Sgd(lr=1e30)), VALUES)


def test_a_training_bounded_in_seconds_ends_annealed_long_before_its_epochs() -> None:
    recipe = RECIPE.set("stopping.epochs", 1_000_000).set("stopping.seconds", 0.3)
    _, epochs = trained(recipe)
    assert epochs[-1].progress == 1
    assert len(epochs) < 100_000


def test_a_training_bounded_in_seconds_that_has_time_takes_all_its_epochs() -> None:
    assert len(trained(RECIPE.set("stopping.seconds", 3600))[1]) == 3


# -- in a trial -----------------------------------------------------------------------------------------------


def tried(recipe: Recipe, folder: object, problem: Problem = CLASSES) -> Outcome:
    dataset = rows(problem)
    protocol, pool, _ = divide(dataset, 0)
    site = Site(dataset.take(pool), problem, protocol, folder)  # type: ignore[arg-type]
    (outcome,) = execute([("key", Trial(recipe, 0))], site, lambda *_: None)
    return outcome


def test_a_trial_that_diverges_says_so(tmp_path: object) -> None:
    outcome = tried(replace(RECIPE, loss=SquaredError(), optimizer=Sgd(lr=1e30)), tmp_path, VALUES)
    assert outcome.status == "diverged"
    assert "training loss is" in outcome.message
    assert outcome.dev_score is None


def test_a_rule_looks_at_rows_held_out_of_train_and_brings_the_best_weights_back(tmp_path: object) -> None:
    hasty = RECIPE.set("optimizer.lr", 0.2).set("stopping.epochs", 30).set("network.width", 64)
    outcome = tried(hasty.set("stopping.rule", "patience(2)"), tmp_path)
    held = [p.held_loss for p in outcome.curve]
    best = held.index(min(held))
    assert len(held) < 30
    assert best == len(held) - 3
    assert outcome.message == f"patience(2) after epoch {len(held)}"
    model = load(tmp_path / "models" / outcome.key)  # type: ignore[operator]
    dataset = rows()
    protocol, pool, _ = divide(dataset, 0)
    train = dataset.take(pool[protocol.split(0, 0)[0]])
    _, aside = set_aside(train, hasty.get("stopping.held"), 0)
    predicted = model.predict(train.take(aside))
    assert METRICS["log_loss"](train.target[aside], predicted) == pytest.approx(held[best], rel=1e-4)


def test_a_curve_has_losses_and_scores_at_every_look(tmp_path: object) -> None:
    outcome = tried(RECIPE.set("stopping.epochs", 10), tmp_path)
    assert [p.epoch for p in outcome.curve] == list(range(1, 11))
    assert all(p.dev_loss is not None and p.dev_score is not None for p in outcome.curve)
    assert outcome.curve[-1].dev_score == outcome.dev_score


def test_what_a_trial_saved_predicts_as_it_did(tmp_path: object) -> None:
    outcome = tried(RECIPE, tmp_path)
    model = load(tmp_path / "models" / outcome.key)  # type: ignore[operator]
    dataset = rows()
    protocol, pool, _ = divide(dataset, 0)
    dev = dataset.take(pool[protocol.split(0, 0)[1]])
    assert (model.predict(dev).argmax(axis=1) == dev.target).mean() == outcome.dev_score
    assert set(outcome.measured) == set(LIMITS)
