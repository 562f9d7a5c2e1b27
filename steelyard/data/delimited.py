"""Text tables: the encoding, the delimiter and the header are found out, every cell comes back as a string."""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from contextlib import suppress

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from steelyard.data.words import counted
from steelyard.errors import UserError

DECIMAL_COMMA, WHOLE = re.compile(r"[-+]?\d*,\d+"), re.compile(r"[-+]?\d+")
MOSTLY = 0.9  # of the cells of a column must be numbers with or without a comma
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
MISSING = frozenset(
    {
        "",
        "?",
        "NA",
        "N/A",
        "n/a",
        "#N/A",
        "#NA",
        "<NA>",
        "NaN",
        "nan",
        "NAN",
        "-nan",
        "-NaN",
        "null",
        "NULL",
        "Null",
        "NaT",
    }
)  # not "None": data sets use it as a level (no garage, no masonry)
HEAD = 2**18  # characters looked at to find delimiter and header


def parse(
    data: bytes, name: str, expected: Collection[str] = (), headerless: bool = False
) -> tuple[pd.DataFrame, bool, tuple[str, ...]]:
    """A frame of strings, whether the text has a header, and what was found out.

    `expected` are column names that make a first line a header, `headerless` says that there is none else.
    Without a header columns are named `column_1`, ….
    Raises UserError for anything that is not a rectangular text table.
    """
    text, encoding = decode(data, name)
    head = text[:HEAD]
    if not head.strip():
        raise UserError(f"{name} is empty: expected a table with at least 10 rows")
    delimiter = sniff_delimiter(head)
    rows = _first_rows(head, delimiter)
    frame = _read(text, delimiter, len(rows[0]), name)
    note = f"{name} is {encoding} text, fields separated by {DELIMITERS[delimiter]}"
    if delimiter == ";":
        frame, commas = _with_points(frame)
        note += f", decimal commas in {counted(commas, 'column')}" if commas else ""
    if _names_any(rows[0], expected) or (not headerless and has_header(rows)):
        frame.columns = _names(rows[0], name)
        return frame.iloc[1:].reset_index(drop=True), True, (note,)
    frame.columns = pd.Index([f"column_{i}" for i in range(1, frame.shape[1] + 1)])
    said = f"{name} has no header (its first line looks like data): columns are named column_1 to {frame.columns[-1]}"
    return frame, False, (note, said)


def _with_points(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Numbers with decimal commas (`54,5`) with points instead, column by column, and how many columns had them."""
    changed = frame.copy()
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place].astype(str).str.strip()
        cells = column.iloc[1:]
        cells = cells[~cells.isin(MISSING)]
        commas = cells.str.fullmatch(DECIMAL_COMMA)
        fits = commas | cells.str.fullmatch(WHOLE)
        if len(cells) and commas.any() and fits.mean() >= MOSTLY:
            changed.isetitem(
                place, frame.iloc[:, place].where(~column.str.fullmatch(DECIMAL_COMMA), column.str.replace(",", "."))
            )
    count = sum(not changed.iloc[:, i].equals(frame.iloc[:, i]) for i in range(frame.shape[1]))
    return changed, count


def decode(data: bytes, name: str) -> tuple[str, str]:
    """The text and the name of its encoding: UTF-8 (a mark or none), UTF-16 with a mark, Windows-1252, else latin-1."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace"), "utf-16"
    control = sum(1 for byte in data[:4096] if byte < 32 and byte not in b"\t\r\n\f")
    if b"\0" in data[:HEAD] or control > 0.01 * len(data[:4096]):
        raise UserError(f"{name} is not a text table (it holds binary data): expected CSV, TSV, Parquet or images")
    try:
        return data.decode("utf-8-sig"), "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    except UnicodeDecodeError:
        if any(0x80 <= byte < 0xA0 for byte in data):  # letters and signs of Windows, control characters in latin-1
            with suppress(UnicodeDecodeError):
                return data.decode("cp1252"), "cp1252"
        return data.decode("latin-1"), "latin-1"


def sniff_delimiter(head: str) -> str:
    """The delimiter that cuts most lines into the same number (more than one) of fields."""

    return max(DELIMITERS, key=lambda delimiter: _evenness(head, delimiter))


def shares(text: str) -> dict[str, float]:
    """For every delimiter the share of the first lines that it cuts into the same number (more than one) of fields."""
    return {delimiter: _evenness(text[:HEAD], delimiter)[0] for delimiter in DELIMITERS}


