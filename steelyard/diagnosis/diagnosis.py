"""What holds a model back: all that a diagnosis says, as one record."""

from dataclasses import dataclass

from steelyard.diagnosis.remedies import Remedy
from steelyard.diagnosis.words import MEANING, NAMES, verdict
from steelyard.records import ErrorTable, Wear


@dataclass(frozen=True)
class Diagnosis:
    """The error table and what explains it; a part that was not asked for, or could not be measured, is None.

    `skipped` says of those why: (part, because …).
    """

    errors: ErrorTable
    remedies: tuple[Remedy, ...] = ()
    wear: Wear | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    output: str = ""
    command: str = ""

    @property
    def said(self) -> tuple[str, ...]:
        """The findings, a sentence each, the most important first."""
        table = self.errors
        lines = [verdict(table)]
        if table.dominant != "cannot tell yet":
            lines[0] += f": {MEANING[table.dominant]}"
        if self.remedies:
            best = ", ".join(each.technique for each in self.remedies[:5])
            lines.append(f"against {NAMES[table.likely]}, the most promising for its cost first: {best}")
        return (*lines, table.caveat) if table.caveat else tuple(lines)
