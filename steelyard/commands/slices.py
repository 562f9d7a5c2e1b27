"""The command that finds slices: parts of dev on which the model of a run errs more than on the rest."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.commands.making import MakeCommand, answer, seeded, show_sheet, written

if TYPE_CHECKING:
    from steelyard.diagnosis.slice_records import Slices


def add(command: MakeCommand) -> None:
    """Add the command by what makes one from its name, its call and its help."""
    parser = command("slices", _slices, "parts of the data on which the model errs more than on the rest")
    add_option = parser.add_argument
    add_option("folder", metavar="DIR", type=Path, help="the run's folder")
    add_option(
        "--column",
        dest="columns",
        action="append",
        default=[],
        metavar="NAME",
        help="slice by this column or measure, as brightness, alone; fewer tests find smaller differences",
    )
    add_option("--no-pairs", dest="pairs", action="store_false", help="single conditions, no two of them together")
    add_option("--network", metavar="MODULE:NAME", help="your own network, if the run was given one")
    seeded(parser)
    written(parser, "diagnosis in DIR")


def _slices(options: argparse.Namespace) -> int:
    from steelyard.terminal import watching
    from steelyard.workflow.slices import Cut, cut

    asked = Cut(
        tuple(options.columns), options.pairs, options.seed, options.output, options.command_line, options.network
    )
    with watching(None, quiet=options.quiet) as watch:
        found = cut(asked, options.folder, watch=watch)
    return answer(options, found, _show)


def _show(found: "Slices") -> None:
    from steelyard.report.slice_tables import brief_table
    from steelyard.report.slices import said

    show_sheet([*said(found), *found.notes], [brief_table(found)], Path(found.output) / "slices.html")
