"""Proxies of the Bayes error in words, as a drawing and as a table, each with its caveat."""

from steelyard.diagnosis.proxy import BayesProxies, Proxy
from steelyard.problem import Score
from steelyard.report.figures import Mark, intervals
from steelyard.report.numbers import Format, fitting_scores
from steelyard.report.sheet import Part
from steelyard.report.tables import Cell, Table, scored
from steelyard.report.words import sentence, unit_name

COLOURS = {"lower bound": ("good", ">"), "upper bound": ("accent", "<"), "estimate": ("second", "s")}


def said(found: BayesProxies) -> list[str]:
    """Which proxy may stand for the Bayes error and why, with its caveat, and the upper bound that is the lowest."""
    write, chosen, lines = _format(found), found.chosen, []
    if chosen is None:
        lines.append(f"No proxy may stand for the Bayes error: {found.why}.")
    else:
        shown = f"{write(chosen.value)} ({write.interval(chosen.low, chosen.high)})"
        lines.append(f"Proxy of the Bayes error, which is no human level: {shown} by {chosen.name}; {found.why}.")
        lines.append(f"Its caveat: {chosen.caveat}.")
    if (least := found.least) is not None:
        high = f"{write(least.value)} ({write.interval(least.low, least.high)})"
        lines.append(f"The best rule there can be errs by no more than {high}: {least.name}.")
    return lines


def parts(found: BayesProxies) -> list[Part]:
    """The proxies with their intervals, and what each of them is."""
    write = _format(found)
    text = (
        "The error that no model can avoid lies above the lower bounds (▸) and below the upper ones (◂), each with its "
        "95 % interval and as far as its caveat allows; squares are estimates. None of them is a human level."
    )
    marks = [_mark(each, write) for each in found.proxies]
    drawing = intervals(marks, "Bounds on the Bayes error", unit_name(found.unit), False) if marks else None
    return [
        Part("What cannot be avoided: proxies of the Bayes error", text, drawing),
        Part("", table=proxy_table(found), under=True, broad=True),
    ]


def proxy_table(found: BayesProxies) -> Table:
    """A row for each proxy, its caveat printed beside it."""
    write = _format(found)
    rows = tuple(
        (
            Cell(each.name, "used where one is needed" if each.name == found.default else ""),
            Cell(each.kind),
            scored(Score(each.value, each.low, each.high, found.rows), write),
            Cell(each.caveat),
        )
        for each in found.proxies
    )
    columns = (("Proxy", False), ("Is a", False), (sentence(unit_name(found.unit)), True), ("Caveat", False))
    return Table("Proxies of the Bayes error", columns, rows)


def _mark(each: Proxy, write: Format) -> Mark:
    text = f"{write(each.value)} ({write.interval(each.low, each.high)})"
    return Mark(each.name, each.value, each.low, each.high, text, write(each.value), *COLOURS[each.kind])


def _format(found: BayesProxies) -> Format:
    return fitting_scores([Score(each.value, each.low, each.high, found.rows) for each in found.proxies])
