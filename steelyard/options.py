"""The options of the commands that train."""

import argparse
from pathlib import Path

TASKS = ("binary", "multiclass", "regression", "ordinal", "multilabel", "multioutput", "multitask")


def run_options(parser: argparse.ArgumentParser) -> None:
    data_options(parser)
    add = parser.add_argument
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument(
        "--time-limit", type=seconds, metavar="SECONDS", help="time for everything (default: 600); also 10m, 1h"
    )
    limits.add_argument("--trial-limit", type=count, metavar="N", help="number of trainings instead of a time")
    add(
        "--constraint",
        action="append",
        default=[],
        metavar="NAME<=X",
        help="a limit the winner must keep, as latency_ms<=5",
    )
    add(
        "--weights",
        metavar="COLUMN",
        help="numbers from 0: how much each row counts in every metric (the training loss is not weighted)",
    )
    add(
        "--costs",
        type=Path,
        metavar="FILE",
        help="CSV of what predictions cost, true classes down, predicted ones across: optimises `cost`, their mean",
    )
    add(
        "--corrections",
        action="append",
        default=[],
        metavar="FILE",
        help="labels to change and rows to drop, as `labels review` writes them; they lie over the source",
    )
    add("--human-error", type=float, metavar="RATE", help="error rate of the best humans, as 0.01")
    add("--jobs", type=count, metavar="N", help="trainings side by side (default: one a core)")


def rate_options(parser: argparse.ArgumentParser) -> None:
    data_options(parser)
    add = parser.add_argument
    add("--low", type=float, default=1e-6, metavar="RATE", help="the rate to begin at (default: 1e-6)")
    add("--high", type=float, default=10.0, metavar="RATE", help="the rate to end at (default: 10)")
    add("--steps", type=count, default=200, metavar="N", help="steps from one to the other (default: 200)")
    add("--seeds", type=count, default=3, metavar="N", help="trainings, whose median counts (default: 3)")


def explore_options(parser: argparse.ArgumentParser) -> None:
    data_options(parser)
    add = parser.add_argument
    around = "default: a quarter of the plain recipe's, the same, four times as many"
    add("--batch-sizes", type=counts, default=(), metavar="N,N", help=f"rows a step, as 32,128,512 ({around})")
    add("--epochs", type=counts, default=(), metavar="N,N", help="passes over the rows, as 5,10,20 (likewise)")
    add("--seeds", type=count, default=3, metavar="N", help="trainings of every pair (default: 3)")
    add("--keep-rate", action="store_true", help="the learning rate does not follow the batch size")
    add("--time-limit", type=seconds, metavar="SECONDS", help="time for everything (default: 600); also 10m, 1h")
    add("--jobs", type=count, metavar="N", help="trainings side by side (default: one a core)")


def weigh_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "names",
        metavar="TECHNIQUE",
        nargs="+",
        help="a technique, KNOB=VALUE, several joined by + (their interaction is told), a recipe.toml, or all",
    )
    add("--run", type=Path, required=True, metavar="DIR", help="the folder of the run on whose data it is weighed")
    add("--against", metavar="BASE", help="a recipe.toml or the name of a family (default: the run's own model)")
    add("--set", action="append", default=[], dest="settings", metavar="KNOB=VALUE", help="a knob of base and arms")
    add("--seeds", type=count, default=29, metavar="MAX", help="paired trainings at the most (default: 29)")
    add("--time-limit", type=seconds, metavar="SECONDS", help="time for everything (default: 600); also 10m, 1h")
    add("--metric", metavar="NAME", help="the metric to weigh by (default: the run's)")
    add("--matters", type=float, metavar="X", help="the smallest effect worth having (default: by the dev rows)")
    add(
        "--slice",
        action="append",
        default=[],
        dest="slices",
        metavar="COLUMN",
        help="effects on parts of the rows, too",
    )
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the first pair (default: 0)")
    seeds.add_argument("--no-seed", action="store_true", help="draw the seeds anew")
    add("--output", type=Path, metavar="DIR", help="the folder to write into (default: one in the folder of the run)")
    add("--jobs", type=count, metavar="N", help="trainings side by side (default: one a core)")
    network_option(parser)
    add("--device", metavar="NAME", default="auto", help="cpu, cuda or mps (default: cuda where there is one)")
    add("--json", action="store_true", help="one JSON object on standard output, everything else on standard error")
    add("--quiet", action="store_true", help="no progress")


