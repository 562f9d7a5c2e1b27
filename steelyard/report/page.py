"""A run's record to one HTML page that needs no network: it opens anywhere and can be sent by mail."""

import base64
import hashlib
import re
import shlex
from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from steelyard.diagnosis.words import verdict
from steelyard.records import STEPS, Mistake, RunRecord
from steelyard.report import error_tables, numbers, tables, words
from steelyard.report.cards import better_word, cards, seal
from steelyard.report.drawings import drawable, drawings
from steelyard.report.targets import target_table

IMAGE = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/=]+")
ANSWERS = {
    "diagnosis.html": "What holds the model back",
    "human.html": "How often people are wrong",
    "labels.html": "Labels that are likely wrong",
    "learning_curve.html": "Would more rows help?",
    "mistakes.html": "A sample of its mistakes",
    "shift.html": "Are the parts alike?",
    "slices.html": "Where it errs most",
}
MISTAKES = 24
SHOWN = 6  # values of a row that are seen at once


def page(record: RunRecord, beside: tuple[str, ...] = ()) -> str:
    """The whole report as HTML. Whatever the record does not have yet is left out or said to be missing.

    `beside` are the other pages of the run, as paths from this one.
    """
    return _environment().get_template("page.html").render(view(record) | {"beside": [_link(each) for each in beside]})


def _link(path: str) -> tuple[str, str]:
    """Where a page of the run lies, and what it answers."""
    room, _, name = path.rpartition("/")
    if name == "weighing.html":
        return quote(path), f"Weighed: {room.rpartition('/')[2]}"
    return quote(path), ANSWERS.get(name, words.sentence(name.removesuffix(".html").replace("_", " ")))


def view(record: RunRecord) -> dict[str, Any]:
    """What the template sees: texts, tables and drawings, all of them finished."""
    problem = record.problem
    script = _source("sort.js")
    return {
        "record": record,
        "problem": problem,
        "task_line": words.task_line(problem),
        "metric": words.metric_name(problem.metric),
        "better": better_word(record),
        "cards": cards(record),
        "seal": seal(record),
        "facts": facts(record),
        "tables": _tables(record),
        "drawings": drawings(record),
        "refused": refused(record),
        "members": members(record.winner.get("members")),
        "looks": words.LOOKS,
        "mistakes": [mistake(m, record) for m in record.mistakes[:MISTAKES]],
        "story": story(record),
        "knobs": tuple(tables.knobs(record.winner.get("recipe", {}))),
        "predict": f"steelyard predict {shlex.quote(record.output)} NEW_DATA --output predictions.csv",
        "heat_map": len(record.confusion) <= error_tables.HEAT_MAP,
        "duration": numbers.duration,
        "sentence": words.sentence,
        "verdict": verdict,
        "sections": sections(record),
        "style": Markup(_source("page.css")),  # ours
        "script": Markup(script),  # ours
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }


def sections(record: RunRecord) -> list[tuple[str, str, bool]]:
    """The sections of the page: (anchor, title, whether it is there)."""
    return [
        ("asked", "Asked", True),
        ("ladder", "Ladder", any(arm.score for arm in record.ladder)),
        ("families", "Families", bool(record.families)),
        ("curves", "Curves", bool(drawable(record))),
        ("effects", "Techniques", bool(record.weighed)),
        ("errors", "Errors", record.errors is not None),
        ("wrong", "Where it is wrong", bool(record.confusion or record.residuals or record.targets or record.course)),
        ("mistakes", "Worst mistakes", bool(record.mistakes)),
        ("next", "Next", bool(record.next_steps)),
        ("story", "Story", bool(record.said)),
        ("reproduce", "Reproduce", True),
    ]


def members(given: Any) -> str:
    """Of what the model is made, from a count, names, or records of members with their family and weight."""
    if isinstance(given, int) and not isinstance(given, bool):
        return f"an ensemble of {given} members" if given > 1 else ""
    if isinstance(given, str):
        return f"made of {given}" if given else ""
    weights: dict[str, list[float]] = {}
    for each in given or ():
        family, weight = (each.get("family"), each.get("weight")) if isinstance(each, dict) else (each, None)
        weights.setdefault(str(family or "a model"), []).append(weight or 0.0)
    found = [_member(family, shares, len(weights) > 1) for family, shares in weights.items()]
    return f"made of {', '.join(found)}" if sum(map(len, weights.values())) > 1 else ""


