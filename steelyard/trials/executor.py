"""Runs trials side by side in one-thread processes, through the journal: what was done before is not done again."""

import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from steelyard.data.dataset import Dataset
from steelyard.data.split import Protocol
from steelyard.networks.given import known
from steelyard.problem import Problem
from steelyard.trials.clock import Clock
from steelyard.trials.execute import Site, execute
from steelyard.trials.fleets import grouped
from steelyard.trials.journal import Journal
from steelyard.trials.measure import one_thread_here
from steelyard.trials.predictions import Predictions
from steelyard.trials.trial import Outcome, Status, Trial
from steelyard.trials.worker import outcomes_of


@dataclass(frozen=True)
class Began:
    """A trial has begun."""

    key: str
    trial: Trial


@dataclass(frozen=True)
class Went:
    """A trial has come so far (0..1)."""

    key: str
    progress: float


CUT, DIED = "the time limit came first", "the process died (memory?)"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
# glibc would give the memory of every large tensor back and fetch it anew, page by page, at the next step
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 31)}
Fleet = list[tuple[str, Trial]]  # trials with their keys
Watch = Callable[[Any], None]  # sees Began, Went, Outcome and whatever else a run says


class Executor:
    """Worker processes that start at once and wait for data; close it, or use it in a `with`."""

    def __init__(self, jobs: int, device: str = "cpu") -> None:
        self.device = device
        self._answers: queue.Queue[tuple[_Worker, tuple[Any, ...]]] = queue.Queue()
        self._workers = [_Worker(self._answers) for _ in range(jobs)]
        self._where: tuple[Any, ...] = ()
        self._data = ""

    @property
    def jobs(self) -> int:
        """How many trials run side by side."""
        return len(self._workers) or 1

    def open(
        self,
        folder: Path,
        journal: Journal,
        clock: Clock,
        pool: Dataset,
        problem: Problem,
        protocol: Protocol,
        watch: Watch,
        network: Any = None,
    ) -> None:
        """Hand the workers the rows outside the sealed test, and the code of a network of the user's own.

        Where that code cannot be had in another process, trials are done in this one.
        """
        self.folder, self.journal, self.clock, self._watch = folder, journal, clock, watch
        self._where = (pool, problem, protocol, folder, self.device)
        self._problem = problem
        self._data = f"{pool.fingerprint}/{problem.measure.key}"
        self._protocol = protocol.to_dict()
        self._code = _packed(network)
        if self._code == ():
            self.close()
            self._workers = []
        for worker in self._workers:
            self._brief(worker)

    def _brief(self, worker: "_Worker") -> None:
        if self._code:
            worker.send(("code", *self._code))
        worker.send(("data", *self._where))

    def key(self, trial: Trial) -> str:
        """The content hash of a trial on this data."""
        return trial.key(self._data, self._protocol)

    def known(self, trial: Trial) -> bool:
        """Whether the journal remembers the trial."""
        return self.journal.outcome(self.key(trial)) is not None

    def predictions(self, outcome: Outcome) -> Predictions:
        """What a finished trial predicted."""
        return Predictions.load(self.folder / "predictions" / f"{outcome.key}.safetensors")

    @property
    def final_predictions(self) -> Path:
        """The file of what the arms of the final model predicted together."""
        return self.folder / "predictions" / "final.safetensors"

    def model(self, outcome: Outcome) -> Path:
        """The folder in which a finished trial's model lies."""
        return self.folder / "models" / outcome.key

    def run(self, trials: Sequence[Trial], deadline: float | None = None, models: bool = False) -> list[Outcome]:
        """The outcomes of trials, in order. At `deadline` (on the run's clock) trials in flight are cut.

        Trials that gain from it train together. With `models` a trial whose model a finished run has dropped is
        trained again.
        """
        keys = {trial: self.key(trial) for trial in trials}
        found: dict[str, Outcome] = {}
        for key in keys.values():
            known = self.journal.outcome(key)
            if known is not None and not (models and known.done and not self.model(known).exists()):
                found[key] = known
                self.clock.advance_to(known.elapsed)
        fleets = grouped(trials, self._problem, self.jobs, self.device)
        waiting = [[(keys[trial], trial) for trial in fleet if keys[trial] not in found] for fleet in fleets]
        self._work([fleet for fleet in waiting if fleet], found, deadline)
        return [found[keys[trial]] for trial in trials]

    def run_here(self, trial: Trial) -> Outcome:
        """The outcome of a trial that is too small to wait for a worker: it runs in this process."""
        key = self.key(trial)
        if (known := self.journal.outcome(key)) is not None:
            self.clock.advance_to(known.elapsed)
            return known
        found: dict[str, Outcome] = {}
        self._remember(execute([(key, trial)], Site(*self._where), lambda key, progress: None), found)
        return found[key]

    def _work(self, waiting: list[Fleet], found: dict[str, Outcome], deadline: float | None) -> None:
        if not self._workers:
            self._work_here(waiting, found, deadline)
            return
        busy: dict[_Worker, tuple[Fleet, float]] = {}
        while waiting or busy:
            for worker in [w for w in self._workers if w not in busy]:
                if waiting and not self._late(deadline):
                    fleet = waiting.pop(0)
                    busy[worker] = (fleet, self.clock.now())
                    worker.send(("trials", fleet))
                    for key, trial in fleet:
                        self._watch(Began(key, trial))
            if self._late(deadline):
                for fleet in waiting:
                    self._remember(_ended("cut", fleet, 0.0, CUT), found)
                for worker, (fleet, began) in busy.items():
                    self._remember(_ended("cut", fleet, self.clock.now() - began, CUT), found)
                    self._replace(worker)
                return
            try:
                worker, (word, *rest) = self._answers.get(timeout=0.25)
            except queue.Empty:
                continue
            if word == "gone" and worker in self._workers:
                self._replace(worker)
            if worker not in busy:
                continue
            fleet, began = busy[worker]
            if word == "epoch":
                self._watch(Went(*rest))
            elif word == "done":
                del busy[worker]
                self._remember(rest[0], found)
            elif word == "gone":
                del busy[worker]
                if len(fleet) > 1:  # one of them, or all together, were too much for it
                    waiting[:0] = [[each] for each in fleet]
                else:
                    self._remember(_ended("failed", fleet, self.clock.now() - began, DIED), found)

    def _work_here(self, waiting: list[Fleet], found: dict[str, Outcome], deadline: float | None) -> None:
        """Do all fleets in this process, one after another."""
        site = Site(*self._where)

        def watch(key: str, progress: float) -> None:
            self._watch(Went(key, progress))
            if self._late(deadline):
                raise _Late

        for fleet in waiting:
            began = self.clock.now()
            if self._late(deadline):
                self._remember(_ended("cut", fleet, 0.0, CUT), found)
                continue
            for key, trial in fleet:
                self._watch(Began(key, trial))
            try:
                with one_thread_here():
                    done = outcomes_of(fleet, lambda trials: execute(trials, site, watch))
            except _Late:
                done = _ended("cut", fleet, self.clock.now() - began, CUT)
            self._remember(done, found)

    def _late(self, deadline: float | None) -> bool:
        return deadline is not None and self.clock.now() >= deadline

    def _remember(self, outcomes: Sequence[Outcome], found: dict[str, Outcome]) -> None:
        """Write a fleet into the journal at once, so that it is there as a whole or not at all."""
        elapsed = self.clock.now()
        finished = [replace(outcome, elapsed=elapsed) for outcome in outcomes]
        self.journal.add(finished)
        for outcome in finished:
            found[outcome.key] = outcome
            self._watch(outcome)

    def _replace(self, worker: "_Worker") -> None:
        worker.kill()
        fresh = _Worker(self._answers)
        self._brief(fresh)
        self._workers[self._workers.index(worker)] = fresh

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.kill()

    def __enter__(self) -> "Executor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _packed(network: Any) -> tuple[Any, ...] | None:
    """Where code is found, the hash of a network's and the code itself, by name or with its weights, for a worker.

    Empty when another process cannot have it: it is defined in a notebook, a script or inside of a function. None when
    there is no code to send.
    """
    content = getattr(network, "content", None)
    if content is None or (builder := known(content)) is None:
        return None
    try:
        code = pickle.dumps(builder)
    except (pickle.PicklingError, AttributeError, TypeError):
        return ()
    return () if b"__main__" in code else (sys.path, content, builder.by, code)


