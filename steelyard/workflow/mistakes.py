"""Error analysis of a run: a sample of its mistakes on dev, the reasons people gave, what mending each brings."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.diagnosis.misses import misses
from steelyard.diagnosis.mistakes import name_of, shown
from steelyard.diagnosis.reasons import SAMPLE, Example, Mistakes, sample, with_reasons
from steelyard.errors import UserError
from steelyard.workflow.ask import Ask
from steelyard.workflow.bench import Bench
from steelyard.workflow.laid_down import laid_down
from steelyard.workflow.reopened import final_predictions, reopened
from steelyard.workflow.stored import OF_A_RUN
from steelyard.workflow.tags import FILE, Tagged, asked, joined, read_tags, tagged, write_tags

Watch = Callable[[Any], None]
LIST = "mistakes.csv"
COLUMNS = 40  # of a table, for an example


@dataclass(frozen=True)
class Inspection:
    """Which mistakes are looked at and what is noted of them: `tags` as ID=TAG,TAG; `tables` are CSV files of tags."""

    n: int = SAMPLE
    seed: int = 0
    tags: tuple[str, ...] = ()
    tables: tuple[Path, ...] = ()
    output: Path | None = None
    command: str = ""
    network: Any = None

    def __post_init__(self) -> None:
        if self.n < 1:
            raise UserError(f"the number of mistakes to look at is a whole number from 1, got {self.n}")


def inspect(inspection: Inspection, folder: Path, ask: Ask | None = None, watch: Watch = lambda _: None) -> Mistakes:
    """The mistakes of the run in `folder` with their reasons; page, list, record and tags lie in `output` of it.

    Tags that were filled into the list (mistakes.csv) are taken in before it is written anew. Raises UserError.
    """
    place = inspection.output or folder / OF_A_RUN
    new = [Tagged(*asked(text)) for text in inspection.tags]
    for table in inspection.tables:
        if not table.is_file():
            raise UserError(f"there is no file {table} to import tags from")
        new += read_tags(table).values()
    with reopened(folder, 0.0, ask, watch, network=inspection.network) as bench:
        filled = [Tagged(each.origin, each.tags, each.note) for each in read_tags(place / LIST).values()]
        known = {name_of(bench.pool, int(row)) for row in final_predictions(bench).dev_rows}
        tags = joined(read_tags(place / FILE), [*(each for each in filled if each.origin in known), *new], known)
        found = mistakes_of(bench, inspection.n, inspection.seed, tags)
    place.mkdir(parents=True, exist_ok=True)
    found = replace(found, command=inspection.command, output=str(place))
    keep(found, tags)
    return found


def mistakes_of(bench: Bench, n: int = SAMPLE, seed: int = 0, tags: Mapping[str, Tagged] | None = None) -> Mistakes:
    """A random sample of `n` mistakes of the final model on dev, with `tags` (default: those in the run's folder)."""
    tags = read_tags(bench.folder / OF_A_RUN / FILE) if tags is None else tags
    said = final_predictions(bench)
    rows = said.dev_rows
    missed = misses(bench.problem, bench.truth[rows], said.dev, bench.pool.weights_of(rows))
    loss = missed.loss if missed.weights is None else missed.loss * missed.weights
    chosen, shares = sample(loss, n, seed)
    examples = shown(bench.problem, bench.pool, rows, said.dev, chosen, COLUMNS)
    found = Mistakes(
        bench.problem,
        missed.unit,
        missed.error,
        len(rows),
        int(np.count_nonzero(loss)),
        tuple(Example(mistake, float(share)) for mistake, share in zip(examples, shares, strict=True)),
        seed=seed,
    )
    return with_reasons(found, {each.origin: (each.tags, each.note) for each in tags.values()})


def noted(found: Mistakes, origin: str, tags: tuple[str, ...]) -> Mistakes:
    """The mistakes with further tags of one of them, which are kept at once; the page is written by `keep`."""
    file = Path(found.output) / FILE
    kept = joined(read_tags(file), [tagged(origin, tags)], {each.mistake.origin for each in found.examples})
    write_tags(file, kept)
    return with_reasons(found, {each.origin: (each.tags, each.note) for each in kept.values()})


def keep(found: Mistakes, tags: Mapping[str, Tagged] | None = None) -> None:
    """Write tags, list, record and page into the folder of the record."""
    place = Path(found.output)
    if tags:
        write_tags(place / FILE, tags)
    elif tags is not None:
        (place / FILE).unlink(missing_ok=True)
    _write_list(place / LIST, found)
    from steelyard.report.mistakes import mistakes_page

    laid_down(found, place, "mistakes", mistakes_page, found.command)


def _write_list(file: Path, found: Mistakes) -> None:
    """The sample as a table with a column of tags to fill in; the values of tables and texts stand behind it."""
    names = list(dict.fromkeys(name for each in found.examples for name, _ in each.mistake.values))
    partial = file.with_name(f"{file.name}.partial")
    with partial.open("w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(["origin", "tags", "note", "truth", "predicted", "error", *(f"value: {name}" for name in names)])
        for each in found.examples:
            mistake, values = each.mistake, dict(each.mistake.values)
            head = [mistake.origin, "|".join(each.tags), each.note, mistake.truth, mistake.predicted]
            rows.writerow([*head, f"{mistake.error:.6g}", *(values.get(name, "") for name in names)])
    partial.replace(file)
