"""The terminal's view of the records: words and live progress on standard error, answers on standard output."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from steelyard.problem import Score
from steelyard.records import STEPS, RunRecord, Said
from steelyard.report.numbers import duration
from steelyard.report.tools import remark
from steelyard.report.weighing_lines import COLOURS, WIDE, weighing_lines
from steelyard.techniques.technique import Technique
from steelyard.training.rate_range import RateRange
from steelyard.trials.executor import Began, Went
from steelyard.trials.journal import Journal
from steelyard.trials.trial import Outcome
from steelyard.weighing.comparison import Weighing
from steelyard.weighing.recorded import recorded_of
from steelyard.weighing.trade_off import Exploration

Watch = Callable[[Any], None]


@contextmanager
def watching(seconds: float | None, trials: int | None = None, quiet: bool = False) -> Iterator[Watch]:
    """A watcher that tells the story as it goes: live on a terminal, plain lines elsewhere.

    `seconds` or `trials` are the limit that progress is shown against.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if quiet:
        yield lambda _: None
    elif not console.is_terminal:
        yield lambda event: _tell(console, event)
    else:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"))
        with Progress(*columns, console=console, transient=True) as progress:
            yield _Live(seconds, trials, progress).see


def _tell(console: Console, event: Any) -> None:
    if isinstance(event, Said):
        console.print(f"[dim]{event.elapsed:6.0f} s[/dim]  [bold]{event.step:<10}[/bold] {escape(event.text)}")
    elif isinstance(event, Outcome) and event.status in {"failed", "diverged"}:
        console.print(f"          [red]{event.trial.recipe.family} {event.status}[/red]: {escape(event.message)}")


class _Live:
    """The progress of the run and of every training in flight."""

    def __init__(self, seconds: float | None, trials: int | None, progress: Progress) -> None:
        self.seconds, self.progress = seconds, progress
        self.zero: float | None = None  # what the clock showed at first: a weighing goes on with that of its run
        self.done, self.running = 0, {}  # type: int, dict[str, Any]
        self.whole = progress.add_task("run", total=trials if seconds is None else seconds, left="")

    def see(self, event: Any) -> None:
        """Take one event in."""
        if isinstance(event, Began):
            self.running[event.key] = self.progress.add_task(f"  {event.trial.recipe.family}", total=1.0, left="")
        elif isinstance(event, Went) and event.key in self.running:
            self.progress.update(self.running[event.key], completed=event.progress)
        elif isinstance(event, Outcome):
            self.done += 1
            if event.key in self.running:
                self.progress.remove_task(self.running.pop(event.key))
            self._advance(event.elapsed)
        _tell(self.progress.console, event)
        if isinstance(event, Said):
            self._advance(event.elapsed)

    def _advance(self, elapsed: float) -> None:
        self.zero = elapsed if self.zero is None else self.zero
        if self.seconds is None:
            self.progress.update(self.whole, completed=self.done, left=f"{self.done} trials")
        else:
            spent = elapsed - self.zero
            left = max(0.0, self.seconds - spent)
            self.progress.update(self.whole, completed=spent, left=f"{left / 60:.1f} min left, {self.done} trials")


def show_answer(record: RunRecord) -> None:
    """The answer of a run, short."""
    console = _out()
    if not record.winner:
        console.print("no model: " + escape(record.said[-1].text if record.said else "nothing was trained"))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, score in (("baseline", record.baseline), ("dev", record.dev), ("test", record.test)):
        table.add_row(f"{record.problem.metric} {name}", _score(score))
        if name == "dev" and record.wear and record.wear.optimism:
            among = f", chosen among {record.wear.candidates} models"
            table.add_row("  without luck", _score(record.wear.corrected) + among)
    table.add_row("winner", escape(str(record.winner.get("family"))))
    table.add_row("page", escape(f"{record.output}/report.html"))
    table.add_row("predict", escape(f"steelyard predict {record.output} NEW_SOURCE --output predictions.csv"))
    console.print(table)
    weighed = [w for w in record.weighed if w.pairs]
    if weighed:
        console.print(_effects(record))


def _out() -> Console:
    """Standard output; wide where nobody sees it, so that no line is folded in a file."""
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=160)


def _effects(record: RunRecord) -> Table:
    table = Table(
        box=None,
        pad_edge=False,
        title="what was weighed (intervals corrected for every look and the number of arms)",
        title_justify="left",
    )
    for name in ("technique", "on", "effect", "95 % interval", "pairs", "verdict"):
        table.add_column(name, justify="right" if name in {"effect", "pairs"} else "left")
    for w in (w for w in record.weighed if w.pairs):
        colour = COLOURS.get(w.verdict, "default")
        verdict = f"[{colour}]{w.verdict}[/{colour}]" + (", kept" if w.kept else "")
        table.add_row(
            w.technique, w.against, f"{w.effect:+.4g}", f"{w.low:+.4g} to {w.high:+.4g}", str(len(w.pairs)), verdict
        )
    return table


