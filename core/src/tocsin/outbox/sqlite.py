"""A store in one SQLite file: the statements. Its transactions are `tocsin.outbox.sqlite_session`'s."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from tocsin.model.ids import AccountId, AttemptId, DeliveryId, HolderId, MessageId, VendorId
from tocsin.model.message import Message, MessageClass
from tocsin.model.phone import Msisdn
from tocsin.model.submission import Attachment
from tocsin.outbox import sqlite_listing as listing
from tocsin.outbox import sqlite_rows as columns
from tocsin.outbox import sqlite_writing as writing
from tocsin.outbox.loose import LooseEnd
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import (
    Attempt,
    Chapter,
    Delivery,
    Filter,
    Listening,
    RawAnswer,
    StoredInbound,
    StoredReport,
    Transition,
)
from tocsin.outbox.sqlite_alerts import SqliteAlerts
from tocsin.outbox.sqlite_books import SqliteBooks
from tocsin.outbox.sqlite_file import open_file
from tocsin.outbox.sqlite_gauges import SqliteGauges
from tocsin.outbox.sqlite_pushes import SqlitePushes
from tocsin.outbox.sqlite_review import find_loose_ends, find_reports
from tocsin.outbox.sqlite_session import Boundary, Session
from tocsin.outbox.state import State

_URGENCIES = sorted({cls.urgency for cls in MessageClass})


def _open(urgency: int, shut: Collection[str]) -> str:
    """Leave out what is not most urgent, stands on a route that is shut, and is bound to no account of its own."""
    return f" AND (route NOT IN ({','.join('?' * len(shut))}) OR only IS NOT NULL)" if urgency and shut else ""


def open_rows(path: Path, boundary: Boundary = lambda _: None) -> SqliteRows:
    """Open a store, or make it.

    Args:
        path: of the file; its directory exists.
        boundary: told of each commit, before and after.

    Raises:
        StoreError: it cannot be opened, is corrupt, is something else, or is of a newer version.
    """
    return SqliteRows(open_file(path), boundary)


class SqliteRows:
    """Rows in SQLite. Thread-safe: one transaction at a time, whoever asks."""

    def __init__(self, connection: sqlite3.Connection, boundary: Boundary) -> None:
        self._sql = connection
        self._session = Session(connection, boundary)
        self._rows, self._rows_of = self._session.rows, self._session.rows_of
        self.books = SqliteBooks(connection, self._session)
        self.pushes = SqlitePushes(connection, self._session)
        self.alerts = SqliteAlerts(connection, self._session)
        self.gauges = SqliteGauges(connection, self._session)

    def lead(self) -> None:
        """Be the worker: the one that checkpoints, and that leaves the others a gap between its commits."""
        self._session.lead()

    def look_only(self) -> None:
        """Refuse every write from now on."""
        self._session.look_only()

    def close(self) -> None:
        self._session.close()

    def reading(self) -> AbstractContextManager[object]:
        return self._session.reading()

    def snapshot(self) -> AbstractContextManager[object]:
        return self._session.snapshot()

    def transaction(self, name: str) -> AbstractContextManager[None]:
        return self._session.transaction(name)

    # messages

    def add_messages(self, messages: Iterable[tuple[Message, str]]) -> None:
        writing.add_messages(self._session, list(messages))

    def key_owners(self, keys: Iterable[str]) -> dict[str, tuple[MessageId, str]]:
        rows = self._rows_of("SELECT key, message, fingerprint FROM idempotency WHERE key IN (?)", keys)
        return {row["key"]: (MessageId(row["message"]), row["fingerprint"]) for row in rows}

    def count_repeats(self, keys: Iterable[str]) -> None:
        self._sql.executemany("UPDATE idempotency SET repeats = repeats + 1 WHERE key = ?", [(key,) for key in keys])

    def find_message(self, message: MessageId) -> Message | None:
        rows = self._rows(
            "SELECT m.*, i.key FROM message m LEFT JOIN idempotency i ON i.message = m.id WHERE m.id = ?", message
        )
        if not rows:
            return None
        files = self._rows("SELECT name, content FROM attachment WHERE message = ? ORDER BY position", message)
        return columns.read_message(
            rows[0], rows[0]["key"], tuple(Attachment(file["name"], file["content"]) for file in files)
        )

    # deliveries and holders

    def find_deliveries(self, wanted: Filter) -> tuple[Delivery, ...]:
        return listing.find_deliveries(self._session, wanted)

    def get_deliveries(self, ids: Iterable[DeliveryId]) -> dict[DeliveryId, Delivery]:
        found = map(columns.read_delivery, self._rows_of("SELECT * FROM delivery WHERE id IN (?)", ids))
        return {one.id: one for one in found}

    def due(self, state: State, now: datetime, limit: int, shut: Collection[str] = ()) -> tuple[Delivery, ...]:
        rows: list[sqlite3.Row] = []
        for urgency in _URGENCIES:  # each a range of the index, none a sort
            rows += self._rows(
                f"SELECT * FROM delivery WHERE state = ? AND urgency = ? AND due_at <= ?{_open(urgency, shut)}"  # noqa: S608
                " ORDER BY due_at, message, position LIMIT ?",
                *(state.value, urgency, columns.microseconds(now)),
                *(shut if urgency else ()),
                limit - len(rows),
            )
        return tuple(columns.read_delivery(row) for row in rows)

    def next_due(self, states: Iterable[State], shut: Collection[str] = ()) -> datetime | None:
        earliest = [
            self._rows(
                "SELECT due_at FROM delivery WHERE state = ? AND urgency = ?"  # noqa: S608 (fixed names)
                f"{_open(urgency, shut)} ORDER BY due_at LIMIT 1",
                *(state.value, urgency),
                *(shut if urgency else ()),
            )
            for state in states
            for urgency in _URGENCIES
        ]
        return min((columns.moment(rows[0]["due_at"]) for rows in earliest if rows), default=None)

    def expired(self, now: datetime, limit: int) -> tuple[Delivery, ...]:
        rows = self._rows(
            "SELECT * FROM delivery WHERE state = 'queued' AND expires_at <= ?"
            " ORDER BY expires_at, message, position LIMIT ?",
            columns.microseconds(now),
            limit,
        )
        return tuple(columns.read_delivery(row) for row in rows)

    def next_expiry(self) -> datetime | None:
        rows = self._rows("SELECT expires_at FROM delivery WHERE state = 'queued' ORDER BY expires_at LIMIT 1")
        return columns.moment(rows[0]["expires_at"]) if rows else None

    def held_by(self, holder: HolderId) -> tuple[Delivery, ...]:
        rows = self._rows("SELECT * FROM delivery WHERE holder = ? ORDER BY message, position", holder)
        return tuple(columns.read_delivery(row) for row in rows)

    def save_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        writing.save_deliveries(self._session, deliveries)

    def deliveries_of(self, messages: Iterable[MessageId]) -> tuple[Delivery, ...]:
        return tuple(map(columns.read_delivery, self._rows_of("SELECT * FROM delivery WHERE message IN (?)", messages)))

    def save_holder(self, holder: HolderId, lease_until: datetime | None) -> None:
        if lease_until is None:
            self._sql.execute("DELETE FROM holder WHERE id = ?", (holder,))
        else:
            self._sql.execute("REPLACE INTO holder VALUES (?, ?)", (holder, columns.microseconds(lease_until)))

    def holders(self) -> dict[HolderId, datetime]:
        rows = self._rows("SELECT id, lease_until FROM holder ORDER BY id")
        return {HolderId(row["id"]): columns.moment(row["lease_until"]) for row in rows}

    def poller(self, account: AccountId) -> tuple[HolderId, datetime] | None:
        rows = self._rows("SELECT holder, lease_until FROM poller WHERE account = ?", account)
        return (HolderId(rows[0]["holder"]), columns.moment(rows[0]["lease_until"])) if rows else None

    def save_poller(self, account: AccountId, holder: HolderId, lease_until: datetime) -> None:
        values = (account, holder, columns.microseconds(lease_until))
        self._sql.execute("REPLACE INTO poller VALUES (?, ?, ?)", values)

    def remove_poller(self, account: AccountId, holder: HolderId) -> None:
        self._sql.execute("DELETE FROM poller WHERE account = ? AND holder = ?", (account, holder))

    def save_listening(self, heard: Listening) -> None:
        self._sql.execute("REPLACE INTO listening VALUES (?, ?, ?, ?, ?, ?)", columns.listening_columns(heard))

    def listenings(self) -> tuple[Listening, ...]:
        return tuple(map(columns.read_listening, self._rows("SELECT * FROM listening ORDER BY account, kind")))

    # attempts

    def attempts_of(self, deliveries: Iterable[DeliveryId]) -> dict[DeliveryId, tuple[Attempt, ...]]:
        found: dict[DeliveryId, list[Attempt]] = {one: [] for one in deliveries}
        for row in self._rows_of("SELECT * FROM attempt WHERE delivery IN (?) ORDER BY delivery, number", found):
            attempt = columns.read_attempt(row)
            found[attempt.delivery].append(attempt)
        return {one: tuple(attempts) for one, attempts in found.items()}

    def get_attempts(self, ids: Iterable[AttemptId]) -> dict[AttemptId, Attempt]:
        found = map(columns.read_attempt, self._rows_of("SELECT * FROM attempt WHERE id IN (?)", ids))
        return {one.id: one for one in found}

    def save_attempts(self, attempts: Iterable[Attempt]) -> None:
        self._sql.executemany(
            "INSERT INTO attempt SELECT ?1, ?2, ?3, ?4, ?5, ?6, recipient, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
            " ?16, ?17, ?18, ?19, ?20, ?21 FROM delivery WHERE id = ?2"
            " ON CONFLICT (id) DO UPDATE SET state = excluded.state,"
            " settled_at = excluded.settled_at, vendor_id = excluded.vendor_id, partial = excluded.partial,"
            " reason = excluded.reason, code = excluded.code, vendor_text = excluded.vendor_text,"
            " cause = excluded.cause, report = excluded.report, report_code = excluded.report_code,"
            " report_at = excluded.report_at",
            map(columns.attempt_columns, attempts),
        )

    def accepted_as(self, account: AccountId, vendor_id: VendorId, to: Msisdn) -> Attempt | None:
        rows = self._rows(
            "SELECT * FROM attempt WHERE account = ? AND vendor_id = ? AND recipient = ? ORDER BY intended_at LIMIT 1",
            account,
            vendor_id,
            to.full,
        )
        return columns.read_attempt(rows[0]) if rows else None

    def ringing(self, account: AccountId, to: Msisdn) -> tuple[Attempt, ...]:
        rows = self._rows(
            "SELECT * FROM attempt WHERE account = ? AND recipient = ?"
            " AND state IN ('unknown', 'intent', 'accepted') ORDER BY intended_at",
            account,
            to.full,
        )
        return tuple(columns.read_attempt(row) for row in rows)

    # the story

    def add_transitions(self, transitions: Iterable[Transition]) -> None:
        self._sql.executemany(
            "INSERT INTO audit (at, delivery, event, before, after) VALUES (?, ?, ?, ?, ?)",
            map(columns.transition_columns, transitions),
        )

    def add_chapters(self, chapters: Mapping[DeliveryId, Chapter]) -> None:
        """Append decisions; deliveries that share one share its row."""
        decisions: dict[tuple[int, str], int] = {}
        told: list[tuple[DeliveryId, int]] = []
        for delivery, chapter in chapters.items():
            body = (columns.microseconds(chapter.at), json.dumps(chapter.explanation, ensure_ascii=False))
            if body not in decisions:
                cursor = self._sql.execute("INSERT INTO decision (at, body) VALUES (?, ?)", body)
                decisions[body] = cursor.lastrowid or 0
            told.append((delivery, decisions[body]))
        self._sql.executemany("INSERT INTO chapter (delivery, decision) VALUES (?, ?)", told)

    def story(self, delivery: DeliveryId) -> tuple[tuple[Chapter, ...], tuple[Transition, ...]]:
        chapters = self._rows(
            "SELECT d.at, d.body FROM chapter c JOIN decision d ON d.id = c.decision"
            " WHERE c.delivery = ? ORDER BY c.seq",
            delivery,
        )
        transitions = self._rows("SELECT * FROM audit WHERE delivery = ? ORDER BY seq", delivery)
        return (
            tuple(Chapter(at=columns.moment(row["at"]), explanation=json.loads(row["body"])) for row in chapters),
            tuple(columns.read_transition(row) for row in transitions),
        )

    # evidence

    def add_raw(self, raw: RawAnswer, now: datetime) -> RawId:
        cursor = self._sql.execute(
            "INSERT INTO raw (received_at, account, kind, trust, fault, status, headers, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (columns.microseconds(now), *columns.raw_columns(raw)),
        )
        return RawId(cursor.lastrowid or 0)

    def get_raw(self, raw: RawId) -> RawAnswer:
        (row,) = self._rows("SELECT * FROM raw WHERE id = ?", raw)
        return columns.read_raw(row)

    def mark_read(self, raw: RawId) -> None:
        self._sql.execute("UPDATE raw SET read = 1 WHERE id = ?", (raw,))

    def unread(self, account: AccountId, kind: str) -> dict[RawId, RawAnswer]:
        rows = self._rows("SELECT * FROM raw WHERE read = 0 AND account = ? AND kind = ? ORDER BY id", account, kind)
        return {RawId(row["id"]): columns.read_raw(row) for row in rows}

    def add_reports(self, raw: RawId, reports: Iterable[StoredReport]) -> None:
        self._sql.executemany(
            "INSERT INTO report (raw, account, trust, received_at, vendor_id, recipient, state, code, at, delivery,"
            " by_number, shared) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((raw, *columns.report_columns(one)) for one in reports),
        )

    def orphans(self, account: AccountId, vendor_id: VendorId, since: datetime) -> tuple[StoredReport, ...]:
        rows = self._rows(
            "SELECT * FROM report WHERE account = ? AND vendor_id = ? AND delivery IS NULL AND trust > 1"
            " AND received_at >= ? ORDER BY seq",
            account,
            vendor_id,
            columns.microseconds(since),
        )
        return tuple(columns.read_report(row) for row in rows)

    def orphans_to(self, account: AccountId, to: Msisdn, since: datetime) -> tuple[StoredReport, ...]:
        rows = self._rows(
            "SELECT * FROM report WHERE account = ? AND recipient = ? AND delivery IS NULL AND trust > 1"
            " AND shared = 0 AND received_at >= ? ORDER BY seq",
            account,
            to.full,
            columns.microseconds(since),
        )
        return tuple(columns.read_report(row) for row in rows)

    def adopt(self, orphan: StoredReport, delivery: DeliveryId, *, by_number: bool) -> None:
        self._sql.execute(
            "UPDATE report SET delivery = ?, by_number = ? WHERE seq = (SELECT min(seq) FROM report WHERE account = ?"
            " AND vendor_id IS ? AND recipient = ? AND state = ? AND received_at = ? AND delivery IS NULL)",
            (
                delivery,
                by_number,
                orphan.account,
                orphan.report.vendor_id,
                orphan.report.to.full,
                orphan.report.state,
                columns.microseconds(orphan.received_at),
            ),
        )

    def add_inbound(self, raw: RawId, messages: Iterable[StoredInbound]) -> None:
        self._sql.executemany(
            "INSERT INTO inbound (raw, account, received_at, sender, text, at, extension, vendor_id, trust)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((raw, *columns.inbound_columns(one)) for one in messages),
        )

    def add_quarantine(self, raw: RawId, pieces: Iterable[str], now: datetime) -> None:
        self._sql.executemany(
            "INSERT INTO quarantine (at, raw, piece) VALUES (?, ?, ?)",
            ((columns.microseconds(now), raw, piece) for piece in pieces),
        )

    def evidence(self, account: AccountId | None) -> tuple[tuple[StoredReport, ...], tuple[StoredInbound, ...]]:
        reports = self._rows("SELECT * FROM report WHERE ?1 IS NULL OR account = ?1 ORDER BY seq DESC", account)
        inbound = self._rows("SELECT * FROM inbound WHERE ?1 IS NULL OR account = ?1 ORDER BY seq DESC", account)
        return tuple(map(columns.read_report, reports)), tuple(map(columns.read_inbound, inbound))

    def events(self, after: int, limit: int) -> tuple[tuple[int, Transition], ...]:
        return listing.find_events(self._session, after, limit)

    def last_event(self) -> int:
        return listing.last_event(self._session)

    def inbound(
        self, account: AccountId | None, before: int | None, limit: int
    ) -> tuple[tuple[int, StoredInbound], ...]:
        return listing.find_inbound(self._session, account, before, limit)

    # as a whole

    def counts(self, *states: State) -> dict[tuple[State, AccountId | None], int]:
        rows = self._rows_of(
            "SELECT state, account, count(*) AS number FROM delivery WHERE state IN (?) GROUP BY state, account",
            states or tuple(State),
        )
        return {
            (State(row["state"]), AccountId(row["account"]) if row["account"] else None): row["number"] for row in rows
        }

    def page(self, after: DeliveryId, limit: int) -> tuple[Delivery, ...]:
        rows = self._rows("SELECT * FROM delivery WHERE id > ? ORDER BY id LIMIT ?", after, limit)
        return tuple(map(columns.read_delivery, rows))

    def reports_for(self, deliveries: Iterable[DeliveryId]) -> dict[DeliveryId, tuple[StoredReport, ...]]:
        return find_reports(self._session, deliveries)

    def loose_ends(self) -> tuple[LooseEnd, ...]:
        return find_loose_ends(self._session)
