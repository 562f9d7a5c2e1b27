"""Records as the JSON objects that `--json` prints."""

from dataclasses import fields
from math import isfinite
from typing import Any

from steelyard.problem import Head, Score
from steelyard.recipe import Recipe
from steelyard.records import ErrorTable, RunRecord, TargetRow, Wear, to_plain
from steelyard.techniques.technique import Technique
from steelyard.trials.journal import Journal
from steelyard.weighing.comparison import Weighing
from steelyard.weighing.recorded import recorded_of


def answer(record: RunRecord) -> dict[str, Any]:
    """A run in one object; scores are in the metric's own unit and sign."""
    problem = record.problem
    return {
        "problem": {
            "task": problem.task,
            "modality": problem.modality,
            "target": problem.target,
            "rows": problem.rows,
            "classes": list(problem.classes),
        }
        | ({"targets": [_head(head) for head in problem.heads]} if problem.heads else {}),
        "metric": problem.metric,
        "baseline": _score(record.baseline),
        "dev": _score(record.dev),
        "wear": _wear(record.wear),
        "test": _score(record.test),
        "winner": to_plain(record.winner) or None,
        "weighed": [w.to_dict() for w in record.weighed if w.pairs],
        "diagnosis": _diagnosis(record.errors),
        "trials": record.trials,
        "seconds": record.seconds,
        "output": record.output,
        "notes": list(record.notes),
    } | ({"targets": [_target(row) for row in record.targets]} if problem.heads else {})


def _head(head: Head) -> dict[str, Any]:
    return {"name": head.name, "task": head.task, "classes": list(head.classes)}


def _target(row: TargetRow) -> dict[str, Any]:
    """One of several targets with its scores on dev, each under the name of its metric."""
    scores = {name: _score(score) for name, score in row.scores}
    return {"name": row.name, "task": row.task, "scores": scores, "baseline": row.baseline, "share": row.share}


def _score(score: Score | None) -> dict[str, Any] | None:
    return score.to_dict() if score else None


def _wear(wear: Wear | None) -> dict[str, Any] | None:
    scores = {} if wear is None else {"plain": _score(wear.plain), "corrected": _score(wear.corrected)}
    return to_plain(wear) | scores if wear else None


def _diagnosis(table: ErrorTable | None) -> dict[str, Any]:
    return to_plain(table) if table else {}


def weighing_answer(found: Weighing) -> dict[str, Any]:
    """A weighing in one object: its record, and of each comparison the interval and whether it wins."""
    more = [{"interval": [c.low, c.high], "wins": c.wins} for c in found.comparisons]
    plain = to_plain(found)
    plain["comparisons"] = [each | rest for each, rest in zip(plain["comparisons"], more, strict=True)]
    return {name: _finite(value) for name, value in plain.items()}


def _finite(plain: Any) -> Any:
    """The same with null where a number is not finite, for which JSON has no word."""
    if isinstance(plain, dict):
        return {name: _finite(value) for name, value in plain.items()}
    if isinstance(plain, list):
        return [_finite(value) for value in plain]
    return None if isinstance(plain, float) and not isfinite(plain) else plain


def journal_answer(journal: Journal) -> dict[str, Any]:
    """The journal in one object: what was said, every trial, the user's notes, the openings of the test."""
    return {
        "said": [to_plain(said) for said in journal.said()],
        "trials": [trial_row(outcome) for outcome in journal.outcomes()],
        "notes": [{"at": at, "text": text} for at, text in journal.notes()],
        "test_openings": [{"at": at, "by": by} for at, by in journal.openings()],
    }


def trial_row(outcome: Any) -> dict[str, Any]:
    """A trial in one flat object, with the recipe nested."""
    trial = outcome.trial
    return {
        "key": outcome.key,
        "family": trial.recipe.family,
        "status": outcome.status,
        "train_score": outcome.train_score,
        "dev_score": outcome.dev_score,
        "seconds": outcome.seconds,
        "rows": outcome.train_rows,
        "seed": trial.seed,
        "partition": trial.partition,
        "fold": trial.fold,
        "measured": outcome.measured,
        "message": outcome.message,
        "recipe": Recipe.to_dict(trial.recipe),
    }


def technique_answer(kind: type[Technique]) -> dict[str, Any]:
    """A technique's card in one object."""
    settings = kind()
    return {
        "technique": kind.name(),
        "place": kind.place(),
        "treats": list(kind.treats),
        "time_ratio": kind.time_ratio,
        "card": kind.card(),
        "source": kind.source(),
        "settings": {f.name: to_plain(getattr(settings, f.name)) for f in fields(settings)},
        "measured": [to_plain(each) for each in recorded_of(kind.name())],
    }
