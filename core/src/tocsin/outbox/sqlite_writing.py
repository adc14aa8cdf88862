"""What a SQLite store writes for many at once: each table's rows in one statement.

A statement costs more than a row of it: SQLite's module gives the interpreter's lock away for each, and has to wait to
get it back while other threads compute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tocsin.model.message import Message
from tocsin.outbox import sqlite_rows as columns
from tocsin.outbox.record import Delivery
from tocsin.outbox.sqlite_session import Session

_DELIVERY = (
    "INSERT INTO delivery (id, message, position, recipient, state, route, due_at, expires_at, updated_at,"
    " epoch, holder, account, revision, urgency, report_overdue, only, turn)"
)
_DELIVERY_MOVED = (
    "ON CONFLICT (id) DO UPDATE SET"
    " state = excluded.state, due_at = excluded.due_at, updated_at = excluded.updated_at,"
    " epoch = excluded.epoch, holder = excluded.holder, account = excluded.account,"
    " revision = excluded.revision, report_overdue = excluded.report_overdue"
)


def add_messages(session: Session, messages: Sequence[tuple[Message, str]]) -> None:
    """Insert messages with their attachments, and the key of each where it has one."""
    session.write("INSERT INTO message", [columns.message_columns(message) for message, _ in messages])
    session.write(
        "INSERT INTO attachment",
        [
            (message.id, position, one.name, one.content)
            for message, _ in messages
            for position, one in enumerate(message.attachments)
        ],
    )
    session.write(
        "INSERT INTO idempotency (key, message, fingerprint)",
        [
            (message.idempotency_key, message.id, fingerprint)
            for message, fingerprint in messages
            if message.idempotency_key is not None
        ],
    )


def save_deliveries(session: Session, deliveries: Iterable[Delivery]) -> None:
    """Insert or replace."""
    session.write(_DELIVERY, [columns.delivery_columns(one) for one in deliveries], _DELIVERY_MOVED)
