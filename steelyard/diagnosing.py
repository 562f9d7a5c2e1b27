"""The Python face of diagnosis: of a run, or of truth and predictions from anywhere; and each part of it alone."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from steelyard.diagnosis.arrays import problem_of
from steelyard.diagnosis.beside_human import Human
from steelyard.diagnosis.coverage import Coverage
from steelyard.diagnosis.diagnosis import Diagnosis
from steelyard.diagnosis.errors import error_table
from steelyard.diagnosis.growth import Growth
from steelyard.diagnosis.labels import LabelErrors
from steelyard.diagnosis.reasons import SAMPLE, Mistakes
from steelyard.diagnosis.shift.between import Shifts
from steelyard.diagnosis.slice_records import Slices
from steelyard.errors import UserError
from steelyard.inspecting import folder_of, shown
from steelyard.problem import Score
from steelyard.runs import Run
from steelyard.workflow.ask import Ask
from steelyard.workflow.coverage import Generated, coverage_between
from steelyard.workflow.diagnose import Examination, diagnose_run
from steelyard.workflow.examining import SECONDS, RunExamination, examined
from steelyard.workflow.labels import SECONDS as LABEL_SECONDS
from steelyard.workflow.labels import find_labels
from steelyard.workflow.learning_curve import SECONDS as GROWTH_SECONDS
from steelyard.workflow.learning_curve import SEEDS, Wish
from steelyard.workflow.learning_curve import learning_curve as growth
from steelyard.workflow.mistakes import Inspection, inspect
from steelyard.workflow.people import People, human
from steelyard.workflow.shift import Comparison, shift_of
from steelyard.workflow.slices import Cut, cut

Watch = Callable[[Any], None]


def diagnose(
    run: Run | str | Path | None = None,
    *,
    train: Any = None,
    dev: Any = None,
    train_dev: Any = None,
    test: Any = None,
    human: Any = None,
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
    stands in for the smallest possible one, each a number or (value, low, high); of a run `human` may be the labels of
    several annotators, too. `metric` is accuracy or RMSE unless
    another is named; `classes` names the columns of probabilities. For a run, `options` are those of
    `workflow.diagnose.Examination`. Raises UserError.
    """
    if run is not None:
        if train is not None or dev is not None:
            raise UserError("give a run, or train and dev: one of the two")
        folder, ask, network = _known(run)
        asked = {"network": network} | options | ({} if human is None else {"human": human})
        return diagnose_run(folder, Examination(**asked), ask)
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


def _level(given: Any, name: str) -> Score | None:
    if given is None:
        return None
    value, low, high = (given, given, given) if isinstance(given, int | float) else given
    if not 0 <= low <= value <= high:
        raise UserError(f"{name} is an error from 0, or (value, low, high) in this order, got {given}")
    return Score(float(value), float(low), float(high), 0)


def examine_run(
    run: Run | str | Path,
    *,
    ignore: Sequence[str] = (),
    time_limit: float = SECONDS,
    watch: Watch = lambda _: None,
) -> RunExamination:
    """What is broken in the training of a run's network, and what treats it: the doctor's findings.

    The network's training program is built anew from its recipe and examined as `steelyard.examine` does it; its curve
    and predictions are read as the run kept them. `ignore` holds codes, or their beginnings, to leave out. `remedies`
    of a finding are names for `steelyard.weigh`; those of the record are all of them. Raises UserError.
    """
    folder, ask, network = _known(run)
    return examined(folder, ignore=ignore, time_limit=time_limit, ask=ask, network=network, watch=watch)


def shift(
    run_or_source: Any,
    second: Any = None,
    *,
    target: str | int | None = None,
    production: Any = None,
    test: bool = False,
    exclude: Sequence[str] = (),
    seed: int = 0,
    output: str | Path | None = None,
    watch: Watch = lambda _: None,
) -> Shifts:
    """Are two sources from the same distribution, or train and dev of a run: if not, what gives it away?

    Of a run (or its folder) `production` is a source as `predict` takes it, and with `test` the inputs of its test rows
    are looked at. Of two sources, `target` is the column with the targets. The page is shift.html in `output` of the
    record. Raises UserError.
    """
    ask, source = None, run_or_source
    if isinstance(run_or_source, Run):
        source, ask = run_or_source.folder, run_or_source.ask
    call = f"steelyard.shift({shown(source)}, {shown(second)}, target={target!r}, seed={seed})"
    return shift_of(
        Comparison(source, second, target, production, test, tuple(exclude), folder_of(output), seed, call), ask, watch
    )


