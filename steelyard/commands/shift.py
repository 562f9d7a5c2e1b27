"""The commands that compare sources: shift, coverage. Each is parsed here and calls one function."""

import argparse
from typing import Any

from steelyard.commands.making import MakeCommand, answer, seeded, show_sheet, written


def add(command: MakeCommand) -> None:
    """Add the commands by what makes one from its name, its call and its help."""
    _shift_options(command("shift", _shift, "do train, dev, test and production come from one distribution?"))
    _coverage_options(command("coverage", _coverage, "is synthetic or augmented data too narrow for the real data?"))


def _shift_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", metavar="SOURCE", help="the folder of a run, or the first of two sources")
    add("second", metavar="SECOND", nargs="?", help="the second source, which is read like the first one")
    add("--target", metavar="COLUMN", help="the column that holds the targets of two sources")
    add("--exclude", action="append", default=[], metavar="COLUMN", help="a column of two sources to leave out")
    add("--production", metavar="SOURCE", help="rows that a run's model meets in use, as `predict` takes them")
    add("--test", action="store_true", help="look at the inputs of a run's sealed test, too: the journal notes it")
    written(parser, "diagnosis in the folder of the run, or one named by SOURCE in runs")
    seeded(parser)


def _coverage_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("real", metavar="REAL", help="a source of real rows, texts or images")
    add("artificial", metavar="ARTIFICIAL", help="a source of synthetic or augmented ones")
    add("--target", metavar="COLUMN", help="the column that holds the targets: it is no input")
    add("--exclude", action="append", default=[], metavar="COLUMN", help="a column to leave out")
    written(parser, "one named by ARTIFICIAL in runs")
    seeded(parser)


def _shift(options: argparse.Namespace) -> int:
    from steelyard.terminal import watching
    from steelyard.workflow.shift import Comparison, shift_of

    asked = Comparison(
        options.source,
        options.second,
        options.target,
        options.production,
        options.test,
        tuple(options.exclude),
        options.output,
        options.seed,
        options.command_line,
    )
    with watching(None, quiet=options.quiet) as watch:
        found = shift_of(asked, watch=watch)
    return answer(options, found, _show_shift)


def _coverage(options: argparse.Namespace) -> int:
    from steelyard.terminal import watching
    from steelyard.workflow.coverage import Generated, coverage_between

    asked = Generated(
        options.real,
        options.artificial,
        options.target,
        tuple(options.exclude),
        options.output,
        options.seed,
        options.command_line,
    )
    with watching(None, quiet=options.quiet) as watch:
        found = coverage_between(asked, watch)
    return answer(options, found, _show_coverage)


# -- the terminal's view ----------------------------------------------------------------------------------------


def _show_shift(found: Any) -> None:
    from pathlib import Path

    from steelyard.report.shift import said
    from steelyard.report.shift_tables import pairs_table, short_table

    told = [short_table(pair) for pair in found.pairs if pair.seen]
    show_sheet(said(found), [*told, pairs_table(found)], Path(found.output) / "shift.html")


def _show_coverage(found: Any) -> None:
    from pathlib import Path

    from steelyard.report.coverage import gaps_table, measures_table, said

    seen = tuple(gap for gap in found.gaps if gap.seen)
    show_sheet(said(found), [gaps_table(seen), measures_table(found)], Path(found.output) / "coverage.html")
