"""Is there a season in a series, and how long is it? By autocorrelation."""

import numpy as np

Array = np.ndarray
CLEAR = 0.2  # autocorrelation at the season, and by how much it stands out from the lags before it
CYCLES = 3  # that a season must be there at least, about
LONGEST = 400  # steps of a season that is looked for where no calendar says where
CALENDAR = (  # spacing in nanoseconds, and the seasons that people live by, in steps
    (60e9 * 60, (24, 168)),
    (86_400e9, (7, 365)),
    (7 * 86_400e9, (52,)),
    (30.4 * 86_400e9, (12,)),
    (91.3 * 86_400e9, (4,)),
)


def find_period(values: Array, spacing: float | None = None) -> tuple[int, float]:
    """The length of a season in steps and the autocorrelation there; (0, 0.0) when none is seen.

    `values` (time,) may have gaps; `spacing` are nanoseconds between steps where they are known: then the seasons of
    the calendar are looked at, elsewhere every peak of the autocorrelation. A trend is taken out first.
    """
    found = autocorrelation(values)
    most = min(len(found) - 1, int(len(values) / CYCLES * 1.25))
    usual = next((each for step, each in CALENDAR if spacing and abs(spacing / step - 1) < 0.06), None)
    lags = usual if usual is not None else tuple(_peaks(found[: min(most, LONGEST) + 2]))
    clear = [(lag, float(found[lag])) for lag in lags if 2 <= lag <= most and _stands_out(found, lag)]
    if not clear:
        return 0, 0.0
    best = max(score for _, score in clear)
    return next((lag, score) for lag, score in clear if score >= 0.9 * best)  # not a multiple of it


def autocorrelation(values: Array) -> Array:
    """The autocorrelation (lags,) of a series (time,) without its linear trend; gaps count for nothing."""
    there = ~np.isnan(values)
    if there.sum() < 8:
        return np.ones(1)
    time = np.arange(len(values), dtype=float)
    slope, level = np.polyfit(time[there], values[there], 1)
    left = np.where(there, values - (slope * time + level), 0.0)
    size = 1 << (2 * len(left) - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(left, size)) ** 2
    found = np.fft.irfft(spectrum, size)[: len(left)]
    pairs = np.fft.irfft(np.abs(np.fft.rfft(there.astype(float), size)) ** 2, size)[: len(left)]
    mean = found / np.maximum(pairs, 1.0)
    return mean / mean[0] if mean[0] > 1e-12 * max(1e-200, float(np.nanmax(np.abs(values))) ** 2) else np.zeros(1)


def _peaks(found: Array) -> list[int]:
    """Lags at which the autocorrelation is greater than before and after."""
    inner = (found[1:-1] > found[:-2]) & (found[1:-1] >= found[2:])
    return [int(place) + 1 for place in np.flatnonzero(inner)]


def _stands_out(found: Array, lag: int) -> bool:
    return bool(found[lag] > CLEAR and found[lag] - found[1:lag].min() > CLEAR)
