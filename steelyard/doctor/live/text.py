"""The health of a run as plain text."""

from steelyard.doctor.live.health import Health

NONE = "–"


def table(health: Health) -> str:
    """A line per layer, and what was found."""
    head = ("layer", "kind", "weights", "update/weight", "gradient", "mean", "spread", "dead", "saturated")
    rows = [
        (
            each.name,
            each.kind,
            f"{each.parameters:,}" if each.parameters else NONE,
            number(each.update.typical),
            number(each.gradient.typical),
            number(each.mean.typical),
            number(each.spread.typical),
            share(each.dead.typical),
            share(each.saturated.typical),
        )
        for each in health.layers
    ]
    wide = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    lines = ["  ".join(_put(row[k], wide[k], k < 2) for k in range(len(head))).rstrip() for row in (head, *rows)]
    loss = (
        f"loss {number(health.loss.last)}, {health.state}, {health.spikes} spikes"
        if health.loss.values
        else "no loss was given"
    )
    said = [f"{each.code} {each.title}: {each.saw}" for each in health.findings] or ["nothing was found"]
    return "\n".join([f"{health.steps:,} steps, every {health.every}th looked at; {loss}", *lines, *said])


def number(value: float) -> str:
    """Three digits, as short as they can be."""
    return NONE if value != value else f"{value:.3g}"


def share(value: float) -> str:
    """A percentage."""
    return NONE if value != value else f"{value:.0%}"


def _put(text: str, wide: int, left: bool) -> str:
    return text.ljust(wide) if left else text.rjust(wide)
