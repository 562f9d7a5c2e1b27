"""Weigh techniques, knobs and whole recipes on the data of a run: is it better, and is it real?"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from steelyard.errors import UserError
from steelyard.trials.arms import Size
from steelyard.weighing.compare import LOOKS
from steelyard.weighing.comparison import Weighing
from steelyard.workflow.arms import Base, entries_of, the_base
from steelyard.workflow.ask import DEFAULT_SECONDS, Ask, seed_of
from steelyard.workflow.bench import Bench
from steelyard.workflow.define import check_metric
from steelyard.workflow.laid_down import laid_down
from steelyard.workflow.race import Race
from steelyard.workflow.reopened import reopened
from steelyard.workflow.say import noise_words
from steelyard.workflow.side_effects import equal_time, interactions, on_classes, on_slices, parts_of

Watch = Callable[[Any], None]
METHOD = (
    "paired differences over seeds and examples, both as random samples: two-way analysis of variance (Dorfman, "
    "Berbaum and Metz 1992; degrees of freedom of Hillis 2007); every look is paid for by alpha spending (Lan and "
    "DeMets 1983)"
)


@dataclass(frozen=True)
class Question:
    """What is asked of a weighing.

    `names` are techniques, `knob=value`, several of these joined by `+`, TOML files of recipes, or "all" for the whole
    catalogue. `against` is what they are weighed against: a TOML file, the name of a family for its plain recipe, or
    None for the run's own model. `settings` are knobs set in the base and in every arm. `seed` is that of the first
    pair; None draws one. `network` is the one of the user's own that the run was given, to be named again.
    """

    names: tuple[str, ...]
    against: str | None = None
    settings: tuple[tuple[str, str], ...] = ()
    most: int = LOOKS[-1]
    seconds: float | None = None
    metric: str | None = None
    matters: float | None = None
    slices: tuple[str, ...] = ()
    seed: int | None = 0
    output: Path | None = None
    jobs: int | None = None
    device: str = "auto"
    command: str = ""
    network: Any = None

    def __post_init__(self) -> None:
        if not self.names:
            raise UserError("name what is to be weighed: techniques, knob=value, recipe files, or all")
        if self.most < LOOKS[0]:
            raise UserError(f"seeds is a number from {LOOKS[0]}, got {self.most}: with fewer pairs nothing can be said")
        if self.matters is not None and not 0 <= self.matters < float("inf"):
            raise UserError(f"matters is the smallest effect worth having, a number from 0, got {self.matters:g}")
        if self.seed is not None and self.seed < 0:
            raise UserError(f"seed is a whole number from 0, got {self.seed}")

    @property
    def limit(self) -> float:
        """Seconds for everything."""
        return DEFAULT_SECONDS if self.seconds is None else self.seconds


def weigh(question: Question, folder: Path, ask: Ask | None = None, watch: Watch = lambda _: None) -> Weighing:
    """Weigh on the data of the run in `folder`; the record, which lies in the run's folder with its page.

    `ask` is what the run was asked, where its source is no file. What the run or an earlier weighing trained already is
    not trained again. Raises UserError.
    """
    opened = reopened(
        folder, question.limit, ask, watch, device=question.device, jobs=question.jobs, network=question.network
    )
    with opened as bench:
        measure = bench.problem.measure_of(question.metric) if question.metric else bench.metric
        check_metric(measure, bench.problem.task, bench.pool)
        base = the_base(bench, question.names, question.against, question.settings)
        entries, refused = entries_of(bench, base, question.names)
        redraw = bench.protocol.folds == 1 and bench.protocol.given is None
        first = seed_of(question.seed)
        if question.seed is None:
            bench.say(
                "regularise", f"no seed was fixed: pairs have the seeds from {first} on; --seed {first} repeats this"
            )
        seeds = tuple(range(first, first + question.most))
        race = Race(bench, base.recipe, Size(redraw=redraw), measure, question.most, question.matters, seeds)
        parts_of(race, question.slices)  # a wrong column is said before anything is trained
        _introduce(bench, base, race, [e.name for e in entries])
        if entries and race.start():
            assert race.noise is not None
            bench.say("regularise", noise_words(measure, race.noise, race.least))
            race.run(entries)
        compared = [race.comparison(standing, base.name) for standing in race.standings]
        compared = [
            replace(
                each,
                equal_time=equal_time(race, standing, each),
                classes=on_classes(race, standing),
                slices=on_slices(race, standing, question.slices),
            )
            for each, standing in zip(compared, race.standings, strict=True)
        ]
        found = Weighing(
            bench.problem,
            str(bench.folder),
            question.command,
            base.name,
            base.recipe.to_dict(),
            tuple(sorted(compared, key=lambda c: (not c.pairs, -measure.sign * c.effect))) + tuple(refused),
            tuple(interactions(race)),
            race.noise,
            tuple(race.laps),
            _correction(len(compared)),
            METHOD,
            question.most,
            bench.record.protocol,
        )
        return _concluded(bench, question, race, found)


def _introduce(bench: Bench, base: Base, race: Race, names: list[str]) -> None:
    many = f"{len(names)} arms" if len(names) > 6 else ", ".join(names) or "nothing"
    dealt = f"{bench.protocol.folds} folds, dealt anew for every pair" if bench.protocol.folds > 1 else "a hold-out"
    redrawn = ", dealt anew for every pair" if race.size.redraw else ""
    bench.say(
        "regularise",
        f"weighing {many} against {base.name} by {race.metric.name}; at most {race.most} pairs on {dealt}{redrawn}",
    )
    if base.why:
        bench.say("regularise", base.why)


def _correction(arms: int) -> str:
    if arms <= 1:
        return "one arm: corrected for every look at it"
    return (
        f"{arms} arms: of those said to help or hurt at most 5 % are expected to be wrong (false discovery rate, "
        "Benjamini and Hochberg 1995), intervals at the level this leaves (Benjamini and Yekutieli 2005)"
    )


def _concluded(bench: Bench, question: Question, race: Race, found: Weighing) -> Weighing:
    """Say the verdicts, write the record and its page."""
    for each in found.comparisons:
        words = f"{each.name}: {each.verdict}" + (f" ({each.reason})" if each.reason else "")
        if each.pairs:
            interval = f"{each.effect:+.4g} ({each.low:+.4g} to {each.high:+.4g}, {len(each.pairs)} pairs)"
            words = f"{each.name} on {found.base}: {interval}: {words.partition(': ')[2]}"
        bench.say("regularise", words + (f"; breaks {', '.join(each.breaks)}" if each.breaks else ""))
    place = question.output or bench.folder / "weighed" / _slug(question.names)
    place.mkdir(parents=True, exist_ok=True)
    found = replace(
        found,
        output=str(place),
        said=tuple(said for said in bench.record.said if said.elapsed >= bench.clock.zero),
        trials=sum(len(s.tried.outcomes) for s in race.standings if s.tried)
        + (len(race.tried.outcomes) if race.tried else 0),
        dev_looks=len(bench.looks),
        seconds=bench.clock.now() - bench.clock.zero,
        complete=not any(standing.undecided for standing in race.standings),
    )
    from steelyard.report.weighing import weighing_page

    return laid_down(found, place, "weighing", weighing_page, found.command)


def _slug(names: tuple[str, ...]) -> str:
    return re.sub(r"[^\w.=+-]+", "-", ",".join(names))[:80]
