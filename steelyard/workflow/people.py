"""What annotators say of themselves and of a model: the human level from the command line, with its page and JSON."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from steelyard.data.annotations import annotations_of, truth_of
from steelyard.data.targets import class_names, infer_task, sorted_classes
from steelyard.diagnosis.beside_human import Human
from steelyard.diagnosis.human import human_level
from steelyard.diagnosis.human_level import stated
from steelyard.diagnosis.proxy import BayesProxies
from steelyard.errors import UserError
from steelyard.workflow.bench import Bench
from steelyard.workflow.human import annotations_for, called, human_of, joined, matched
from steelyard.workflow.laid_down import laid_down
from steelyard.workflow.network import folder_named
from steelyard.workflow.proxies import VALUES, proxies_of
from steelyard.workflow.reopened import reopened
from steelyard.workflow.stored import OF_A_RUN

Watch = Callable[[Any], None]
NAME, SECONDS = "human", 60.0


@dataclass(frozen=True)
class People:
    """What is asked: `annotators` are a number, a file, a frame or an array; the truth is in a file or in a `run`.

    `examples` is what a number was measured on. `values`: numbers are measured, not classes; None: as they look.
    """

    annotators: Any
    truth: Any = None
    column: str | None = None
    run: Path | None = None
    examples: int | None = None
    values: bool | None = None
    output: Path | None = None
    seed: int = 0
    command: str = ""
    network: Any = None

    def __post_init__(self) -> None:
        if self.run is not None and self.truth is not None:
            raise UserError("the truth is in the run: leave --truth out, or --run")
        if self.column is not None and self.truth is None:
            raise UserError("--column names the column of --truth FILE: give that, too")


def human(people: People, watch: Watch = lambda _: None) -> Human:
    """The human level; human.html and human.json lie in `output` of the record. Raises UserError."""
    if people.run is not None:
        with reopened(people.run, SECONDS, watch=watch, network=people.network) as bench:
            found = human_of(bench, people.annotators, people.examples, people.seed)
            found = replace(found, proxies=_proxies(bench, people.annotators))
        folder = folder_named("", people.output or people.run / OF_A_RUN, NAME)
    else:
        found = _alone(people)
        source = "level" if isinstance(people.annotators, int | float) else people.annotators
        folder = folder_named(source, people.output, NAME)
    from steelyard.report.human import human_page

    return laid_down(found, folder, NAME, human_page, people.command)


def _proxies(bench: Bench, annotators: Any) -> BayesProxies:
    """The proxies, with the direct estimate where annotators gave labels."""
    if isinstance(annotators, int | float) or bench.problem.task in VALUES:
        return proxies_of(bench)
    return proxies_of(bench, joined(bench, annotations_for(bench, annotators))[0])


def _alone(people: People) -> Human:
    """The human level without a run."""
    if isinstance(people.annotators, int | float):
        return Human(stated(float(people.annotators), people.examples, values=bool(people.values)), "a number")
    if people.truth is None:
        level = human_level(people.annotators, values=people.values, seed=people.seed)
        return Human(level, called(people.annotators))
    truth, names = truth_of(people.truth, people.column)
    measured = infer_task(truth) == "regression" if people.values is None else people.values
    known = () if measured else sorted_classes(class_names(truth))
    npy = str(people.annotators).endswith(".npy")  # counts: of as many classes as it has columns, named or not
    said = annotations_of(people.annotators, () if npy else known, measured)
    if npy and len(known) == len(said.classes):
        said = replace(said, classes=known)
    notes: tuple[str, ...] = ()
    if said.rows and names:
        kept, rows = matched(said.rows, names)
        if not len(kept):
            raise UserError(f"no annotated row (as '{said.rows[0]}') has a truth (as of row '{names[0]}')")
        lost = len(said) - len(kept)
        notes = (f"{lost:,} of {len(said):,} annotated rows have no truth: left out",) * (lost > 0)
        said, truth = said.take(kept), truth.iloc[rows]
    return Human(human_level(said, truth, seed=people.seed), called(people.annotators), notes=notes)
