"""Files of series: the `.ts` format of the UCR/UEA archive and its older text form with the label first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from steelyard.data.delimited import MISSING
from steelyard.data.series import RawSeries, padded
from steelyard.data.words import counted
from steelyard.errors import UserError, suggest

SUFFIXES = (".ts", "", ".txt", ".tsv", ".csv")  # of the older form all but the first, with a name such as X_TRAIN
HEADS = (
    "problemname",
    "timestamps",
    "missing",
    "univariate",
    "dimensions",
    "equallength",
    "serieslength",
    "classlabel",
    "targetlabel",
    "data",
)
TRUE = {"true": True, "false": False}


@dataclass
class _Head:
    """What the lines with an @ say."""

    classes: tuple[str, ...] | None = None  # None: nothing was said about classes
    labelled: bool = False
    regression: bool = False
    dimensions: int | None = None
    seen: set[str] = field(default_factory=set)


def is_series_file(path: Path) -> bool:
    """Whether a file's name is that of an archive of series: `X.ts`, or `X_TRAIN` and `X_TEST` with a text inside."""
    if path.suffix.lower() == ".ts":
        return True
    older = path.suffix.lower() in SUFFIXES and re.search(r"_(train|test)$", path.stem, re.IGNORECASE) is not None
    return older and path.is_file() and _label_first(path)


def read_series_file(path: Path, labelled: bool = True) -> RawSeries:
    """The cases of a file; without `labelled` a text holds values only. Raises UserError with the line at fault."""
    text = _text(path)
    if path.suffix.lower() == ".ts" or text.lstrip()[:1] in {"@", "#"}:
        return _ts(text.splitlines(), path.name)
    return _older(text.splitlines(), path.name, labelled)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path.name}: {error.strerror}") from error
    if b"\0" in data[:4096]:
        raise UserError(f"{path.name} is binary, not a text of series: expected a .ts file or lines of numbers")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


# -- .ts ------------------------------------------------------------------------------------------------------


def _ts(lines: list[str], name: str) -> RawSeries:
    """A `.ts` file: lines with an @, then one case a line, its channels and its label parted by colons.

    Source: the format's description at https://www.aeon-toolkit.org/en/stable/api_reference/data_format.html.
    """
    head, rows = _Head(), enumerate(lines, 1)
    for number, line in rows:
        word = line.strip()
        if not word or word.startswith(("#", "%")):
            continue
        if not word.startswith("@"):
            raise UserError(f"{name}, line {number}: expected a line with @ before @data, got '{_shown(word)}'")
        if word.lower().split()[0] == "@data":
            break
        _declare(head, word, f"{name}, line {number}")
    else:
        raise UserError(f"{name} has no line @data: it holds no series, or is cut off")
    cases, labels, origin = list[np.ndarray](), list[str](), list[str]()
    for number, line in rows:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        case, label = _case(line.strip(), head, f"{name}, line {number}")
        if cases and len(case) != len(cases[0]):
            a, b = counted(len(case), "channel"), len(cases[0])
            raise UserError(f"{name}, line {number} has {a}, the cases before it have {b}: expected as many in each")
        cases.append(case)
        labels.append(label)
        origin.append(str(len(cases)))
    return _raw(name, cases, labels if head.labelled else None, origin, not head.regression, head.regression)


def _declare(head: _Head, line: str, where: str) -> None:
    """Take one line with an @ into account."""
    word, *rest = line[1:].split()
    key = word.lower()
    if key not in HEADS:
        raise UserError(f"{where}: there is no '@{word}' in a .ts file{suggest(key, HEADS)}")
    if key == "timestamps" and rest and TRUE.get(rest[0].lower()):
        raise UserError(f"{where}: series with a time stamp at every value are not read: give a table with --time")
    if key == "dimensions":
        head.dimensions = _whole(rest, where)
    if key in {"classlabel", "targetlabel"}:
        if not rest or rest[0].lower() not in TRUE:
            raise UserError(f"{where}: expected @{word} true or false, got '{_shown(line)}'")
        if TRUE[rest[0].lower()]:
            head.labelled, head.regression = True, key == "targetlabel"
            head.classes = tuple(rest[1:]) or None if key == "classlabel" else None


