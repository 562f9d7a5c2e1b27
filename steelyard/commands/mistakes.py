"""The command that looks at mistakes: a sample to tag with reasons, and what mending each reason could bring."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.commands.making import MakeCommand, answer, seeded, show_sheet, written
from steelyard.options import count

if TYPE_CHECKING:
    from steelyard.diagnosis.reasons import Example, Mistakes

STOP = "q"


def add(command: MakeCommand) -> None:
    """Add the command by what makes one from its name, its call and its help."""
    parser = command(
        "mistakes", _mistakes, "a sample of the mistakes to tag with reasons, and what mending each brings"
    )
    add_option = parser.add_argument
    add_option("folder", metavar="DIR", type=Path, help="the run's folder")
    add_option("--n", type=count, default=100, metavar="N", help="mistakes to look at (default: 100)")
    add_option(
        "--tag",
        action="append",
        default=[],
        metavar="ID=TAG,TAG",
        help="reasons of an example, as 17=blurry,dog; without tags those that it has are taken away",
    )
    add_option(
        "--import",
        dest="tables",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="CSV with columns origin and tags; mistakes.csv, filled in where it lies, is read without being named",
    )
    add_option("--review", action="store_true", help="ask for the reasons of each example that has none, one by one")
    add_option("--network", metavar="MODULE:NAME", help="your own network, if the run was given one")
    seeded(parser)
    written(parser, "diagnosis in DIR")


def _mistakes(options: argparse.Namespace) -> int:
    from steelyard.terminal import watching
    from steelyard.workflow.mistakes import Inspection, inspect

    inspection = Inspection(
        options.n,
        options.seed,
        tuple(options.tag),
        tuple(options.tables),
        options.output,
        options.command_line,
        options.network,
    )
    with watching(None, quiet=options.quiet) as watch:
        found = inspect(inspection, options.folder, watch=watch)
    if options.review:
        found = _reviewed(found)
    return answer(options, found, _show)


def _show(found: "Mistakes") -> None:
    from steelyard.report.mistakes import reasons_table, said

    show_sheet(said(found), [reasons_table(found)], Path(found.output) / "mistakes.html")


def _reviewed(found: "Mistakes") -> "Mistakes":
    """Ask for the reasons of every example without any, keep each answer at once, and write the page at the end."""
    from rich.console import Console

    from steelyard.workflow.mistakes import keep, noted
    from steelyard.workflow.tags import words

    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    open_ = [each for each in found.examples if not each.tags]
    console.print(f"tags with commas between; empty: not now; {STOP}: stop. Pictures: {found.output}/mistakes.html")
    for number, example in enumerate(open_, 1):
        known = [each.tag for each in found.reasons]
        console.print(f"\n{number} of {len(open_)}  " + "\n".join(_lines(example, found)))
        console.print(f"reasons so far: {', '.join(known)}" if known else "no reasons so far")
        console.print("tags> ", end="")
        given = sys.stdin.readline()
        if not given or given.strip().lower() == STOP:
            break
        if tags := words(given):
            found = noted(found, example.mistake.origin, tags)
    keep(found)
    return found


def _lines(example: "Example", found: "Mistakes") -> list[str]:
    """An example as the terminal shows it."""
    from steelyard.report.mistakes import named, off

    mistake = example.mistake
    head = f"{named(mistake, found.problem)}: {mistake.truth}, predicted {mistake.predicted}, "
    return [head + off(mistake, found.problem), *(f"  {name}: {value}" for name, value in mistake.values)]
