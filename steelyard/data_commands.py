"""The commands that look at data: anchors, duplicates, probe, cache. Each is parsed here and calls one function."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from steelyard.errors import UserError
from steelyard.options import count

Call = Callable[[argparse.Namespace], int]
MakeCommand = Callable[[str, Call, str], argparse.ArgumentParser]


def add_data_commands(command: MakeCommand) -> None:
    """Add the commands by what makes one from its name, its call and its help."""
    _anchor_options(command("anchors", _anchors, "anchor boxes for a detector, by k-means under IoU"))
    _duplicate_options(command("duplicates", _duplicates, "rows, texts or images that are the same or nearly so"))
    _cache_options(command("cache", _cache, "what is kept of decoded images, and how to be rid of it"))


# -- options ----------------------------------------------------------------------------------------------------


def _anchor_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", metavar="SOURCE", help="a CSV of boxes, a folder or zip of Pascal VOC XML, or a COCO JSON file")
    add("--k", type=numbers, default=None, metavar="A..B", help="numbers of anchors, as 3..12 or 5 or 3,6,9")
    units = parser.add_mutually_exclusive_group()
    units.add_argument(
        "--relative",
        action="store_const",
        const=True,
        default=None,
        help="sizes as shares of the image (default where images differ in size)",
    )
    units.add_argument("--pixels", action="store_const", const=False, dest="relative", help="sizes in pixels")
    _written(parser)
    add("--seed", type=whole, default=0, metavar="N", help="seed of everything random (default: 0)")


def _duplicate_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", metavar="SOURCE", help="CSV, TSV, Parquet, a folder of images, or a zip of one")
    add("--target", metavar="COLUMN", help="the column that holds the labels: do those of duplicates agree?")
    add("--test", metavar="SOURCE", help="a second source with the test rows: which are in the first one, too?")
    add("--exclude", action="append", default=[], metavar="COLUMN", help="a column that does not count (with --target)")
    _written(parser)


def _cache_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("clear",), help="remove all entries")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def _written(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--output", type=Path, metavar="DIR", help="the folder to write into (default: one named by SOURCE in runs)")
    add("--json", action="store_true", help="one JSON object on standard output, everything else on standard error")
    add("--quiet", action="store_true", help="no progress")


def numbers(text: str) -> tuple[int, ...]:
    first, dots, last = text.partition("..")
    if dots:
        low, high = count(first), count(last)
        if low > high:
            raise ValueError(text)
        return tuple(range(low, high + 1))
    return tuple(count(each) for each in text.split(","))


def whole(text: str) -> int:
    if int(text) < 0:
        raise ValueError(text)
    return int(text)


numbers.__name__, whole.__name__ = "range such as 3..12", "whole number from 0"


# -- calls ------------------------------------------------------------------------------------------------------


def _anchors(options: argparse.Namespace) -> int:
    from steelyard.terminal import watching
    from steelyard.terminal_data import show_anchors
    from steelyard.workflow.anchors import KS, Wish, anchors_of

    wish = Wish(options.source, options.k or KS, options.output, options.relative, options.seed, options.command_line)
    with watching(None, quiet=options.quiet) as watch:
        found = anchors_of(wish, watch)
    return _answer(options, found, show_anchors)


def _duplicates(options: argparse.Namespace) -> int:
    from steelyard.terminal import watching
    from steelyard.terminal_data import show_duplicates
    from steelyard.workflow.duplicates import Search, duplicates_of

    if options.exclude and options.target is None:
        raise UserError("--exclude goes with --target: name the column with the labels, too")
    exclude = tuple(options.exclude)
    search = Search(options.source, options.target, options.test, exclude, options.output, options.command_line)
    with watching(None, quiet=options.quiet) as watch:
        found = duplicates_of(search, watch)
    return _answer(options, found, show_duplicates)


def _cache(options: argparse.Namespace) -> int:
    from steelyard.data import cache
    from steelyard.data.decoded import described
    from steelyard.terminal_data import show_cache, show_cleared

    if options.action == "clear":
        folder = cache.folder()
        entries, size = cache.clear()
        return _answer(options, {"folder": str(folder or ""), "entries": entries, "bytes": size}, show_cleared)
    return _answer(options, cache.contents(described), show_cache)


def _answer(options: argparse.Namespace, found: Any, show: Callable[[Any], None]) -> int:
    """Show a record, or print it as JSON."""
    if options.json:
        import json
        import sys

        from steelyard.records import to_plain

        sys.stdout.write(json.dumps(to_plain(found)) + "\n")
    else:
        show(found)
    return 0