def _case(line: str, head: _Head, where: str) -> tuple[np.ndarray, str]:
    """The channels (channels, time) of one line and its label."""
    pieces = line.split(":")
    label = pieces.pop().strip() if head.labelled else ""
    if head.labelled and not pieces:
        raise UserError(f"{where} has no colon before its label: expected values:…:label, got '{_shown(line)}'")
    if head.dimensions is not None and len(pieces) != head.dimensions:
        came = counted(len(pieces), "channel")
        raise UserError(f"{where} has {came}, but @dimensions says {head.dimensions}: is the line cut off?")
    if head.classes is not None and label not in head.classes and label not in MISSING:
        raise UserError(f"{where}: '{_shown(label)}' is no class of @classLabel{suggest(label, head.classes)}")
    channels = [_numbers(re.split(r"[,\s]+", piece.strip(", \t")), where) for piece in pieces]
    return _even(channels), label


def _even(channels: list[np.ndarray]) -> np.ndarray:
    """Channels of one case under each other, NaN behind the end of shorter ones."""
    longest = max(len(channel) for channel in channels)
    return np.stack([np.pad(channel, (0, longest - len(channel)), constant_values=np.nan) for channel in channels])


def _whole(words: list[str], where: str) -> int:
    try:
        return int(words[0])
    except (IndexError, ValueError):
        raise UserError(f"{where}: expected a whole number, got '{_shown(' '.join(words))}'") from None


# -- the older form --------------------------------------------------------------------------------------------


def _older(lines: list[str], name: str, labelled: bool) -> RawSeries:
    """One case a line: the label, then the values, parted by commas, tabs or blanks; `NaN` at the end is padding."""
    cases, labels, origin = list[np.ndarray](), list[str](), list[str]()
    for number, line in enumerate(lines, 1):
        words = _words(line)
        if not words:
            continue
        where = f"{name}, line {number}"
        if len(words) < 1 + labelled:
            raise UserError(f"{where} holds a single word: expected a label and the values of a series")
        labels.append(words[0])
        cases.append(_numbers(words[labelled:], where)[None])
        origin.append(str(len(cases)))
    return _raw(name, cases, labels if labelled else None, origin, True, False)


def _label_first(path: Path) -> bool:
    """Whether the first line is a label and numbers: what tells series from a table with a header."""
    with path.open("rb") as file:
        words = _words(file.readline(1 << 16).decode("latin-1"))
    return len(words) > 2 and all(_is_number(word) for word in words[1:])


def _words(line: str) -> list[str]:
    return [word for word in re.split(r"[,\t ]+", line.strip()) if word]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _numbers(words: list[str], where: str) -> np.ndarray:
    """The values of a channel, NaN for `?`, `NaN` and their like."""
    try:
        return np.array(words, np.float32)
    except ValueError:
        pass
    found = [_number(word, place, where) for place, word in enumerate(words, 1)]
    return np.array(found, np.float32)


def _number(word: str, place: int, where: str) -> float:
    if word in MISSING or word == "?":
        return float("nan")
    try:
        return float(word)
    except ValueError:
        raise UserError(f"{where}: value {place} is no number: '{_shown(word)}'") from None


def _raw(
    name: str, cases: list[np.ndarray], labels: list[str] | None, origin: list[str], named: bool, regression: bool
) -> RawSeries:
    if not cases:
        raise UserError(f"{name} holds no series")
    target: pd.Series | None = None
    if labels is not None:
        target = pd.Series([None if label in MISSING else label for label in _same_names(iter(labels))], dtype=object)
    channels = tuple(f"channel {i + 1}" for i in range(len(cases[0]))) if len(cases[0]) > 1 else ("value",)
    return RawSeries(name, padded(cases, len(channels)), target, channels, tuple(origin), (), named, regression)


def _same_names(labels: Iterator[str]) -> Iterator[str]:
    """Labels that are whole numbers in their shortest form: `-1.0000e+00` is the class `-1`."""
    for label in labels:
        value = float(label) if _is_number(label) else float("nan")
        yield str(int(value)) if abs(value) < 1e9 and value == int(value) else label


def _shown(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
