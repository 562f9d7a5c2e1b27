"""The Python face: run the workflow, load what it left, predict."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.dataset import Dataset
from steelyard.data.files import natural
from steelyard.data.layout import Layout
from steelyard.data.source import read_like
from steelyard.diagnosis.diagnosis import Diagnosis
from steelyard.errors import UserError
from steelyard.finish.ensemble import Ensemble, load_predictor
from steelyard.networks.given import named
from steelyard.problem import Constraint
from steelyard.records import RunRecord
from steelyard.training.answers import answer_frame
from steelyard.training.rate_range import RateRange
from steelyard.trials.journal import Journal
from steelyard.weighing.trade_off import Exploration
from steelyard.workflow.ask import Ask, seed_of
from steelyard.workflow.ask import named as named_sources
from steelyard.workflow.diagnose import stored_diagnosis
from steelyard.workflow.explore import explore_grid
from steelyard.workflow.grid import Grid
from steelyard.workflow.preview import preview
from steelyard.workflow.rate_range import Span, find_rate_range
from steelyard.workflow.run import carry_out
from steelyard.workflow.stored import read_record, write_page

Target = str | int | Sequence[str | int] | None


@dataclass(frozen=True)
class Run:
    """A run on disk: its record, and the model it left; `ask` where it was run in this process.

    `network` is one of the user's own that the run was given: its code is not saved with the model.
    """

    folder: Path
    record: RunRecord
    ask: Ask | None = field(default=None, repr=False, compare=False)
    network: Any = field(default=None, repr=False, compare=False)

    def predictor(self) -> Ensemble:
        """The run's model; the one before while it is being replaced."""
        for name in ("model", "model.previous"):
            if (self.folder / name / "model.json").exists():
                with named(self.network):
                    return load_predictor(self.folder / name)
        raise UserError(f"{self.folder} holds no model yet, or no model kept the constraints")

    def predict_frame(self, source: Any) -> pd.DataFrame:
        """A row per row of the source, in order: `prediction`, and `probability_<class>` for classes.

        For several targets `prediction_<target>`, and `probability_<label>` or `probability_<target>_<class>`.
        Images and texts in files have a `file` column first; one that cannot be read has an empty prediction. Forecasts
        have `known_until`, after which the horizon is counted, series of a table their `id`. `attrs["notes"]` of the
        frame holds what is to be said about the source: missing cells, unseen categories.
        """
        model = self.predictor()
        dataset = read_like(source, model.schema, model.problem.classes, model.problem.heads)
        frame = answer_frame(model.problem, model.predict(dataset), lists=not model.schema.targets)
        if dataset.origin and (dataset.schema.modality == "image" or _of_files(dataset)):
            frame.insert(0, "file", dataset.origin)
            missing = pd.DataFrame({"file": [file for file, _ in dataset.unreadable]})
            frame = pd.concat([frame, missing], ignore_index=True) if len(missing) else frame
            order = sorted(range(len(frame)), key=lambda row: natural(str(frame["file"].iloc[row])))
            frame = frame.iloc[order].reset_index(drop=True)
            if dataset.schema.columns and all(map(str.isdecimal, map(str, frame["file"]))):  # rows of a table
                frame = frame.drop(columns="file")
        if dataset.schema.layout.given:
            frame.insert(0, "known_until" if dataset.schema.layout.forecasts else "id", dataset.origin)
        frame.attrs["notes"] = (*dataset.notes, *_unseen(model, dataset))
        return frame

    def predict(self, source: Any) -> np.ndarray:
        """The predicted class names or values (n,), a row per row of the source, in order; (n, targets) of several."""
        frame, heads = self.predict_frame(source), self.record.problem.heads
        return np.asarray(frame[[f"prediction_{head.name}" for head in heads]] if heads else frame["prediction"])

    def predict_proba(self, source: Any) -> np.ndarray:
        """The probabilities (n, classes) in the order of `record.problem.classes`.

        Of labels (n, labels) that of yes; of several classifications (n, sum of classes), side by side.
        """
        frame = self.predict_frame(source)
        columns = [name for name in frame.columns if name.startswith("probability_")]
        if not columns:
            raise UserError("a regression has no probabilities; use predict")
        return np.asarray(frame[columns])

    def show_augment(
        self,
        techniques: str | Sequence[str] = (),
        *,
        rows: int = 6,
        at: float = 0.5,
        seed: int = 0,
        settings: dict[str, Any] | None = None,
        output: str | Path | None = None,
    ) -> Path | str:
        """Examples of the run's data before and after augmentation, so that one can see that a dog is still a dog.

        The file of a picture (augment.png in the run's folder unless `output` names another), or text where the data
        are a table. Without `techniques`, what the run's recipe has, else each that applies to the data. `at` is the
        point of training, 0 to 1, at which scheduled strengths are looked at. Raises UserError.
        """
        from steelyard.report.preview import shown

        names = (techniques,) if isinstance(techniques, str) else tuple(techniques)
        found = preview(
            self.folder, self.record, names, rows=rows, at=at, seed=seed, settings=settings_of(settings), ask=self.ask
        )
        return shown(found, self.folder / "augment.png", None if output is None else Path(output))

    def report(self) -> Path:
        """Write report.html anew and say where."""
        return write_page(self.folder, self.record)

    @property
    def diagnosis(self) -> Diagnosis:
        """What holds the model back: as it was last diagnosed (`steelyard.diagnose`), else the run's own error table.

        Raises UserError for a run that has no error table yet.
        """
        found = stored_diagnosis(self.folder)
        if found is not None:
            return found
        if self.record.errors is None:
            raise UserError(f"{self.folder} has no error table yet: finish the run first")
        return Diagnosis(self.record.errors, wear=self.record.wear)

    def journal(self) -> Journal:
        """The journal of the run."""
        return Journal(self.folder / "journal.db", create=False)


