"""Probes of the inputs of a source: the record, and the page and JSON that lie in a folder."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from steelyard.data.source import read
from steelyard.diagnosis.probes.probe import Probe, probed, suspected
from steelyard.errors import UserError
from steelyard.records import Said
from steelyard.trials.clock import Clock
from steelyard.trials.measure import one_thread_here
from steelyard.workflow.bench import Bench
from steelyard.workflow.laid_down import laid_down
from steelyard.workflow.network import folder_named

Watch = Callable[[Any], None]
NAME = "probe"


@dataclass(frozen=True)
class Look:
    """What is probed: a source as a run takes it, split as a run with that seed splits it."""

    source: Any
    target: str | int | None = None
    test: Any = None
    task: str | None = None
    exclude: tuple[str, ...] = ()
    output: Path | None = None
    seed: int = 0
    command: str = ""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UserError(f"seed is a whole number from 0, got {self.seed}")


def probe_of(look: Look, watch: Watch = lambda _: None) -> Probe:
    """The probes; probe.html and probe.json lie in `output` of the record. Raises UserError."""
    clock = Clock(0.0)
    dataset = read(look.source, look.target, test=look.test, task=look.task, exclude=look.exclude)
    for note in dataset.notes:
        watch(Said("define", note, round(clock.now(), 2)))
    with one_thread_here():
        found = probed(dataset, look.seed, lambda text: watch(Said("measure", text, round(clock.now(), 2))))
    folder = folder_named(look.source, look.output, NAME)
    found = replace(found, notes=dataset.notes, commands=_commands(look, found))
    for text in in_words(found):
        watch(Said("finish", text, round(clock.now(), 2)))
    from steelyard.report.probe import probe_page

    return laid_down(found, folder, NAME, probe_page, look.command)


def in_words(found: Probe) -> list[str]:
    """What was found, a sentence each."""
    said = [leak.reason for leak in found.leaks]
    if found.useless and found.without is not None:
        names = ", ".join(f"'{name}'" for name in found.useless[:8])
        more = f" and {len(found.useless) - 8} more" if len(found.useless) > 8 else ""
        said.append(
            f"without {names}{more} the others predict as well: {found.without.value:.1%} of the error of a constant "
            f"guess is taken away, with all {found.whole.value:.1%}"
        )
    if not found.leaks:
        said.append("no input knows suspiciously much")
    if not found.useless:
        said.append("no input is surely useless")
    return said


def say_leaks(bench: Bench) -> None:
    """Say in a run which inputs know suspiciously much; only rows outside the sealed test are looked at."""
    with one_thread_here():
        found = bench.once("leaks", lambda: [leak.reason for leak in suspected(bench.pool, bench.ask.seed)])
    for text in found:
        bench.say("define", f"{text} `steelyard probe` says more")
    bench.update(notes=(*bench.record.notes, *found))


def _commands(look: Look, found: Probe) -> tuple[str, ...]:
    """What to type to try it: a run without the suspects, and the useless columns weighed out of its model."""
    if not isinstance(look.source, str | Path):
        return ()
    folder = f"runs/{Path(look.source).name.split('.')[0]}"
    names = [*look.exclude, *dict.fromkeys(name for leak in found.leaks for name in leak.columns)]
    target = ["--target", str(look.target)] if look.target is not None else []
    without = [word for name in names for word in ("--exclude", name)]
    commands = [shlex.join(["steelyard", "run", str(look.source), *target, *without, "--output", folder])]
    if plain := [name for name in found.useless if "," not in name and name not in names]:
        commands.append(shlex.join(["steelyard", "weigh", f"prepare.drop={','.join(plain)}", "--run", folder]))
    return tuple(commands) if found.leaks or plain else ()
