"""What an examination says: findings that carry numbers, checks that passed, and what could not be measured."""

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "tip"]
RANK: dict[Severity, int] = {"error": 0, "warning": 1, "tip": 2}


@dataclass(frozen=True)
class Finding:
    """One symptom: what was seen, what it means, what treats it, and the numbers behind it.

    `remedies` are techniques of the catalogue that treat it, as `steelyard weigh` takes them, where these are known.
    """

    code: str
    severity: Severity
    title: str
    saw: str
    means: str
    treat: str
    evidence: dict[str, Any] = field(default_factory=dict)
    remedies: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; without `remedies` where there are none."""
        named = {"remedies": list(self.remedies)} if self.remedies else {}
        return {name: held for name, held in vars(self).items() if name != "remedies"} | named


@dataclass(frozen=True)
class Examination:
    """All that was found; `not_measured` says of checks that could not be done why, by their codes."""

    findings: tuple[Finding, ...]
    passed: tuple[str, ...]
    not_measured: dict[str, str]
    seconds: float
    ignored: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return all(finding.severity == "tip" for finding in self.findings)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the findings, the gravest first."""
        return tuple(finding.code for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "findings": [finding.to_dict() for finding in self.findings],
            "passed": list(self.passed),
            "not_measured": dict(self.not_measured),
            "ignored": list(self.ignored),
            "seconds": self.seconds,
        }
