"""What a SQLite store is asked of what vendors push: whether it is known, and which polls it makes wanted."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from tocsin.model.ids import AccountId
from tocsin.model.push import Trust
from tocsin.outbox import sqlite_rows as columns
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import StoredInbound, StoredReport
from tocsin.outbox.sqlite_session import Session

_SAME_REPORT = (
    "SELECT 1 FROM report WHERE account = ? AND recipient = ? AND vendor_id IS ? AND trust < 3 AND trust >= ?"
    " AND state = ? AND code = ? AND at IS ? LIMIT 1"
)
_SAME_INBOUND = "account = ? AND sender = ? AND text = ? AND at IS ? AND extension = ? AND vendor_id IS ?"


class SqlitePushes:
    """Fits `tocsin.outbox.rows.PushRows`, which says what each method promises."""

    def __init__(self, connection: sqlite3.Connection, session: Session) -> None:
        self._sql = connection
        self._rows = session.rows

    def is_read(self, raw: RawId) -> bool:
        return bool(self._rows("SELECT 1 FROM raw WHERE id = ? AND read = 1", raw))

    def is_known(self, pushed: StoredReport) -> bool:
        row = pushed.report
        named = (pushed.account, row.to.full, row.vendor_id, pushed.trust)
        return bool(self._rows(_SAME_REPORT, *named, row.state, row.code, columns.maybe(row.at)))

    def trust_of(self, arrived: StoredInbound) -> Trust | None:
        query = f"SELECT trust FROM inbound WHERE {_SAME_INBOUND} ORDER BY trust LIMIT 1"  # noqa: S608 (fixed text)
        rows = self._rows(query, *_identity(arrived))
        return Trust(rows[0]["trust"]) if rows else None

    def raise_trust(self, arrived: StoredInbound) -> None:
        self._sql.execute(
            "UPDATE inbound SET trust = ? WHERE seq ="  # noqa: S608 (fixed text)
            f" (SELECT seq FROM inbound WHERE {_SAME_INBOUND} ORDER BY trust LIMIT 1)",
            (arrived.trust, *_identity(arrived)),
        )

    def want_poll(self, account: AccountId, kind: str, now: datetime) -> None:
        self._sql.execute("REPLACE INTO poll_wanted VALUES (?, ?, ?)", (account, kind, columns.microseconds(now)))

    def wanted_polls(self, account: AccountId) -> dict[str, datetime]:
        rows = self._rows("SELECT kind, at FROM poll_wanted WHERE account = ?", account)
        return {row["kind"]: columns.moment(row["at"]) for row in rows}


def _identity(arrived: StoredInbound) -> columns.Columns:
    message = arrived.message
    at = columns.maybe(message.at)
    return (arrived.account, message.sender.full, message.text, at, message.extension, message.vendor_id)
