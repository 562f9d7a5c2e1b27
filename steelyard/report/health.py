"""The page of a run that the doctor watched: its loss, each layer's updates and gradients, units that do not work."""

from pathlib import Path

from steelyard.doctor.live import Course, Doctor, Health, Layer
from steelyard.doctor.live.rules import BAND, DEAD, SATURATED
from steelyard.doctor.live.text import number, share
from steelyard.report.figures.health import Line, Row, Share, layer_rows, loss_course, shares
from steelyard.report.numbers import count, plural, tick
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table

SHOWN = 40  # layers of a drawing; the table has them all


def health_page(watched: Health | Doctor, path: str | Path | None = None, command: str = "") -> str:
    """The page as HTML, of a doctor or of the record of one; it is written to `path` if that is given."""
    health = watched.health if isinstance(watched, Doctor) else watched
    rate = f" at a learning rate of {tick(float(f'{health.rate.last:.3g}'))}" if health.rate.values else ""
    spikes = f", with {plural(health.spikes, 'spike')}" if health.spikes else ""
    lead = f"{plural(health.steps, 'step')}{rate}, every {health.every}th looked at. The loss: {health.state}{spikes}."
    answer = [f"{each.title}: {each.saw}." for each in health.findings] or ["Nothing was found while it trained."]
    page = sheet("How training went", lead, answer, "", parts(health), command)
    if path is not None:
        Path(path).write_text(page, encoding="utf-8")
    return page


def parts(health: Health) -> list[Part]:
    """Findings, drawings and the table by layer."""
    made = []
    if health.findings:
        made.append(Part("What to do", "In the order in which it was seen.", table=findings_table(health), broad=True))
    if health.loss.values or health.dev.values:
        made.append(_loss(health))
    if health.layers:
        made += [*_rows(health), *_units(health)]
        made.append(Part("Layers", _LEGEND, table=layers_table(health), broad=True))
    return made


_LEGEND = (
    "In the order of the forward pass; each number is the median of the last ten looks. Update/weight is how far a "
    "step moves the weights, in their own size; gradient is its norm."
)


def _loss(health: Health) -> Part:
    marks: dict[int, list[str]] = {}
    for each in health.findings:
        marks.setdefault(int(each.evidence.get("step", 0)), []).append(each.code)
    named = [(step, ", ".join(dict.fromkeys(codes))) for step, codes in sorted(marks.items()) if step]
    words = f"Loss over {count(health.steps)} steps: {number(health.loss.last)} at the end, {health.state}"
    said = "Of each batch" + (", and on dev at the end of epochs" if health.dev.values else "")
    if named:
        said += "; dashed lines stand where something was found"
    return Part("Loss", f"{said}.", loss_course(_line(health.loss), _line(health.dev), named, words))


def _rows(health: Health) -> list[Part]:
    found = {str(each.evidence.get("layer", "")) for each in health.findings}
    moved = [each for each in health.layers if any(value == value for value in each.update.values)][:SHOWN]
    pulled = [each for each in health.layers if each.gradient.values][:SHOWN]
    made = []
    if moved:
        text = (
            "How far one step moves the weights of a layer, in their own size, on one logarithmic scale for all. The "
            f"band is {tick(BAND[0])} to {tick(BAND[1])}; about 0.001 is usual. Far above it steps leap, far below "
            "they creep."
        )
        rows = [_row(each, each.update, not _within(each.update.typical), found) for each in moved]
        made.append(Part("Update/weight", text, layer_rows(rows, _words("Update/weight", rows), BAND)))
    if pulled:
        text = (
            "The norm of each layer’s gradient, on one logarithmic scale. Where it shrinks or grows a lot from layer "
            "to layer, it vanishes or explodes on its way back."
        )
        rows = [_row(each, each.gradient, False, found) for each in pulled]
        made.append(Part("Gradients", text, layer_rows(rows, _words("Gradient norms", rows))))
    return made


def _within(value: float) -> bool:
    return value != value or BAND[0] / 10 <= value <= BAND[1] * 10


def _row(layer: Layer, course: Course, wrong: bool, found: set[str]) -> Row:
    return Row(layer.name, _line(course), number(course.typical), wrong or layer.name in found)


def _words(what: str, rows: list[Row]) -> str:
    return f"{what} by layer: " + ", ".join(f"{row.name} {row.text}" for row in rows)


def _units(health: Health) -> list[Part]:
    made = []
    for title, name, limit, text in (
        ("Dead units", "dead", DEAD, "Units that were zero on every row of five looks: they get no gradient."),
        ("Saturated outputs", "saturated", SATURATED, "Outputs at an end of their activation, where it has no slope."),
    ):
        known = [
            Share(each.name, value, share(value), value > limit)
            for each in health.layers
            if (value := getattr(each, name).last) == value
        ][:SHOWN]
        if known:
            words = f"{title}: " + ", ".join(f"{each.name} {each.text}" for each in known)
            made.append(Part(title, f"{text} The dashed line is the limit.", shares(known, limit, words)))
    return made


def _line(course: Course) -> Line:
    return tuple(zip(course.steps, course.values, strict=True))


def findings_table(health: Health) -> Table:
    """A row per finding."""
    columns = (("code", False), ("saw", False), ("means", False), ("treat", False))
    rows = tuple(
        (Cell(each.code, each.severity), Cell(each.saw, each.title), Cell(each.means), Cell(each.treat))
        for each in health.findings
    )
    return Table("Findings", columns, rows)


def layers_table(health: Health) -> Table:
    """A row per layer."""
    names = ("weights", "update/weight", "gradient", "mean", "spread", "dead", "saturated")
    columns = (("layer", False), *((name, True) for name in names))
    rows = tuple(
        (
            Cell(each.name, each.kind),
            Cell(count(each.parameters) if each.parameters else "–"),
            *(_number(course) for course in (each.update, each.gradient, each.mean, each.spread)),
            Cell(share(each.dead.last)),
            Cell(share(each.saturated.last)),
        )
        for each in health.layers
    )
    return Table("Layers", columns, rows)


def _number(course: Course) -> Cell:
    return Cell(number(course.typical).replace("-", "−"))
