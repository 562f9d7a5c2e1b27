"""Will more data help? The error over the number of training rows, the law it follows, and what more rows would bring.

A power law with a floor (Hestness et al. 2017, arXiv 1712.00409) is what is told; forecasts average over several kinds
of laws by how well each agrees with the measurements, and over how far curves stray from laws (`learning_laws`).
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from steelyard.diagnosis.growth import Forecast, Law, LearningCurve, Measured, Outlook
from steelyard.diagnosis.learning_laws import agreement, draws
from steelyard.errors import UserError

Array = np.ndarray
TIMES = (2.0, 4.0, 10.0)  # as many rows
DRAWS = 4000
FAN = 40  # places at which the forecast is drawn
SURE = 0.8  # the chance from which on more data are said to help; to hardly help when the chance is as low
MATTERS = 0.02  # of the last error: a smaller difference does not matter, where nothing else is known
LEAST_SIZES = 3
TYPICAL, WORTH = 0.03, 2.0  # spread of the log error between trainings, and how many trainings this belief counts as
STEEPEST = 3.0  # exponent of a law


def fit_curve(
    rows: Sequence[float] | Array,
    errors: Sequence[float] | Sequence[Sequence[float]] | Array,
    *,
    noise: Sequence[float] | Array | None = None,
    matters: float | None = None,
    of: str = "all rows",
    times: Sequence[float] = TIMES,
    seed: int = 0,
) -> LearningCurve:
    """The learning curve of errors (k,) or (k, trainings) measured after training on `rows` (k,); smaller is better.

    Rows may repeat, a training each; nan is a training that is missing. `noise` (k,) is the standard error that each
    size has from the examples it was measured on, as far as it is not common to all of them. `matters` is the smallest
    difference worth having (None: 2 % of the last error). Raises UserError.
    """
    sizes, groups, noises = _grouped(rows, errors, noise)
    if any(each < 1 for each in times):
        raise UserError("times are numbers from 1: how many times as many rows, as 2, 4, 10")
    least = min((e for group in groups for e in group if e > 0), default=1.0) / 2  # an error of zero has no logarithm
    logs = [np.log(np.maximum(least, group)) for group in groups]
    spread = _spread(logs)
    level = np.array([each.mean() for each in logs])
    counts = np.array([len(each) for each in logs])
    means = np.array([group.mean() for group in groups])
    own = noises / np.maximum(least, means)
    variances = spread**2 / counts + own**2
    x = np.log(sizes / sizes[-1])
    agreed = agreement(x, level, variances)
    matters = MATTERS * float(means[-1]) if matters is None else matters
    fan = np.geomspace(1.0, max(*times, 2.0), FAN)
    thousand = 1 + 1000 / sizes[-1]
    places = np.unique([*times, *fan, thousand])
    stream = np.random.default_rng([seed, len(sizes)])
    now, later = draws(agreed, np.log(places), DRAWS, stream)
    another = np.sqrt(variances[-1]) * stream.standard_normal((DRAWS, 1))
    forecasts = {
        float(each): _forecast(float(each), sizes[-1], np.exp(now), np.exp(later[:, k]), np.exp(another[:, 0]), matters)
        for k, each in enumerate(places)
    }
    doubled = forecasts[min(times, key=lambda each: abs(each - 2))]
    more = forecasts[thousand]
    return LearningCurve(
        of,
        tuple(
            Measured(int(n), float(m), float(m * np.sqrt(v)), tuple(map(float, group)))
            for n, m, v, group in zip(sizes, means, variances, groups, strict=True)
        ),
        _law(sizes, level, variances + (TYPICAL**2) * -x),
        tuple(forecasts[float(each)] for each in times),
        tuple(forecasts[float(each)] for each in fan),
        (more.gain, more.gain_low, more.gain_high),
        matters,
        _outlook(doubled.chance),
        agreed.of_family(),
    )


def _outlook(chance: float) -> Outlook:
    return "helps" if chance >= SURE else "hardly helps" if chance <= 1 - SURE else "cannot tell yet"


def _grouped(rows: object, errors: object, noise: object) -> tuple[Array, list[Array], Array]:
    """The sizes (k,), rising; the errors of the trainings on each; and the noise of each."""
    sizes, values = np.asarray(rows, dtype=float), np.asarray(errors, dtype=float)
    if sizes.ndim != 1 or values.ndim not in (1, 2) or len(values) != len(sizes):
        raise UserError(
            f"expected rows (k,) and errors (k,) or (k, trainings), got shapes {sizes.shape} and {values.shape}"
        )
    noises = np.zeros(len(sizes)) if noise is None else np.asarray(noise, dtype=float)
    if noises.shape != sizes.shape or not (noises >= 0).all():
        raise UserError(f"noise is a standard error for each of the {len(sizes)} sizes, a number from 0")
    values = values.reshape(len(sizes), -1)
    if not (np.isfinite(sizes).all() and (sizes >= 1).all()) or np.isinf(values).any() or (values < 0).any():
        raise UserError("rows are numbers from 1 and errors numbers from 0: give 1 - accuracy, not accuracy")
    found, groups, kept = [], [], []
    for size in np.unique(sizes):
        mine = values[sizes == size].ravel()
        mine = mine[np.isfinite(mine)]
        if len(mine):
            found.append(size)
            groups.append(mine)
            kept.append(noises[sizes == size].max())
    if len(found) < LEAST_SIZES:
        raise UserError(f"a learning curve needs errors on at least {LEAST_SIZES} numbers of rows, got {len(found)}")
    return np.array(found), groups, np.array(kept)


def _spread(logs: list[Array]) -> float:
    """The standard deviation of the log error between trainings on as many rows, pooled over sizes.

    A prior belief keeps it from being taken for zero where few trainings happen to agree.
    """
    freedom = sum(len(each) - 1 for each in logs)
    squares = sum(float(((each - each.mean()) ** 2).sum()) for each in logs)
    return float(np.sqrt((squares + WORTH * TYPICAL**2) / (freedom + WORTH)))


def _forecast(times: float, rows: float, now: Array, later: Array, another: Array, matters: float) -> Forecast:
    gains = now - later
    low95, low80, high80, high95 = np.quantile(later * another, [0.025, 0.1, 0.9, 0.975])
    low, high = np.quantile(gains, [0.1, 0.9])
    return Forecast(
        times,
        round(times * rows),
        float(np.median(later)),
        float(low80),
        float(high80),
        float(low95),
        float(high95),
        float(np.median(gains)),
        float(low),
        float(high),
        float((gains >= matters).mean()),
    )


def _law(sizes: Array, logs: Array, variances: Array) -> Law:
    """The power law with a floor that fits best, by weighted least squares of the log error from several starts."""
    last = sizes[-1]

    def misfit(given: Array) -> float:
        level, floor, exponent = given
        shape = np.log(floor + (1 - floor) * (sizes / last) ** -exponent)
        return float((((logs - level - shape) ** 2) / variances).sum())

    bounds = [(None, None), (0.0, 1.0), (0.0, STEEPEST)]
    starts = [(logs[-1], floor, exponent) for floor in (0.1, 0.8) for exponent in (0.2, 0.8)]
    best = min((minimize(misfit, start, bounds=bounds) for start in starts), key=lambda found: float(found.fun))
    level, floor, exponent = best.x
    end = float(np.exp(level))
    return Law(end * float(floor), end * float(1 - floor) * float(last**exponent), float(exponent))