def coverage(
    real: Any,
    artificial: Any,
    *,
    target: str | int | None = None,
    exclude: Sequence[str] = (),
    seed: int = 0,
    output: str | Path | None = None,
    watch: Watch = lambda _: None,
) -> Coverage:
    """Is artificial data (made, or augmented) too narrow, or off the real data? Beside as many fresh real rows.

    The page is coverage.html in `output` of the record. Raises UserError.
    """
    call = f"steelyard.coverage({shown(real)}, {shown(artificial)}, target={target!r}, seed={seed})"
    return coverage_between(Generated(real, artificial, target, tuple(exclude), folder_of(output), seed, call), watch)


def human_level(
    annotators: Any,
    truth: Any = None,
    *,
    column: str | None = None,
    run: Run | str | Path | None = None,
    examples: int | None = None,
    values: bool | None = None,
    seed: int = 0,
    output: str | Path | None = None,
    watch: Watch = lambda _: None,
) -> Human:
    """How often (or how far) people are wrong: one annotator, the best one, panels; with a `run` its model beside them.

    `annotators` is a file, frame or array of labels, one column an annotator, or counts (rows, classes), or an error as
    a number, measured on so many `examples`. `truth` is a file or array with the true labels (its `column`); without it
    or a run annotators are held against each other. The page is human.html in `output`. Raises UserError.
    """
    folder, _, network = _known(run) if run is not None else (None, None, None)
    call = f"steelyard.human_level({shown(annotators)}, {shown(truth)}, seed={seed})"
    asked = People(annotators, truth, column, folder, examples, values, folder_of(output), seed, call, network)
    return human(asked, watch)


def learning_curve(
    run: Run | str | Path,
    *,
    time_limit: float = GROWTH_SECONDS,
    seeds: int = SEEDS,
    classes: Sequence[str] = (),
    against: str | None = None,
    matters: float | None = None,
    output: str | Path | None = None,
    jobs: int | None = None,
    watch: Watch = lambda _: None,
) -> Growth:
    """Will more rows help? What two, four and ten times as many are expected to bring, for all rows and for classes.

    Nested parts of the train rows are learnt from with several `seeds`. `against` names a family or the TOML file of a
    recipe instead of the run's own. The page is learning_curve.html in `output`. Raises UserError.
    """
    folder, ask, network = _known(run)
    wish = Wish(seeds, against, tuple(classes), matters=matters)
    call = f"steelyard.learning_curve({str(folder)!r}, time_limit={time_limit:g}, seeds={seeds})"
    return growth(folder, wish, time_limit, folder_of(output), watch, call, jobs, ask, network)


def label_errors(
    run: Run | str | Path,
    *,
    time_limit: float = LABEL_SECONDS,
    output: str | Path | None = None,
    watch: Watch = lambda _: None,
) -> LabelErrors:
    """The labels in the data of a finished run that are likely wrong, by models that did not learn from their rows.

    `suspects` of the record come in the order in which to look at them; the test stays sealed. The page is labels.html
    in `output` (default: diagnosis in the folder of the run), where `steelyard labels review` finds them. Needs
    cleanlab. Raises UserError.
    """
    folder, ask, network = _known(run)
    call = f"steelyard.label_errors({str(folder)!r}, time_limit={time_limit:g})"
    return find_labels(folder, time_limit, folder_of(output), ask, watch, call, network)


def slices(
    run: Run | str | Path,
    columns: Sequence[str] = (),
    *,
    pairs: bool = True,
    seed: int = 0,
    output: str | Path | None = None,
) -> Slices:
    """Parts of dev on which the final model errs more than on the rest, all tests considered.

    By `columns` (none: by everything there is), and by `pairs` of conditions. The page is slices.html in `output`.
    Raises UserError.
    """
    folder, ask, network = _known(run)
    call = f"steelyard.slices({str(folder)!r}, {list(columns)}, seed={seed})"
    return cut(Cut(tuple(columns), pairs, seed, folder_of(output), call, network), folder, ask)


def mistakes(
    run: Run | str | Path,
    *,
    n: int = SAMPLE,
    tags: Sequence[str] = (),
    tables: Sequence[str | Path] = (),
    seed: int = 0,
    output: str | Path | None = None,
) -> Mistakes:
    """A random sample of the final model's mistakes on dev, the reasons people gave, and what mending each may bring.

    `tags` are reasons to note, as "17=blurry,dog"; `tables` CSV files of them. The page is mistakes.html in `output`.
    Raises UserError.
    """
    folder, ask, network = _known(run)
    call = f"steelyard.mistakes({str(folder)!r}, n={n}, seed={seed})"
    asked = Inspection(n, seed, tuple(tags), tuple(map(Path, tables)), folder_of(output), call, network)
    return inspect(asked, folder, ask)


def _known(run: Run | str | Path) -> tuple[Path, Ask | None, Any]:
    """The folder of a run, and what it was asked and the network it was given where it was run in this process."""
    if isinstance(run, Run):
        return run.folder, run.ask, run.network
    return Path(run), None, None
