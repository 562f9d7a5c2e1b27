"""Examine a model: every check looks at it in turn, and everything is put back as it was."""

import contextlib
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from steelyard.doctor.batch import Unusable
from steelyard.doctor.case import Case
from steelyard.doctor.check import Check, NotMeasured, checks
from steelyard.doctor.finding import RANK, Examination, Finding
from steelyard.doctor.guard import untouched

SECONDS = 60.0
PATIENCE = 0.5  # of the time, at the most, may a loader take for its first batches
HERE = str(Path(__file__).parent)


class _Over(BaseException):
    """The time is over, in the middle of a check."""


def examine(
    model: nn.Module,
    loss: Callable[..., Any] | None = None,
    train: Iterable[Any] | None = None,
    dev: Iterable[Any] | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    classes: int | None = None,
    *,
    test: Iterable[Any] | None = None,
    step: Callable[..., Any] | None = None,
    ignore: Collection[str] = (),
    time_limit: float = SECONDS,
    on_check: Callable[[Check], None] | None = None,
) -> Examination:
    """Findings about a model, its loss(outputs, target), optimizer and loaders, each with numbers behind it.

    A batch is (inputs …, target) or a dict with `labels` (or `target`, `y` …); without a `loss` the model gives its
    own, as Hugging Face's and Lightning's do. `step` is a training step of your own, `step(batch)` or one that takes
    any of model, optimizer, loss, batch, x, y by these names. `ignore` holds codes, or their beginnings, of checks to
    leave out; `on_check` is called before each check. Weights, optimizer, modes and random states are as before when
    it ends. What cannot be measured says why.
    """
    began = time.monotonic()
    ends = began + time_limit
    case = Case.of(
        model,
        loss=loss,
        optimizer=optimizer,
        train=train,
        dev=dev,
        test=test,
        step=step,
        classes=classes,
        left=lambda: ends - time.monotonic(),
    )
    findings: list[Finding] = []
    passed: list[str] = []
    open_: dict[str, str] = {}
    left_out = [each.code for each in checks() if each.code.startswith(tuple(ignore))] if ignore else []
    wanted = [each for each in checks() if each.code not in left_out]
    with untouched(case), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for trouble in (_first_batches(case, time_limit * PATIENCE), _call(case)):
            if trouble is not None and not trouble.code.startswith(tuple(ignore) or ("-",)):
                findings.append(trouble)
        for each in wanted:
            if case.left() <= 0:
                open_[each.code] = "because the time was over"
                continue
            if on_check is not None:
                on_check(each)
            found = _look(each, case, open_)
            if isinstance(found, Finding):
                findings.append(found)
            elif found:
                passed.append(each.code)
    findings.sort(key=lambda finding: (RANK[finding.severity], finding.code))
    return Examination(tuple(findings), tuple(passed), open_, round(time.monotonic() - began, 2), tuple(left_out))


def assert_healthy(*arguments: Any, **options: Any) -> Examination:
    """Examine, and fail a test with the findings where there is an error or a warning."""
    found = examine(*arguments, **options)
    if not found.healthy:
        lines = [f"{each.code} {each.title}: {each.saw}" for each in found.findings if each.severity != "tip"]
        raise AssertionError("the doctor found:\n" + "\n".join(lines))
    return found


def _look(each: Check, case: Case, open_: dict[str, str]) -> Finding | bool:
    """The finding of a check, True where it passed, False where it could not be measured."""
    with untouched(case):
        try:
            with _until(case.left()):
                saw = each.look(case)
        except (NotMeasured, Unusable) as reason:
            open_[each.code] = f"because {reason}"
            return False
        except _Over:
            open_[each.code] = "because the time was over"
            return False
        except Exception as error:
            open_[each.code] = f"because {_met(error)}"
            return False
    return True if saw is None else each.finding(saw)


@contextlib.contextmanager
def _until(seconds: float) -> Iterator[None]:
    """Break off after some seconds, where the system can: in the main thread, with an alarm that nobody else uses."""
    main = threading.current_thread() is threading.main_thread()
    if not main or not hasattr(signal, "setitimer") or signal.getitimer(signal.ITIMER_REAL)[0] or seconds > 1e6:
        yield
        return

    def over(*_: Any) -> None:
        raise _Over

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _met(error: Exception) -> str:
    """An exception as the user's, with the place in their code; one that met the check alone is told as that."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(HERE)]
    theirs = [f for f in frames if "site-packages" not in f.filename]
    said = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    if not theirs:
        return f"the check met {said}"
    return f"your code raised {said} ({Path(theirs[-1].filename).name}, line {theirs[-1].lineno})"


def _first_batches(case: Case, patience: float) -> Finding | None:
    """Fetch the first batches of the loaders; one that hangs, fails or is empty is a finding."""
    for name, what in (("train", "batches"), ("dev", "dev_batches"), ("test", "test_batches")):
        if getattr(case, name) is None:
            continue
        held: list[Any] = []

        def fetch(name: str = name, held: list[Any] = held) -> None:
            try:
                held.append(case.raw(getattr(case, name)))
            except Exception as error:
                held.append(error)

        thread = threading.Thread(target=fetch, daemon=True)
        thread.start()
        thread.join(patience)
        if not held:
            return _loader(name, f"{name} gave no batch in {patience:.0f} s", "a loader that hangs trains nothing")
        if isinstance(held[0], Exception):
            said = str(held[0]) if isinstance(held[0], Unusable) else _met(held[0])
            return _loader(name, f"{name}: {said}", "no batch can be had from it")
        if not held[0]:
            return _loader(name, f"{name} is empty", "there is nothing to learn from, or to measure on")
        try:
            with untouched(case):
                setattr(case, what, [case.read(raw) for raw in held[0]])
        except Unusable as reason:
            return _loader(name, f"{name}: {reason}", "it cannot be told what the model is to learn")
    return None


def _call(case: Case) -> Finding | None:
    """Call model and loss once; what is raised there is a finding, for most checks cannot be done then."""
    if not case.batches:
        return None
    with untouched(case):
        try:
            case.loss_of(case.batches[0])
        except (Exception, Unusable) as error:
            saw = (
                str(error)
                if isinstance(error, Unusable)
                else _met(error).replace("the check met", "calling them raised")
            )
    if "saw" not in locals():
        return None
    means = "the model or its loss cannot be called on the first train batch: most checks cannot be done"
    treat = "call loss(model(inputs), target) on one batch by hand; shapes, types and devices are what differ most"
    return Finding("SY002", "error", "Model or loss raise an exception", saw, means, treat, {})


def _loader(name: str, saw: str, means: str) -> Finding:
    treat = "iterate over it alone, without workers, and look at its first batch"
    return Finding("SY001", "error", "No batch can be had", saw, means, treat, {"loader": name})
