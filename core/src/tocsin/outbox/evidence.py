"""What a report does to an attempt and its delivery. Pure, and the same for every store.

The join of report states makes order and duplicates irrelevant; a report of a number alone may settle the only attempt
in doubt there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from tocsin.model.ids import VendorId
from tocsin.model.outcome import Reason
from tocsin.model.report import Report, ReportState
from tocsin.outbox.record import EVIDENCE_WINDOW, Attempt
from tocsin.outbox.state import AttemptState, Event, State, step_attempt

CLOCK_SKEW = timedelta(minutes=5)
"""How far a vendor's clock may be behind ours before its report is taken for an older message's."""


def join(attempt: Attempt, report: Report) -> Attempt:
    """Return the attempt with the report joined in. Commutative, associative, idempotent in the state.

    A report proves that the vendor had taken the message, so an attempt in doubt becomes accepted.
    """
    if attempt.state is AttemptState.UNKNOWN:
        attempt = _proved(attempt, report.vendor_id)
    if attempt.report is not None and attempt.report >= report.state:
        return attempt
    return attrs.evolve(attempt, report=report.state, report_code=report.code, report_at=report.at)


def events_of(state: State, attempt: Attempt, *, newest: bool) -> tuple[Event, ...]:
    """Return what happens to a delivery in `state` now that `attempt` carries its joined report.

    Args:
        state: where the delivery stands.
        attempt: after `join`.
        newest: whether no later attempt may ring a phone; an older copy's failure changes nothing.

    What a failed report leads to, another account or the end, is the policy's to say.
    """
    if attempt.report is ReportState.DELIVERED:
        return _delivered(state)
    return (Event.ACCEPTED,) if newest and state in (State.IN_DOUBT, State.PARKED) else ()


def _delivered(state: State) -> tuple[Event, ...]:
    if state in (State.DELIVERED, State.SENDING, State.HELD):
        return ()
    if state is State.IN_DOUBT:
        return (Event.ACCEPTED, Event.REPORTED_DELIVERED)
    return (Event.REPORTED_DELIVERED,)


def proved_by_duplicate(history: Iterable[Attempt], refused: Attempt) -> Attempt | None:
    """Return the attempt in doubt that a refusal proves accepted: the same account says that it has the content."""
    if refused.reason is not Reason.DUPLICATE:
        return None
    doubtful = (one for one in history if one.state is AttemptState.UNKNOWN and one.account == refused.account)
    doubt = next(doubtful, None)
    return None if doubt is None else _proved(doubt, None)


def _proved(doubt: Attempt, vendor_id: VendorId | None) -> Attempt:
    """Return an attempt in doubt as accepted. Its cause stays: it says that it was in doubt until then."""
    return attrs.evolve(doubt, state=step_attempt(doubt.state, AttemptState.ACCEPTED), vendor_id=vendor_id)


def only_doubt(ringing: Iterable[Attempt], report: Report, now: datetime) -> Attempt | None:
    """Return the one attempt in doubt that a report of its account and number may settle.

    Args:
        ringing: all attempts of that account and number for which a phone may ring.
        report: one that names no known submit.
        now: aware time.

    Returns:
        None where another attempt may be meant: one whose outcome is not known either, or not yet (the report may have
        overtaken its answer), or that was accepted without an id; and, where the report itself has no id, any other.
        None also where the report is older than the attempt.
    """
    meant = [attempt for attempt in ringing if _may_be_meant(attempt, report, now)]
    only = meant[0] if len(meant) == 1 else None
    in_window = only is not None and now - only.intended_at <= EVIDENCE_WINDOW
    return only if only is not None and in_window and only.state is AttemptState.UNKNOWN else None


def _may_be_meant(attempt: Attempt, report: Report, now: datetime) -> bool:
    """Say whether a report that names no known submit may speak of an attempt.

    Who stands in another's way is looked for twice as far back: a report that is late by hours is that one's.
    """
    nameless = attempt.vendor_id is None or report.vendor_id is None
    since = now - 2 * EVIDENCE_WINDOW
    return nameless and attempt.intended_at >= since and not _older(report, attempt)


def _older(report: Report, attempt: Attempt) -> bool:
    return report.at is not None and report.at < attempt.intended_at - CLOCK_SKEW
