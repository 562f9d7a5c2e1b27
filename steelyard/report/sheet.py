"""A sheet: a short HTML page with one answer, its drawings and tables, in the style of the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from steelyard.report.figures import Drawing
from steelyard.report.tables import Table


@dataclass(frozen=True)
class Part:
    """One part of a sheet; `kind` is "plot" or "map", as the style sheet knows them."""

    title: str
    text: str = ""
    drawing: Drawing | None = None
    table: Table | None = None
    kind: str = "plot"


def sheet(title: str, lead: str, answer: Sequence[str], setting: str, parts: Sequence[Part], command: str) -> str:
    """The page as HTML that needs no network; `setting` and `command` are shown as they are typed."""
    style = Markup(_source("page.css"))  # ours
    template = _environment().get_template("sheet.html")
    return template.render(
        title=title, lead=lead, answer=answer, setting=setting, parts=parts, command=command, style=style
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