class _Late(BaseException):
    """The deadline came while trials were done in this process."""


class _Worker:
    """One worker process and the thread that listens to it."""

    def __init__(self, answers: "queue.Queue[tuple[_Worker, tuple[Any, ...]]]") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "steelyard.trials.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ONE_THREAD | KEEP_MEMORY,
        )
        self._outbox: queue.Queue[tuple[Any, ...] | None] = queue.Queue()
        self._threads = (
            threading.Thread(target=self._listen, args=(answers,), daemon=True),
            threading.Thread(target=self._speak, daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def send(self, message: tuple[Any, ...]) -> None:
        """Queue a message; data is large and must not hold up the others."""
        self._outbox.put(message)

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._outbox.put(None)
        self._process.wait()
        for thread in self._threads:  # each closes its pipe
            thread.join(timeout=2)

    def _speak(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        try:
            while (message := self._outbox.get()) is not None:
                pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
                pipe.flush()
        except OSError:
            pass  # the process has died: the listener says so
        with suppress(OSError):
            pipe.close()

    def _listen(self, answers: "queue.Queue[tuple[_Worker, tuple[Any, ...]]]") -> None:
        pipe = self._process.stdout
        assert pipe is not None
        try:
            while True:
                answers.put((self, pickle.load(pipe)))
        except (EOFError, OSError, pickle.UnpicklingError):
            answers.put((self, ("gone",)))
        pipe.close()


def _ended(status: Status, fleet: Fleet, seconds: float, message: str) -> list[Outcome]:
    """Trials that came to nothing, and what they cost."""
    share = seconds / len(fleet)
    return [Outcome(key, trial, status, share, 0, message=message, together=len(fleet)) for key, trial in fleet]