def _evenness(head: str, delimiter: str) -> tuple[float, int]:
    widths = Counter(len(row) for row in _first_rows(head, delimiter))
    width, lines = widths.most_common(1)[0]
    return (lines / widths.total(), width) if width > 1 else (0.0, 1)


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns rather than being data.

    It does not when a cell is a number above a column of numbers, or is
    missing in a place of its own (`?`), or when its words turn up again below.
    """
    first, body = [cell.strip() for cell in rows[0]], rows[1:]
    if any(cell in MISSING - {""} for cell in first):
        return False
    columns = [[row[i].strip() for row in body if i < len(row)] for i in range(len(first))]
    numeric = [_mostly_numbers(column) for column in columns]
    over_numbers = [cell for cell, number in zip(first, numeric, strict=True) if number]
    if any(_is_number(cell) for cell in over_numbers):
        return _counts_up([cell for cell in first if _is_number(cell)])
    if over_numbers or not body:
        return not all(_is_number(cell) for cell in first)
    again = sum(cell in column for cell, column in zip(first, columns, strict=True))
    return again <= len(first) / 2


def _names_any(cells: list[str], expected: Collection[str]) -> bool:
    return any(cell.strip() in expected for cell in cells if not _is_number(cell))


def _counts_up(cells: list[str]) -> bool:
    """Whether numbers are written as whole column names that go up by one (0, 1, 2, … or years)."""
    if len(cells) < 3 or not all(cell.isdecimal() for cell in cells):
        return False
    return bool(np.all(np.diff([int(cell) for cell in cells]) == 1))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell not in MISSING


def _mostly_numbers(cells: list[str]) -> bool:
    present = [cell for cell in cells if cell not in MISSING]
    return bool(present) and sum(map(_is_number, present)) >= 0.8 * len(present)


def _first_rows(head: str, delimiter: str, count: int = 100) -> list[list[str]]:
    """The first rows of a text; the last one is left away where the head may have cut it.

    Quotes count where they are needed: tabs rarely stand in what is said, and quotes often do.
    """
    plain = [
        line.rstrip("\r").split(delimiter) for line in head.split("\n", count + 1)[: count + 1] if line.strip("\r")
    ]
    if delimiter == "\t" and plain and len({len(row) for row in plain}) == 1:
        return plain[:-1] if len(head) == HEAD and 1 < len(plain) <= count else plain
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > count:
                break
    except csv.Error:
        pass  # a field longer than the module allows: what came before is enough to judge by
    return rows[:-1] if len(head) == HEAD and len(rows) > 1 else rows or [[""]]


def _read(text: str, delimiter: str, width: int, name: str) -> pd.DataFrame:
    """Every cell as a string, the header among them."""
    ragged: list[tuple[int, int]] = []

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append((row.number or 0, row.actual_columns))
        return "skip"

    names = [str(i) for i in range(width)]
    strings = {column: pa.string() for column in names}
    data = text.encode("utf-8", errors="replace")
    if delimiter == "\t" and '"' in text and (plain := _unquoted(text, width)) is not None:
        return plain
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(data),
            pyarrow.csv.ReadOptions(column_names=names, use_threads=False, block_size=min(2**30, len(data) + 1)),
            pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse),
            pyarrow.csv.ConvertOptions(column_types=strings, strings_can_be_null=False, null_values=[]),
        )
    except (pa.ArrowException, ValueError) as error:
        raise UserError(f"cannot read {name} as a table of text: {str(error).splitlines()[0][:200]}") from error
    if not ragged:
        frame: pd.DataFrame = table.to_pandas()
        return frame
    if f'{delimiter} "' in text:  # quotes after a space: the fast reader takes the space as content
        return _read_slowly(text, delimiter, width, name)
    raise _ragged(ragged, len(table) + len(ragged), width, name)


def _unquoted(text: str, width: int) -> pd.DataFrame | None:
    """The cells of a text whose lines all have as many tabs: quotes in it belong to what is said, none spans lines.

    Cells that stand in quotes as a whole are taken out of them.
    """
    rows = [line.rstrip("\r").split("\t") for line in text.split("\n") if line.strip("\r")]
    if any(len(row) != width for row in rows):
        return None
    return pd.DataFrame([[_bare(cell) for cell in row] for row in rows], dtype=str)


def _bare(cell: str) -> str:
    inside = cell[1:-1]
    if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"' or '"' in inside.replace('""', ""):
        return cell
    return inside.replace('""', '"')


def _read_slowly(text: str, delimiter: str, width: int, name: str) -> pd.DataFrame:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        rows = [row for row in reader if row]
    except csv.Error as error:
        raise UserError(f"cannot read {name} as a table of text: {error}") from error
    ragged = [(number, len(row)) for number, row in enumerate(rows, 1) if len(row) != width]
    if ragged:
        raise _ragged(ragged, len(rows), width, name)
    return pd.DataFrame(rows, dtype=str)


def _ragged(ragged: list[tuple[int, int]], rows: int, width: int, name: str) -> UserError:
    number, fields = ragged[0]
    return UserError(
        f"{name}: {len(ragged):,} of {rows:,} lines have another number of fields than the first line ({width}), "
        f"as line {number} with {fields}: correct or remove them"
    )


def _names(cells: list[str], name: str) -> pd.Index:
    """The header's names; an empty one is named by its position."""
    return pd.Index([cell.strip() or f"column_{i}" for i, cell in enumerate(cells, 1)])
