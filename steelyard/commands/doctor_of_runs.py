"""`steelyard doctor DIR`: the doctor looks at the network of a run, and what treats its findings is weighed."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from steelyard.doctor.finding import Examination
from steelyard.doctor.live import Health
from steelyard.errors import UserError


def examined_run(options: argparse.Namespace) -> Examination:
    """What the doctor finds about the run in a folder."""
    from steelyard.workflow.examining import examined

    return examined(Path(options.setup), ignore=options.ignore, time_limit=options.time_limit, network=options.network)


def named(found: Examination) -> Examination:
    """Findings about a program of the user's own with the techniques that treat them."""
    from steelyard.workflow.treatments import names_for

    return replace(found, findings=tuple(replace(f, remedies=names_for(f.code)) for f in found.findings))


def last_lines(found: Examination) -> list[str]:
    """What was looked at, and how to go on with the remedies."""
    from steelyard.workflow.examining import RunExamination

    if not isinstance(found, RunExamination):
        return ["steelyard techniques NAME says what a technique does"] if _remedies(found) else []
    if not found.network:
        return [f"{found.run} trained no network: there is no training program to examine"]
    lines = [f"looked at {found.network}, as it starts and by what {found.run} kept of its training"]
    return [*lines, f"weigh the remedies: {found.command(found.remedies)}"] if found.remedies else lines


def weighed(options: argparse.Namespace, found: Examination) -> Any:
    """The weighing of the likeliest remedies of a run's findings; None where there are none."""
    from steelyard.terminal import watching
    from steelyard.workflow.examining import RunExamination
    from steelyard.workflow.weighing import Question, weigh

    if not isinstance(found, RunExamination):
        raise UserError("--weigh needs the folder of a run: there are no data to weigh on otherwise")
    if not found.remedies:
        return None
    question = Question(
        found.likeliest,
        found.against or None,
        seconds=options.time_limit,
        command=options.command_line,
        network=options.network,
    )
    with watching(question.limit, quiet=options.json or not sys.stderr.isatty()) as watch:
        return weigh(question, Path(found.run), watch=watch)


def _remedies(found: Examination) -> bool:
    return any(finding.remedies for finding in found.findings)


def health_in(file: Path) -> Health:
    """The record of a run that the doctor watched. Raises UserError for a file that is none."""
    try:
        return Health.from_json(file)
    except FileNotFoundError:
        raise UserError(f"there is no file {file}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} is not a record that doctor.health.to_json(path) wrote: {error}") from error
