"""What holds a model back: all that a diagnosis says, as one record."""

from dataclasses import dataclass

from steelyard.diagnosis.beside_human import Human
from steelyard.diagnosis.growth import Growth
from steelyard.diagnosis.labels import LabelErrors
from steelyard.diagnosis.proxy import BayesProxies
from steelyard.diagnosis.reasons import Mistakes
from steelyard.diagnosis.remedies import Remedy
from steelyard.diagnosis.shift.between import Shifts
from steelyard.diagnosis.slice_records import Slices
from steelyard.diagnosis.words import MEANING, WHAT, verdict
from steelyard.records import ErrorTable, Wear


@dataclass(frozen=True)
class Diagnosis:
    """The error table and what explains it; a part that was not asked for, or could not be measured, is None.

    `treated` is the part of the error that the remedies treat; `skipped` says what was not measured: (part, because …).
    """

    errors: ErrorTable
    treated: str = ""
    remedies: tuple[Remedy, ...] = ()
    wear: Wear | None = None
    human: Human | None = None
    proxies: BayesProxies | None = None
    shift: Shifts | None = None
    labels: LabelErrors | None = None
    slices: Slices | None = None
    mistakes: Mistakes | None = None
    growth: Growth | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    output: str = ""
    command: str = ""

    @property
    def said(self) -> tuple[str, ...]:
        """What the error table says and what treats it, a sentence each."""
        table = self.errors
        lines = [verdict(table)]
        if table.dominant != "cannot tell yet" and table.gaps[0].start != "zero":
            lines[0] += f": {MEANING[table.dominant]}"
        lines[0] += f"; {WHAT[table.dominant]}"
        if table.caveat:
            lines.append(table.caveat)
        if self.remedies:
            best = ", ".join(each.technique for each in self.remedies[:5])
            lines.append(f"against {self.treated}, the most promising for its cost first: {best}")
        elif self.treated:
            lines.append(f"no technique that applies to this model treats {self.treated} and is still open")
        return tuple(lines)
