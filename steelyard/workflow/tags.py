"""The reasons that people gave to mistakes: a CSV file in the folder of a run, kept from one look to the next."""

import csv
import getpass
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from steelyard.errors import UserError, suggest

FILE = "tags.csv"
FIELDS = ("origin", "tags", "note", "by", "when")
BETWEEN = re.compile(r"[|,;]")


@dataclass(frozen=True)
class Tagged:
    """The reasons of one example, named by its `origin`; `by` whom and `when` (ISO 8601, UTC)."""

    origin: str
    tags: tuple[str, ...]
    note: str = ""
    by: str = ""
    when: str = ""


def words(text: str) -> tuple[str, ...]:
    """The tags of `blurry, dog` or `blurry|dog`: each once, in order, with single blanks."""
    return tuple(dict.fromkeys(filter(None, (" ".join(word.split()) for word in BETWEEN.split(text)))))


def tagged(origin: str, tags: Iterable[str], note: str = "", by: str = "") -> Tagged:
    """Tags that are given now, by the one who is logged in where nobody else is named."""
    return Tagged(origin, tuple(tags), note, by or _who(), datetime.now(UTC).isoformat(timespec="seconds"))


def asked(text: str) -> tuple[str, tuple[str, ...]]:
    """Origin and tags of `ID=blurry,dog`; no tags take those away that are there. Raises UserError."""
    origin, sign, tags = text.rpartition("=")
    if not sign or not origin:
        raise UserError(f"--tag expects ID=TAG,TAG as 17=blurry,dog, got '{text}': IDs stand in mistakes.csv")
    return origin, words(tags)


def read_tags(file: Path) -> dict[str, Tagged]:
    """The tags in a file by origin, empty where there is none: columns origin and tags, and any others.

    Rows without tags are left out, so that a list of mistakes may be filled in a bit at a time. Raises UserError.
    """
    if not file.exists():
        return {}
    found: dict[str, Tagged] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            first = text.readline()
            text.seek(0)
            mark = max(",;\t", key=first.count)  # spreadsheets write any of them
            rows = csv.DictReader(text, delimiter=mark)
            if missing := {"origin", "tags"} - set(rows.fieldnames or ()):
                raise UserError(f"{file} has no column {' and no column '.join(sorted(missing))}: tags need both")
            for row in rows:
                if tags := words(row["tags"] or ""):
                    more = [row.get(name) or "" for name in FIELDS[2:]]
                    found[row["origin"]] = Tagged(row["origin"], tags, *more)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file} cannot be read as CSV in UTF-8 ({error}): save it so") from error
    return found


def write_tags(file: Path, tags: Mapping[str, Tagged]) -> None:
    """Write the tags, all of them or nothing."""
    partial = file.with_name(f"{file.name}.partial")
    with partial.open("w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(FIELDS)
        rows.writerows((each.origin, "|".join(each.tags), each.note, each.by, each.when) for each in tags.values())
    partial.replace(file)


def joined(old: Mapping[str, Tagged], new: Iterable[Tagged], known: set[str]) -> dict[str, Tagged]:
    """The tags with others that are added to them or, where these are none, taken away. Raises UserError.

    `known` are the origins of all examples of dev: a tag for any other one is a slip of the pen.
    """
    found = dict(old)
    for each in new:
        if each.origin not in known:
            raise UserError(f"there is no example '{each.origin}' on dev to tag{suggest(each.origin, sorted(known))}")
        before = found.get(each.origin)
        if not each.tags:
            found.pop(each.origin, None)
        elif before is None:
            found[each.origin] = each if each.when else tagged(each.origin, each.tags, each.note, each.by)
        elif set(each.tags) - set(before.tags) or (each.note and each.note != before.note):
            both = tuple(dict.fromkeys((*before.tags, *each.tags)))
            found[each.origin] = tagged(each.origin, both, each.note or before.note, each.by)
    return found


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name and no entry in the table of users
        return ""
