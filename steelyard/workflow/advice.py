"""What to try next, read from the record: named techniques and data, never general prose."""

from steelyard.diagnosis.words import WHAT, verdict
from steelyard.recipe import Recipe
from steelyard.records import RunRecord
from steelyard.techniques import NotApplicable, catalogue

SHOWN, NAMED = 5, 8  # sentences, and techniques in one of them


def next_steps(record: RunRecord) -> tuple[str, ...]:
    """A few sentences, the most promising first."""
    found = [*_open(record), *_not_weighed(record), *_data(record)]
    if record.problem.human_error is None and record.problem.task != "regression":
        found.append(
            "give --human-error, the error rate of the best humans: it says how much of the bias can be avoided"
        )
    return tuple(found[:SHOWN])


def _open(record: RunRecord) -> list[str]:
    """Techniques whose verdict is open and whose effect points the right way, the largest first."""
    sign = _sign(record)
    undecided = [w for w in record.weighed if w.verdict == "undecided" and sign * w.effect > 0]
    if not undecided:
        return []
    best = sorted(undecided, key=lambda w: -sign * w.effect)[:3]
    named = ", ".join(f"{w.technique} on {w.against} ({w.effect:+.3g})" for w in best)
    return [f"more time: still undecided, and pointing the right way, are {named}"]


def _not_weighed(record: RunRecord) -> list[str]:
    """Remedies for the dominant error that nobody had time to weigh."""
    if record.errors is None or "recipe" not in record.winner:
        return []
    family, recipe = str(record.winner.get("family", "")), Recipe.from_dict(record.winner["recipe"])
    seen = {w.technique for w in record.weighed if w.against in family or not family}
    others = {n: kind for n, kind in catalogue().items() if record.errors.likely in kind.treats and n not in seen}
    missing = [n for n, kind in others.items() if not isinstance(kind().apply(recipe, record.problem), NotApplicable)]
    if not missing or not record.weighed:
        return []
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    return [f"more time: not weighed yet against {record.errors.likely}: {', '.join(missing[:NAMED])}{more}"]


def _data(record: RunRecord) -> list[str]:
    if record.errors is None:
        return []
    return [f"{verdict(record.errors)}; {WHAT[record.errors.dominant]}"]


def _sign(record: RunRecord) -> int:
    return record.problem.measure.sign