def _of_files(dataset: Dataset) -> bool:
    """Whether every text is a file of its own, so that its name says which one it is."""
    return dataset.schema.modality == "text" and not all(origin.isdecimal() for origin in dataset.origin)


def _unseen(model: Ensemble, dataset: Dataset) -> tuple[str, ...]:
    """What to say about values of categories that the model was not trained on."""
    levels = getattr(model.members[0].prepared, "levels", ())
    said = []
    if any(getattr(member.network, "changed", False) for member in model.members):
        said.append("the code of the network is not what it was when it was trained: it may predict otherwise")
    if dataset.frame is None:
        return tuple(said)
    for name, known in levels:
        values = dataset.frame[name].dropna()
        strange = int((~values.isin(known)).sum())
        if strange:
            said.append(f"column '{name}': {strange} values that training did not use are taken as unknown")
    return tuple(said)


def run(
    source: Any,
    target: Target = None,
    *,
    test: Any = None,
    output: str | Path | None = None,
    time_limit: float | None = None,
    trial_limit: int | None = None,
    metric: str | None = None,
    task: str | None = None,
    order: Sequence[str] = (),
    constraints: Sequence[Constraint | str] = (),
    human_error: float | None = None,
    seed: int | None = 0,
    settings: dict[str, Any] | None = None,
    exclude: Sequence[str] = (),
    jobs: int | None = None,
    device: str = "auto",
    watch: Callable[[Any], None] = lambda _: None,
    weights: str | int | None = None,
    costs: Mapping[Any, Mapping[Any, float]] | None = None,
    modality: str | None = None,
    id: str | None = None,
    time: str | None = None,
    horizon: int | None = None,
    window: int | None = None,
    period: int | None = None,
    network: Any = None,
    source_column: str | int | None = None,
    target_source: str | Sequence[str] | None = None,
    corrections: str | Path | Sequence[str | Path] = (),
) -> Run:
    """Run the workflow on a source (file, folder, frame, arrays) and return the finished run.

    `target` may name several columns, which are then predicted together; `order` gives the classes of an ordinal
    target from the lowest.
    `time_limit` in seconds or `trial_limit` in trials (default: 600 seconds); `constraints` such as "latency_ms<=5";
    `settings` are knobs by their dotted path; `seed` None draws one; `device` is "auto", "cpu", "cuda" or "mps".
    `weights` names a column of numbers from 0 that say how much each row counts in every metric; the training loss is
    not weighted. `costs`, as {true class: {predicted class: cost}}, make "cost" the metric, their mean over examples,
    unless `metric` says otherwise. `modality` ("tabular", "image", "text", "series") overrides what the source is taken
    to hold. Series in a table: `id` names the column that tells them apart, `time` the one that orders them; `horizon`
    forecasts the target so many steps ahead from a `window` of the past, `period` is the length of a season.
    `network` is a torch.nn.Module of your own (copied for every training, its weights being the start), what makes one
    when called as build(shape, outputs) or build(), or the path "package.module:build" of either; it stands in the
    place of our network (`networks.own` says what it is fed). `source_column` names the column that says where each row
    comes from, `target_source` the one or several sources that the model is for: dev and test hold their rows alone,
    and some rows are held out of train as train-dev. `corrections` are files of labels to change and rows to drop, as
    `steelyard labels review` writes them: they lie over the source in train, dev and test alike. The same call again
    resumes, or returns at once. Raises UserError, with one line that says what to do, for anything in the arguments or
    the data that cannot be used.
    """
    ask = Ask(
        source,
        asked_target(target),
        test,
        Path(output) if output is not None else None,
        time_limit,
        trial_limit,
        metric,
        task,
        tuple(c if isinstance(c, Constraint) else Constraint.parse(c) for c in constraints),
        human_error,
        seed_of(seed),
        settings_of(settings),
        tuple(exclude),
        jobs,
        device,
        _call(source, target, output),
        weights,
        costs,
        tuple(order),
        modality,
        Layout(id, time, horizon, window, period),
        network,
        source_column,
        named_sources(target_source),
        (corrections,) if isinstance(corrections, str | Path) else tuple(corrections),
    )
    record = carry_out(ask, watch)
    return Run(Path(record.output), record, ask, network)


