"""`steelyard diagnose DIR`: what holds the model of a run back."""

import argparse
from pathlib import Path

from steelyard.commands.making import MakeCommand, answer, seeded, show_sheet, written
from steelyard.options import network_option, seconds


def add(command: MakeCommand) -> None:
    """Add the command."""
    parser = command("diagnose", _diagnose, "what holds the model of a run back, and what would help most")
    option = parser.add_argument
    option("folder", metavar="DIR", type=Path, help="the run's folder")
    option("--human-error", type=float, metavar="X", help="the error rate of the best humans: bias is what exceeds it")
    option("--time-limit", type=seconds, default=60.0, metavar="TIME", help="for what must be trained (default: 60s)")
    network_option(parser)
    written(parser, "DIR/diagnosis")
    seeded(parser)


def _diagnose(options: argparse.Namespace) -> int:
    from steelyard.terminal import watching
    from steelyard.workflow.diagnose import PAGE, Examination, diagnose_run

    examination = Examination(
        options.human_error,
        options.time_limit,
        output=options.output,
        seed=options.seed,
        command=options.command_line,
        network=options.network,
    )
    with watching(options.time_limit, quiet=options.quiet) as watch:
        found = diagnose_run(options.folder, examination, watch=watch)

    def show(_: object) -> None:
        from steelyard.report.diagnosis import answers, parts

        tables = [part.table for part in parts(found) if part.table is not None]
        show_sheet(answers(found), tables, Path(found.output) / PAGE)

    return answer(options, found, show)
