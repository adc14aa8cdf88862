"""What a SQLite store counts for whoever watches. Each question is a range of an index, or a small table."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from tocsin.model.ids import AccountId
from tocsin.outbox import sqlite_rows as columns
from tocsin.outbox.gauges import Backlog, Tally
from tocsin.outbox.sqlite_session import Session
from tocsin.outbox.state import AttemptState, State

_KINDS: dict[str, type[State | AttemptState]] = {"delivery": State, "attempt": AttemptState}

_ADD = (
    "INSERT INTO tally VALUES (?, ?, ?, ?)"
    " ON CONFLICT (kind, account, state) DO UPDATE SET number = number + excluded.number"
)
_BACKLOG = (
    "SELECT urgency, count(*) AS number, min(due_at) AS due_at FROM delivery WHERE state = 'queued'"
    " GROUP BY urgency ORDER BY urgency"
)
_DOUBTED = (
    "SELECT min(a.intended_at) AS since FROM delivery d JOIN attempt a ON a.delivery = d.id"
    " WHERE d.state = 'in_doubt' AND a.state = 'unknown'"
)


class SqliteGauges:
    """Fits `tocsin.outbox.gauges.GaugeRows`, which says what each method promises."""

    def __init__(self, connection: sqlite3.Connection, session: Session) -> None:
        self._sql = connection
        self._rows = session.rows

    def add(self, more: Mapping[Tally, int]) -> None:
        self._sql.executemany(_ADD, [(*_key(tally), number) for tally, number in more.items()])

    def touch(self, now: datetime) -> None:
        self._sql.execute("REPLACE INTO canary VALUES (0, ?)", (columns.microseconds(now),))

    def tallies(self) -> Mapping[Tally, int]:
        rows = self._rows("SELECT * FROM tally")
        return {_read(row): row["number"] for row in rows}

    def backlog(self) -> tuple[Backlog, ...]:
        return tuple(
            Backlog(urgency=row["urgency"], number=row["number"], due_at=columns.moment(row["due_at"]))
            for row in self._rows(_BACKLOG)
        )

    def doubted_since(self) -> datetime | None:
        (row,) = self._rows(_DOUBTED)
        return None if row["since"] is None else columns.moment(row["since"])


def _key(tally: Tally) -> tuple[str, str, str]:
    kind = "delivery" if isinstance(tally.state, State) else "attempt"
    return kind, tally.account or "", tally.state.value


def _read(row: sqlite3.Row) -> Tally:
    account = AccountId(row["account"]) if row["account"] else None
    return Tally(account, _KINDS[row["kind"]](row["state"]))