def rate_range(
    source: Any,
    target: Target = None,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 200,
    seeds: int = 3,
    test: Any = None,
    output: str | Path | None = None,
    metric: str | None = None,
    task: str | None = None,
    order: Sequence[str] = (),
    seed: int | None = 0,
    settings: dict[str, Any] | None = None,
    exclude: Sequence[str] = (),
    device: str = "auto",
    watch: Callable[[Any], None] = lambda _: None,
    network: Any = None,
) -> RateRange:
    """The learning-rate range test of the network on train rows of a source: `setting` of it is a rate to begin with.

    The rate grows from `low` to `high` in so many `steps`, the median of so many `seeds` counts; the curve is drawn in
    lr_range.html in `output` (default: runs/NAME-lr-range). Other arguments as for `run`. Raises UserError.
    """
    ask = Ask(
        source,
        asked_target(target),
        test,
        Path(output) if output is not None else None,
        trial_limit=seeds,
        metric=metric,
        task=task,
        seed=seed_of(seed),
        settings=settings_of(settings),
        exclude=tuple(exclude),
        device=device,
        command=_call(source, target, output, "rate_range"),
        order=tuple(order),
        network=network,
    )
    return find_rate_range(ask, Span(low, high, steps, seeds), watch)[0]


def explore(
    source: Any,
    target: Target = None,
    *,
    batch_sizes: Sequence[int] = (),
    epochs: Sequence[int] = (),
    seeds: int = 3,
    keep_rate: bool = False,
    time_limit: float | None = None,
    test: Any = None,
    output: str | Path | None = None,
    metric: str | None = None,
    task: str | None = None,
    order: Sequence[str] = (),
    seed: int | None = 0,
    settings: dict[str, Any] | None = None,
    exclude: Sequence[str] = (),
    jobs: int | None = None,
    device: str = "auto",
    watch: Callable[[Any], None] = lambda _: None,
    network: Any = None,
) -> Exploration:
    """Train the network with every pair of batch size and epochs that the time allows, the cheapest first.

    Every pair gets so many paired `seeds`; the rate follows the batch size unless `keep_rate`. `pick` of the record is
    the cheapest pair that is not surely worse than the best one. The page is explore.html in `output` (default:
    runs/NAME-explore). The same call again goes on where it was. Other arguments as for `run`. Raises UserError.
    """
    ask = Ask(
        source,
        asked_target(target),
        test,
        Path(output) if output is not None else None,
        time_limit,
        metric=metric,
        task=task,
        seed=seed_of(seed),
        settings=settings_of(settings),
        exclude=tuple(exclude),
        jobs=jobs,
        device=device,
        command=_call(source, target, output, "explore"),
        order=tuple(order),
        network=network,
    )
    return explore_grid(ask, Grid(tuple(batch_sizes), tuple(epochs), seeds, keep_rate), watch)


def asked_target(target: Target) -> str | int | tuple[str | int, ...] | None:
    """What was asked for, a sequence as a tuple."""
    return target if target is None or isinstance(target, str | int) else tuple(target)


def settings_of(given: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """Knobs as they are typed: (path, text)."""
    return tuple((path, str(text)) for path, text in (given or {}).items())


def _call(source: Any, target: Any, output: Any, function: str = "run") -> str:
    """How the page says what was asked for from Python."""
    what = repr(str(source)) if isinstance(source, str | Path) else f"<{type(source).__name__}>"
    folder = "" if output is None else f", output={str(output)!r}"
    return f"steelyard.{function}({what}, target={target!r}{folder}, ...)"


def load(folder: str | Path, network: Any = None) -> Run:
    """The run in a folder, finished or not.

    A model with a network of your own needs it named again as `network`: a saved model holds no code and imports none.
    """
    return Run(Path(folder), read_record(Path(folder)), network=network)
