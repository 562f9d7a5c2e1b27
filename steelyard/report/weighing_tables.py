"""A weighing to rows: its comparisons, interactions, parts of the examples, costs and raw pairs."""

from collections.abc import Iterable, Sequence
from math import isfinite

from steelyard.problem import LIMITS
from steelyard.records import Verdict
from steelyard.report.numbers import NONE, Format, count, duration, fitting
from steelyard.report.tables import Cell, Table
from steelyard.report.weighing_words import effect_format, measured, p_text, ratio_text, remark, share_text, unmeasured
from steelyard.report.words import LOOKS
from steelyard.weighing.comparison import Comparison, Effect, Interaction, Weighing

CLEAR = 300  # rows; of more parts than that only those are listed whose effect is clear
TOGETHER: dict[Verdict, str] = {"helps": "better than the sum", "hurts": "worse than the sum"}


def effect_cell(given: Effect | Comparison | Interaction | None, write: Format) -> Cell:
    """An effect with its interval below it."""
    if given is None or given.effect != given.effect:
        return Cell(NONE)
    return Cell(write.signed(given.effect), f"{write.signed(given.low)} to {write.signed(given.high)}", given.effect)


def verdict_cell(verdict: Verdict, note: str = "") -> Cell:
    """A verdict in words, by its sign and in its colour."""
    look = LOOKS[verdict]
    return Cell(f"{look.sign} {verdict}", note, look=look.colour)


def number(value: float | None, text: str) -> Cell:
    """A number as it is written, sorted by its value; a dash where there is none."""
    return Cell(text, sort=value) if value is not None and isfinite(value) else Cell(NONE)


def comparison_table(found: Weighing) -> Table:
    """A row per arm that was weighed; ratios that are one for all, and what nobody measured, have no column."""
    known = measured(found)
    write = effect_format(known)
    latency = any(c.latency_ratio != 1.0 for c in known)
    equal = any(c.equal_time is not None for c in known)
    columns = [("Arm", False), ("Effect", True), ("Verdict", False), ("p", True), ("Pairs", True), ("P(better)", True)]
    columns += [("Time", True)] + [("Latency", True)] * latency + [("In equal time", True)] * equal
    rows = []
    for c in known:
        row = [
            Cell(c.name, remark(c)),
            effect_cell(c, write),
            verdict_cell(c.verdict, "cannot win" if c.breaks and c.verdict == "helps" else ""),
            number(c.p_value, p_text(c.p_value)),
            number(len(c.pairs), count(len(c.pairs))),
            number(c.probability, share_text(c.probability)),
            ratio(c.time_ratio),
        ]
        row += [ratio(c.latency_ratio)] * latency + [effect_cell(c.equal_time, write)] * equal
        rows.append(tuple(row))
    return Table("Every arm that was weighed", tuple(columns), tuple(rows))


def ratio(value: float) -> Cell:
    """With over without."""
    return number(value, ratio_text(value))


def refused_table(found: Weighing) -> Table:
    """The arms that were not weighed, with the reason."""
    rows = tuple((Cell(c.name), Cell(remark(c) or NONE)) for c in unmeasured(found))
    return Table("Arms that were not weighed", (("Arm", False), ("Why", False)), rows)


def interaction_table(found: Weighing) -> Table:
    """What pairs of techniques do beyond the sum of what each does."""
    write = effect_format(found.interactions)
    rows = tuple(
        (
            Cell(" with ".join(each.names)),
            effect_cell(each, write),
            verdict_cell(each.verdict, TOGETHER.get(each.verdict, "")),
            number(each.pairs, count(each.pairs)),
        )
        for each in found.interactions
    )
    columns = (("Together", False), ("Beyond the sum", True), ("Verdict", False), ("Pairs", True))
    return Table("Interactions", columns, rows)


def part_table(arms: Sequence[tuple[str, Sequence[Effect]]], what: str) -> Table:
    """The effects of arms, given as (name, effects), on parts of the examples; `what` names such a part."""
    rows = [(name, effect) for name, effects in arms for effect in effects]
    write = effect_format(effect for _, effect in rows)
    shown = [row for row in rows if row[1].verdict in TOGETHER] if len(rows) > CLEAR else rows
    cells = tuple(
        (
            Cell(name),
            Cell(effect.name),
            number(effect.examples, count(effect.examples)),
            effect_cell(effect, write),
            verdict_cell(effect.verdict),
        )
        for name, effect in shown
    )
    left = f"; of {count(len(rows))} only those that are clear" if len(shown) < len(rows) else ""
    columns = (("Arm", False), (what, False), ("Examples", True), ("Effect", True), ("Verdict", False))
    return Table(f"Effects by {what.lower()}{left}", columns, cells)


def pair_table(found: Weighing) -> Table:
    """The raw scores behind every effect."""
    known = measured(found)
    write = fitting([score for c in known for pair in c.pairs for score in pair], _halves(known))
    rows = tuple(
        (
            Cell(c.name),
            number(i, count(i)),
            number(without, write(without)),
            number(with_it, write(with_it)),
            number(with_it - without, write.signed(with_it - without)),
        )
        for c in known
        for i, (without, with_it) in enumerate(c.pairs, 1)
    )
    columns = (("Arm", False), ("Pair", True), ("Without", True), ("With", True), ("Difference", True))
    return Table("Every pair, same seed and same examples", columns, rows)


def _halves(known: Iterable[Comparison]) -> list[float]:
    return [(c.high - c.low) / 2 for c in known]


def cost_table(found: Weighing) -> Table:
    """Ratios with over without, and what was measured of each arm."""
    known = measured(found)
    names = list(dict.fromkeys(name for c in known for name in c.measured))
    rows = tuple(
        (
            Cell(c.name),
            ratio(c.time_ratio),
            ratio(c.latency_ratio),
            ratio(c.size_ratio),
            number(c.rows or None, count(c.rows)),
            *(_measure(name, c.measured.get(name)) for name in names),
        )
        for c in known
    )
    ratios = (("Arm", False), ("Time", True), ("Latency", True), ("Size", True), ("Train rows", True))
    return Table("What each arm costs", (*ratios, *((name.replace("_", " "), True) for name in names)), rows)


def _measure(name: str, value: float | None) -> Cell:
    if value is None:
        return Cell(NONE)
    return number(value, duration(value) if "seconds" in name and name in LIMITS else f"{value:.4g}")


def knob_table(found: Weighing) -> Table:
    """What differs between each arm and the base."""
    rows = tuple((Cell(c.name), *map(Cell, knob)) for c in found.comparisons for knob in c.knobs)
    columns = (("Arm", False), ("Knob", False), ("Without", False), ("With", False))
    return Table("What differs", columns, rows)


def said_table(found: Weighing) -> Table:
    """What was said while it went."""
    rows = tuple((Cell(duration(s.elapsed), sort=s.elapsed), Cell(s.text)) for s in found.said)
    return Table("What was decided, and when", (("After", True), ("Said", False)), rows)
