"""What commands share: how one is made, the options of all that write a page, the answer as text or JSON."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from steelyard.options import count

Call = Callable[[argparse.Namespace], int]
MakeCommand = Callable[[str, Call, str], argparse.ArgumentParser]
WORD = 14  # letters that a column has room for
SHOWN = 20  # rows of a table on the terminal: the page and the JSON hold all


def written(parser: argparse.ArgumentParser, where: str = "one named by SOURCE in runs") -> None:
    """--output, --json and --quiet."""
    add = parser.add_argument
    add("--output", type=Path, metavar="DIR", help=f"the folder to write into (default: {where})")
    add("--json", action="store_true", help="one JSON object on standard output, everything else on standard error")
    add("--quiet", action="store_true", help="no progress")


def seeded(parser: argparse.ArgumentParser) -> None:
    """--seed."""
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="seed of everything random (default: 0)")


def numbers(text: str) -> tuple[int, ...]:
    """The numbers of `3..12`, `5` or `3,6,9`."""
    first, dots, last = text.partition("..")
    if dots:
        low, high = count(first), count(last)
        if low > high:
            raise ValueError(text)
        return tuple(range(low, high + 1))
    return tuple(count(each) for each in text.split(","))


def whole(text: str) -> int:
    """A number from 0."""
    if int(text) < 0:
        raise ValueError(text)
    return int(text)


numbers.__name__, whole.__name__ = "range such as 3..12", "whole number from 0"


def answer(options: argparse.Namespace, found: Any, show: Callable[[Any], None]) -> int:
    """Show a record, or print it as JSON."""
    if options.json:
        import json
        import sys

        from steelyard.records import to_plain

        sys.stdout.write(json.dumps(to_plain(found)) + "\n")
    else:
        show(found)
    return 0


def show_sheet(lines: Sequence[str], tables: Sequence[Any], page: Path | None = None) -> None:
    """The tables (`report.tables.Table`) and sentences of a page on the terminal, and where the page is."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    for table in tables:
        if not table.rows:
            continue
        console.print(f"[bold]{escape(table.caption)}[/bold]")
        shown = Table(box=None, pad_edge=False)
        for place, (name, right) in enumerate(table.columns):
            words = " ".join(row[place].text for row in table.rows[:SHOWN]).split() or [""]
            width = min(WORD, max(map(len, words)))
            shown.add_column(escape(name), justify="right" if right else "left", no_wrap=right, min_width=width)
        for row in table.rows[:SHOWN]:
            shown.add_row(*(escape(_cell(cell, right)) for cell, (_, right) in zip(row, table.columns, strict=True)))
        console.print(shown)
        if len(table.rows) > SHOWN:
            console.print(f"… and {len(table.rows) - SHOWN:,} rows more")
    for line in lines:
        console.print(escape(line))
    if page is not None:
        console.print(f"page  {escape(str(page))}")


def _cell(cell: Any, number: bool) -> str:
    """What a cell says; the note of a number is its interval, that of a word is for the page."""
    return f"{cell.text} ({cell.note})" if cell.note and number else str(cell.text)
