"""The command line: each command parses, calls one library function and renders the record it returns.

Nothing heavy is imported before a command runs, so that `--help` is instant.
"""

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from steelyard import __version__
from steelyard.commands import add_all
from steelyard.errors import UserError
from steelyard.options import (
    explore_options,
    network_option,
    rate_options,
    run_options,
    show_options,
    weigh_options,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 done, 1 a check or gate failed, 2 the user's mistake in one line."""
    began = time.perf_counter()
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    options.began = began
    options.command_line = shlex.join(["steelyard", *given])
    try:
        done: int = options.call(options)
        return done
    except UserError as error:
        print(f"steelyard: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("steelyard: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        print(
            f"steelyard: {error.strerror or error}: {error.filename or 'a file'} cannot be read or written",
            file=sys.stderr,
        )
        return 2


class _Parser(argparse.ArgumentParser):
    """One line for a wrong argument, as for every other mistake."""

    def error(self, message: str) -> Any:
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="steelyard", description="Weighs deep-learning advice on your own data and keeps what helps.")
    parser.add_argument("--version", action="version", version=f"steelyard {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, parser_class=_Parser, metavar="COMMAND")
    run_options(_command(commands, "run", _run, "get a better model out of data, and the evidence for it"))
    rate_options(
        _command(commands, "lr-range", _lr_range, "which learning rates a network withstands, and one to begin with")
    )
    explore_options(
        _command(commands, "explore", _explore, "batch size and epochs tried together, the cheapest pairs first")
    )
    weigh_options(_command(commands, "weigh", _weigh, "is a technique better on the data of a run, and is it real?"))
    add_all(partial(_command, commands))
    predict = _command(commands, "predict", _predict, "predict with the model of a run")
    predict.add_argument("folder", metavar="DIR", type=Path, help="the run's folder")
    predict.add_argument(
        "source",
        metavar="NEW_SOURCE",
        help="a table, a folder of images or texts, or lines of text, as `run` takes them",
    )
    network_option(predict)
    predict.add_argument("--output", type=Path, metavar="FILE", help="CSV to write (default: standard output)")
    show_options(_command(commands, "show", _show, "what augmentation makes of the data of a run, before and after"))
    report = _command(commands, "report", _report, "write the page of a run anew and say where it is")
    report.add_argument("folder", metavar="DIR", type=Path, help="the run's folder")
    journal = _command(commands, "journal", _journal, "what was tried, why, and with what result")
    journal.add_argument("folder", metavar="DIR", type=Path, help="the run's folder")
    journal.add_argument("--note", metavar="TEXT", help="add a note of your own")
    journal.add_argument("--json", action="store_true", help="one JSON object on standard output")
    techniques = _command(commands, "techniques", _techniques, "the catalogue of techniques, or the card of one")
    techniques.add_argument("name", metavar="NAME", nargs="?", help="a technique")
    techniques.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser


def _command(commands: Any, name: str, call: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    sentence = text[0].upper() + text[1:] + ("" if text.endswith("?") else ".")
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=sentence)
    parser.set_defaults(call=call)
    return parser


def _setting(text: str) -> tuple[str, str]:
    path, sign, value = text.partition("=")
    if not sign or not path or not value:
        raise UserError(f"--set expects KNOB=VALUE, as loss.label_smoothing=0.1, got '{text}'")
    return path.strip(), value.strip()


def _ask(options: argparse.Namespace, **more: Any) -> Any:
    """What the options say that every command which trains has."""
    settings = tuple(_setting(text) for text in options.settings)
    from steelyard.data.layout import Layout
    from steelyard.workflow.ask import Ask, named, seed_of

    return Ask(
        options.source,
        options.target[0] if options.target and len(options.target) == 1 else tuple(options.target or ()) or None,
        options.test,
        options.output,
        metric=options.metric,
        task=options.task,
        seed=seed_of(None if options.no_seed else options.seed),
        settings=settings,
        exclude=tuple(options.exclude),
        device=options.device,
        command=options.command_line,
        modality=options.modality,
        layout=Layout(options.id, options.time, options.horizon, options.window, options.period),
        order=options.order,
        network=options.network,
        source_column=options.source_column,
        target_source=named(options.target_source),
        **more,
    )


def _run(options: argparse.Namespace) -> int:
    from steelyard.problem import Constraint

    costs = None
    if options.costs:
        from steelyard.data.costs import read_costs

        costs = read_costs(options.costs)
    ask = _ask(
        options,
        time_limit=options.time_limit,
        trial_limit=options.trial_limit,
        constraints=tuple(Constraint.parse(text) for text in options.constraint),
        human_error=options.human_error,
        jobs=options.jobs,
        weights=options.weights,
        costs=costs,
        corrections=tuple(options.corrections),
    )
    from steelyard.terminal import show_answer, watching

    with watching(ask.seconds, ask.trial_limit, options.quiet) as watch:
        from steelyard.workflow.run import carry_out

        record = carry_out(ask, watch, time.perf_counter() - options.began)
    if options.json:
        from steelyard.report.plain import answer

        print(json.dumps(answer(record)))
    else:
        show_answer(record)
    return 0 if record.winner else 1


def _lr_range(options: argparse.Namespace) -> int:
    ask = _ask(options, trial_limit=options.seeds)
    from steelyard.terminal import show_rate_range, watching

    with watching(ask.seconds, ask.trial_limit, options.quiet) as watch:
        from steelyard.workflow.rate_range import Span, find_rate_range

        span = Span(options.low, options.high, options.steps, options.seeds)
        found, page = find_rate_range(ask, span, watch, time.perf_counter() - options.began)
    if options.json:
        from steelyard.records import to_plain

        print(json.dumps(to_plain(found)))
    else:
        show_rate_range(found, page)
    return 0


def _explore(options: argparse.Namespace) -> int:
    ask = _ask(options, time_limit=options.time_limit, jobs=options.jobs)
    from steelyard.terminal import show_exploration, watching

    with watching(ask.seconds, ask.trial_limit, options.quiet) as watch:
        from steelyard.workflow.explore import explore_grid
        from steelyard.workflow.grid import Grid

        grid = Grid(options.batch_sizes, options.epochs, options.seeds, options.keep_rate)
        found = explore_grid(ask, grid, watch, time.perf_counter() - options.began)
    if options.json:
        from steelyard.records import to_plain

        print(json.dumps(to_plain(found)))
    else:
        show_exploration(found)
    return 0 if found.pick else 1


def _weigh(options: argparse.Namespace) -> int:
    settings = tuple(_setting(text) for text in options.settings)
    from steelyard.terminal import show_weighing, watching
    from steelyard.workflow.weighing import Question, weigh

    question = Question(
        tuple(options.names),
        options.against,
        settings,
        options.seeds,
        options.time_limit,
        options.metric,
        options.matters,
        tuple(options.slices),
        None if options.no_seed else options.seed,
        options.output,
        options.jobs,
        options.device,
        options.command_line,
        options.network,
    )
    with watching(question.limit, quiet=options.quiet) as watch:
        found = weigh(question, options.run, watch=watch)
    if options.json:
        from steelyard.report.plain import weighing_answer

        print(json.dumps(weighing_answer(found)))
    else:
        show_weighing(found)
    return 0


def _predict(options: argparse.Namespace) -> int:
    from steelyard.runs import load

    if options.output and options.output.is_dir():
        raise UserError(f"{options.output} is a folder; give --output a file")
    if options.output and not options.output.parent.is_dir():
        raise UserError(f"{options.output.parent} is not a folder; make it first")
    frame = load(options.folder, options.network).predict_frame(options.source)
    for note in frame.attrs["notes"]:
        print(note, file=sys.stderr)
    if options.output is None:
        frame.to_csv(sys.stdout, index=False)
        return 0
    frame.to_csv(options.output, index=False)
    print(f"{len(frame)} rows in {options.output}", file=sys.stderr)
    return 0


def _show(options: argparse.Namespace) -> int:
    from steelyard.runs import load

    print(
        load(options.run).show_augment(
            options.techniques,
            rows=options.rows,
            at=options.at,
            seed=options.seed,
            settings=dict(_setting(text) for text in options.settings),
            output=options.output,
        )
    )
    return 0


def _report(options: argparse.Namespace) -> int:
    from steelyard.runs import load

    print(load(options.folder).report())
    return 0


def _journal(options: argparse.Namespace) -> int:
    from steelyard.runs import load
    from steelyard.terminal import show_journal

    journal = load(options.folder).journal()
    try:
        if options.note:
            journal.note(options.note)
        if options.json:
            from steelyard.report.plain import journal_answer

            print(json.dumps(journal_answer(journal)))
        else:
            show_journal(journal)
    finally:
        journal.close()
    return 0


def _techniques(options: argparse.Namespace) -> int:
    from steelyard.report.plain import technique_answer
    from steelyard.techniques import catalogue, technique
    from steelyard.terminal import show_technique, show_techniques

    chosen = [technique(options.name)] if options.name else list(catalogue().values())
    if options.json:
        cards = [technique_answer(each) for each in chosen]
        print(json.dumps(cards[0] if options.name else {"techniques": cards}))
    elif options.name:
        show_technique(chosen[0])
    else:
        show_techniques(chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
