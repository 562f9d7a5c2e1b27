"""The command `labels`: find labels that are likely wrong, and review them one by one."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steelyard.commands.making import MakeCommand, answer, show_sheet, written
from steelyard.errors import UserError
from steelyard.options import network_option, seconds

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.diagnosis.labels import LabelErrors, Suspect
    from steelyard.workflow.review import Review

KEYS = "\\[k]eep  \\[c]hange  \\[d]rop  \\[s]kip  \\[b]ack  \\[q]uit"


def add(command: MakeCommand) -> None:
    """Add the command by what makes one from its name, its call and its help."""
    parser = command("labels", _labels, "find labels that are likely wrong in the data of a run, and review them")
    add_ = parser.add_argument
    add_("action", choices=("find", "review"), help="look for suspects, or go through them one by one")
    add_("folder", metavar="DIR", type=Path, help="the run's folder")
    add_("--time-limit", type=seconds, default=60.0, metavar="SECONDS", help="find: time for it (default: 60)")
    add_("--by", metavar="NAME", help="review: who answers (default: the user's name)")
    add_("--skipped", action="store_true", help="review: show those that were skipped, too")
    network_option(parser)
    written(parser, "diagnosis in the folder of the run")


def _labels(options: argparse.Namespace) -> int:
    return _find(options) if options.action == "find" else _review(options)


def _find(options: argparse.Namespace) -> int:
    from steelyard.terminal import watching
    from steelyard.workflow.labels import find_labels

    with watching(options.time_limit, quiet=options.quiet) as watch:
        found = find_labels(
            options.folder,
            options.time_limit,
            options.output,
            watch=watch,
            command=options.command_line,
            network=options.network,
        )
    return answer(options, found, _show)


def _show(found: "LabelErrors") -> None:
    from steelyard.report.labels import review_command, said, suspects_table

    tables = [suspects_table(found)]
    lines = said(found) + ([f"try   {review_command(found)}"] if found.suspects else [])
    show_sheet(lines, tables, Path(found.output) / "labels.html")


def _review(options: argparse.Namespace) -> int:
    from getpass import getuser

    from rich.console import Console
    from rich.markup import escape

    from steelyard.workflow.review import reviewed

    console = Console(highlight=False, soft_wrap=True)
    review = reviewed(options.folder, options.by or getuser())
    done = _ask_all(console, review, review.waiting(options.skipped))
    changed = sum(one.action == "change" for one in review.answers.values())
    dropped = sum(one.action == "drop" for one in review.answers.values())
    console.print(
        f"{done} answered now; {changed} to change and {dropped} to drop of {len(review.answers)} in all, "
        f"{len(review.waiting())} left"
    )
    console.print(f"corrections  {escape(str(review.file))}")
    if changed or dropped:
        console.print(f"apply them   steelyard run SOURCE … --output NEW_DIR --corrections {escape(str(review.file))}")
    return 0


def _ask_all(console: "Console", review: "Review", waiting: "list[Suspect]") -> int:
    """Ask about one suspect after the other until the last or `quit`; how many were answered."""
    from rich.markup import escape

    from steelyard.commands.label_views import show_suspect

    place = 0
    while place < len(waiting):
        suspect = waiting[place]
        show_suspect(console, review.dataset, review.row(suspect), suspect, len(waiting) - place)
        said = _heard(console, f"{KEYS} > ")
        if said is None or said[:1] in {"q", "Q"}:
            break
        key, _, rest = said.partition(" ")
        try:
            if key.lower() in {"b", "back"} and place > 0:
                place -= 1
                review.forget(waiting[place])
            elif _answered(console, review, suspect, key.lower(), rest.strip()):
                place += 1
        except UserError as error:
            console.print(f"[red]{escape(str(error))}[/red]")
    return place


def _answered(console: "Console", review: "Review", suspect: "Suspect", key: str, label: str) -> bool:
    """Whether a key was an answer, which then is on disk."""
    from rich.markup import escape

    words: dict[str, Any] = {"k": "keep", "d": "drop", "s": "skip"}
    action = words.get(key, key)
    if action in words.values():
        review.answer(suspect, action)
        return True
    if key in {"c", "change"}:
        typed = label or _heard(console, f"right label (enter: {escape(suspect.suggested)}) > ")
        if typed is None:
            return False
        review.answer(suspect, "change", typed or suspect.suggested)
        return True
    console.print("[dim]k, c, d, s, b or q[/dim]")
    return False


def _heard(console: "Console", prompt: str) -> str | None:
    """A line from standard input without its end; None where there are no more."""
    console.print(prompt, end="")
    line = sys.stdin.readline()
    if not sys.stdin.isatty():
        console.print()
    return line.strip() if line else None
