"""What a check is: a function that looks at a case and says what it saw; its file says what, why and how to mend it."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from steelyard.doctor.case import Case
from steelyard.doctor.finding import Finding, Severity

PHASES = ("data", "wiring", "initialisation", "gradients", "learning", "evaluation")


class NotMeasured(Exception):
    """A check cannot be done here, because … (the message)."""


@dataclass(frozen=True)
class Saw:
    """The symptom in numbers: what was seen; a severity of its own where it is not always as grave."""

    text: str
    evidence: dict[str, Any] = field(default_factory=dict)
    severity: Severity | None = None


@dataclass(frozen=True)
class Check:
    """A check: its stable code, title and severity, what its symptom means and what treats it."""

    code: str
    title: str
    severity: Severity
    means: str
    treat: str
    phase: str
    look: Callable[[Case], Saw | None]
    page: str

    def finding(self, saw: Saw) -> Finding:
        """The finding that a symptom makes."""
        grave = saw.severity or self.severity
        return Finding(self.code, grave, self.title, saw.text, self.means, self.treat, saw.evidence)


def check(
    code: str, title: str, severity: Severity, *, means: str, treat: str
) -> Callable[[Callable[[Case], Saw | None]], Check]:
    """Make a function of a case a check; it returns what it saw, or None where all is well, or raises NotMeasured."""

    def make(look: Callable[[Case], Saw | None]) -> Check:
        module = inspect.getmodule(look)
        assert module is not None
        phase = module.__name__.split(".")[-2]
        return Check(code, title, severity, means, treat, phase, look, inspect.cleandoc(module.__doc__ or ""))

    return make


@cache
def checks() -> tuple[Check, ...]:
    """All checks, in the order of the phases and of their codes."""
    from steelyard.doctor import checks as room

    found: list[Check] = []
    for phase in PHASES:
        package = importlib.import_module(f"{room.__name__}.{phase}")
        for info in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            found += [each for each in vars(module).values() if isinstance(each, Check)]
    return tuple(sorted(found, key=lambda each: (PHASES.index(each.phase), each.code)))
