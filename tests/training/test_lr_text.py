"""Learning rates as text: scaled to a peak, or with the batch size."""

import pytest

from steelyard.knobs import parse_knob, value
from steelyard.training.optimizers import Adam, AdamW, Rmsprop, SamSgd, Sgd
from steelyard.training.rates import following, highest, peaking, scaling_rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.3", "0.05"),
        ("cosine(0.2, 0, warmup=0.1)", "cosine(0.05, 0, warmup=0.1)"),
        ("linear(0.01, 0.1)", "linear(0.005, 0.05)"),
        ("piecewise((0, 0.1), (0.5, 0.01))", "piecewise((0, 0.05), (0.5, 0.005))"),
        ("step(0.002, milestones=(0.5, 0.75), warmup=0.05)", "step(0.05, milestones=(0.5, 0.75), warmup=0.05)"),
        ("0", "0.05"),
    ],
)
def test_a_rate_is_scaled_to_a_peak_in_its_own_form(text: str, expected: str) -> None:
    assert peaking(parse_knob(text), 0.05) == expected


def test_what_is_written_reads_back_as_a_schedule_with_that_peak() -> None:
    again = parse_knob(peaking(parse_knob("sgdr(0.0037, 0.00011, cycles=3)"), 0.000123))
    assert highest(again) == pytest.approx(0.000123)
    assert value(again, 1.0) == pytest.approx(0.000123 * 0.00011 / 0.0037, rel=1e-4)


@pytest.mark.parametrize(("optimizer", "rule"), [(Sgd(), "linear"), (SamSgd(), "linear"), (AdamW(), "square root")])
def test_the_rule_follows_the_optimizer(optimizer: Sgd, rule: str) -> None:
    assert scaling_rule(optimizer) == rule


@pytest.mark.parametrize("optimizer", [Adam(), Rmsprop()])
def test_optimizers_that_divide_by_the_gradient_follow_the_square_root(optimizer: Adam) -> None:
    assert scaling_rule(optimizer) == "square root"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("linear", "cosine(0.4, 0)"), ("square root", "cosine(0.2, 0)"), ("kept", "cosine(0.1, 0)")],
)
def test_a_rate_follows_the_batch_size_by_its_rule(rule: str, expected: str) -> None:
    assert following(parse_knob("cosine(0.1, 0)"), rule, 4.0) == expected  # type: ignore[arg-type]
