"""The workflow, told in order. A run is a memoised program: to resume it is to run it again."""

import platform
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import steelyard
from steelyard.classical import DUMB
from steelyard.data import words
from steelyard.data.dataset import KINDS, Dataset
from steelyard.data.sealed import Sealed
from steelyard.data.split import divide
from steelyard.problem import Problem
from steelyard.records import RunRecord
from steelyard.trials.arms import Tried
from steelyard.trials.clock import Clock
from steelyard.trials.executor import Executor
from steelyard.trials.journal import Journal
from steelyard.workflow import series_words, source_words
from steelyard.workflow.advice import next_steps
from steelyard.workflow.ask import Ask
from steelyard.workflow.baseline import baseline
from steelyard.workflow.bench import CLOSING, Bench
from steelyard.workflow.define import define, measure_words
from steelyard.workflow.families import families
from steelyard.workflow.finish import finish, tidy
from steelyard.workflow.lock import only_one
from steelyard.workflow.machine import cores, device_of, jobs_on
from steelyard.workflow.overfit import overfit
from steelyard.workflow.own import with_network
from steelyard.workflow.pace import choose_precision
from steelyard.workflow.probe import say_leaks
from steelyard.workflow.regularise import regularise
from steelyard.workflow.stored import finished_record, output_folder, remember_ask, write_page

Watch = Callable[[Any], None]
FINAL = 1.6  # last training against the plain recipe: what was kept makes it dearer


def carry_out(ask: Ask, watch: Watch = lambda _: None, already: float = 0.0) -> RunRecord:
    """Walk the eight steps; returns the record of the run, at once when the same run is already finished.

    `already`: seconds that count towards the time limit though they passed before this call.
    """
    clock = Clock(already)
    device = device_of(ask.device)
    with Executor(ask.jobs or jobs_on(device), device) as executor:
        dataset, problem = define(ask)
        ask, said_network = with_network(ask, dataset, problem)
        dataset = replace(dataset, notes=(*dataset.notes, *said_network))
        families(problem, dataset.schema, len(dataset), ask.choices)  # before anything is written: a wrong --set
        folder = output_folder(ask)
        with closing(Journal(folder / "journal.db")) as journal, only_one(folder):
            record = finished_record(folder, journal, ask, dataset.fingerprint)
            remember_ask(journal, ask)
            if record is not None:
                tidy(folder)
                return record
            bench = _set_up(ask, folder, journal, clock, executor, watch, dataset, problem)
            _walk(bench)
            bench.update(next_steps=next_steps(bench.record))
            write_page(folder, replace(bench.record, finished=True))
            bench.update(finished=True)
            journal.set_fact("finished", ask.identity())
            tidy(folder)
            return bench.record


def _walk(bench: Bench) -> None:
    """Beat the baseline, scale up until it overfits, regularise, finish."""
    families = baseline(bench)
    if not families:
        bench.say("finish", "the budget ended before any family was tried: the model on disk is the dumb baseline")
        return
    if families[0].recipe.family in DUMB:
        bench.update(winner=bench.record.winner if bench.pool.order is not None else {})
        bench.say("finish", "stopped: there is nothing to build on, and the test stays sealed")
        return
    scaled = [overfit(bench, each) for each in _incumbents(bench, families)]
    improved = regularise(bench, scaled)
    taken = {incumbent.family for incumbent in improved}
    others = [t for t in families if t.size.full and t.recipe.family not in taken]
    finish(bench, improved, others)


def _incumbents(bench: Bench, ranked: list[Tried]) -> list[Tried]:
    """The families that effort is doubled on: the best one, and beside it the best of the other kind if near enough."""
    best = ranked[0]
    bench.reserve = _reserve(bench, ranked)
    others = [t for t in ranked[1:] if (t.recipe.network is None) != (best.recipe.network is None)]
    near = [t for t in others if t.size == best.size and bench.problem.modality != "image"]
    return [best, *near[:1]]


