"""Values as whoever asks is shown them, by the command line and the HTTP service: plain JSON, full numbers.

Who asks is the operator, or holds a key that lets them read. Nothing of this may be logged.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tocsin.model.account import Account
from tocsin.model.balance import Balance
from tocsin.model.push import Trust
from tocsin.model.report import InboundMessage, Report, ReportState
from tocsin.outbox.record import Attempt, Delivery
from tocsin.outbox.state import AttemptState
from tocsin.story import Story, plain, tell, why

REPORT_WORDS = {
    ReportState.DELIVERED: "delivered",
    ReportState.FAILED: "undelivered",
    ReportState.ENROUTE: "unknown",
    ReportState.UNKNOWN: "unknown",
}


_GIVEN_BACK = (AttemptState.NOT_SENT, AttemptState.REFUSED)


def iso(moment: datetime | None) -> str | None:
    """Return a time as ISO 8601, UTC, whole seconds; None for none."""
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as `send`, `status` and `list` show it."""
    return {
        "id": delivery.id,
        "to": delivery.to.full,
        "state": delivery.state.value,
        "account": delivery.account,
        "message": delivery.message,
        "route": delivery.route,
        "report_overdue": delivery.report_overdue,
        "updated_at": iso(delivery.updated_at),
        "expires_at": iso(delivery.expires_at),
    }


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as `status` and `explain` show it."""
    return {
        "id": attempt.id,
        "number": attempt.number,
        "submit": attempt.submit,
        "trigger": attempt.trigger.value,
        "segments": attempt.segments,
        "cost": "0" if attempt.state in _GIVEN_BACK else plain(attempt.cost),
        "account": attempt.account,
        "state": attempt.state.value,
        "at": iso(attempt.intended_at),
        "settled_at": iso(attempt.settled_at),
        "vendor_id": attempt.vendor_id,
        "partial": attempt.partial,
        "reason": None if attempt.reason is None else attempt.reason.label,
        "code": attempt.code or None,
        "cause": attempt.cause or None,
        "report": None if attempt.report is None else REPORT_WORDS[attempt.report],
        "report_code": attempt.report_code or None,
        "report_at": iso(attempt.report_at),
    }


def story_json(story: Story) -> dict[str, Any]:
    """Return the whole story of a delivery."""
    return {
        **delivery_json(story.delivery),
        "class": story.message.cls.value,
        "why": why(story) or None,
        "attempts": [attempt_json(attempt) for attempt in story.attempts],
        "decisions": [{"at": iso(chapter.at), **chapter.explanation} for chapter in story.chapters],
        "transitions": [
            {"at": iso(one.at), "event": one.event.value, "from": one.before.value, "to": one.after.value}
            for one in story.transitions
        ],
        "story": [{"at": iso(at), "what": sentence} for at, sentence in tell(story)],
    }


def balance_json(account: Account, balance: Balance) -> dict[str, Any]:
    """Return a balance. The amount is text: money is never a float."""
    return {
        "account": account.id,
        "amount": str(balance.amount),
        "unit": balance.unit.value,
        "postpaid": balance.postpaid,
        "at": iso(balance.as_of),
    }


def report_json(account: str, report: Report, trust: Trust = Trust.POLL) -> dict[str, Any]:
    """Return one report row, with how far it is trusted."""
    return {
        "account": account,
        "to": report.to.full,
        "vendor_id": report.vendor_id,
        "state": REPORT_WORDS[report.state],
        "code": report.code,
        "at": iso(report.at),
        "trust": trust.name.lower(),
    }


def inbound_json(account: str, message: InboundMessage, trust: Trust = Trust.POLL) -> dict[str, Any]:
    """Return one inbound message, with how far it is trusted."""
    return {
        "account": account,
        "from": message.sender.full,
        "text": message.text,
        "at": iso(message.at),
        "extension": message.extension,
        "trust": trust.name.lower(),
    }
