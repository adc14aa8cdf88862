"""What a review of a SQLite store reads: reports, a page at a time, and rows whose counterpart is missing.

Foreign keys refuse most of the latter; a damaged file, or another hand on it, does not.
"""

from __future__ import annotations

from collections.abc import Iterable

from tocsin.model.ids import DeliveryId
from tocsin.outbox.loose import Loose, LooseEnd
from tocsin.outbox.record import StoredReport
from tocsin.outbox.sqlite_rows import read_report
from tocsin.outbox.sqlite_session import Session

_STRAY = "SELECT delivery FROM {} WHERE delivery IS NOT NULL AND delivery NOT IN (SELECT id FROM delivery)"
_MISSING = "SELECT raw FROM {} WHERE raw NOT IN (SELECT id FROM raw)"
_APPLIED = "SELECT raw FROM {} WHERE raw IN (SELECT id FROM raw WHERE read = 0)"
_KEPT = "(a.state NOT IN ('not_sent', 'refused'))"
_DEBITS = "SELECT a.submit FROM attempt a LEFT JOIN spending s ON s.submit = a.submit GROUP BY a.submit HAVING "
_FROM_ANSWERS = ("report", "inbound", "quarantine")
_OF_DELIVERIES = ("attempt", "report", "chapter", "audit")

_QUERIES: tuple[tuple[Loose, str], ...] = (
    (
        Loose.MESSAGE_WITHOUT_DELIVERIES,
        "SELECT id FROM message WHERE length(recipients) - length(replace(recipients, ' ', '')) + 1 <>"
        " (SELECT count(DISTINCT recipient) FROM delivery WHERE delivery.message = message.id)",
    ),
    (
        Loose.MESSAGE_WITHOUT_DELIVERIES,
        "SELECT message FROM delivery GROUP BY message, recipient, only HAVING count(*) > 1",
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
    (Loose.DEBIT_MISSING, f"{_DEBITS} s.submit IS NULL AND max(a.segments) > 0"),
    (
        Loose.DEBIT_WRONG,
        f"{_DEBITS} s.messages <> sum({_KEPT}) OR s.cost <> sum({_KEPT} * a.cost) OR s.account <> a.account"
        " OR s.at <> a.intended_at OR s.resends <> max(a.trigger = 'doubt')",
    ),
    (Loose.DEBIT_WRONG, "SELECT submit FROM spending WHERE submit NOT IN (SELECT submit FROM attempt)"),
    (
        Loose.WEIGHT_UNEXPLAINED,
        "SELECT account || ' ' || prefix FROM weight w WHERE (points, moved_at) IS NOT (SELECT after, at"
        " FROM weight_change c WHERE c.account = w.account AND c.prefix = w.prefix ORDER BY seq DESC LIMIT 1)",
    ),
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


def find_reports(session: Session, deliveries: Iterable[DeliveryId]) -> dict[DeliveryId, tuple[StoredReport, ...]]:
    """Return the reports that were matched to each of a page of deliveries: one scan, no index is kept for it."""
    found: dict[DeliveryId, list[StoredReport]] = {one: [] for one in deliveries}
    between = (min(found, default=""), max(found, default=""))
    for row in session.rows("SELECT * FROM report WHERE delivery BETWEEN ? AND ? ORDER BY seq", *between):
        report = read_report(row)
        if report.delivery in found:
            found[report.delivery].append(report)
    return {one: tuple(reports) for one, reports in found.items()}
