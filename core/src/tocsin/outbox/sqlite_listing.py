"""What people list in a SQLite store, a page at a time: deliveries, what happened to them, inbound messages."""

from __future__ import annotations

from tocsin.model.ids import AccountId, message_of, position_of
from tocsin.outbox import sqlite_rows as columns
from tocsin.outbox.record import Delivery, Filter, StoredInbound, Transition
from tocsin.outbox.sqlite_session import Session


def find_deliveries(session: Session, wanted: Filter) -> tuple[Delivery, ...]:
    """Return what fits, newest message first, recipients in the order given."""
    given = _conditions(wanted)
    where = " AND ".join(given) or "1"
    rows = session.rows(
        f"SELECT * FROM delivery WHERE {where} ORDER BY message DESC, position LIMIT ?",  # noqa: S608 (fixed names)
        *(value for values in given.values() for value in values),
        -1 if wanted.limit is None else wanted.limit,
    )
    return tuple(columns.read_delivery(row) for row in rows)


def _conditions(wanted: Filter) -> dict[str, tuple[object, ...]]:
    """Return what is asked, as conditions with their values."""
    asked: dict[str, tuple[object, ...] | None] = {
        "message = ?": None if wanted.message is None else (wanted.message,),
        "id = ?": None if wanted.delivery is None else (wanted.delivery,),
        "state = ?": None if wanted.state is None else (wanted.state.value,),
        "recipient = ?": None if wanted.to is None else (wanted.to.full,),
        "message >= ?": None if wanted.since is None else (wanted.since,),
    }
    if wanted.behind is not None:
        message = message_of(wanted.behind)
        asked["message <= ? AND (message < ? OR position > ?)"] = (message, message, position_of(wanted.behind))
    return {condition: values for condition, values in asked.items() if values is not None}


def find_events(session: Session, after: int, limit: int) -> tuple[tuple[int, Transition], ...]:
    """Return what happened behind that number, each with its own."""
    rows = session.rows("SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)
    return tuple((row["seq"], columns.read_transition(row)) for row in rows)


def last_event(session: Session) -> int:
    """Return the number of the newest event; 0 for none."""
    ((number,),) = session.rows("SELECT coalesce(max(seq), 0) FROM audit")
    return int(number)


def find_inbound(
    session: Session, account: AccountId | None, before: int | None, limit: int
) -> tuple[tuple[int, StoredInbound], ...]:
    """Return inbound messages, newest first, each with its number."""
    rows = session.rows(
        "SELECT * FROM inbound WHERE (?1 IS NULL OR account = ?1) AND (?2 IS NULL OR seq < ?2)"
        " ORDER BY seq DESC LIMIT ?3",
        *(account, before, limit),
    )
    return tuple((row["seq"], columns.read_inbound(row)) for row in rows)
