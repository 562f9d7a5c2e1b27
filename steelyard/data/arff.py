"""ARFF, the format of Weka, MOA and Mulan: dense and sparse rows, nominal values as texts, Mulan's names of labels.

Source: Witten, Frank & Hall, "Data Mining", section 2.4, and Weka's description of sparse files.
"""

import csv
import html
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from steelyard.errors import UserError

ATTRIBUTE = re.compile(r"@attribute\s+('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\S+)\s+(.+)", re.I)
LABEL = re.compile(r"<label\s[^>]*?name\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.I)
NUMBERS = ("numeric", "real", "integer")
PARTS = re.compile(r"[-_.]?(train|test|training|testing)$", re.I)


@dataclass(frozen=True)
class Attribute:
    """A column: its name, and its values in order where it is nominal; `number` says whether it holds numbers."""

    name: str
    number: bool
    values: tuple[str, ...] = ()

    @property
    def at_zero(self) -> str:
        """What a sparse row leaves out: zero, or the first of the nominal values."""
        return "0" if self.number or not self.values else self.values[0]


def parse(data: bytes, name: str) -> pd.DataFrame:
    """The table of an ARFF file: numbers as float64, the rest as str objects, None or NaN where it says `?`."""
    if b"\0" in data[:4096]:
        raise UserError(f"{name} is binary and no ARFF text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    attributes, begin, lines = _header(text.splitlines(), name)
    rows = lines[begin:]
    kept = [(number, row) for number, row in enumerate(rows, begin + 1) if row.strip() and row.lstrip()[0] != "%"]
    if not kept:
        raise UserError(f"{name} has no rows after @data")
    cells = list(_cells(kept, attributes, name))
    columns = zip(*cells, strict=True)
    made = [_column(attribute, texts, name) for attribute, texts in zip(attributes, columns, strict=True)]
    return pd.concat(made, axis=1).set_axis([attribute.name for attribute in attributes], axis=1)


def mulan_labels(path: Path, columns: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels that NAME.xml beside NAME.arff (or NAME-train.arff) names, and what to say; none without it."""
    places = [path.with_suffix(".xml"), path.with_name(f"{PARTS.sub('', path.stem)}.xml")]
    beside = next((place for place in places if place.is_file()), None)
    if path.suffix.lower() != ".arff" or beside is None:
        return (), ()
    text = beside.read_text(encoding="utf-8", errors="replace")
    found = tuple(html.unescape(one or other) for one, other in LABEL.findall(text))
    if strange := [label for label in found if label not in columns]:
        raise UserError(f"{beside.name} names the label '{strange[0]}', which {path.name} lacks: name the targets")
    return found, (f"the targets are the {len(found)} labels that {beside.name} names",)


def _header(lines: list[str], name: str) -> tuple[list[Attribute], int, list[str]]:
    """The attributes, the place of the first line of data, and all lines."""
    attributes: list[Attribute] = []
    for place, line in enumerate(lines):
        words = line.strip()
        if words.lower().startswith("@attribute"):
            attributes.append(_attribute(words, name, place + 1))
        elif words.lower().startswith("@data"):
            if not attributes:
                raise UserError(f"{name} has no @attribute before @data: expected one for each column")
            return attributes, place + 1, lines
        elif words and words[0] not in "%@":
            raise UserError(f"{name}, line {place + 1}: expected @attribute or @data, got '{words[:40]}'")
    raise UserError(f"{name} is no ARFF file, or is cut off: there is no line @data")


def _attribute(line: str, name: str, number: int) -> Attribute:
    found = ATTRIBUTE.fullmatch(line.split("%")[0].strip() if "'" not in line and "{" not in line else line)
    if not found:
        raise UserError(f"{name}, line {number}: cannot read '{line[:60]}', expected @attribute NAME TYPE")
    title, kind = _unquoted(found.group(1)), found.group(2).strip()
    if kind.startswith("{"):
        if not kind.rstrip().endswith("}"):
            raise UserError(f"{name}, line {number}: the values of '{title}' are not closed by '}}'")
        return Attribute(title, False, tuple(_split(kind.rstrip()[1:-1])))
    word = kind.split()[0].lower()
    if word == "relational":
        raise UserError(f"{name}: attribute '{title}' is relational (tables inside a table), which is not read here")
    if word not in {*NUMBERS, "string", "date"}:
        raise UserError(f"{name}, line {number}: attribute '{title}' has no known type, but '{kind[:30]}'")
    return Attribute(title, word in NUMBERS)


def _cells(rows: list[tuple[int, str]], attributes: list[Attribute], name: str) -> Iterator[list[str]]:
    """The cells of every row as text."""
    sparse = rows[0][1].lstrip().startswith("{")
    blank = [attribute.at_zero for attribute in attributes]
    for number, row in rows:
        if sparse:
            yield _sparse(row, blank, name, number)
            continue
        cells = _split(row)
        if len(cells) != len(attributes):
            raise UserError(f"{name}, line {number}: expected {len(attributes)} values, got {len(cells)}")
        yield cells


def _sparse(row: str, blank: list[str], name: str, number: int) -> list[str]:
    inside = row.strip()
    if not (inside.startswith("{") and inside.endswith("}")):
        raise UserError(f"{name}, line {number}: expected a sparse row {{place value, …}} as in the first line of data")
    cells = list(blank)
    for entry in _split(inside[1:-1]):
        place, _, value = entry.strip().partition(" ")
        if not place.isdecimal() or int(place) >= len(cells) or not value.strip():
            raise UserError(f"{name}, line {number}: cannot read '{entry[:40]}' of a sparse row, expected PLACE VALUE")
        cells[int(place)] = _unquoted(value.strip())
    return cells


def _split(text: str) -> list[str]:
    """The comma-separated values of a line, which may stand in single or double quotes."""
    if "'" not in text and '"' not in text:
        return [cell.strip() for cell in text.split(",")] if text.strip() else []
    single, double = text.find("'"), text.find('"')
    quote = "'" if double < 0 or 0 <= single < double else '"'
    given = csv.reader(io.StringIO(text.replace("\t", " ")), quotechar=quote, escapechar="\\", skipinitialspace=True)
    return [cell.strip() for cell in next(given, [])]


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _column(attribute: Attribute, texts: tuple[str, ...], name: str) -> pd.Series:
    given = pd.Series(texts, dtype=object).replace({"?": None})
    if not attribute.number:
        strange = set(given.dropna()) - set(attribute.values)
        if attribute.values and strange:
            some = min(strange)
            raise UserError(f"{name}: '{some}' is none of the values that @attribute '{attribute.name}' names")
        return given
    found = pd.to_numeric(given, errors="coerce").to_numpy(dtype=np.float64)
    if (wrong := np.isnan(found) & given.notna().to_numpy()).any():
        raise UserError(f"{name}: attribute '{attribute.name}' is numeric, but holds '{given[wrong].iloc[0]}'")
    return pd.Series(found)
