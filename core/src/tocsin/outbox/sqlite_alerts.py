"""The alerts of a SQLite store: its statements about where alerts and streams stand."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from tocsin.model.alert import AlertStatus
from tocsin.model.ids import MessageId
from tocsin.outbox import sqlite_rows as columns
from tocsin.outbox.alert import AlertKey, AlertRecord, Stream, StreamKey
from tocsin.outbox.sqlite_session import Session


class SqliteAlerts:
    """The alerts in SQLite. Fits `tocsin.outbox.rows.AlertRows`, which says what each method promises."""

    def __init__(self, connection: sqlite3.Connection, session: Session) -> None:
        self._sql = connection
        self._rows = session.rows

    def get_alerts(self, keys: Iterable[AlertKey]) -> dict[AlertKey, AlertRecord]:
        found: dict[AlertKey, AlertRecord] = {}
        for key in keys:
            for row in self._rows(
                "SELECT * FROM alert WHERE source = ? AND receiver = ? AND fingerprint = ?",
                *(key.source, key.receiver, key.fingerprint),
            ):
                found[key] = _read_alert(key, row)
        return found

    def save_alerts(self, alerts: Iterable[AlertRecord]) -> None:
        self._sql.executemany("REPLACE INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_alert_columns, alerts))

    def any_alert(self, before: datetime) -> bool:
        return bool(self._rows("SELECT 1 FROM alert WHERE seen_at < ? LIMIT 1", columns.microseconds(before)))

    def forget_alerts(self, before: datetime) -> int:
        return self._sql.execute("DELETE FROM alert WHERE seen_at < ?", (columns.microseconds(before),)).rowcount

    def get_streams(self, keys: Iterable[StreamKey]) -> dict[StreamKey, Stream]:
        found: dict[StreamKey, Stream] = {}
        for key in keys:
            for row in self._rows(
                "SELECT * FROM stream WHERE source = ? AND audience = ?", *(key.source, key.audience)
            ):
                found[key] = _read_stream(key, row)
        return found

    def save_streams(self, streams: Iterable[Stream]) -> None:
        self._sql.executemany("REPLACE INTO stream VALUES (?, ?, ?, ?, ?, ?)", map(_stream_columns, streams))


def _alert_columns(alert: AlertRecord) -> columns.Columns:
    return (
        alert.key.source,
        alert.key.receiver,
        alert.key.fingerprint,
        alert.status.value,
        alert.level,
        columns.maybe(alert.starts_at),
        columns.maybe(alert.ends_at),
        columns.microseconds(alert.seen_at),
        columns.maybe(alert.told_at),
        alert.message,
    )


def _read_alert(key: AlertKey, row: columns.Row) -> AlertRecord:
    return AlertRecord(
        key=key,
        status=AlertStatus(row["status"]),
        level=row["level"],
        starts_at=columns.maybe_moment(row["starts_at"]),
        ends_at=columns.maybe_moment(row["ends_at"]),
        seen_at=columns.moment(row["seen_at"]),
        told_at=columns.maybe_moment(row["told_at"]),
        message=None if row["message"] is None else MessageId(row["message"]),
    )


def _stream_columns(stream: Stream) -> columns.Columns:
    return (
        stream.key.source,
        stream.key.audience,
        columns.microseconds(stream.opened_at),
        stream.told,
        stream.pending,
        json.dumps(dict(stream.held), ensure_ascii=False),
    )


def _read_stream(key: StreamKey, row: columns.Row) -> Stream:
    return Stream(
        key=key,
        opened_at=columns.moment(row["opened_at"]),
        told=row["told"],
        pending=None if row["pending"] is None else MessageId(row["pending"]),
        held=json.loads(row["held"]),
    )
