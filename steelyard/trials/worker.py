"""A worker: a process of its own that does one fleet of trials after another on one thread.

It is started as `python -m steelyard.trials.worker`, so that scripts and notebooks need no main guard. Messages are
pickles on its own pipes, which only the parent process holds; they never come from a file.
"""

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from functools import partial
from typing import Any, BinaryIO


def main() -> None:
    """Answer messages until the parent goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints in here must not reach the parent's pipe
    asked: queue.Queue[Any] = queue.Queue()
    from steelyard.trials.execute import Site, execute
    from steelyard.trials.measure import one_thread

    # only now: reading a message imports, too, and two threads that import what imports one another get stuck
    threading.Thread(target=_listen, args=(sys.stdin.buffer, asked), daemon=True).start()
    one_thread()
    _send(answers, ("ready",))
    site: Any = None
    while True:
        word, *rest = asked.get()
        if word == "code":
            _learn(*rest)
            continue
        if word == "data":
            site = Site(*rest)
            continue
        watch, (trials,) = partial(_went, answers), rest
        _send(answers, ("done", outcomes_of(trials, partial(execute, site=site, watch=watch))))


def _learn(places: list[str], content: str, by: str, code: bytes) -> None:
    """Make a network of the user's own known here, by importing what it is made of from where the parent found it."""
    from steelyard.networks.given import Builder, remember

    sys.path[:] = places
    try:
        remember(content, pickle.loads(code))
    except Exception as error:  # code of the user's: every trial says why it cannot be had
        traceback.print_exc()
        why = f"{by} cannot be imported in a process of its own: {type(error).__name__}: {error}"
        remember(content, Builder(by, partial(_missing, why)))


def _missing(why: str) -> Any:
    raise RuntimeError(why)


def outcomes_of(trials: list[Any], execute: Any) -> list[Any]:
    """The outcomes of trials; where they fail together each gets a try alone, so that one cannot spoil the others."""
    from steelyard.trials.trial import Outcome

    try:
        return list(execute(trials))
    except Exception as error:  # the run goes on without this trial and says why
        if len(trials) == 1:
            ((key, trial),) = trials
            traceback.print_exc()
            return [Outcome(key, trial, "failed", 0.0, 0, message=f"{type(error).__name__}: {error}")]
    return [outcome for each in trials for outcome in outcomes_of([each], execute)]


def _listen(pipe: BinaryIO, asked: "queue.Queue[Any]") -> None:
    while True:
        try:
            asked.put(pickle.load(pipe))
        except (EOFError, pickle.UnpicklingError):
            os._exit(0)  # the parent is gone: a trial in flight is lost, as it would be in a kill


def _went(pipe: BinaryIO, key: str, progress: float) -> None:
    _send(pipe, ("epoch", key, progress))


def _send(pipe: BinaryIO, message: tuple[Any, ...]) -> None:
    pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


if __name__ == "__main__":
    main()
