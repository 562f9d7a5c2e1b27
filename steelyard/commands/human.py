"""`steelyard human`: how often people are wrong, and where the model of a run stands beside them."""

import argparse
from pathlib import Path

from steelyard.commands.making import MakeCommand, answer, seeded, show_sheet, written
from steelyard.options import count, network_option


def add(command: MakeCommand) -> None:
    """Add the command by what makes one from its name, its call and its help."""
    parser = command("human", _human, "human level from several annotators: one, the best, panels; a model beside them")
    add = parser.add_argument
    add(
        "annotators",
        metavar="ANNOTATORS",
        help="CSV, TSV or Parquet: a column for each annotator, or the columns row, annotator, label; .npy of counts "
        "(rows, classes); or an error as a number, as 0.02",
    )
    add(
        "--truth",
        metavar="FILE",
        help="a table (or .npy) with the true labels; without one annotators are held against each other",
    )
    add("--column", metavar="NAME", help="the column of FILE that holds them")
    add("--run", type=Path, metavar="DIR", help="a run: its labels are the truth, its model is set beside the people")
    add("--examples", type=count, metavar="N", help="how many examples the error was measured on, if it is a number")
    add("--values", action="store_const", const=True, default=None, help="numbers are measured values, not classes")
    network_option(parser)
    written(parser, "diagnosis in the folder of the run, else one named by ANNOTATORS in runs")
    seeded(parser)


def _human(options: argparse.Namespace) -> int:
    from steelyard.diagnosis.beside_human import Human
    from steelyard.report.bayes import proxy_table
    from steelyard.report.bayes import said as said_of_proxies
    from steelyard.report.human import annotator_table, panel_table, said
    from steelyard.terminal import watching
    from steelyard.workflow.people import NAME, People, human

    people = People(
        _number(options.annotators),
        options.truth,
        options.column,
        options.run,
        options.examples,
        options.values,
        options.output,
        options.seed,
        options.command_line,
        options.network,
    )
    with watching(None, quiet=options.quiet) as watch:
        found = human(people, watch)

    def show(found: Human) -> None:
        tables = [panel_table(found), annotator_table(found)]
        lines = said(found)
        if found.proxies is not None:
            tables.append(proxy_table(found.proxies))
            lines += said_of_proxies(found.proxies)
        show_sheet(lines, tables, Path(found.output) / f"{NAME}.html")

    return answer(options, found, show)


def _number(text: str) -> float | str:
    """The error that a text states, or the text, which is then a file."""
    try:
        return text if Path(text).exists() else float(text)
    except ValueError:
        return text
