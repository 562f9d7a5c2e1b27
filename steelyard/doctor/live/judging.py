"""From what was measured to findings: a rule is a function that yields what it sees, and nothing where all is well."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from torch import Tensor

from steelyard.doctor.finding import Severity
from steelyard.doctor.live import losses as loss_rules
from steelyard.doctor.live.optimizers import Watched
from steelyard.doctor.live.record import Record
from steelyard.doctor.live.rules import (
    BAND,
    CLIPPED,
    COLLAPSED,
    CREEPS,
    DEAD,
    EXPLODED,
    JUMPED,
    LEAPS,
    ROWS,
    SAMPLES,
    SATURATED,
    STUCK,
    UNITS,
    VANISHED,
)
from steelyard.doctor.live.tracing import Origin


@dataclass(frozen=True)
class Seen:
    """A symptom: its code, the layer if it is that of one, and the numbers."""

    code: str
    text: str
    layer: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    severity: Severity | None = None


def layers(record: Record) -> Iterator[Seen]:
    """What is to be seen of layers."""
    yield from _units(record)
    yield from _backward(record)
    yield from _updates(record)
    yield from _collapse(record)


def _units(record: Record) -> Iterator[Seen]:
    for name, alive in record.alive.items():
        if alive.units >= UNITS and alive.rows >= ROWS and alive.dead > DEAD:
            text = f"{alive.dead:.0%} of {alive.units} units of {name} were zero on all {alive.rows} rows looked at"
            yield Seen("SY403", text, name, {"dead": alive.dead, "units": alive.units, "rows": alive.rows})
    for (name, number), held in record.series.items():
        if number == "saturated" and name != record.last and held.count >= SAMPLES and held.typical > SATURATED:
            text = f"{held.typical:.0%} of what {name} puts out lies at its ends"
            yield Seen("SY404", text, name, {"saturated": held.typical})


def _backward(record: Record) -> Iterator[Seen]:
    known = [
        (name, record.typical(name, "gradient") / record.sizes[name] ** 0.5)
        for name in (record.order or record.kinds)
        if record.wide.get(name) and "Embedding" not in record.kinds[name] and record.looks(name, "gradient") >= SAMPLES
    ]
    if len(known) >= 3 and known[-1][1] > 0:
        (first, start), (last, end) = known[0], known[-1]
        ratio = start / end
        if ratio < VANISHED or ratio > EXPLODED:
            word = "vanishes" if ratio < VANISHED else "explodes"
            text = f"it {word} on its way back: per weight, that of {first} is {ratio:.1g} of that of {last}"
            yield Seen("SY402", text, first, {"ratio": ratio, "first": first, "last": last})
    norms = list(record.total.recent)
    if record.total.count > SAMPLES and len(norms) > 2:
        usual, start = median(norms[:-1]), median(record.total.values[:SAMPLES])
        if norms[-1] > JUMPED * max(usual, start) > 0:
            text = f"its norm jumped to {norms[-1]:.3g}; it was {usual:.3g} in the steps before"
            yield Seen("SY402", text, "", {"norm": norms[-1], "usual": usual})


def _updates(record: Record) -> Iterator[Seen]:
    ratios = [
        value
        for name, is_wide in record.wide.items()
        if is_wide
        and record.looks(name, "update") >= 2 * SAMPLES
        and (value := record.typical(name, "update")) == value
    ]
    if not ratios:
        return
    vanishes = any(each.code == "SY402" for each in _backward(record))
    middle = median(ratios)
    if middle > LEAPS:
        text = f"each step changes the weights by {middle:.0%} of their size; about 0.1 % is usual"
        yield Seen("SY502", text, "", {"update": middle, "rate": record.rate.typical})
    elif 0 < record.fastest < CREEPS and not vanishes and not record.resumed and not warming_up(record):
        text = f"no step changed the weights by more than {record.fastest:.1g} of their size; about 1e-3 is usual"
        yield Seen("SY503", text, "", {"update": record.fastest, "rate": record.rate.typical})


def _collapse(record: Record) -> Iterator[Seen]:
    seen = list(record.predicted)
    rows = sum(each.rows for each in seen)
    if len(seen) < 2 * SAMPLES or rows < ROWS or not all(each.alike for each in seen):
        return
    if len({each.which for each in seen}) > 1 and max(each.spread for each in seen) > COLLAPSED / 10:
        return
    flat = median(each.spread for each in seen) < COLLAPSED
    if len({each.which for each in seen}) == 1 or flat:
        which = f"class {seen[-1].which}" if len({each.which for each in seen}) == 1 else "one class at each step"
        text = f"all {rows} rows of the last {len(seen)} steps looked at were taken for {which}"
        evidence = {"class": seen[-1].which, "rows": rows, "spread": seen[-1].spread}
        yield Seen("SY607", text, "", evidence, None if flat else "tip")


def optimizers(record: Record, watched: Sequence[Watched], layer_of: Mapping[Tensor, str]) -> Iterator[Seen]:
    """What is to be seen of steps."""
    for each in watched:
        name = type(each.optimizer).__name__
        if each.adding >= 2:
            text = f"the gradient of a step of {name} still holds that of the step before"
            yield Seen("SY407", text, "", {"optimizer": name})
        if each.still >= 3 and (each.rate == 0 or not each.moved):  # else it has converged, or its gradient died
            text = f"{each.still} steps of {name} at the rate {each.rate:g} changed no weight"
            yield Seen("SY408", text, "", {"optimizer": name, "rate": each.rate})
        if len(each.left) == each.left.maxlen and 0 < (left := median(each.left)) < CLIPPED:
            adapts = "betas" in each.optimizer.defaults or "alpha" in each.optimizer.defaults
            text = f"clipping leaves {left:.2g} of the gradient's norm, in the middle of {len(each.left)} steps"
            more = "; this optimizer divides by its size again" if adapts else ""
            yield Seen("SY409", text + more, "", {"left": left}, "tip" if adapts else None)
        yield from _stuck(record, each, {layer_of[p] for p in each.resting if p in layer_of})


def _stuck(record: Record, watched: Watched, resting: set[str]) -> Iterator[Seen]:
    """Layers that keep their weights although they have a gradient and a rate: steps lost to rounding."""
    slopes = {
        name: min(list(record.series[name, "gradient"].recent)[-SAMPLES:]) / record.sizes[name] ** 0.5
        for name in record.changes
    }
    if watched.still or not watched.rate > 0:
        return
    for name, changes in record.changes.items():
        slope = slopes[name]
        if (
            len(changes) == SAMPLES
            and not any(changes)
            and slope > STUCK * max(slopes.values())
            and name not in resting
        ):
            text = f"{name} stays as it is, with a gradient of {slope:.2g} per weight and a rate of {watched.rate:g}"
            yield Seen("SY408", text, name, {"gradient": slope, "rate": watched.rate}, "warning")


def course(record: Record, classes: int = 0) -> Iterator[Seen]:
    """What is to be seen of the loss, of so many classes where that is known."""
    evidence = {"start": record.losses.start, "rate": record.rate.typical}
    yield from leapt(record)
    if text := loss_rules.rises(record.losses):
        yield Seen("SY502", text, "", evidence)
    elif text := loss_rules.swings(record.losses, record.rows):
        yield Seen("SY505", text, "", evidence)
    if record.resumed or warming_up(record):
        return
    text = loss_rules.stays(record.losses, classes)
    if 0 < record.fastest < BAND[0]:
        if text := text or loss_rules.slow(record.losses):
            yield Seen("SY503", text, "", evidence | {"update": record.fastest})
    elif text:
        yield Seen("SY504", text, "", evidence)


def leapt(record: Record) -> Iterator[Seen]:
    """A loss that leapt in the first steps, which moved the weights far."""
    if record.fastest > LEAPS and (text := loss_rules.bolts(record.losses)):
        yield Seen("SY502", text, "", {"start": record.losses.start, "rate": record.rate.typical})


def not_finite(record: Record, step: int, found: Origin | None, gradient: str) -> Iterator[Seen]:
    """A NaN or Inf, and where it arose as far as it was traced in a step: its origin, a gradient that has it."""
    broke, strange = record.losses.broke, record.strange
    place = ""
    if found is not None:
        place = f"; it arose in {found.what}"
    elif strange is not None and strange[1] <= (strange[1] if broke is None else broke + 1):
        place = f"; {strange[0]} was the first layer to put out NaN or Inf, in step {strange[1]}"
    elif step and broke is not None and step == broke + 1:
        place = "; all that the model puts out is finite, it arose in the loss function"
    evidence = {"step": step or (broke or 0) + 1, "origin": found.what if found else "", "gradient": gradient}
    if broke is not None:
        evidence["layer"] = found.module if found else ""
        yield Seen("SY506", f"the loss of step {broke + 1} is not finite{place}", "", evidence)
        yield from leapt(record)
    elif found is not None or gradient:
        where = place or f"; all outputs are finite, the first gradient that is not is that of {gradient}"
        yield Seen("SY401", f"the gradients of step {step} are not finite{where}", "", evidence)
    elif strange is not None:
        yield Seen("SY401", f"outputs of step {strange[1]} are not finite{place}", "", evidence | {"step": strange[1]})


def ending(record: Record) -> Iterator[Seen]:
    """What is to be seen when it is over."""
    rates = [rate for rate in record.rate.values if rate == rate]
    annealed = bool(rates) and rates[-1] < 0.2 * max(rates)
    devs = [loss for _, loss in record.dev]
    past_best = len(devs) >= 3 and min(devs) < devs[-1]
    if not annealed and not past_best and (text := loss_rules.still_falls(record.losses)):
        yield Seen("SY512", text, "", {"steps": record.steps})


def warming_up(record: Record) -> bool:
    """Whether the learning rate is still on its way up."""
    rates = record.rate.values
    return len(rates) > 1 and rates[-1] > rates[0] and rates[-1] >= max(rates) and rates[-1] > rates[-2]
