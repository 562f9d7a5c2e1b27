"""The Python face of diagnosis: of a run, or of truth and predictions from anywhere."""

from pathlib import Path
from typing import Any

from steelyard.diagnosis.arrays import problem_of
from steelyard.diagnosis.diagnosis import Diagnosis
from steelyard.diagnosis.errors import error_table
from steelyard.errors import UserError
from steelyard.problem import Score
from steelyard.runs import Run
from steelyard.workflow.diagnose import Examination, diagnose_run


def diagnose(
    run: Run | str | Path | None = None,
    *,
    train: Any = None,
    dev: Any = None,
    train_dev: Any = None,
    test: Any = None,
    human: float | tuple[float, float, float] | None = None,
    proxy: float | tuple[float, float, float] | None = None,
    metric: str | None = None,
    classes: tuple[str, ...] | None = None,
    **options: Any,
) -> Diagnosis:
    """What holds a model back: avoidable bias, variance, data mismatch or overfitting to dev, with intervals.

    Of a `run` (or its folder), or of a model trained anywhere: `train`, `dev`, `train_dev` (new rows like those it
    learnt from, where dev is from elsewhere) and `test` are (truth, predictions) or (truth, predictions, rows), as
    arrays of class names, codes or values (n,), and probabilities (n, classes), class names or values; `rows` (n,) name
    rows, so that sets which share some are compared on them. `human` is the error that people reach and `proxy` what
    stands in for the smallest possible one, each a number or (value, low, high). `metric` is accuracy or RMSE unless
    another is named; `classes` names the columns of probabilities. For a run, `options` are those of
    `workflow.diagnose.Examination`. Raises UserError.
    """
    if run is not None:
        if train is not None or dev is not None:
            raise UserError("give a run, or train and dev: one of the two")
        known = run if isinstance(run, Run) else None
        folder = known.folder if known else Path(run)  # type: ignore[arg-type]
        asked = options | ({"human_error": human} if isinstance(human, int | float) else {})
        if known is not None and known.network is not None:
            asked.setdefault("network", known.network)
        return diagnose_run(folder, Examination(**asked), known.ask if known else None)
    if train is None or dev is None:
        raise UserError("a diagnosis needs train and dev at least, each (truth, predictions); or the folder of a run")
    if options:
        raise UserError(f"{', '.join(options)}: options of a run, and none is given")
    sets = {"train": train, "train_dev": train_dev, "dev": dev, "test": test}
    problem, samples = problem_of(sets, metric, classes)
    table = error_table(
        problem,
        samples["train"],
        samples["dev"],
        samples.get("train_dev"),
        samples.get("test"),
        _level(human, "human"),
        _level(proxy, "proxy"),
    )
    return Diagnosis(table)


def _level(given: float | tuple[float, float, float] | None, name: str) -> Score | None:
    if given is None:
        return None
    value, low, high = (given, given, given) if isinstance(given, int | float) else given
    if not 0 <= low <= value <= high:
        raise UserError(f"{name} is an error from 0, or (value, low, high) in this order, got {given}")
    return Score(float(value), float(low), float(high), 0)