def _score(score: Score | None) -> str:
    return "–" if score is None else f"{score.value:.5g}  ({score.low:.5g} to {score.high:.5g}, {score.examples} rows)"


def show_journal(journal: Journal) -> None:
    """What was said, step by step, and every trial."""
    console = _out()
    said = journal.said()
    for step in STEPS:
        for each in (s for s in said if s.step == step):
            console.print(f"[dim]{each.elapsed:6.0f} s[/dim]  [bold]{each.step:<10}[/bold] {escape(each.text)}")
    table = Table(box=None, pad_edge=False, title="trials", title_justify="left")
    for name in ("#", "family", "seed", "fold", "rows", "train", "dev", "seconds", "status"):
        table.add_column(name, justify="left" if name in {"family", "status"} else "right")
    for number, o in enumerate(journal.outcomes(), 1):
        fold = "all" if o.trial.fold is None else str(o.trial.fold)
        scores = ["–" if s is None else f"{s:.5g}" for s in (o.train_score, o.dev_score)]
        status = f"{o.status}{': ' + escape(o.message) if o.message else ''}"
        table.add_row(
            str(number),
            o.trial.recipe.family,
            str(o.trial.seed),
            fold,
            str(o.train_rows),
            *scores,
            f"{o.seconds:.2f}",
            status,
        )
    console.print(table)
    for at, by in journal.openings():
        console.print(f"the test was opened at {at} by {by}")
    for at, text in journal.notes():
        console.print(f"note of {at}: {escape(text)}")


def show_techniques(kinds: list[type[Technique]]) -> None:
    """The catalogue in one table."""
    table = Table(box=None, pad_edge=False)
    for name in ("technique", "acts on", "treats", "what it does"):
        table.add_column(name)
    for kind in kinds:
        table.add_row(
            kind.name(), kind.place(), ", ".join(kind.treats), escape(" ".join(kind.card().split("\n\n")[0].split()))
        )
    _out().print(table)


def show_technique(kind: type[Technique]) -> None:
    """The card of one technique."""
    console = _out()
    console.print(f"[bold]{kind.name()}[/bold] – acts on the {kind.place()}, treats {', '.join(kind.treats)}\n")
    console.print(escape(kind.card()))
    for each in recorded_of(kind.name()):
        console.print(
            f"measured on {each.data} ({each.family}, {each.rows} rows): {each.metric} {each.effect:+.4g} "
            f"({each.low:+.4g} to {each.high:+.4g}, {each.pairs} pairs): {each.verdict}"
        )
    console.print(f"\nsettings: {escape(str(kind()))}")
    console.print(f"source: {escape(kind.source())}")


def show_rate_range(found: RateRange, page: Path) -> None:
    """The marks of a range test, and the setting to use."""
    table = Table(box=None, show_header=False, pad_edge=False)
    end = "diverges above" if found.diverged else "withstands up to"
    marks = (("falls fastest", found.steepest), ("lowest loss", found.lowest), (end, found.largest))
    for name, rate in (*marks, ("suggestion", found.suggestion)):
        table.add_row(name, f"{rate:.2g}")
    if found.caveat:
        table.add_row("but", escape(found.caveat))
    table.add_row("page", escape(str(page)))
    table.add_row("use", escape(f"--set {shlex.quote(found.setting)}"))
    _out().print(table)


def show_exploration(found: Exploration) -> None:
    """Every pair, and the settings of the one that is picked."""
    table = Table(box=None, pad_edge=False)
    for name in ("batch", "epochs", "rate", "steps", "seconds", found.problem.metric, "against the best", ""):
        table.add_column(name, justify="left" if name in {"rate", ""} else "right")
    for pair in found.pairs:
        effect = "" if pair.effect is None else f"{pair.effect:+.4g} ({pair.low:+.4g} to {pair.high:+.4g})"
        score = pair.score and f"{pair.score.value:.4g} ({pair.score.low:.4g} to {pair.score.high:.4g})"
        seconds = "–" if pair.seconds is None else f"{pair.seconds:.2f}"
        row = (str(pair.batch_size), str(pair.epochs), escape(pair.rate), str(pair.steps), seconds, score or "–")
        table.add_row(*row, "" if pair.place == found.best else effect, escape(remark(found, pair)))
    console = _out()
    console.print(table)
    if found.pick is None:
        console.print("no pair was trained to its end")
    console.print(f"page  {escape(found.output)}/explore.html, after {duration(found.seconds)}")
    if found.settings:
        console.print("use   " + escape(" ".join(f"--set {shlex.quote(each)}" for each in found.settings)))


def show_weighing(found: Weighing) -> None:
    """The noise, every arm from the best to the worst, what two do together, and what the intervals are worth."""
    console = _out()
    for each in weighing_lines(found, wide=console.width >= WIDE):
        console.print(each)
