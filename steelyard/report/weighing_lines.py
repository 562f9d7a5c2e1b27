"""A weighing as a terminal shows it: lines and tables of rich, the noise before any claim."""

from collections.abc import Iterator
from typing import Literal

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from steelyard.metrics import metric
from steelyard.records import Verdict
from steelyard.report.numbers import duration
from steelyard.report.weighing import PAGE
from steelyard.report.weighing_words import (
    effect_format,
    measured,
    method_lines,
    noise_sentence,
    p_text,
    ratio_text,
    remark,
    share_text,
    title,
    unmeasured,
    warnings,
)
from steelyard.report.words import metric_name
from steelyard.weighing.comparison import Comparison, Weighing

WIDE = 110  # columns from which on there is room for remarks beside the numbers
COLOURS = {"helps": "green", "hurts": "red", "undecided": "yellow"}
TEXTS = ("arm", "95 % interval", "verdict", "together", "")  # columns that are no numbers


def weighing_lines(found: Weighing, wide: bool) -> Iterator[RenderableType]:
    """The noise, the arms from the best to the worst, what two do together, and what the intervals are worth."""
    known = measured(found)
    yield f"[bold]noise[/bold]  {escape(noise_sentence(found))}"
    if known:
        better = "greater is better" if metric(found.problem.metric).greater_is_better else "smaller is better"
        yield escape(f"{title(found)}: change of {metric_name(found.problem.metric)}, {better}")
        yield _arms(known, wide)
    beside = [] if wide else [one for one in known if remark(one)]
    for one in beside:
        yield f"{escape(one.name)}: {escape(remark(one))}"
    for one in unmeasured(found):
        yield escape(f"{one.name} was not weighed{': ' if remark(one) else ''}{remark(one)}")
    if found.interactions:
        yield _interactions(found)
    for line in warnings(found):
        yield f"[yellow]{escape(line)}[/yellow]"
    if known and not found.complete:
        yield "not complete: time or pairs ran out before every verdict was reached"
    for line in method_lines(found):
        yield f"[dim]{escape(line)}[/dim]"
    yield f"page  {escape(found.output)}/{PAGE}, after {duration(found.seconds)}"


def _arms(known: list[Comparison], wide: bool) -> Table:
    table = _table("arm", "effect", "95 % interval", "verdict", "p", "pairs", "better", "time", *[""] * wide)
    write = effect_format(known)
    for one in known:
        table.add_row(
            escape(one.name),
            write.signed(one.effect),
            f"{write.signed(one.low)} to {write.signed(one.high)}",
            _verdict(one.verdict, wide),
            p_text(one.p_value),
            str(len(one.pairs)),
            share_text(one.probability),
            ratio_text(one.time_ratio),
            *[escape(remark(one))] * wide,
        )
    return table


def _interactions(found: Weighing) -> Table:
    table = _table("together", "beyond the sum", "95 % interval", "verdict", "pairs")
    write = effect_format(found.interactions)
    for each in found.interactions:
        interval = f"{write.signed(each.low)} to {write.signed(each.high)}"
        names = escape(" with ".join(each.names))
        table.add_row(names, write.signed(each.effect), interval, _verdict(each.verdict), str(each.pairs))
    return table


def _table(*names: str) -> Table:
    """A table in which names and remarks are folded, never numbers, where the terminal is narrow."""
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for name in names:
        folds = name in {"arm", "together", ""}
        side: Literal["left", "right"] = "left" if name in TEXTS else "right"
        table.add_column(name, justify=side, no_wrap=not folds, overflow="fold")
    return table


def _verdict(verdict: Verdict, wide: bool = True) -> str:
    colour = COLOURS.get(verdict, "default")
    none = "no difference" if wide else "no\ndifference"
    word = none if verdict == "no difference that matters" else verdict
    return f"[{colour}]{word}[/{colour}]"
