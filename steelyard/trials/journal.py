"""The journal: every trial, every word said, every look at the sealed test, in one SQL database.

Writing is one transaction a trial, after its files are complete; whatever a kill interrupts was never there.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from steelyard.errors import UserError
from steelyard.records import Said
from steelyard.trials.trial import Outcome

_TABLES = sa.MetaData()
_FACTS = sa.Table(
    "facts", _TABLES, sa.Column("name", sa.String(64), primary_key=True), sa.Column("value", sa.Text, nullable=False)
)
_TRIALS = sa.Table(
    "trials",
    _TABLES,
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("family", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("dev_score", sa.Float),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
)
_SAID = sa.Table(
    "said",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("step", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("elapsed", sa.Float, nullable=False),
)
_OPENINGS = sa.Table(
    "test_openings",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)
_NOTES = sa.Table(
    "notes",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)


class Journal:
    """The journal at a database URL, or at a path for SQLite; opened for reading it must exist."""

    def __init__(self, where: Path | str, create: bool = True) -> None:
        if isinstance(where, Path):
            if not create and not where.exists():
                raise UserError(f"{where.parent} holds no run: {where.name} is missing there")
            where.parent.mkdir(parents=True, exist_ok=True)
            where = f"sqlite:///{where}"
        self._engine = sa.create_engine(where)
        try:
            with self._engine.begin() as connection:
                if self._engine.dialect.name == "sqlite":
                    connection.execute(sa.text("PRAGMA journal_mode=WAL"))
                _TABLES.create_all(connection)
        except DatabaseError as error:
            raise UserError(f"{where} is not a journal of steelyard: {error.orig}") from error

    def close(self) -> None:
        """Give the database back."""
        self._engine.dispose()

    # -- facts ----------------------------------------------------------------------------------------------------

    def fact(self, name: str) -> Any:
        """A named fact about the run as plain values, or None."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(_FACTS.c.value).where(_FACTS.c.name == name)).scalar()
        return None if found is None else json.loads(found)

    def set_fact(self, name: str, value: Any) -> None:
        """Store a fact, over an older one of the same name."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_FACTS).where(_FACTS.c.name == name))
            connection.execute(sa.insert(_FACTS).values(name=name, value=json.dumps(value)))

    def forget_limits(self) -> None:
        """Another ask has other limits: what the old ones decided and what they cut short is open again."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_FACTS).where(_FACTS.c.name.startswith("decision: ")))
            connection.execute(sa.delete(_TRIALS).where(_TRIALS.c.status.in_(("cut", "failed"))))

    # -- trials ---------------------------------------------------------------------------------------------------

    def outcome(self, key: str) -> Outcome | None:
        """The outcome of the trial with that content hash, if it was done before."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(_TRIALS.c.outcome).where(_TRIALS.c.key == key)).scalar()
        return None if found is None else Outcome.from_dict(json.loads(found))

    def outcomes(self) -> list[Outcome]:
        """All outcomes in the order in which they were finished."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_TRIALS.c.outcome).order_by(_TRIALS.c.number)).scalars().all()
        return [Outcome.from_dict(json.loads(row)) for row in rows]

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Remember trials that finished together, all or none; one that was trained again takes its old place."""
        with self._engine.begin() as connection:
            keys = [outcome.key for outcome in outcomes]
            connection.execute(sa.delete(_TRIALS).where(_TRIALS.c.key.in_(keys)))
            last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(_TRIALS.c.number), 0))).scalar_one()
            rows = [
                {
                    "key": outcome.key,
                    "number": last + place,
                    "at": _now(),
                    "family": outcome.trial.recipe.family,
                    "status": outcome.status,
                    "dev_score": outcome.dev_score,
                    "seconds": outcome.seconds,
                    "outcome": json.dumps(outcome.to_dict()),
                }
                for place, outcome in enumerate(outcomes, start=1)
            ]
            connection.execute(sa.insert(_TRIALS), rows)

    # -- what was said --------------------------------------------------------------------------------------------

    def say(self, said: Said) -> None:
        """Write down a decision; what was said before, word for word at the same step, is not written twice."""
        same = sa.and_(_SAID.c.step == said.step, _SAID.c.text == said.text)
        with self._engine.begin() as connection:
            if connection.execute(sa.select(_SAID.c.id).where(same)).first() is None:
                connection.execute(sa.insert(_SAID).values(at=_now(), **asdict(said)))

    def said(self) -> list[Said]:
        """Everything that was said, in order."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_SAID.c.step, _SAID.c.text, _SAID.c.elapsed).order_by(_SAID.c.id)).all()
        return [Said(*row) for row in rows]

    def note(self, text: str) -> None:
        """A note of the user's own."""
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_NOTES).values(at=_now(), text=text))

    def notes(self) -> list[tuple[str, str]]:
        """The user's notes: (when, text)."""
        return self._rows(_NOTES.c.at, _NOTES.c.text)

    # -- the sealed test ------------------------------------------------------------------------------------------

    def open_test(self, by: str) -> None:
        """Record that the sealed test was opened."""
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_OPENINGS).values(at=_now(), by=by))

    def openings(self) -> list[tuple[str, str]]:
        """Every opening of the sealed test: (when, by whom)."""
        return self._rows(_OPENINGS.c.at, _OPENINGS.c.by)

    def _rows(self, *columns: Any) -> list[tuple[str, str]]:
        with self._engine.connect() as connection:
            rows: Sequence[Any] = connection.execute(sa.select(*columns).order_by(columns[0].table.c.id)).all()
        return [(row[0], row[1]) for row in rows]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
