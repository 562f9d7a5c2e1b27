"""What a run says of series: what is predicted from what, how it is prepared, how a forecast is split."""

from steelyard.classical.mini_rocket import available
from steelyard.data.dataset import Schema
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
