"""The commands that look at data: anchors, duplicates, probe, cache. Each is parsed here and calls one function."""

import argparse

from steelyard.commands.making import MakeCommand, answer, numbers, seeded, written
from steelyard.errors import UserError


def add(command: MakeCommand) -> None:
    """Add the commands by what makes one from its name, its call and its help."""
    _anchor_options(command("anchors", _anchors, "anchor boxes for a detector, by k-means under IoU"))
    _duplicate_options(command("duplicates", _duplicates, "rows, texts or images that are the same or nearly so"))
    _probe_options(command("probe", _probe, "what each input knows alone and adds to the others; which know too much"))
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
    written(parser)
    seeded(parser)


def _duplicate_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", metavar="SOURCE", help="CSV, TSV, Parquet, a folder of images, or a zip of one")
    add("--target", metavar="COLUMN", help="the column that holds the labels: do those of duplicates agree?")
    add("--test", metavar="SOURCE", help="a second source with the test rows: which are in the first one, too?")
    add("--exclude", action="append", default=[], metavar="COLUMN", help="a column that does not count (with --target)")
    written(parser)


def _probe_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", metavar="SOURCE", help="a table, as `run` takes it")
    add("--target", metavar="COLUMN", help="the column to predict")
    add("--test", metavar="SOURCE", help="a second source with the test rows, which are not looked at")
    add("--task", choices=("binary", "multiclass", "regression"), help="override the inferred task")
    add("--exclude", action="append", default=[], metavar="COLUMN", help="a column to leave out")
    seeded(parser)
    written(parser)


def _cache_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("clear",), help="remove all entries")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


# -- calls ------------------------------------------------------------------------------------------------------


def _anchors(options: argparse.Namespace) -> int:
    from steelyard.commands.data_views import show_anchors
    from steelyard.terminal import watching
    from steelyard.workflow.anchors import KS, Wish, anchors_of

    wish = Wish(options.source, options.k or KS, options.output, options.relative, options.seed, options.command_line)
    with watching(None, quiet=options.quiet) as watch:
        found = anchors_of(wish, watch)
    return answer(options, found, show_anchors)


def _duplicates(options: argparse.Namespace) -> int:
    from steelyard.commands.data_views import show_duplicates
    from steelyard.terminal import watching
    from steelyard.workflow.duplicates import Search, duplicates_of

    if options.exclude and options.target is None:
        raise UserError("--exclude goes with --target: name the column with the labels, too")
    exclude = tuple(options.exclude)
    search = Search(options.source, options.target, options.test, exclude, options.output, options.command_line)
    with watching(None, quiet=options.quiet) as watch:
        found = duplicates_of(search, watch)
    return answer(options, found, show_duplicates)


def _probe(options: argparse.Namespace) -> int:
    from steelyard.commands.data_views import show_probe
    from steelyard.terminal import watching
    from steelyard.workflow.probe import Look, probe_of

    look = Look(
        options.source,
        options.target,
        options.test,
        options.task,
        tuple(options.exclude),
        options.output,
        options.seed,
        options.command_line,
    )
    with watching(None, quiet=options.quiet) as watch:
        found = probe_of(look, watch)
    return answer(options, found, show_probe)


def _cache(options: argparse.Namespace) -> int:
    from steelyard.commands.data_views import show_cache, show_cleared
    from steelyard.data import cache
    from steelyard.data.decoded import described

    if options.action == "clear":
        folder = cache.folder()
        entries, size = cache.clear()
        return answer(options, {"folder": str(folder or ""), "entries": entries, "bytes": size}, show_cleared)
    return answer(options, cache.contents(described), show_cache)
