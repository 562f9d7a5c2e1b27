"""A sheet: a short HTML page with one answer, its drawings and tables, in the style of the report."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from steelyard.records import Verdict
from steelyard.report.cards import Card
from steelyard.report.figures import Drawing
from steelyard.report.tables import Table
from steelyard.report.words import LOOKS


@dataclass(frozen=True)
class Part:
    """One part of a sheet; `kind` is "plot" or "map", as the style sheet knows them.

    `legend` are the verdicts that the drawing shows. A `sortable` table is sorted by a click; `folded` is what to
    click for a table that is not seen at once. A part that is `under` another one belongs to the one before it; the
    table of a `broad` one is wider than the text where there is room. `mistakes` are examples with what is true and
    what was predicted, which the words `between` stand between.
    """

    title: str
    text: str = ""
    drawing: Drawing | None = None
    table: Table | None = None
    kind: str = "plot"
    legend: tuple[Verdict, ...] = ()
    sortable: bool = False
    folded: str = ""
    under: bool = False
    broad: bool = False
    mistakes: tuple[Mapping[str, Any], ...] = ()
    between: str = "taken for"


def sheet(
    title: str,
    lead: str,
    answer: Sequence[str],
    setting: str,
    parts: Sequence[Part],
    command: str,
    first: Sequence[Card] = (),
    caution: str = "",
) -> str:
    """The page as HTML that needs no network; `setting` and `command` are shown as they are typed.

    What must be known before the answer is read are the cards `first` and the sentence `caution` below them. Only a
    page with a table to sort has a script.
    """
    script = _source("sort.js") if any(part.sortable for part in parts) else ""
    return (
        _environment()
        .get_template("sheet.html")
        .render(
            title=title,
            lead=lead,
            answer=answer,
            setting=setting,
            parts=parts,
            command=command,
            first=first,
            caution=caution,
            looks=LOOKS,
            style=Markup(_source("page.css")),  # ours
            script=Markup(script),  # ours
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("steelyard.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]
