"""Deliveries that wait for evidence: asked about again when their time has come, or when evidence has."""

from __future__ import annotations

from tocsin.delivery.ask import ask, write_down
from tocsin.delivery.dispatch import dispatch
from tocsin.delivery.parts import Parts
from tocsin.model.ids import HolderId, MessageId
from tocsin.model.report import ReportState
from tocsin.outbox.record import Delivery, Filter
from tocsin.outbox.state import State
from tocsin.policy.decision import Submit

AT_ONCE = 1000
"""Most deliveries that are asked about in one go."""


def reconcile(parts: Parts) -> int:
    """Ask about what waits for evidence and is due by now: queue it for another submit, park it, close it, or wait on.

    Returns:
        How many were asked about.
    """
    due = parts.store.awaiting(AT_ONCE, parts.clock.now())
    follow(parts, due, may_wait=True)
    return len(due)


def follow(parts: Parts, deliveries: tuple[Delivery, ...], *, may_wait: bool) -> int:
    """Do what the policy says of deliveries in doubt or submitted; return how many are queued for another submit."""
    if not deliveries:
        return 0
    asked = ask(parts, deliveries, may_wait=may_wait)
    write_down(parts, asked)
    wanted = tuple(one.delivery for one in asked if isinstance(one.decision, Submit))
    return len(parts.store.reopen(wanted, parts.clock.now())) if wanted else 0


def follow_failed(parts: Parts) -> None:
    """Do what the policy says of what was reported undelivered just now. Silence is left to the worker."""
    due = [one for one in parts.store.awaiting(AT_ONCE, parts.clock.now()) if one.state is State.SUBMITTED]
    history = parts.store.attempts(tuple(one.id for one in due))
    failed = [one for one in due if any(attempt.report is ReportState.FAILED for attempt in history[one.id])]
    follow(parts, tuple(failed), may_wait=True)


def resolve_doubts(parts: Parts, message: MessageId, holder: HolderId) -> None:
    """Ask about each delivery of a message that is in doubt, and submit again what the policy says, in this thread."""
    doubtful = parts.store.deliveries(Filter(message=message, state=State.IN_DOUBT))
    if follow(parts, doubtful, may_wait=False):
        dispatch(parts, message, holder)
