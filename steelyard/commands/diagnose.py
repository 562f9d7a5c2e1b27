"""`steelyard diagnose DIR`: what holds the model of a run back."""

import argparse
from pathlib import Path

from steelyard.commands.making import MakeCommand, answer, seeded, show_sheet, written
from steelyard.options import names, network_option, seconds


def add(command: MakeCommand) -> None:
    """Add the command."""
    parser = command("diagnose", _diagnose, "what holds the model of a run back, and what would help most")
    option = parser.add_argument
    option("folder", metavar="DIR", type=Path, help="the run's folder")
    known = parser.add_mutually_exclusive_group()
    human = "the error of the best humans (a rate, or an RMSE of values): bias is what exceeds it"
    known.add_argument("--human-error", type=float, metavar="X", help=human)
    known.add_argument("--annotators", metavar="FILE", help="labels of several people, as `steelyard human` reads")
    option("--time-limit", type=seconds, default=60.0, metavar="TIME", help="for what must be trained (default: 60s)")
    option("--skip", type=names, default=(), metavar="PARTS", help="of proxies,shift,labels,slices,mistakes,growth")
    network_option(parser)
    written(parser, "DIR/diagnosis")
    seeded(parser)


def _diagnose(options: argparse.Namespace) -> int:
    from steelyard.terminal import watching
    from steelyard.workflow.diagnose import NAME, Examination, diagnose_run

    examination = Examination(
        options.annotators if options.human_error is None else options.human_error,
        options.time_limit,
        options.skip,
        output=options.output,
        seed=options.seed,
        command=options.command_line,
        network=options.network,
    )
    with watching(options.time_limit, quiet=options.quiet) as watch:
        found = diagnose_run(options.folder, examination, watch=watch)

    def show(_: object) -> None:
        from steelyard.report.diagnosis import answers, remedy_table
        from steelyard.report.error_tables import error_rows

        show_sheet(
            answers(found),
            [error_rows(found.errors), remedy_table(found.remedies)],
            Path(found.output) / f"{NAME}.html",
        )

    return answer(options, found, show)
