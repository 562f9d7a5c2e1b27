"""Duplicates in a source: the record, and the page and JSON that lie in a folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.data.source import read
from steelyard.data.untargeted import read_untargeted
from steelyard.diagnosis.duplicates import Duplicates, find_duplicates, in_words
from steelyard.records import Said
from steelyard.trials.clock import Clock
from steelyard.workflow.laid_down import laid_down
from steelyard.workflow.network import folder_named

Watch = Callable[[Any], None]
NAME = "duplicates"


@dataclass(frozen=True)
class Search:
    """What is looked through; without a `target` every column counts, and images keep the classes of their folders."""

    source: Any
    target: str | int | None = None
    test: Any = None
    exclude: tuple[str, ...] = ()
    output: Path | None = None
    command: str = ""


def duplicates_of(search: Search, watch: Watch = lambda _: None) -> Duplicates:
    """All groups; duplicates.html and duplicates.json lie in `output` of the record. Raises UserError."""
    clock = Clock(0.0)
    if search.target is None and not search.exclude:
        dataset = read_untargeted(search.source, search.test)
    else:
        dataset = read(search.source, search.target, test=search.test, exclude=search.exclude)
    for note in dataset.notes:
        watch(Said("define", note, round(clock.now(), 2)))
    given = dataset.part if dataset.part is not None and np.any(dataset.part == "test") else None
    found = find_duplicates(dataset, given, "the split as given" if given is not None else "")
    for text in (*found.notes, *in_words(found)):
        watch(Said("finish", text, round(clock.now(), 2)))
    folder = folder_named(search.source, search.output, NAME)
    from steelyard.report.duplicates import duplicates_page

    return laid_down(found, folder, NAME, duplicates_page, search.command)
