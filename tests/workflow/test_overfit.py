"""What counts as overfitting, read from a learning curve."""

from steelyard.classical import Linear
from steelyard.data.prepare import TablePreparation
from steelyard.recipe import Recipe
from steelyard.trials.trial import Outcome, Point, Trial
from steelyard.workflow.overfit import overfits


def outcome(*losses: tuple[float, float]) -> Outcome:
    """A trial with a curve of (train loss, dev loss)."""
    trial = Trial(Recipe(TablePreparation(), estimator=Linear()), 0)
    points = tuple(Point(epoch, train, 0.5, dev) for epoch, (train, dev) in enumerate(losses, 1))
    return Outcome("key", trial, "done", 1.0, 10, curve=points)


def test_dev_loss_that_rises_while_train_loss_falls_is_overfitting_from_its_lowest_epoch() -> None:
    said = overfits(outcome((1.0, 1.0), (0.8, 0.7), (0.5, 0.8), (0.2, 1.1)))
    assert "epoch 2 of 4" in said


def test_losses_that_fall_together_are_not_overfitting() -> None:
    assert overfits(outcome((1.0, 1.0), (0.8, 0.9), (0.6, 0.8))) == ""


def test_a_curve_too_short_to_tell_is_not_called_overfitting() -> None:
    assert overfits(outcome((1.0, 1.0), (0.1, 3.0))) == ""
