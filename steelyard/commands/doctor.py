"""`steelyard doctor`: a user's own training program, or that of a run, is examined for bugs that raise no exception."""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.commands.making import MakeCommand
from steelyard.errors import UserError
from steelyard.options import names, network_option, seconds

if TYPE_CHECKING:
    from steelyard.doctor.finding import Examination, Finding

COLOURS = {"error": "red", "warning": "yellow", "tip": "cyan"}


def add(command: MakeCommand) -> None:
    """Add the command."""
    parser = command("doctor", _doctor, "what is broken in your own training code, though nothing raises an exception")
    add = parser.add_argument
    add(
        "setup",
        nargs="?",
        metavar="SETUP|DIR",
        help="package.module:setup or path/to/train.py:setup, a function that returns a dict with model, loss, train, "
        "dev, test, optimizer, step, classes; or the folder of a run",
    )
    add("--ignore", type=names, default=(), metavar="CODES", help="checks to leave out, as SY103,SY2")
    add("--time-limit", type=seconds, default=60.0, metavar="TIME", help="for all checks (default: 60s)")
    add(
        "--weigh",
        action="store_true",
        help="of a run: weigh the likeliest remedies of its findings at once, within TIME again",
    )
    network_option(parser)
    add("--explain", metavar="CODE", help="print the page of a check: what, why, and how to mend it")
    add("--list", action="store_true", help="list all checks")
    add("--json", action="store_true", help="one JSON object on standard output")
    add("--html", type=Path, metavar="FILE", help="write a page, too")


def _doctor(options: argparse.Namespace) -> int:
    from steelyard.commands.doctor_of_runs import examined_run, named, weighed

    if options.explain or options.list:
        return _tell(options.explain)
    if options.setup is None:
        raise UserError("expected a setup to examine, as path/to/train.py:setup, or the folder of a run, got none")
    if options.setup.endswith(".json"):
        return _watched(options)
    found = examined_run(options) if Path(options.setup).is_dir() else named(_examined(options))
    if options.html is not None:
        from steelyard.report.doctor import doctor_page

        options.html.write_text(doctor_page(found, options.command_line), encoding="utf-8")
    weighing = weighed(options, found) if options.weigh else None
    if options.json:
        from steelyard.report.plain import weighing_answer

        more = {} if weighing is None else {"weighed": weighing_answer(weighing)}
        sys.stdout.write(json.dumps(found.to_dict() | more) + "\n")
    else:
        _show(found)
    if weighing is not None and not options.json:
        from steelyard.terminal import show_weighing

        show_weighing(weighing)
    return 0 if found.healthy else 1


def _examined(options: argparse.Namespace) -> "Examination":
    """What the doctor finds about a program of the user's own; what that prints goes to standard error."""
    from rich.console import Console

    from steelyard.doctor import examine
    from steelyard.doctor.batch import Unusable
    from steelyard.doctor.setting import setting_of

    terminal = Console(stderr=True)
    try:
        with redirect_stdout(sys.stderr), terminal.status("setup") as status:
            given = setting_of(options.setup)
            return examine(
                **given,
                ignore=options.ignore,
                time_limit=options.time_limit,
                on_check=lambda check: status.update(f"{check.code} {check.title}?"),
            )
    except Unusable as error:
        raise UserError(str(error)) from error


def _watched(options: argparse.Namespace) -> int:
    """What the doctor saw of a run that it watched, from the record that `Health.to_json` wrote."""
    from steelyard.commands.doctor_of_runs import health_in
    from steelyard.doctor.live.text import table

    health = health_in(Path(options.setup))
    if options.html is not None:
        from steelyard.report.health import health_page

        health_page(health, options.html, options.command_line)
    if options.json:
        sys.stdout.write(json.dumps(health.to_dict()) + "\n")
    else:
        sys.stdout.write(table(replace(health, findings=())) + "\n")
        _show_findings(health.findings)
    return 1 if any(each.severity != "tip" for each in health.findings) else 0


def _show(found: "Examination") -> None:
    from rich.console import Console
    from rich.markup import escape

    from steelyard.commands.doctor_of_runs import last_lines

    console = Console(highlight=False, soft_wrap=True)
    _show_findings(found.findings)
    verdict = "nothing is wrong, as far as was looked" if found.healthy else f"{len(found.findings)} found"
    counts = f"{len(found.passed)} checks passed, {len(found.not_measured)} could not be done"
    console.print(f"{verdict}; {counts}; {found.seconds:.1f} s")
    raised = {code: why for code, why in found.not_measured.items() if "your code raised" in why}
    for code, why in raised.items():
        console.print(f"[yellow]{code}[/] not measured {escape(why)}")
    for line in last_lines(found):
        console.print(escape(line))
    if found.findings:
        console.print("steelyard doctor --explain CODE says more of a finding")


def _show_findings(findings: "Sequence[Finding]") -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    for each in findings:
        console.print(f"[{COLOURS[each.severity]}]{each.severity} {each.code}[/] [bold]{escape(each.title)}[/bold]")
        console.print(f"  saw    {escape(each.saw)}")
        console.print(f"  means  {escape(each.means)}")
        console.print(f"  treat  {escape(each.treat)}")
        if each.remedies:
            console.print(f"  weigh  {escape(', '.join(each.remedies))}")


def _tell(code: str | None) -> int:
    """The page of a check, or the list of all."""
    from steelyard.doctor.check import checks
    from steelyard.report.doctor import check_page

    if code is None:
        sys.stdout.writelines(f"{each.code}  {each.severity:<8} {each.title}\n" for each in checks())
        return 0
    found = [each for each in checks() if each.code == code.upper()]
    if not found:
        raise UserError(f"there is no check {code}: steelyard doctor --list shows all")
    sys.stdout.write(check_page(found[0]))
    return 0