def show_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("what", metavar="augment", choices=("augment",), help="examples before and after augmentation")
    add("--run", type=Path, required=True, metavar="DIR", help="the folder of the run whose data are shown")
    add(
        "--technique",
        action="append",
        default=[],
        dest="techniques",
        metavar="NAME",
        help="a technique to show (default: what the run's recipe has, else each that applies to the data)",
    )
    add("--rows", type=count, default=6, metavar="N", help="examples (default: 6)")
    add("--set", action="append", default=[], dest="settings", metavar="KNOB=VALUE", help="a knob of a technique")
    add("--at", type=float, default=0.5, metavar="SHARE", help="when in training, 0 to 1, for schedules (default: 0.5)")
    add("--seed", type=int, default=0, metavar="N", help="seed of the examples and of what is drawn (default: 0)")
    add("--output", type=Path, metavar="FILE", help="PNG to write (default: augment.png in the run's folder)")


def series_options(parser: argparse.ArgumentParser) -> None:
    """Where series lie in a table, and whether to forecast."""
    add = parser.add_argument
    add("--modality", choices=("tabular", "image", "text", "series"), help="override what the source is taken to hold")
    add("--id", metavar="COLUMN", help="a table of series: whose value a row is")
    add("--time", metavar="COLUMN", help="a table of series: when the value was measured")
    add("--horizon", type=count, metavar="N", help="forecast the target so many steps ahead")
    add("--window", type=count, metavar="N", help="steps of the past a forecast sees (default: inferred)")
    add("--period", type=int, metavar="N", help="steps of a season, 0 for none (default: inferred)")


def source_options(parser: argparse.ArgumentParser) -> None:
    """Where rows come from, when several sources are mixed."""
    add = parser.add_argument
    add(
        "--source-column",
        metavar="COLUMN",
        help="the column that says where each row is from, when rows of several sources are mixed",
    )
    add(
        "--target-source",
        action="append",
        metavar="NAME",
        help="the source the model is for, whose rows alone stand in dev and test; several times for several",
    )


def data_options(parser: argparse.ArgumentParser) -> None:
    """What every command that trains is told about the data and what to do with them."""
    add = parser.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="CSV, TSV, Parquet, class folders of images or texts, lines that begin with a label, X.ts; or a zip",
    )
    add(
        "--target",
        action="append",
        metavar="COLUMN",
        help="the column to predict (files in class folders need none); several times, or as A,B, for several at once",
    )
    add("--test", metavar="SOURCE", help="a second source with the test rows")
    source_options(parser)
    add("--output", type=Path, metavar="DIR", help="the folder to write into (default: one named by SOURCE in runs)")
    add("--metric", metavar="NAME", help="the metric to optimise, by its scikit-learn name")
    add("--task", choices=TASKS, metavar="TASK", help=f"override the inferred task: {', '.join(TASKS)}")
    add("--order", type=names, default=(), metavar="A,B,C", help="the classes of an ordinal target, the lowest first")
    series_options(parser)
    add("--exclude", action="append", default=[], metavar="COLUMN", help="a column to leave out")
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=int, default=0, metavar="N", help="seed of everything random (default: 0)")
    seeds.add_argument("--no-seed", action="store_true", help="draw the seed anew, to see what another one brings")
    add(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="KNOB=VALUE",
        help="a knob, as loss.label_smoothing=0.1",
    )
    network_option(parser)
    add("--device", metavar="NAME", default="auto", help="cpu, cuda or mps (default: cuda where there is one)")
    add("--json", action="store_true", help="one JSON object on standard output, everything else on standard error")
    add("--quiet", action="store_true", help="no progress")


def network_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--network",
        metavar="MODULE:NAME",
        help="a torch.nn.Module of your own, or what makes one, to import: mypackage.module:build",
    )


def seconds(text: str) -> float:
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1.0)
    value = float(number) * unit
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def count(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def counts(text: str) -> tuple[int, ...]:
    return tuple(count(each) for each in text.split(","))


def names(text: str) -> tuple[str, ...]:
    found = tuple(each.strip() for each in text.split(","))
    if not all(found):
        raise ValueError(text)
    return found


names.__name__ = "list of names"
seconds.__name__, count.__name__, counts.__name__ = "number of seconds", "number from 1", "list of numbers from 1"
