"""What holds the model of a run back: the error table of its final model, and what explains it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from steelyard.diagnosis.diagnosis import Diagnosis
from steelyard.diagnosis.errors import error_metric
from steelyard.diagnosis.remedies import remedies
from steelyard.errors import UserError
from steelyard.problem import Score
from steelyard.recipe import Recipe
from steelyard.records import from_plain, to_plain
from steelyard.workflow.ask import Ask
from steelyard.workflow.bench import Bench, write_json
from steelyard.workflow.error_table import table_of
from steelyard.workflow.reopened import Watch, final_predictions, reopened

FOLDER, FILE, PAGE = "diagnosis", "diagnosis.json", "diagnosis.html"


@dataclass(frozen=True)
class Examination:
    """What is asked of a diagnosis: the human error (a rate), seconds for what must be trained, parts to leave out."""

    human_error: float | None = None
    seconds: float = 60.0
    skip: tuple[str, ...] = ()
    output: Path | None = None
    seed: int = 0
    device: str = "auto"
    jobs: int | None = None
    command: str = ""
    network: Any = None

    def __post_init__(self) -> None:
        if self.human_error is not None and not 0 <= self.human_error < 1:
            raise UserError(f"human-error is an error rate in 0..1, got {self.human_error:g}")


def diagnose_run(
    folder: Path, examination: Examination, ask: Ask | None = None, watch: Watch = lambda _: None
) -> Diagnosis:
    """The diagnosis of a finished run; its JSON and its page lie in the run's folder. Raises UserError."""
    opened = reopened(
        folder,
        examination.seconds,
        ask,
        watch,
        device=examination.device,
        jobs=examination.jobs,
        network=examination.network,
    )
    with opened as bench:
        found = diagnosis_of(bench, examination)
    place = examination.output or folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    found = replace(found, output=str(place), command=examination.command)
    write_json(place / FILE, to_plain(found))
    from steelyard.report.diagnosis import diagnosis_page

    (place / PAGE).write_text(diagnosis_page(found), encoding="utf-8")
    return found


def diagnosis_of(bench: Bench, examination: Examination) -> Diagnosis:
    """The diagnosis of a run that is open; nothing but what is asked for is trained."""
    record = bench.record
    predictions = final_predictions(bench)
    test = next((each.error for each in record.errors.levels if each.name == "test"), None) if record.errors else None
    human = None
    if examination.human_error is not None:
        unit, _ = error_metric(bench.problem)
        if unit != "1 - accuracy":
            raise UserError(f"human-error is a rate of wrong answers and cannot be set against {bench.problem.metric}")
        human = Score(examination.human_error, examination.human_error, examination.human_error, 0)
    table = table_of(bench, predictions, test, human)
    recipe = Recipe.from_dict(record.winner["recipe"])
    score = record.dev.value if record.dev else float("nan")
    found = remedies(table.likely, bench.problem, recipe, score, record.weighed, str(bench.folder))
    return Diagnosis(table, found, record.wear)


def stored_diagnosis(folder: Path) -> Diagnosis | None:
    """The diagnosis that lies in a run's folder; None where nobody asked for one yet."""
    import json

    file = folder / FOLDER / FILE
    if not file.exists():
        return None
    try:
        found: Diagnosis = from_plain(json.loads(file.read_text(encoding="utf-8")), Diagnosis)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} is not a diagnosis ({error}); `steelyard diagnose {folder}` writes it anew") from error
    return found
