"""The learning-rate range test: what is trained, when it ends, what is read from the curve."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn import datasets

from steelyard.data.batches import Batch
from steelyard.data.dataset import Dataset
from steelyard.data.source import read
from steelyard.data.split import divide
from steelyard.errors import UserError
from steelyard.knobs import parse_knob
from steelyard.metrics import metric
from steelyard.networks.tabular import TabularMlp
from steelyard.problem import Problem, Task
from steelyard.recipe import Recipe
from steelyard.training.fleet import Fleet
from steelyard.training.optimizers import AdamW, SamSgd, Sgd
from steelyard.training.rate_range import RateRange, Sweep, judge, sweep
from steelyard.training.start import begin, ready
from steelyard.training.stopping import Stopping
from steelyard.weighing.compare import compare
from steelyard.workflow.families import families

RATES = [float(rate) for rate in np.geomspace(1e-5, 10, 120)]


def blobs(rows: int = 240, apart: float = 3.0) -> tuple[Dataset, Problem]:
    """Two clouds; the farther apart, the nearer to zero the loss can get."""
    random = np.random.default_rng(0)
    classes = np.arange(rows) % 2
    x = random.normal(size=(rows, 6)) + apart * classes[:, None]
    dataset = read((x.round(4), np.where(classes == 1, "b", "a")), None)
    return dataset, Problem("binary", "tabular", dataset.schema.target, rows, dataset.classes, "accuracy")


def recipe(optimizer: object = None, **network: object) -> Recipe:
    dataset, problem = blobs()
    plain = families(problem, dataset.schema, 240)[-1].with_part("batch", Batch(16))
    small = TabularMlp(width=24, depth=2, periodic=2, **network)  # type: ignore[arg-type]
    return plain.with_part("network", small).with_part(
        "optimizer", optimizer or AdamW(lr=parse_knob("cosine(0.01, 0)"))
    )


def swept(recipe: Recipe, seeds: tuple[int, ...] = (0, 1, 2), rates: list[float] = RATES, apart: float = 3.0) -> Sweep:
    dataset, problem = blobs(apart=apart)
    rows = ready(recipe, dataset, problem, 0)
    return sweep([begin(recipe, rows, dataset, problem, seed)[1] for seed in seeds], rates)


def curve(loss: Callable[[np.ndarray], np.ndarray], diverged: bool = True) -> RateRange:
    """The judgement on losses that three seeds share, as a function of the logarithm of the rate."""
    rates = np.geomspace(1e-6, 10, 200)
    losses = np.tile(loss(np.log10(rates)), (3, 1))
    return judge(Sweep(rates, losses, diverged), recipe(), 16, 240)


def test_seeds_that_step_together_see_what_each_sees_alone() -> None:
    together = swept(recipe())
    for seed in range(3):
        alone = swept(recipe(), (seed,), RATES[:60])
        np.testing.assert_allclose(together.losses[seed, :60], alone.losses[0], rtol=2e-3)
    assert not np.allclose(together.losses[0], together.losses[1])


def test_the_test_ends_where_the_loss_diverges_and_keeps_only_finite_losses() -> None:
    found = swept(recipe(Sgd()))
    assert found.diverged
    assert 10 < len(found.rates) < len(RATES)
    assert found.losses.shape == (3, len(found.rates))
    assert np.isfinite(found.losses).all()


def test_it_goes_on_to_the_end_where_nothing_diverges() -> None:
    found = swept(recipe(), rates=[float(rate) for rate in np.geomspace(1e-6, 1e-3, 40)])
    assert not found.diverged
    assert len(found.rates) == 40


def test_a_loss_near_zero_may_flicker_without_having_diverged() -> None:
    found = judge(swept(recipe(), apart=6.0), recipe(), 16, 240)
    assert min(found.smoothed) < 0.01
    assert found.largest > 2 * found.lowest


def test_every_other_knob_stands_where_it_begins() -> None:
    moving = swept(recipe(AdamW(lr=parse_knob("sgdr(0.5, 0)")), dropout=parse_knob("linear(0, 0.9)")))
    assert np.array_equal(moving.losses, swept(recipe()).losses)


def test_optimizers_that_cannot_step_together_take_turns() -> None:
    found = swept(recipe(SamSgd()), seeds=(0, 1))
    assert found.losses.shape[0] == 2
    np.testing.assert_allclose(found.losses[1, :40], swept(recipe(SamSgd()), (1,), RATES[:40]).losses[0], rtol=1e-6)


def test_progress_is_told_from_the_first_step_to_the_last() -> None:
    dataset, problem = blobs()
    told: list[float] = []
    rows = ready(recipe(), dataset, problem, 0)
    sweep([begin(recipe(), rows, dataset, problem, 0)[1]], RATES[:25], went=told.append)
    assert told == [pytest.approx(step / 25) for step in range(1, 26)]


def test_the_marks_stand_where_a_known_curve_has_them() -> None:
    def loss(x: np.ndarray) -> np.ndarray:  # falls fastest at 1e-3, turns round 1e-1, then shoots up
        return 0.3 + 1 / (1 + 10 ** (4 * (x + 3))) + 10 ** (3 * (x + 0.7))

    found = curve(lambda x: np.minimum(loss(x), 50.0))
    assert found.steepest == pytest.approx(1e-3, rel=0.25)
    assert 4e-3 < found.lowest < 4e-2
    assert found.diverged
    assert found.largest == pytest.approx(0.2, rel=0.2)  # back where it began
    assert found.suggestion == pytest.approx((found.steepest * found.lowest) ** 0.5, rel=0.05)
    assert found.setting == f"optimizer.lr=cosine({found.suggestion:g}, 0)"
    assert found.caveat == ""


def test_noise_on_a_plateau_does_not_move_the_lowest_loss_to_its_far_end() -> None:
    found = curve(lambda x: 0.2 + 1 / (1 + 10 ** (4 * (x + 4))) - 1e-4 * (x > -1.2) + 10 ** (6 * x))
    assert found.lowest < 5e-3


def test_a_loss_that_never_falls_is_said_to_say_little() -> None:
    assert "hardly falls" in curve(lambda x: 1.0 - 0.01 * (x > -3) + 10 ** (3 * x)).caveat


def test_a_loss_that_still_falls_at_the_end_asks_for_a_higher_rate() -> None:
    assert "--high" in curve(lambda x: 2.0 - 0.2 * (x + 6), diverged=False).caveat


def test_a_loss_that_diverges_at_once_is_the_users_to_mend() -> None:
    with pytest.raises(UserError, match=r"diverges from 5 on.*--low"):
        judge(swept(recipe(Sgd()), rates=[float(rate) for rate in np.geomspace(5, 5e6, 40)]), recipe(), 16, 240)


def test_the_record_names_what_was_tested() -> None:
    found = judge(swept(recipe(Sgd())), recipe(Sgd(lr=0.3)), 16, 240)
    assert (found.family, found.optimizer, found.batch_size, found.rows) == ("tabular-mlp", "sgd", 16, 240)
    assert found.setting == f"optimizer.lr={found.suggestion:g}"
    assert len(found.rates) == len(found.smoothed) == len(found.losses[0])


# -- is the suggestion any good? ----------------------------------------------------------------------------------

SETS = {"wine": datasets.load_wine, "diabetes": datasets.load_diabetes, "digits": datasets.load_digits}
OPTIMIZERS = {  # each with a grid of rates round its best ones
    "adam-w": (AdamW(lr=parse_knob("cosine(0.001, 0)")), (3e-4, 1e-3, 3e-3, 1e-2)),
    "sgd": (Sgd(lr=parse_knob("cosine(0.1, 0)")), (3e-3, 1e-2, 3e-2, 1e-1)),
}
SEEDS = (0, 1, 2)


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("name", SETS)
def test_training_at_the_suggestion_is_not_surely_worse_than_at_the_best_rate_of_a_grid(name: str, kind: str) -> None:
    optimizer, grid = OPTIMIZERS[kind]
    dataset = read(SETS[name](return_X_y=True), None)
    assert dataset.target is not None
    task: Task = "multiclass" if dataset.classes else "regression"
    measure = metric("accuracy" if dataset.classes else "rmse")
    problem = Problem(task, "tabular", dataset.schema.target, len(dataset), dataset.classes, measure.name)
    protocol, pool, _ = divide(dataset, 0)
    train, dev = (dataset.take(pool[rows]) for rows in protocol.split(0, 0))
    plain = families(problem, dataset.schema, len(train))[-1].with_part("optimizer", optimizer)
    plain = plain.with_part("network", TabularMlp(width=64, depth=2)).with_part("stopping", Stopping(8))
    rows = ready(plain, train, problem, 0)

    def trained(lr: str) -> list[np.ndarray]:
        """What three seeds predict on dev after training at a rate."""
        begun = [begin(plain.set("optimizer.lr", lr), rows, train, problem, seed) for seed in SEEDS]
        for _ in Fleet([member for _, member in begun]):
            pass
        return [model.predict(dev) for model, _ in begun]

    def score(each: list[np.ndarray]) -> float:
        """The mean over seeds, the greater the better; the worst there is where one diverged."""
        usable = all(np.isfinite(predictions).all() for predictions in each)
        return measure.sign * float(np.mean([measure(truth, p) for p in each])) if usable else -np.inf

    truth = dev.target
    assert truth is not None
    members = [begin(plain, rows, train, problem, seed)[1] for seed in SEEDS]
    rates = [float(rate) for rate in np.geomspace(1e-6, 10, 200)]
    found = judge(sweep(members, rates), plain, 64, len(train))
    best = max((trained(f"cosine({rate}, 0)") for rate in grid), key=score)
    weighed = compare(measure, [truth] * 3, best, trained(found.setting.partition("=")[2]))
    assert weighed.verdict != "hurts", weighed
