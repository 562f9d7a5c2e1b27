"""The command `learning-curve`: will more data help the model of a run?"""

import argparse
from pathlib import Path

from steelyard.commands.making import MakeCommand, answer, show_sheet, written
from steelyard.options import count, seconds


def add(command: MakeCommand) -> None:
    """Add the command by what makes one from its name, its call and its help."""
    parser = command("learning-curve", _learning_curve, "will more data help? The error over the number of train rows")
    add = parser.add_argument
    add("folder", metavar="DIR", type=Path, help="the run's folder")
    add(
        "--time-limit",
        type=seconds,
        default=60.0,
        metavar="SECONDS",
        help="time for everything (default: 60); also 10m",
    )
    add("--seeds", type=count, default=3, metavar="N", help="trainings of every size (default: 3)")
    add(
        "--class",
        action="append",
        default=[],
        dest="classes",
        metavar="NAME",
        help="label more of this class? (default: the worst two)",
    )
    add("--against", metavar="FAMILY", help="a family, or the TOML file of a recipe (default: the run's own model)")
    add("--matters", type=float, metavar="X", help="the smallest difference in error that is worth having")
    add("--jobs", type=count, metavar="N", help="trainings side by side (default: one a core)")
    written(parser, "diagnosis in DIR")


def _learning_curve(options: argparse.Namespace) -> int:
    from steelyard.report.learning_curve import said, tables
    from steelyard.terminal import watching
    from steelyard.workflow.learning_curve import Wish, learning_curve

    wish = Wish(options.seeds, options.against, tuple(options.classes), matters=options.matters)
    with watching(options.time_limit, quiet=options.quiet) as watch:
        found = learning_curve(
            options.folder, wish, options.time_limit, options.output, watch, options.command_line, options.jobs
        )
    page = Path(found.output) / "learning_curve.html"
    answer(options, found, lambda found: show_sheet(said(found), tables(found), page))
    return 0 if found.whole else 1
