"""The first screen: how good the model is, against what, what helped, what holds it back."""

from dataclasses import dataclass

from steelyard.diagnosis.words import MEANING, NAMES, called
from steelyard.metrics import metric
from steelyard.problem import Score
from steelyard.records import RunRecord
from steelyard.report.error_tables import error_format
from steelyard.report.numbers import NONE, count, plural
from steelyard.report.tables import effect_format, measured, score_format
from steelyard.report.words import LOOKS, apart, error_removed, floor_words, metric_name, sentence, unit_name

SHOWN = 4  # techniques that are named


@dataclass(frozen=True)
class Card:
    """One question answered: a figure or a word, and the sentences that belong to it; `rows` are (what, how much)."""

    question: str
    value: str
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    warning: str = ""


def cards(record: RunRecord) -> tuple[Card, ...]:
    """The four answers."""
    return (_how_good(record), _against_what(record), _what_helped(record), _what_holds_back(record))


def final(record: RunRecord) -> Score | None:
    """The score that counts: on test once it was opened, on dev before."""
    return record.test or record.dev


def _how_good(record: RunRecord) -> Card:
    write, score, name = score_format(record), final(record), sentence(metric_name(record.problem.metric))
    if score is None:
        return Card("How good is it?", NONE, ("No model has been scored yet.",))
    where = "the sealed test set" if record.test else "dev; the test set is still sealed"
    interval = f"95 % interval {write.interval(score.low, score.high)}"
    lines = [f"{name} on {where}", f"{interval}, {plural(score.examples, 'example')}"]
    if record.test and record.dev:
        lines.append(f"On dev: {write.score(record.dev)}")
    if (wear := record.wear) and wear.corrected and wear.optimism:
        many = plural(wear.candidates, "model")
        lines.append(f"On dev, corrected for having been chosen there among {many}: {write.score(wear.corrected)}")
    return Card("How good is it?", write(score.value), tuple(lines))


def _against_what(record: RunRecord) -> Card:
    write, score, floor = score_format(record), final(record), record.baseline
    if floor is None:
        return Card("Against what?", NONE, ("No baseline has been scored yet.",))
    line = f"{sentence(metric_name(record.problem.metric))} of {floor_words(record)}"
    if score is None:
        return Card("Against what?", write(floor.value), (line,))
    if not apart(record.problem, floor, score):
        warning = "The model cannot be told from the baseline: its interval reaches the baseline’s score."
        return Card("Against what?", write(floor.value), (line,), warning=warning)
    removed = error_removed(record.problem, floor, score)
    gain = f"The model is {write(abs(score.value - floor.value))} better"
    tail = f" and takes away {100 * removed:.0f} % of the baseline’s error" if removed is not None else ""
    return Card("Against what?", write(floor.value), (line, f"{gain}{tail}."))


def _what_helped(record: RunRecord) -> Card:
    found = measured(record)
    if not found:
        nothing = "No technique was weighed in this run." if record.finished else "No technique has been weighed yet."
        return Card("What helped?", NONE, (nothing,))
    write = effect_format(record)
    helped = [w for w in found if w.kept] or [w for w in found if w.verdict == "helps"]
    rows = tuple((w.technique, write.signed(w.effect)) for w in helped[:SHOWN])
    counts = {verdict: sum(w.verdict == verdict for w in found) for verdict in LOOKS}
    said = ", ".join(f"{verdict} {count(n)}" for verdict, n in counts.items() if n)
    more = (f"and {count(len(helped) - SHOWN)} more",) if len(helped) > SHOWN else ()
    value = f"{len(helped)} of {len(found)}" if helped else "Nothing" if record.finished else "Nothing yet"
    return Card("What helped?", value, (*more, f"{plural(len(found), 'technique')} weighed: {said}."), rows)


def _what_holds_back(record: RunRecord) -> Card:
    table = record.errors
    if table is None:
        return Card("What holds it back?", NONE, ("Not measured." if record.finished else "Not measured yet.",))
    write = error_format(table)
    rows = tuple((called(gap), write.signed(gap.value)) for gap in table.gaps)
    term, unit = table.dominant, unit_name(table.unit)
    if term == "cannot tell yet":
        line = f"Counted in {unit}: no part is the largest for sure; probably {NAMES[table.likely]}."
        return Card("What holds it back?", "Cannot tell yet", (line,), rows)
    largest = max(table.gaps, key=lambda gap: gap.probability)
    line = f"Counted in {unit}: {MEANING[term]}."
    warning = "How much of it can be avoided is not known." if largest.start == "zero" else ""
    return Card("What holds it back?", sentence(called(largest)), (line,), rows, warning=warning)


def seal(record: RunRecord) -> tuple[str, str]:
    """What happened to the seal of the test set: (its state, a sentence)."""
    openings = record.test_openings
    if openings > 1:
        return "broken", (
            f"The test set was opened {openings} times. Its score is no longer an unbiased estimate: "
            "decisions may have been made after the first look."
        )
    if openings == 1:
        return "once", "The test set was opened once, after every decision had been made on dev."
    return "sealed", "The test set is still sealed: nothing has looked at it."


def better_word(record: RunRecord) -> str:
    """Which way is better in this metric."""
    return "greater is better" if metric(record.problem.metric).greater_is_better else "smaller is better"
