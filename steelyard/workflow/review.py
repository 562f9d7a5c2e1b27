"""The review of suspicious labels: what is asked next, what was answered; every answer is on disk at once."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from steelyard.data.corrections import Action, Correction, read_corrections, write_corrections
from steelyard.data.dataset import Dataset
from steelyard.diagnosis.labels import LabelErrors, Suspect
from steelyard.errors import UserError, suggest
from steelyard.problem import Head, Problem
from steelyard.records import from_plain
from steelyard.trials.journal import Journal
from steelyard.workflow.ask import Ask
from steelyard.workflow.define import define
from steelyard.workflow.labels import NAME
from steelyard.workflow.stored import OF_A_RUN, asked_again

CORRECTIONS = Path(NAME) / "corrections.csv"


@dataclass
class Review:
    """Suspects in their order, and the answers so far by (origin, target); `file` holds them."""

    suspects: tuple[Suspect, ...]
    heads: tuple[Head, ...]
    dataset: Dataset
    file: Path
    answers: dict[tuple[str, str], Correction]
    by: str = ""
    clock: Callable[[], str] = lambda: datetime.now(UTC).isoformat(timespec="seconds")

    def waiting(self, skipped: bool = False) -> list[Suspect]:
        """The suspects without an answer; with `skipped` those that were skipped, too."""
        done = {key for key, one in self.answers.items() if not (skipped and one.action == "skip")}
        return [each for each in self.suspects if _key(each) not in done]

    def row(self, suspect: Suspect) -> int:
        """Where the suspect stands in the data set."""
        return self.dataset.origin.index(suspect.origin)

    def checked(self, suspect: Suspect, label: str) -> str:
        """The label as it may be given to the target of a suspect. Raises UserError."""
        head = next(head for head in self.heads if head.name == suspect.target)
        if head.classes and label not in head.classes:
            raise UserError(f"there is no class '{label}'{suggest(label, head.classes)}")
        if not head.classes:
            try:
                float(label)
            except ValueError:
                raise UserError(f"expected a number, got '{label}'") from None
        return label

    def answer(self, suspect: Suspect, action: Action, label: str = "") -> None:
        """Take an answer down and save all of them; the label is checked where it is changed. Raises UserError."""
        label = self.checked(suspect, label) if action == "change" else ""
        key = _key(suspect)
        self.answers[key] = Correction(*key, suspect.given, action, label, self.by, self.clock())
        write_corrections(self.file, self.answers.values())

    def forget(self, suspect: Suspect) -> None:
        """Take an answer back."""
        self.answers.pop(_key(suspect), None)
        write_corrections(self.file, self.answers.values())


def reviewed(folder: Path, by: str = "", ask: Ask | None = None) -> Review:
    """The review of the run in a folder, as far as it has come. Raises UserError before suspects were looked for."""
    file = folder / OF_A_RUN / f"{NAME}.json"
    if not file.exists():
        raise UserError(f"{file} is missing: look for suspects first, with steelyard labels find {folder}")
    found: LabelErrors = from_plain(json.loads(file.read_text(encoding="utf-8")), LabelErrors)
    with closing(Journal(folder / "journal.db", create=False)) as journal:
        asked = ask or asked_again(journal, folder)
        dataset, problem = define(replace(asked, human_error=None))
        if journal.fact("data") != dataset.fingerprint:
            raise UserError(f"the data are others now than in the run in {folder}: run again, with another --output")
    kept = folder / CORRECTIONS
    answers = {(one.origin, one.target): one for one in (read_corrections(kept) if kept.exists() else ())}
    return Review(found.suspects, _heads(problem), dataset, kept, answers, by)


def _heads(problem: Problem) -> tuple[Head, ...]:
    return problem.heads or (Head(problem.target, problem.task, problem.classes),)


def _key(suspect: Suspect) -> tuple[str, str]:
    return suspect.origin, suspect.target
