"""What lies in a run's folder: whose it is, whether it is finished, its record and page."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from steelyard.data.layout import Layout
from steelyard.errors import UserError
from steelyard.problem import Constraint
from steelyard.records import RunRecord, from_plain, to_plain
from steelyard.trials.journal import Journal
from steelyard.workflow.ask import Ask

OWN = {"source", "test", "output", "time_limit", "trial_limit", "constraints", "jobs", "device", "command", "network"}
OF_A_RUN = "diagnosis"  # the folder, in that of a run, in which what is found out about it lies


def output_folder(ask: Ask) -> Path:
    """The folder of the run; one that holds other things is refused before anything is written."""
    folder = ask.output or Path("runs") / _stem(ask.source)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; give --output a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "journal.db").exists():
        raise UserError(f"{folder} holds other files and no run; give --output an empty or new folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder} ({error.strerror}); give another --output") from error
    return folder


def finished_record(folder: Path, journal: Journal, ask: Ask, fingerprint: str) -> RunRecord | None:
    """The record of the run in the folder when it is finished and answers this very ask; else None, to go on with it.

    A folder that belongs to other data is the user's mistake.
    """
    owner = journal.fact("data")
    if owner is not None and owner != fingerprint:
        raise UserError(f"{folder} holds the run of other data; give another --output, or remove the folder")
    journal.set_fact("data", fingerprint)
    if journal.fact("ask") != ask.identity():
        journal.forget_limits()
        journal.set_fact("ask", ask.identity())
    if journal.fact("finished") == ask.identity() and (folder / "run.json").exists():
        record = read_record(folder)
        return record if record.finished else None
    return None


def remember_ask(journal: Journal, ask: Ask) -> None:
    """Keep what a run was asked, where its source is a file or folder: a weighing reads it again."""
    if not isinstance(ask.source, str | Path):
        return
    plain = {f.name: getattr(ask, f.name) for f in fields(ask) if f.name not in OWN}
    plain["source"] = str(Path(ask.source).resolve())
    plain["test"] = str(Path(ask.test).resolve()) if isinstance(ask.test, str | Path) else None
    plain["constraints"] = [str(constraint) for constraint in ask.constraints]
    plain["corrections"] = [str(Path(file).resolve()) for file in ask.corrections]
    journal.set_fact("asked", to_plain(plain))


def asked_again(journal: Journal, folder: Path) -> Ask:
    """What the run in a folder was asked."""
    plain = journal.fact("asked")
    if plain is None:
        raise UserError(f"the source of the run in {folder} is no file: weigh it from Python, with source=…")
    tuples: dict[str, Any] = {
        "settings": tuple((path, text) for path, text in plain["settings"]),
        "exclude": tuple(plain["exclude"]),
        "target_source": tuple(plain.get("target_source", ())),
    }
    tuples |= {"order": tuple(plain.get("order", ())), "target": _target(plain["target"])}
    tuples["corrections"] = tuple(plain.get("corrections", ()))
    constraints = tuple(Constraint.parse(text) for text in plain["constraints"])
    tuples["layout"] = Layout(**plain.get("layout", {}))
    known = {f.name for f in fields(Ask)}
    return Ask(**({k: v for k, v in plain.items() if k in known} | tuples | {"constraints": constraints}))


def _target(plain: Any) -> Any:
    return tuple(plain) if isinstance(plain, list) else plain


def read_record(folder: Path) -> RunRecord:
    """The record of the run in a folder."""
    file = folder / "run.json"
    if not file.exists():
        raise UserError(f"{folder} holds no run: {file.name} is missing there")
    try:
        record: RunRecord = from_plain(json.loads(file.read_text(encoding="utf-8")), RunRecord)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} is not the record of a run ({error})") from error
    return record


def write_page(folder: Path, record: RunRecord) -> Path:
    """Write report.html beside the record."""
    from steelyard.report.page import page

    file = folder / "report.html"
    file.write_text(page(record, _beside(folder)), encoding="utf-8")
    return file


def _beside(folder: Path) -> tuple[str, ...]:
    """The other pages in the folder of a run, as links from its own."""
    found = [*sorted((folder / OF_A_RUN).glob("*.html")), *sorted((folder / "weighed").glob("*/*.html"))]
    return tuple(str(file.relative_to(folder).as_posix()) for file in found)


def _stem(source: object) -> str:
    if isinstance(source, str | Path):
        return re.sub(r"[^\w.-]+", "-", Path(source).name.split(".")[0]) or "run"
    return "run"
