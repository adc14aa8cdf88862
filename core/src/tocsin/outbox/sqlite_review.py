"""What hangs loose in a SQLite store: rows whose counterpart is missing. Foreign keys refuse most of them; a damaged
file, or another hand on it, does not.
"""

from __future__ import annotations

from tocsin.outbox.record import Loose, LooseEnd
from tocsin.outbox.sqlite_session import Session

_STRAY = "SELECT delivery FROM {} WHERE delivery IS NOT NULL AND delivery NOT IN (SELECT id FROM delivery)"
_MISSING = "SELECT raw FROM {} WHERE raw NOT IN (SELECT id FROM raw)"
_APPLIED = "SELECT raw FROM {} WHERE raw IN (SELECT id FROM raw WHERE read = 0)"
_FROM_ANSWERS = ("report", "inbound", "quarantine")
_OF_DELIVERIES = ("attempt", "report", "chapter", "audit")

_QUERIES: tuple[tuple[Loose, str], ...] = (
    (
        Loose.MESSAGE_WITHOUT_DELIVERIES,
        "SELECT id FROM message WHERE length(recipients) - length(replace(recipients, ' ', '')) + 1 <>"
        " (SELECT count(DISTINCT recipient) FROM delivery WHERE delivery.message = message.id)",
    ),
    (Loose.KEY_WITHOUT_MESSAGE, "SELECT message FROM idempotency WHERE message NOT IN (SELECT id FROM message)"),
    (
        Loose.CLAIM_WITHOUT_HOLDER,
        "SELECT id FROM delivery WHERE holder IS NOT NULL AND holder NOT IN (SELECT id FROM holder)",
    ),
    *((Loose.ANSWER_MISSING, _MISSING.format(table)) for table in _FROM_ANSWERS),
    *((Loose.ANSWER_APPLIED_UNREAD, _APPLIED.format(table)) for table in _FROM_ANSWERS),
    (Loose.ANSWER_UNREAD, "SELECT id FROM raw WHERE read = 0"),
    *((Loose.STRAY, _STRAY.format(table)) for table in _OF_DELIVERIES),
)


def find_loose_ends(session: Session) -> tuple[LooseEnd, ...]:
    """Return each once, in the order of their kinds."""
    damages = (LooseEnd(Loose.DAMAGED_FILE, said) for (said,) in session.rows("PRAGMA integrity_check(10)"))
    found = (
        LooseEnd(kind, f"raw {name}" if isinstance(name, int) else name)
        for kind, query in _QUERIES
        for (name,) in session.rows(query)
    )
    return (*(one for one in damages if one.where != "ok"), *dict.fromkeys(found))
