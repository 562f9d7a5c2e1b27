"""The page of a weighing: the noise, the effects, the race that led to them, every number behind them."""

from collections.abc import Sequence

from steelyard.metrics import metric
from steelyard.report import weighing_tables as tables
from steelyard.report.cards import Card
from steelyard.report.figures import Drawing, Mark, intervals
from steelyard.report.figures.race import race
from steelyard.report.numbers import Format, count, plural, tick
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table, knobs
from steelyard.report.weighing_words import (
    SHARED,
    answers,
    effect_format,
    lead,
    matters,
    measured,
    method_lines,
    noise_format,
    noise_sentence,
    title,
    unmeasured,
)
from steelyard.report.words import LOOKS, metric_name
from steelyard.weighing.comparison import Comparison, Effect, Weighing

PAGE = "weighing.html"  # its name in the folder of the weighing
FIT = 7  # columns that fit beside each other in the width of the text
COLUMNS = (
    "p counts every look and every arm. P(better) is the probability that one retraining with it beats one without. "
    "Time is that of training, with over without."
)


def weighing_page(found: Weighing) -> str:
    """The page as HTML. Whatever the record does not have is left out."""
    parts = [*_effects(found), *_race(found), *_interactions(found), *_by_part(found), *_evidence(found)]
    return sheet(title(found), lead(found), answers(found), "", parts, found.command, _noise(found), _caution(found))


def _noise(found: Weighing) -> tuple[Card, ...]:
    """What moves the score though nothing was changed."""
    noise = found.noise
    if noise is None:
        return ()
    write, name = noise_format(noise), metric_name(found.problem.metric)
    known = f"±{write(noise.by_seed)}" if noise.seeds > 1 else "not known"
    seed = f"standard deviation of {name} when {found.base} is trained again ({plural(noise.seeds, 'training')})"
    other = f"standard deviation of {name} on as many other examples ({count(noise.examples)})"
    return Card("Another seed", known, (seed,)), Card("Other examples", f"±{write(noise.by_examples)}", (other,))


def _caution(found: Weighing) -> str:
    """What the noise means for a difference, and from where on one matters."""
    least = matters(found)
    noise = SHARED if found.noise else noise_sentence(found)
    return f"{noise} A difference matters from {tick(float(f'{least:.2g}'))} on." if least else noise


def _effects(found: Weighing) -> list[Part]:
    known, parts = measured(found), []
    name = metric_name(found.problem.metric)
    if known:
        alone = len(known) == 1
        band = "; in the grey band no difference matters" if matters(found) else ""
        text = f"Change of {name} against {found.base} with 95 % intervals{'' if alone else ', best first'}{band}."
        drawing = _forest(known, found, "Effects", f"effect on {name}", matters(found))
        table = tables.comparison_table(found)
        legend = tuple(verdict for verdict in LOOKS if any(c.verdict == verdict for c in known))
        parts = [
            Part("What it does" if alone else "What each arm does", text, drawing, legend=legend),
            Part("", COLUMNS, table=table, sortable=True, under=True, broad=len(table.columns) > FIT),
        ]
    if unmeasured(found):
        parts.append(Part("Not weighed", table=tables.refused_table(found), under=bool(parts)))
    return parts


def _forest(
    effects: Sequence[Comparison | Effect], found: Weighing, title: str, axis: str, band: float = 0.0
) -> Drawing:
    write = effect_format(effects)
    marks = [_mark(each, write) for each in effects]
    words = f"{title} with 95 % intervals: {', '.join(f'{each.name} {each.verdict}' for each in effects)}"
    greater = metric(found.problem.metric).greater_is_better
    return intervals(marks, words, axis, greater, 0.0, centred=True, band=band)


def _mark(each: Comparison | Effect, write: Format) -> Mark:
    look = LOOKS[each.verdict]
    broken = ", breaks a limit" if isinstance(each, Comparison) and each.breaks else ""
    short = f"{look.sign} {write.signed(each.effect)}"
    text = f"{short} ({write.signed(each.low)} to {write.signed(each.high)})"
    label = f"{each.name}{broken}"
    return Mark(label, each.effect, each.low, each.high, text, short, look.colour, look.shape, look.hollow)


def _race(found: Weighing) -> list[Part]:
    names = [c.name for c in measured(found) if any(lap.name == c.name for lap in found.race)]
    if not names:
        return []
    text = (
        "The interval of each arm at every look, better upwards, under the number of pairs it rests on; wide ones are "
        "cut. A line ends where its arm left the race: decided, given up or out of time."
    )
    greater = metric(found.problem.metric).greater_is_better
    words = f"The race of {plural(len(names), 'arm')}, {plural(len(found.race), 'look')}"
    return [Part("The race", text, race(found.race, names, matters(found), greater, words))]


def _interactions(found: Weighing) -> list[Part]:
    if not found.interactions:
        return []
    text = "What two do together beyond the sum of what each does alone: (A + B) − A − B + neither."
    return [Part("Together", text, table=tables.interaction_table(found), sortable=True)]


def _by_part(found: Weighing) -> list[Part]:
    """The effects on each class and on each slice: drawn for one arm, in a table for many."""
    known, parts = measured(found), []
    for what, heading, kind in (("Class", "By class", "classes"), ("Slice", "By slice", "slices")):
        arms = [(c.name, getattr(c, kind)) for c in known if getattr(c, kind)]
        if not arms:
            continue
        table = tables.part_table(arms, what)
        if len(arms) == 1:
            name, effects = arms[0]
            axis = f"effect of {name} on {metric_name(found.problem.metric)}"
            drawing = _forest(effects, found, f"Effects {heading.lower()}", axis)
            parts.append(Part(heading, f"The effect of {name} on the examples of each {what.lower()}.", drawing))
            parts.append(Part("", table=table, sortable=True, folded="In numbers", under=True))
        else:
            clear = sum(each.verdict in tables.TOGETHER for _, effects in arms for each in effects)
            text = f"{plural(clear, 'effect')} of {count(sum(len(e) for _, e in arms))} {'is' if clear == 1 else 'are'}"
            parts.append(Part(heading, f"{text} clear.", table=table, sortable=True, folded=table.caption))
    return parts


def _evidence(found: Weighing) -> list[Part]:
    """Every number behind the claims, folded; the method last."""
    base = tuple((Cell(path), Cell(value)) for path, value in knobs(found.recipe))
    folded = [
        (tables.pair_table(found), True),
        (tables.cost_table(found), True),
        (tables.knob_table(found), False),
        (Table(f"The recipe of {found.base}", (("Knob", False), ("Value", False)), base), False),
        (tables.said_table(found), False),
    ]
    parts = [Part("", table=t, sortable=by_click, folded=t.caption, under=True) for t, by_click in folded if t.rows]
    if parts:
        parts = [Part("The evidence"), *parts]
    method = " ".join(method_lines(found))
    return [*parts, Part("How it was done", method)] if method else parts
