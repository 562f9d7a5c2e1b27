"""What a run says of series: what is predicted from what, how it is prepared, how a forecast is split."""

from steelyard.classical.mini_rocket import available
from steelyard.data.dataset import Dataset, Schema
from steelyard.data.ordered import both
from steelyard.data.split import Protocol
from steelyard.data.words import counted


def asked(schema: Schema) -> str:
    """The inputs in words."""
    channels, layout = counted(len(schema.columns), "channel"), schema.layout
    if layout.horizon is None:
        return f"series of {channels} and up to {schema.length} steps"
    ahead = counted(layout.horizon, "step")
    return f"the last {layout.window} steps of {channels}, {ahead} ahead"


def prepared(schema: Schema) -> str:
    """The preparation in words, and what is left out where a library is missing."""
    if schema.layout.forecasts:
        return "windows are scaled by what train holds; the target is learnt as the difference to its last value"
    without = "" if available() else "; MiniRocket is left out: it needs aeon (install steelyard[series])"
    return f"channels are scaled by mean and spread of train; gaps are shown to networks, bridged for others{without}"


def ordered(protocol: Protocol, pool: Dataset) -> str:
    """The split by time in words."""
    order = both(pool.order)
    splits = [protocol.split(0, fold) for fold in range(protocol.folds)]
    dev = counted(sum(len(dev) for _, dev in splits), "row")
    least, most = min(len(train) for train, _ in splits), max(len(train) for train, _ in splits)
    apart = int((order[:, 1] - order[:, 0]).max())
    train = f"{least:,} to {most:,} rows" if least < most else f"{most:,} rows"
    origins = f"{protocol.folds} origins that roll forward" if protocol.folds > 1 else "one origin"
    return (
        f"split by time: dev ({dev}) comes after train ({train}), from {origins}; nothing is learnt that was not known "
        f"{counted(apart, 'step')} before the first answer of dev"
    )
