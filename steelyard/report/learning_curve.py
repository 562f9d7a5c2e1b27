"""The page of learning curves: will more data help, how much, and of which class?"""

from steelyard.diagnosis.growth import ClassGrowth, Growth, LearningCurve
from steelyard.report.figures.growth import growth_curve
from steelyard.report.numbers import Format, count, fitting
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table
from steelyard.report.words import sentence, unit_name


def learning_curve_page(found: Growth) -> str:
    """The page as HTML."""
    where = f"{found.folds} folds" if found.folds > 1 else "a hold-out"
    lead = f"{found.model} for {found.target}, measured on {where} of {count(found.dev)} rows outside the sealed test"
    return sheet("Will more data help?", lead, said(found), "", parts(found), found.command)


def said(found: Growth) -> list[str]:
    """The answers in words, that for all rows first."""
    if found.whole is None:
        return [f"{sentence(found.reason)}."]
    lines = [answer(found.whole, "data", "rows", "the error")]
    lines.append(_beyond(found.whole))
    if not found.complete:
        lines.append("The time ended before all train rows were tried: a longer time makes the forecast surer.")
    return lines + [each for grown in found.classes for each in _of_class(grown)]


def answer(curve: LearningCurve, what: str, rows: str, error: str) -> str:
    """Whether more of something helps: what twice as much is expected to do."""
    write, twice = _format(curve), curve.forecasts[0]
    expected = f"{write(twice.error)} (80 % interval {write.interval(twice.low80, twice.high80)})"
    verdict = {
        "helps": f"More {what} will help",
        "hardly helps": f"More {what} will hardly help",
        "cannot tell yet": f"Whether more {what} will help cannot be told yet",
    }[curve.outlook]
    return (
        f"{verdict}: {twice.times:g}× as many {rows} ({count(twice.rows)}) are expected to take {error} from "
        f"{write(curve.now.error)} to {expected}; the chance that it falls by at least {_short(curve.matters)} is "
        f"{round(100 * twice.chance)} %."
    )


def _beyond(curve: LearningCurve) -> str:
    far, write = curve.forecasts[-1], _format(curve)
    gain, low, high = curve.per_thousand
    return (
        f"The next 1,000 rows are expected to take away {_short(gain)} of it ({_short(low)} to {_short(high)}); "
        f"{far.times:g}× as many rows lead to {write(far.error)} "
        f"(80 % interval {write.interval(far.low80, far.high80)})."
    )


def _of_class(grown: ClassGrowth) -> list[str]:
    own = answer(grown.own, f"rows of {grown.name}", "of them", "the share of them that is missed")
    twice, write = grown.whole.forecasts[0], _format(grown.whole)
    verdict = {
        "helps": "That will help on all rows, too",
        "hardly helps": "It will hardly help on all rows",
        "cannot tell yet": "Whether it helps on all rows cannot be told yet",
    }[grown.whole.outlook]
    return [
        own,
        f"{verdict}: the error there is expected to go from {write(grown.whole.now.error)} to {write(twice.error)} "
        f"(80 % interval {write.interval(twice.low80, twice.high80)}).",
    ]


def parts(found: Growth) -> list[Part]:
    """The curve and its numbers, then those of every class."""
    if found.whole is None:
        return []
    unit = unit_name(found.unit)
    made = [
        Part(
            "The learning curve",
            "The black points are measured, with 95 % intervals; the line is the law that fits them best. Right of "
            "“now” is what is expected of more rows: 80 of 100 measurements would lie in the dark band, 95 in the "
            "light one.",
            growth_curve(found.whole, _words(found.whole, "all rows"), unit),
        ),
        Part("", f"{_law(found.whole)}", table=forecast_table(found.whole), under=True),
    ]
    for grown in found.classes:
        made.append(
            Part(
                f"More rows of {grown.name}",
                f"All other rows stay. The share of the rows of {grown.name} that are taken for something else; part "
                "of a gain may be that the model names this class more often, and then the error on all rows does not "
                "fall with it.",
                growth_curve(grown.own, _words(grown.own, grown.name), "missed (1 − recall)", f"rows of {grown.name}"),
            )
        )
        made.append(Part("", "", table=class_table(grown, unit), under=True))
    made.append(Part("What was measured", "", table=measured_table(found.whole), folded="Every size that was tried"))
    return made


