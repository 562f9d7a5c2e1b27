"""A run opened again: its workbench for more trials on its data, and what its final model's arms predicted on dev."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from steelyard.data.sealed import Sealed
from steelyard.data.split import divide
from steelyard.errors import UserError
from steelyard.trials.clock import Clock
from steelyard.trials.executor import Executor
from steelyard.trials.journal import Journal
from steelyard.trials.predictions import Predictions
from steelyard.workflow.ask import Ask
from steelyard.workflow.bench import Bench
from steelyard.workflow.define import define
from steelyard.workflow.finish import tidy
from steelyard.workflow.lock import only_one
from steelyard.workflow.machine import device_of, jobs_on
from steelyard.workflow.own import same_network, with_network
from steelyard.workflow.stored import asked_again, read_record

Watch = Callable[[Any], None]


@contextmanager
def reopened(
    folder: Path,
    seconds: float,
    ask: Ask | None = None,
    watch: Watch = lambda _: None,
    *,
    device: str = "auto",
    jobs: int | None = None,
    network: Any = None,
) -> Iterator[Bench]:
    """The workbench of a finished or interrupted run, with so many `seconds` for more trials; its clock goes on.

    `ask` is what the run was asked, where its source is no file; `network` the one of the user's own that the run was
    given. Raises UserError.
    """
    record = read_record(folder)
    with closing(Journal(folder / "journal.db", create=False)) as journal, only_one(folder):
        asked, device = ask or asked_again(journal, folder), device_of(device)
        asked = replace(asked, time_limit=record.seconds + seconds, trial_limit=None, device=device)
        asked = replace(asked, network=asked.network if network is None else network)
        with Executor(jobs or jobs_on(device), device) as executor:
            dataset, problem = define(asked)
            if journal.fact("data") != dataset.fingerprint:
                raise UserError(
                    f"the data are others now than in the run in {folder}: run again, with another --output"
                )
            asked = with_network(asked, dataset, problem)[0]
            same_network(asked, journal.fact("ask"))
            protocol, pool_rows, test_rows = divide(dataset, asked.seed)
            pool, clock = dataset.take(pool_rows), Clock(record.seconds)
            executor.open(folder, journal, clock, pool, problem, protocol, watch, asked.network)
            sealed = Sealed(dataset.take(test_rows))
            bench = Bench(asked, folder, journal, clock, executor, watch, record, pool, sealed, protocol)
            for outcome in journal.outcomes():
                bench.costs.learn(outcome)
                bench.counted.add(outcome.key)
                if outcome.dev_score is not None:
                    bench.looks.add(outcome.key)
            try:
                yield bench
            finally:
                tidy(folder)


def final_predictions(bench: Bench) -> Predictions:
    """What the final model's arms together predicted on rows they did not learn from, and on a sample of train rows.

    Where rows are dealt into folds, dev is all of the pool, out of fold. Where sources are mixed, dev holds rows of the
    target source alone, and `train_dev` what was held out of train. Raises UserError without a finished run.
    """
    file = bench.executor.final_predictions
    if not file.exists():
        raise UserError(f"the run in {bench.folder} did not come to a final model: run again, with more time")
    return Predictions.load(file)
