"""The course of series for models that know no gaps: gaps bridged, one length for all, and what sums a course up."""

import numpy as np

Array = np.ndarray


def lengths(values: Array) -> Array:
    """The steps (n,) up to the last one at which any channel of a case (n, channels, time) has a value."""
    there = ~np.isnan(values).all(axis=1)
    return np.asarray(np.where(there.any(axis=1), there.shape[1] - there[:, ::-1].argmax(axis=1), 0))


def resampled(values: Array, length: int) -> Array:
    """float32 (n, channels, length): each case stretched or shrunk to that length, gaps bridged by straight lines.

    A channel without any value is 0.
    """
    if values.shape[2] == length and not np.isnan(values).any():
        return np.ascontiguousarray(values, np.float32)
    found = np.zeros((*values.shape[:2], length), np.float32)
    for case, ends, into in zip(values, lengths(values), found, strict=True):
        at = np.linspace(0, max(0, ends - 1), length)
        for channel, row in zip(case, into, strict=True):
            there = np.flatnonzero(~np.isnan(channel[:ends]))
            if len(there):
                row[:] = np.interp(at, there, channel[there])
    return found


def statistics(values: Array, longest: int) -> Array:
    """What sums up each channel of series (n, channels, time): float64 (n, 7 · channels + 1), no NaN.

    Mean, spread, least, greatest, slope over the course, mean step, share missing; and the length of the case, as a
    share of the `longest`.
    """
    ends = lengths(values)
    inside = np.arange(values.shape[2]) < ends[:, None]
    there = ~np.isnan(values)
    count = np.maximum(1, there.sum(axis=2))
    zero = np.where(there, values, 0.0)
    mean = zero.sum(axis=2) / count
    apart = np.where(there, values - mean[:, :, None], 0.0)
    time = np.arange(values.shape[2]) - (ends[:, None] - 1) / 2
    time = np.where(inside, time / np.maximum(1, ends)[:, None], 0.0)[:, None]
    slope = (apart * time).sum(axis=2) / np.maximum(1e-12, (there * time**2).sum(axis=2))
    steps = np.abs(np.diff(values, axis=2)) if values.shape[2] > 1 else np.zeros((*values.shape[:2], 1))
    known = ~np.isnan(steps)
    step = np.where(known, steps, 0.0).sum(axis=2) / np.maximum(1, known.sum(axis=2))
    low = np.where(there, values, np.inf).min(axis=2)
    high = np.where(there, values, -np.inf).max(axis=2)
    missing = 1 - there.sum(axis=2) / np.maximum(1, ends)[:, None]
    each = [mean, np.sqrt((apart**2).sum(axis=2) / count), *_finite(low, high), slope, step, missing]
    return np.hstack([*each, (ends / longest)[:, None]])


def _finite(low: Array, high: Array) -> tuple[Array, Array]:
    return np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)
