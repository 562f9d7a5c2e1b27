"""The page of a sample of mistakes: the reasons that were found, what mending each could bring, and every example."""

import re
from typing import Any

from steelyard.diagnosis.reasons import Example, Mistakes, Reason
from steelyard.problem import Problem
from steelyard.records import Mistake
from steelyard.report.figures import Mark, intervals
from steelyard.report.numbers import Format, count, fitting, plural
from steelyard.report.sheet import Part, sheet
from steelyard.report.tables import Cell, Table
from steelyard.report.words import sentence

IMAGE = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/=]+")
SEEN = 6  # values of a row that are seen at once
DRAWN = 20  # reasons in a drawing; the table has all
FEW = 30  # mistakes from which on shares say something


def mistakes_page(found: Mistakes) -> str:
    """The page as HTML."""
    seen = plural(len(found.examples), "mistake")
    drawn = "all there are" if len(found.examples) == found.mistakes else f"drawn at random of {count(found.mistakes)}"
    lead = f"{seen} on dev, {drawn}, among {count(found.rows)} {found.problem.things[1]}"
    answer = [sentence(text) for text in said(found)]
    return sheet("Mistakes and their reasons", lead, answer, "", parts(found), found.command)


def said(found: Mistakes) -> list[str]:
    """What is known of the reasons, the one whose mending could bring most first."""
    write = written(found)
    error = f"the {found.unit} on dev is {write.score(found.error)}"
    if not found.mistakes:
        return [f"{sentence(error)}: there is no mistake to look at."]
    if not found.reasons:
        return [
            f"{sentence(error)}. No reason is known yet: look at the mistakes, name every reason you see, as blurry or "
            "wrong label, and see what mending each could bring. Write them into the column tags of mistakes.csv, or "
            "add --review to be asked one by one."
        ]
    lines = []
    for each in found.reasons[:3]:
        share = f"{each.count} of {plural(found.reviewed, 'mistake')}"
        low, high = each.ceiling.interval
        lines.append(
            f"'{each.tag}': {share}; if all such mistakes were mended, the error would fall by at most "
            f"{write(each.ceiling.value)} ({write.interval(low, high)})."
        )
    lines.append(f"{sentence(error)}. A mistake may have several reasons, so the ceilings may add up to more.")
    left = len(found.examples) - found.reviewed
    if left and found.reviewed < FEW:
        lines.append(f"{plural(left, 'example')} of the sample have no tags yet: with few, the intervals are wide.")
    return lines


def parts(found: Mistakes) -> list[Part]:
    """The reasons with their ceilings, drawn and in a table, and the examples."""
    made = []
    if found.reasons:
        made += [
            Part(
                "What mending each reason could bring",
                f"The share of a reason times the {found.unit} on dev: work on a short bar cannot pay, however "
                "common the reason felt. 95 % intervals, for examples yet to come.",
                ceilings(found),
            ),
            Part("Every reason", table=reasons_table(found), sortable=True),
        ]
    if found.examples:
        what = "the likelier the further off" if _by_loss(found) else "each as likely as the others"
        cards = tuple(card(each, found.problem) for each in found.examples)
        between = "predicted as" if _by_loss(found) or found.problem.heads else "taken for"
        text = (
            f"Drawn at random, {what}, and in random order: the first ones are a fair sample, too, where time is short."
        )
        made.append(Part("The examples", text, mistakes=cards, between=between))
    return made


def ceilings(found: Mistakes) -> Any:
    """The drawing of the ceilings, the highest first."""
    write = written(found)
    marks = [
        Mark(
            each.tag,
            each.ceiling.value,
            each.ceiling.low,
            each.ceiling.high,
            write.score(each.ceiling),
            write(each.ceiling.value),
        )
        for each in found.reasons[:DRAWN]
    ]
    return intervals(marks, "What the error would fall by", "fall of the dev error at most", True, 0.0)


def reasons_table(found: Mistakes) -> Table:
    """A row per reason."""
    write = written(found)
    columns = (("Reason", False), ("Mistakes", True), ("Share", True), ("Ceiling", True))
    rows = tuple(
        (
            Cell(each.tag),
            Cell(count(each.count), f"of {count(found.reviewed)}", each.count),
            _share(each),
            Cell(write(each.ceiling.value), write.interval(*each.ceiling.interval), each.ceiling.value),
        )
        for each in found.reasons
    )
    return Table("Reasons of the mistakes", columns, rows)


def written(found: Mistakes) -> Format:
    """One format for the error and all ceilings."""
    return fitting([found.error.value], [(found.error.high - found.error.low) / 2])


def _share(each: Reason) -> Cell:
    share = each.share
    return Cell(f"{share.value:.0%}", f"{share.low:.0%} to {share.high:.0%}", share.value)


def _by_loss(found: Mistakes) -> bool:
    return found.problem.task in {"regression", "multioutput", "multitask"}


def card(example: Example, problem: Problem) -> dict[str, Any]:
    """One example as the page shows it; an image only if it is one that is carried along."""
    given = example.mistake
    return {
        "origin": named(given, problem),
        "truth": given.truth,
        "predicted": given.predicted,
        "error": off(given, problem),
        "said": " · ".join(filter(None, (", ".join(example.tags), example.note))),
        "values": given.values[:SEEN],
        "more": given.values[SEEN:],
        "image": given.image if IMAGE.fullmatch(given.image) else "",
    }


def named(given: Mistake, problem: Problem) -> str:
    """What an example is called: a file, or `row 17`."""
    return f"{problem.things[0]} {given.origin}" if given.origin.isdigit() else given.origin


def off(given: Mistake, problem: Problem) -> str:
    """How far it is off: the probability that the truth was given, or the distance from it."""
    many = {"multioutput": " spreads on average"}.get(problem.task, " on average" * bool(problem.heads))
    if problem.task in {"regression", "multioutput", "multitask"}:
        return f"off by {fitting([given.error])(given.error)}{many}"
    return f"p(truth) {1 - given.error:.3f}{many}"