def tables(found: Growth) -> list[Table]:
    """What the terminal shows."""
    return [] if found.whole is None else [measured_table(found.whole), forecast_table(found.whole)]


def forecast_table(curve: LearningCurve) -> Table:
    """A row for each multiple of the rows there are."""
    write = _format(curve)
    columns = (("rows", True), ("", True), ("error", True), ("80 % interval", True), ("gain", True), ("chance", True))
    rows = tuple(
        (
            Cell(count(each.rows), sort=each.rows),
            Cell(f"{each.times:g}×"),
            Cell(write(each.error), sort=each.error),
            Cell(write.interval(each.low80, each.high80)),
            Cell(write(each.gain), write.interval(each.gain_low, each.gain_high), each.gain),
            Cell(f"{round(100 * each.chance)} %", sort=each.chance),
        )
        for each in curve.forecasts
    )
    return Table(f"What more rows would bring; chance: that the error falls by {_short(curve.matters)}", columns, rows)


def class_table(grown: ClassGrowth, unit: str) -> Table:
    """A row for each multiple of the rows of a class there are: its own error, and that of all rows."""
    write, all_of_it = _format(grown.own), _format(grown.whole)
    columns = ((f"rows of {grown.name}", True), ("", True), ("missed", True), (unit, True), ("chance", True))
    rows = tuple(
        (
            Cell(count(own.rows), sort=own.rows),
            Cell(f"{own.times:g}×"),
            Cell(write(own.error), write.interval(own.low80, own.high80), own.error),
            Cell(all_of_it(whole.error), all_of_it.interval(whole.low80, whole.high80), whole.error),
            Cell(f"{round(100 * own.chance)} %", sort=own.chance),
        )
        for own, whole in zip(grown.own.forecasts, grown.whole.forecasts, strict=True)
    )
    return Table(f"What more rows of {grown.name} would bring, with 80 % intervals", columns, rows)


def measured_table(curve: LearningCurve) -> Table:
    """A row for each size that was tried."""
    write = _format(curve)
    columns = (("rows", True), ("error", True), ("95 % interval", True), ("trainings", True))
    rows = tuple(
        (
            Cell(count(each.rows), sort=each.rows),
            Cell(write(each.error), sort=each.error),
            Cell(write.interval(each.error - 1.96 * each.spread, each.error + 1.96 * each.spread)),
            Cell(count(len(each.errors))),
        )
        for each in curve.measured
    )
    return Table("The error over the number of train rows", columns, rows)


def _law(curve: LearningCurve) -> str:
    """The law in words: how fast the error falls, and towards what."""
    law, write = curve.law, _format(curve)
    power = f"−{law.exponent:.2f}"
    return (
        f"The law that fits best: {write(law.floor)} + {law.scale:.3g} · rows^({power}). Forecasts weigh it with other "
        "laws by how well each of them fits, and widen with the distance, since real curves stray from every law; they "
        "may go below its floor."
    )


def _words(curve: LearningCurve, of: str) -> str:
    """The drawing for those who do not see it."""
    write, twice = _format(curve), curve.forecasts[0]
    first = curve.measured[0]
    return (
        f"Error over the number of train rows, {of}: {write(first.error)} on {count(first.rows)} rows, "
        f"{write(curve.now.error)} on {count(curve.now.rows)}; expected {write(twice.error)} on {count(twice.rows)}"
    )


def _format(curve: LearningCurve) -> Format:
    values = [each.error for each in curve.measured] + [each.error for each in curve.forecasts]
    return fitting(values, [(curve.forecasts[0].high80 - curve.forecasts[0].low80) / 2])


def _short(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")