def _reserve(bench: Bench, ranked: list[Tried]) -> float:
    """Seconds kept for the last step: training the winner, or a blend, on everything; at most half of the limit."""
    if bench.ask.seconds is None:
        return CLOSING
    rows = len(bench.pool)
    plain = families(bench.problem, bench.pool.schema, bench.train_rows, bench.settings)
    alone = next(bench.costs.predict(r, rows) for r in plain if r.family == ranked[0].recipe.family)
    blended = sum(bench.costs.predict(t.recipe, rows) for t in ranked if t.size.full) / bench.executor.jobs
    final = max(FINAL * alone, FINAL * blended, 0.03 * bench.ask.seconds)
    return float(bench.once("reserve", lambda: CLOSING + min(final, 0.5 * (bench.ask.seconds or 0))))


def _set_up(
    ask: Ask,
    folder: Path,
    journal: Journal,
    clock: Clock,
    executor: Executor,
    watch: Watch,
    dataset: Dataset,
    problem: Problem,
) -> Bench:
    """Steps 1 to 4: what was defined and chosen is said, the rows are split, the test is sealed."""
    protocol, pool_rows, test_rows = divide(dataset, ask.seed)
    pool = dataset.take(pool_rows)
    executor.open(folder, journal, clock, pool, problem, protocol, watch, ask.network)
    record = RunRecord(
        problem,
        str(folder),
        ask.command,
        ask.seed,
        notes=dataset.notes,
        protocol=protocol.to_dict() | {"pool": len(pool_rows), "test": len(test_rows)},
        environment=_environment(),
    )
    sealed = Sealed(dataset.take(test_rows))
    bench = Bench(ask, folder, journal, clock, executor, watch, record, pool, sealed, protocol)
    for note in dataset.notes:
        bench.say("define", note)
    bench.say("define", _asked(problem, dataset))
    say_leaks(bench)
    bench.say("measure", measure_words(ask, problem, dataset))
    bench.say("protocol", _split(bench, test_rows))
    bench.say("prepare", _prepared(dataset))
    bench.chosen = choose_precision(bench)
    return bench


def _asked(problem: Problem, dataset: Dataset) -> str:
    if dataset.schema.modality == "image":
        height, width, channels = dataset.schema.shape or (0, 0, 0)
        inputs = f"images of {height} × {width} pixels, {'grey' if channels == 1 else 'colour'}"
    elif dataset.schema.modality == "series":
        inputs = series_words.asked(dataset.schema)
    elif dataset.schema.modality == "text":
        inputs = " and ".join(f"the text '{column.name}'" for column in dataset.schema.columns)
    else:
        inputs = words.counted(len(dataset.schema.columns), "column")
    return f"predict '{problem.target}' ({problem.kind}) from {inputs}, {len(dataset)} rows"


def _split(bench: Bench, test_rows: np.ndarray) -> str:
    protocol, pool = bench.protocol, len(bench.pool)
    if protocol.sources is not None:
        how = source_words.mixed(protocol, bench.problem.rows - pool - len(test_rows))
        how = f"{series_words.ordered(protocol, bench.pool)}; {how}" if protocol.kind == "ordered" else how
    elif protocol.kind == "ordered":
        how = series_words.ordered(protocol, bench.pool)
    elif protocol.kind == "folds":
        how = f"{protocol.folds} folds of {pool} rows, each row once in dev"
    else:
        train, dev = protocol.split(0, 0)
        how = f"{len(train)} rows train, {len(dev)} dev" + (", as given" if protocol.given is not None else "")
    seed = f"; seed {bench.ask.seed}" if bench.ask.seed else ""
    return f"{how}; {len(test_rows)} test rows are sealed until the end{seed}"


def _prepared(dataset: Dataset) -> str:
    if dataset.schema.modality == "image":
        return "pixels are normalised by mean and spread of train"
    if dataset.schema.modality == "series":
        return series_words.prepared(dataset.schema)
    if dataset.schema.modality == "text":
        return "words and pieces of words are counted, weighted and numbered by what train holds"
    kinds: list[str] = [column.kind for column in dataset.schema.columns]
    counts = [words.counted(kinds.count(kind), kind, plural) for kind, plural in KINDS.items() if kind in kinds]
    return f"{', '.join(counts)}; scaled, coded and filled by what train holds"


def _environment() -> dict[str, str]:
    from importlib.metadata import version

    names = ("torch", "numpy", "scikit-learn", "pandas")
    found = {"steelyard": steelyard.__version__, "python": platform.python_version(), "platform": sys.platform}
    return found | {name: version(name) for name in names} | {"cores": str(cores())}
