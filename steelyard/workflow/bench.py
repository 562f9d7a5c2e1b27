"""The workbench of a run: its open resources, its budget and its record so far."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.data.dataset import Dataset
from steelyard.data.sealed import Sealed
from steelyard.data.split import Protocol
from steelyard.metrics import Metric
from steelyard.problem import Problem, Score
from steelyard.recipe import Recipe
from steelyard.records import RunRecord, Said, Step, to_plain
from steelyard.trials.arms import FULL, Size, Tried, gather, trials_of
from steelyard.trials.clock import Clock
from steelyard.trials.costs import Costs
from steelyard.trials.executor import Executor
from steelyard.trials.journal import Journal
from steelyard.trials.trial import Outcome, Trial
from steelyard.weighing.interval import score_of
from steelyard.workflow.ask import Ask

Request = tuple[Recipe, tuple[int, ...], Size]
CLOSING = 4.0  # seconds kept for opening the test and writing the page
CAUTION = 0.9  # of the time left may be granted to trials: their costs are predictions


@dataclass
class Bench:
    """What the eight steps work on. `record` is replaced, never changed, and lies in run.json at every moment."""

    ask: Ask
    folder: Path
    journal: Journal
    clock: Clock
    executor: Executor
    watch: Callable[[Any], None]
    record: RunRecord
    pool: Dataset
    sealed: Sealed
    protocol: Protocol
    costs: Costs = field(default_factory=Costs)
    chosen: tuple[tuple[str, str], ...] = ()  # settings the run chose by itself, beside those it was told
    reserve: float = CLOSING  # seconds the last step will need
    counted: set[str] = field(default_factory=set)  # trials asked for, against the trial limit
    looks: set[str] = field(default_factory=set)  # trials that were scored on dev
    saved: Score | None = None  # dev score of the model on disk
    _scores: dict[tuple[str, ...], Score] = field(default_factory=dict)

    # -- saying ---------------------------------------------------------------------------------------------------

    def say(self, step: Step, text: str) -> None:
        """Write down and show one decision."""
        said = Said(step, text, round(self.clock.now(), 2))
        self.journal.say(said)
        self.update(said=(*self.record.said, said))
        self.watch(said)

    def update(self, **fields: Any) -> None:
        """Replace fields of the record and put it on disk."""
        counts: dict[str, Any] = {
            "trials": len(self.counted),
            "dev_looks": len(self.looks),
            "seconds": self.clock.now(),
        }
        self.record = replace(self.record, **counts, **fields)
        write_json(self.folder / "run.json", to_plain(self.record))

    # -- what is asked --------------------------------------------------------------------------------------------

    @property
    def problem(self) -> Problem:
        return self.record.problem

    @property
    def metric(self) -> Metric:
        return self.problem.measure

    @property
    def truth(self) -> np.ndarray:
        """The targets of the pool (n,)."""
        assert self.pool.target is not None
        return self.pool.target

    @property
    def train_rows(self) -> int:
        """How many rows a full trial learns from."""
        return len(self.protocol.split(0, 0)[0])

    @property
    def settings(self) -> tuple[tuple[str, Any], ...]:
        """The knobs that hold for every family that has them."""
        return (*self.ask.choices, *self.chosen)

    # -- budget ---------------------------------------------------------------------------------------------------

    def left(self) -> float:
        """Seconds left before the last step must begin; infinite when trials are counted."""
        return float("inf") if self.ask.seconds is None else self.ask.seconds - self.reserve - self.clock.now()

    def cost(self, recipe: Recipe, size: Size) -> float:
        """Predicted core-seconds of one seed of an arm, all its folds."""
        rows = min(size.rows or self.train_rows, self.train_rows)
        return self.costs.predict(recipe, rows) * self.protocol.folds

    def spent_out(self) -> bool:
        """Whether nothing more can be tried."""
        limit = self.ask.trial_limit
        return self.left() <= 0 or (limit is not None and len(self.counted) >= limit)

    def _grant(self, trials: list[Trial], seconds: float, allowance: float) -> bool:
        """Whether the budget has room for these trials; if so they are counted."""
        new = {self.executor.key(trial) for trial in trials} - self.counted
        limit = self.ask.trial_limit
        if limit is not None and len(self.counted) + len(new) > limit:
            return False
        if seconds > allowance:
            return False
        self.counted |= new
        return True

    def once(self, name: str, decide: Callable[[], Any]) -> Any:
        """A decision that depends on the time: taken once and remembered, so that a resumed run takes it again."""
        remembered = self.journal.fact(f"decision: {name}")
        if remembered is None:
            remembered = decide()
            self.journal.set_fact(f"decision: {name}", remembered)
        return remembered

    # -- trying ---------------------------------------------------------------------------------------------------

    def try_arms(
        self, requests: Sequence[Request], within: float | None = None, until: float | None = None
    ) -> list[Tried | None]:
        """Try arms side by side; None for an arm the budget has no room for, or that failed.

        `within`: seconds from now in which all of them are predicted to be done (default: all that is left). Arms
        are granted in order; trials still running when the last step must begin, or when the run's clock shows
        `until`, are cut.
        """
        allowance = min(CAUTION * self.left(), float("inf") if within is None else within) * self.executor.jobs
        granted: list[list[Trial]] = []
        for recipe, seeds, size in requests:
            trials = trials_of(recipe, seeds, size, self.protocol)
            seconds = self.costs.predict(recipe, min(size.rows or self.train_rows, self.train_rows))
            fresh = sum(seconds for trial in trials if not self.executor.known(trial))
            if self._grant(trials, fresh, allowance):
                allowance -= fresh
                granted.append(trials)
            else:
                granted.append([])
        outcomes = iter(self.run([trial for trials in granted for trial in trials], until))
        found = []
        for (recipe, _, size), trials in zip(requests, granted, strict=True):
            mine = [next(outcomes) for _ in trials]
            found.append(gather(recipe, size, mine, self.protocol.folds, self.executor))
        return found

    def failure(self, recipe: Recipe, seeds: tuple[int, ...], size: Size) -> str:
        """Why an arm has no result, when a trial of it diverged or failed; empty when it was never tried or was cut."""
        for trial in trials_of(recipe, seeds, size, self.protocol):
            outcome = self.journal.outcome(self.executor.key(trial))
            if outcome is not None and outcome.status in {"diverged", "failed"}:
                return f"{outcome.status}: {outcome.message}"
        return ""

    def try_here(self, recipe: Recipe) -> Tried | None:
        """Try a recipe that takes no time, whatever the budget: there is a model before any worker has started."""
        trials = trials_of(recipe, (0,), FULL, self.protocol)
        outcomes = [self.executor.run_here(trial) for trial in trials]
        return gather(recipe, FULL, outcomes, self.protocol.folds, self.executor)

    def run(self, trials: list[Trial], deadline: float | None = None, models: bool = False) -> list[Outcome]:
        """The outcomes of trials that were granted, with their models if wanted; their costs are learnt."""
        if deadline is None and self.ask.seconds is not None:
            deadline = self.ask.seconds - self.reserve
        outcomes = self.executor.run(trials, deadline, models)
        for outcome in outcomes:
            self.costs.learn(outcome)
        self.looks |= {o.key for o in outcomes if o.dev_score is not None}
        self.update()
        return outcomes

    def score(self, tried: Tried) -> Score:
        """The dev score of an arm: its seeds' mean, with the interval of the first seed's examples around it."""
        keys = tuple(outcome.key for outcome in tried.outcomes)
        if keys not in self._scores:  # an interval may take a bootstrap
            weights = self.pool.weights_of(tried.rows[0])
            first = score_of(self.metric, self.truth[tried.rows[0]], tried.dev[0], weights)
            mean = self._mean(self.metric, tried)
            shift = mean - first.value
            self._scores[keys] = Score(mean, first.low + shift, first.high + shift, first.examples)
        return self._scores[keys]

    def broken(self, tried: Tried) -> list[str]:
        """The constraints an arm breaks, with what was measured."""
        found = []
        for constraint in self.problem.constraints:
            if constraint.name in tried.measured:
                measured = tried.measured[constraint.name]
            else:
                measured = self._mean(self.problem.measure_of(constraint.name), tried)
            if not constraint.kept(measured):
                found.append(f"{constraint} (measured {measured:.4g})")
        return found

    def _mean(self, metric: Metric, tried: Tried) -> float:
        """The mean of the dev scores of an arm's seeds in any metric."""
        pairs, weights_of = zip(tried.rows, tried.dev, strict=True), self.pool.weights_of
        return float(np.mean([metric(self.truth[rows], dev, weights_of(rows)) for rows, dev in pairs]))

    # -- the model on disk ----------------------------------------------------------------------------------------

    def offer(self, tried: Tried) -> bool:
        """Save the arm's first model as the run's model if its dev score is better and it keeps the constraints."""
        score = self.score(tried)
        if self.broken(tried) or (self.saved and not self.metric.better(score.value, self.saved.value)):
            return False
        source, name = (
            self.executor.model(tried.outcomes[0]),
            f"model on disk: {self.metric.key}, seed {self.ask.seed}",
        )
        self.saved, disk = score, self.journal.fact(name)
        there = disk is not None and (self.folder / "model").exists()
        if source.exists() and (not there or self.metric.better(score.value, disk)):  # never worse than before a kill
            self.install(source, tried.recipe.family, score)
            self.journal.set_fact(name, score.value)
        self.update(dev=score, winner={"family": tried.recipe.family, "recipe": tried.recipe.to_dict()})
        return True

    def install(self, source: Path, family: str, score: Score | None) -> None:
        """Put a saved model in place as the run's model, all of it or nothing."""
        fresh, place, old = (self.folder / name for name in ("model.new", "model", "model.previous"))
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(source, fresh)
        (fresh / "README.md").write_text(model_readme(self, family, score), encoding="utf-8")
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)
            place.rename(old)
        fresh.rename(place)
        shutil.rmtree(old, ignore_errors=True)


def write_json(file: Path, content: Any) -> None:
    """Write JSON, all of it or nothing."""
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(json.dumps(content, indent=1), encoding="utf-8")
    partial.replace(file)


def model_readme(bench: Bench, family: str, score: Score | None) -> str:
    """What the model folder says about itself."""
    problem = bench.problem
    quality = (
        f"{problem.metric} {score.value:.4g} on dev (95 % interval {score.low:.4g} to {score.high:.4g})"
        if score
        else ""
    )
    classes = (
        f"\nClasses, in the order of the probability columns: {', '.join(problem.classes)}." if problem.classes else ""
    )
    own = " --network MODULE:NAME" * ("own-network" in family)
    return f"""# A model that predicts `{problem.target}`

Made by steelyard: {family}, {problem.task} on {problem.modality} data. {quality}{classes}

Predict on new data from the command line, or in Python:

    steelyard predict {bench.folder} NEW_SOURCE --output predictions.csv{own}

    import steelyard
    run = steelyard.load("{bench.folder}"{", network=…" if own else ""})
    run.predict(new_source)

The folder holds JSON and safetensors only; loading it runs no code from it.
"""