def _member(family: str, shares: list[float], blended: bool) -> str:
    """`70 % boosting`, `30 % of 4 tabular-mlp` where families are blended, else `4 tabular-mlp`."""
    many = f"{len(shares)} {family}" if len(shares) > 1 else family
    if not blended or not sum(shares):
        return many
    return f"{100 * sum(shares):.0f} % {'of ' if len(shares) > 1 else ''}{many}"


def refused(record: RunRecord) -> list[tuple[str, str]]:
    """The techniques that do not apply, each with its reason, once."""
    found = [(w.technique, w.reason) for w in record.weighed if w.verdict == "not applicable"]
    return sorted(set(found))


def _thing(record: RunRecord) -> str:
    return record.problem.things[0]


def facts(record: RunRecord) -> list[tuple[str, str]]:
    """What was asked, as (what, answer)."""
    problem, protocol = record.problem, record.protocol
    found = [
        ("Predict", problem.target),
        ("Task", words.sentence(problem.task)),
        ("Data", f"{numbers.count(problem.rows)} {problem.things[1]}"),
        ("Metric", f"{words.metric_name(problem.metric)}, {better_word(record)}"),
    ]
    if problem.classes:
        shown = ", ".join(problem.classes[:12]) + (", …" if len(problem.classes) > 12 else "")
        found.insert(2, ("Classes", f"{len(problem.classes)}: {shown}"))
    if problem.heads:
        several = f"{len(problem.heads)}: {', '.join(head.name for head in problem.heads[:12])}"
        found.insert(2, ("Targets", several + (", …" if len(problem.heads) > 12 else "")))
    if problem.constraints:
        found.append(("Constraints", ", ".join(str(c) for c in problem.constraints)))
    if problem.human_error is not None:
        found.append(("Human error", f"{problem.human_error:g}"))
    if protocol.get("kind"):
        found.append(("Split", _split(protocol)))
    if record.trials:
        found.append(("Spent", f"{numbers.plural(record.trials, 'trial')} in {numbers.duration(record.seconds)}"))
    if record.dev_looks:
        found.append(("Wear of dev", words.wear_line(record.dev_looks, record.wear)))
    return found


def _split(protocol: dict[str, Any]) -> str:
    kind = f"{protocol.get('folds')} folds" if protocol["kind"] == "folds" else "hold-out for dev"
    if protocol["kind"] == "ordered":
        origins = numbers.plural(int(protocol.get("folds", 1)), "origin")
        kind = f"by time: dev after train from {origins}, test after both"
    return f"{kind}, {numbers.count(protocol['rows'])} rows outside the test set" if protocol.get("rows") else kind


def story(record: RunRecord) -> list[tuple[int, str, list[tuple[str, str]]]]:
    """The steps that were taken: (number, title, what was said with its time)."""
    found = []
    for number, step in enumerate(STEPS, 1):
        said = [(s.text, numbers.duration(s.elapsed)) for s in record.said if s.step == step]
        if said:
            found.append((number, words.STEP_NAMES[step], said))
    return found


def mistake(given: Mistake, record: RunRecord) -> dict[str, Any]:
    """One mistake as it is shown; an image only if it is one that is carried along."""
    values = record.problem.task in {"regression", "multioutput", "multitask"}
    write = numbers.fitting([given.error]) if record.problem.task == "regression" else numbers.Format(3)
    many = {"multioutput": " spreads on average"}.get(record.problem.task, " on average" * bool(record.problem.heads))
    return {
        "origin": f"{_thing(record)} {given.origin}" if given.origin.isdigit() else given.origin,
        "truth": given.truth,
        "predicted": given.predicted,
        "error": f"off by {write(given.error)}{many}" if values else f"p(truth) {write(1 - given.error)}{many}",
        "values": given.values[:SHOWN],
        "more": given.values[SHOWN:],
        "image": given.image if IMAGE.fullmatch(given.image) else "",
    }


def _tables(record: RunRecord) -> dict[str, tables.Table | None]:
    """Every table that has something to say."""
    made = {
        "ladder": tables.ladder_table(record),
        "families": tables.family_table(record),
        "effects": tables.effect_table(record),
        "pairs": tables.pair_table(record),
        "curves": tables.curve_table(record),
        "errors": error_tables.error_rows(record.errors) if record.errors else None,
        "classes": error_tables.class_table(record),
        "confused": error_tables.confused_table(record),
        "residuals": error_tables.residual_table(record) if record.residuals else None,
        "targets": target_table(record),
    }
    return {name: table if table and table.rows else None for name, table in made.items()}


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("steelyard.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(name: str) -> str:
    """A file of the templates as it is."""
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]
