"""Proxies of the Bayes error: every one that can be computed from predictions, inputs and soft labels."""

from collections.abc import Mapping

import numpy as np

from steelyard.diagnosis.human_level import RATE, RMSE
from steelyard.diagnosis.human_values import mean_square, rooted
from steelyard.diagnosis.nearest import LEAST, lower_bound, upper_bounds
from steelyard.diagnosis.noise_floor import noise_floor
from steelyard.diagnosis.noise_rate import doubt, noise_rate
from steelyard.diagnosis.proxy import BayesProxies, Kind, Proxy, chosen_of
from steelyard.diagnosis.soft_labels import from_counts, from_probabilities
from steelyard.diagnosis.votes import mean_error
from steelyard.errors import UserError
from steelyard.problem import Score

Array = np.ndarray
PREDICTIONS = "predictions"
EXTENDED = "a line extended to distance zero: far off with many inputs"
SQUEEZED = "counts what the predictions lose as unavoidable"
SOFT = "if labels are drawn as these annotators say"
RULE = "the error of a rule, on rows it did not see"


def bayes_proxies(
    truth: Array,
    predictions: Array | None = None,
    features: Mapping[str, Array] | None = None,
    *,
    classes: int | None = None,
    soft: Array | None = None,
    counts: Array | None = None,
    seed: int = 0,
) -> BayesProxies:
    """The proxies for class codes (n,), or for values (n,) where `classes` is None.

    `predictions` are out of fold: (n, classes) probabilities or (n,) values. `features` are spaces (n, d) by name, as
    the inputs brought to one scale. Of classes, `soft` (m, classes) are labels that are probabilities, `counts`
    (m, classes) how many annotators said each class, of these or other rows. Raises UserError.
    """
    spaces = dict(features or {})
    for name, space in (*spaces.items(), (PREDICTIONS, predictions)):
        if space is not None and len(space) != len(truth):
            raise UserError(f"{name} has {len(space):,} rows, but there are {len(truth):,} targets: expected the same")
    if classes is None:
        return _of_values(truth, predictions, spaces, seed)
    found = _of_soft(soft, counts)
    if predictions is not None:
        spaces[PREDICTIONS] = predictions
    for name, space in spaces.items():
        found += _neighbours(name, space, truth, classes, seed)
    if predictions is not None:
        found += _of_model(truth, predictions, seed)
    return BayesProxies(RATE, tuple(found), *chosen_of(found), len(truth))


def _proxy(name: str, kind: Kind, score: Score, caveat: str) -> Proxy:
    return Proxy(name, kind, score.value, score.low, score.high, caveat)


def _neighbours(name: str, space: Array, truth: Array, classes: int, seed: int) -> list[Proxy]:
    """The bounds that nearest neighbours in one space give."""
    if len(truth) < LEAST:
        return []
    kind: Kind = "lower bound"
    caveat = EXTENDED
    if name == PREDICTIONS:
        kind, caveat = "estimate", f"{EXTENDED}; {SQUEEZED}"
    one, several = upper_bounds(space, truth, classes, seed)
    return [
        _proxy(f"Cover-Hart, {name}", kind, lower_bound(space, truth, classes, seed), caveat),
        _proxy(f"one neighbour, {name}", "upper bound", one, RULE),
        _proxy(f"several neighbours, {name}", "upper bound", several, RULE),
    ]


def _of_soft(soft: Array | None, counts: Array | None) -> list[Proxy]:
    """The direct estimates."""
    found = []
    if soft is not None:
        found.append(_proxy("soft labels", "estimate", from_probabilities(soft), SOFT))
    if counts is not None and (counts.sum(axis=1) > 1).any():
        below, above = from_counts(counts)
        found.append(_proxy("soft labels, plain", "lower bound", below, f"{SOFT}; too small, with few labels a row"))
        found.append(_proxy("soft labels, left out", "upper bound", above, f"{SOFT}; too large, with few labels a row"))
    return found


def _of_model(truth: Array, predictions: Array, seed: int) -> list[Proxy]:
    """What the best model says."""
    wrong = (predictions.argmax(axis=1) != truth).astype(float)
    return [
        _proxy("best model", "upper bound", mean_error(wrong), "chosen on these rows: a little too good"),
        _proxy(
            "doubt of the best model",
            "upper bound",
            doubt(truth, predictions, seed),
            "no better than its calibration",
        ),
        _proxy(
            "label noise", "estimate", noise_rate(truth, predictions), "takes classes that overlap for wrong labels"
        ),
    ]


def _of_values(truth: Array, predictions: Array | None, spaces: dict[str, Array], seed: int) -> BayesProxies:
    """The proxies of a regression, as RMSE."""
    found: list[Proxy] = []
    for name, space in spaces.items():
        if (floor := noise_floor(space, truth, seed)) is not None:
            found.append(_proxy(f"Gamma test, {name}", "estimate", floor, EXTENDED))
    if predictions is not None:
        if (floor := noise_floor(predictions.reshape(len(truth), -1), truth, seed)) is not None:
            caveat = f"spread of values with like predictions; {SQUEEZED}"
            found.append(_proxy(f"Gamma test, {PREDICTIONS}", "upper bound", floor, caveat))
        best = rooted(mean_square((truth - predictions.reshape(-1)) ** 2))
        found.append(_proxy("best model", "upper bound", best, "chosen on these rows: a little too good"))
    return BayesProxies(RMSE, tuple(found), *chosen_of(found), len(truth))
