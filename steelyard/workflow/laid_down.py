"""A record laid down in a folder: its JSON, its page, and the page of the run it belongs to."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from steelyard.errors import UserError
from steelyard.records import to_plain
from steelyard.workflow.bench import write_json
from steelyard.workflow.stored import OF_A_RUN, read_record, write_page

Found = TypeVar("Found", bound=Any)  # a record with the fields `output` and `command`


def laid_down(found: Found, folder: Path, name: str, page: Callable[[Found], str], command: str) -> Found:
    """The record with its folder and command in it; NAME.json and NAME.html lie there, and a run's own page names them.

    Raises UserError where the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder} ({error.strerror}); give another --output") from error
    found = replace(found, output=str(folder), command=command)
    write_json(folder / f"{name}.json", to_plain(found))
    (folder / f"{name}.html").write_text(page(found), encoding="utf-8")
    run = folder.parent if folder.name == OF_A_RUN else folder.parents[1] if len(folder.parents) > 1 else folder
    if (run / "run.json").exists():
        write_page(run, read_record(run))
    return found
