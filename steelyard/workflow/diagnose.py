"""What holds the model of a run back: the error table of its final model, and what explains it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from steelyard.diagnosis.diagnosis import Diagnosis
from steelyard.diagnosis.errors import RATE, error_metric
from steelyard.diagnosis.proxy import BayesProxies
from steelyard.diagnosis.remedies import remedies
from steelyard.diagnosis.words import NAMES
from steelyard.errors import UserError, suggest
from steelyard.problem import Score
from steelyard.recipe import Recipe
from steelyard.records import ErrorTable, Term, from_plain
from steelyard.trials.clock import Clock
from steelyard.trials.measure import one_thread_here
from steelyard.workflow.ask import Ask
from steelyard.workflow.bench import Bench
from steelyard.workflow.error_table import table_of
from steelyard.workflow.human import human_of
from steelyard.workflow.labels import labels_of
from steelyard.workflow.laid_down import laid_down
from steelyard.workflow.learning_curve import Wish, growth_of
from steelyard.workflow.mistakes import mistakes_of
from steelyard.workflow.proxies import proxies_of
from steelyard.workflow.reopened import Watch, final_predictions, reopened
from steelyard.workflow.shift import shifts_in
from steelyard.workflow.slices import slices_of
from steelyard.workflow.stored import OF_A_RUN

NAME = "diagnosis"
PARTS = ("proxies", "shift", "labels", "slices", "mistakes", "growth")
FOR_LABELS = 0.4  # of the time, at the most, may be spent on predictions for label errors; the rest on learning curves
Found = TypeVar("Found")


@dataclass(frozen=True)
class Examination:
    """What is asked of a diagnosis.

    `human` is the error of the best humans as a number, or several annotators' labels (a file, as `steelyard human`
    takes it). `seconds` is the time for what must be trained: models for label errors and for learning curves. `skip`
    names parts to leave out.
    """

    human: Any = None
    seconds: float = 60.0
    skip: tuple[str, ...] = ()
    output: Path | None = None
    seed: int = 0
    device: str = "auto"
    jobs: int | None = None
    command: str = ""
    network: Any = None

    def __post_init__(self) -> None:
        for name in self.skip:
            if name not in PARTS:
                raise UserError(f"a diagnosis has no part '{name}' to skip{suggest(name, PARTS)}")


def diagnose_run(
    folder: Path, examination: Examination, ask: Ask | None = None, watch: Watch = lambda _: None
) -> Diagnosis:
    """The diagnosis of a finished run; its JSON and its page lie in the run's folder. Raises UserError."""
    how = {"device": examination.device, "jobs": examination.jobs, "network": examination.network}
    with reopened(folder, examination.seconds, ask, watch, **how) as bench:
        bench.reserve = 0.0
        found = diagnosis_of(bench, examination)
    from steelyard.report.diagnosis import diagnosis_page

    return laid_down(found, examination.output or folder / OF_A_RUN, NAME, diagnosis_page, examination.command)


def diagnosis_of(bench: Bench, examination: Examination) -> Diagnosis:
    """The diagnosis of a run that is open; what cannot be measured on its data is skipped, with the reason."""
    clock, skipped = Clock(0.0), []

    def part(name: str, doing: str, measure: Callable[[], Found]) -> Found | None:
        if name in examination.skip:
            return None
        bench.say("regularise", f"diagnosis: {doing}")
        try:
            return measure()
        except UserError as error:
            skipped.append((name, str(error)))
            return None

    human = None
    if examination.human is not None:
        human = human_of(bench, examination.human, seed=examination.seed)
    with one_thread_here():
        proxies = part("proxies", "the smallest error there can be", lambda: proxies_of(bench))
    table = _table(bench, human.level.level if human else None, proxies)
    term = _treated(bench, table)
    recipe = Recipe.from_dict(bench.record.winner["recipe"])
    score = bench.record.dev.value if bench.record.dev else float("nan")
    folder = str(bench.folder)
    with one_thread_here():
        shift = part("shift", "are train and dev alike?", lambda: shifts_in(bench, seed=examination.seed))
        slices = part("slices", "where it errs most", lambda: slices_of(bench, seed=examination.seed))
        mistakes = part("mistakes", "a sample of its mistakes", lambda: mistakes_of(bench, seed=examination.seed))
    left = FOR_LABELS * examination.seconds
    labels = part("labels", "labels that are likely wrong", lambda: labels_of(bench, left))
    growth = part("growth", "would more rows help?", lambda: growth_of(bench, Wish()))
    return Diagnosis(
        table,
        NAMES[term] if term else "",
        remedies(term, bench.problem, recipe, score, bench.record.weighed, folder) if term else (),
        bench.record.wear,
        human,
        proxies,
        shift,
        labels,
        slices,
        mistakes,
        growth,
        tuple(skipped),
        round(clock.now(), 2),
    )


def _table(bench: Bench, human: Score | None, proxies: BayesProxies | None) -> ErrorTable:
    """The error table of the final model; a human level and a proxy are rates (or RMSE), and so must the errors be."""
    unit, _ = error_metric(bench.problem)
    alike = unit == ("rmse" if bench.problem.task == "regression" else RATE)
    known = bench.record.errors.level("test") if bench.record.errors else None
    chosen = proxies.chosen if proxies is not None and alike else None
    proxy = Score(chosen.value, chosen.low, chosen.high, 0) if chosen else None
    return table_of(bench, final_predictions(bench), known, human if alike else None, proxy)


def _treated(bench: Bench, table: ErrorTable) -> Term | None:
    """The likeliest part of the error that techniques of the catalogue treat."""
    from steelyard.techniques import catalogue

    able = {ailment for kind in catalogue().values() for ailment in kind.treats} & set(get_args(Term))
    ranked = sorted(table.gaps, key=lambda gap: -gap.probability)
    return next((gap.term for gap in ranked if gap.term in able), None)


def stored_diagnosis(folder: Path) -> Diagnosis | None:
    """The diagnosis that lies in a run's folder; None where nobody asked for one yet."""
    file = folder / OF_A_RUN / f"{NAME}.json"
    if not file.exists():
        return None
    try:
        found: Diagnosis = from_plain(json.loads(file.read_text(encoding="utf-8")), Diagnosis)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} is not a diagnosis ({error}); `steelyard diagnose {folder}` writes it anew") from error
    return found
