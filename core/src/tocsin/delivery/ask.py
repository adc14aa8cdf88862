"""Asks the policy about deliveries as they stand in the store, and writes down what it says of those that stay.

Whoever wants to know what is next asks here: one pass of `send --now`, each round of the worker, the look after a poll.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import attrs

from tocsin import observe
from tocsin.delivery.parts import Parts
from tocsin.delivery.survey import Survey
from tocsin.model.ids import AccountId
from tocsin.model.message import Message
from tocsin.outbox.record import Attempt, Delivery, Verdict
from tocsin.outbox.state import AttemptState, Event, State
from tocsin.policy.decide import decide
from tocsin.policy.decision import (
    AwaitReport,
    CloseWindow,
    Decision,
    Expire,
    GiveUp,
    Later,
    Park,
    Submit,
    Undelivered,
    Wait,
)
from tocsin.policy.explain import explain
from tocsin.policy.judge import Candidate
from tocsin.policy.standing import Standing

_NEVER = datetime.min.replace(tzinfo=UTC)
"""When an account was heard whose polls have all failed: it is polled, so its silence proves nothing yet."""


@attrs.frozen(kw_only=True)
class Asked:
    """A delivery, and what the policy said of it."""

    delivery: Delivery
    message: Message
    attempts: tuple[Attempt, ...]
    candidates: tuple[Candidate, ...]
    decision: Decision


def ask(parts: Parts, deliveries: Iterable[Delivery], *, may_wait: bool) -> tuple[Asked, ...]:
    """Ask the policy about each.

    Args:
        parts: what delivery works with.
        deliveries: as they stand.
        may_wait: whether somebody will ask again later.
    """
    wanted = tuple(deliveries)
    messages = parts.store.messages(one.message for one in wanted)
    history = parts.store.attempts(tuple(one.id for one in wanted))
    heard = _heard(parts)
    now = parts.clock.now()
    survey = Survey(parts.fleet, parts.store, now, (one.to for one in wanted))
    asked = []
    for delivery in wanted:
        message, attempts = _due(messages[delivery.message], now), history[delivery.id]
        standing = Standing(
            rules=parts.fleet.rules(delivery.route, message.cls),
            expires_at=delivery.expires_at,
            attempts=attempts,
            due_at=delivery.due_at,
            may_wait=may_wait,
            heard=heard,
            slowness=parts.slowness.of({one.account for one in attempts}, now),
            may_resend=survey.may_resend(message.cls),
        )
        candidates = survey.candidates(delivery, message, attempts, may_wait=may_wait)
        decision = decide(standing, candidates, now, parts.dice())
        asked.append(
            Asked(delivery=delivery, message=message, attempts=attempts, candidates=candidates, decision=decision)
        )
    return tuple(asked)


def _heard(parts: Parts) -> dict[AccountId, datetime]:
    """Return when the reports of each account that is polled for them were last heard."""
    polled = {account.id for account in parts.fleet.accounts.values() if account.poll.reports_s > 0}
    notes = [one for one in parts.store.listenings() if one.kind == "reports" and one.account in polled]
    return {one.account: one.heard_at or _NEVER for one in notes}


def _due(message: Message, now: datetime) -> Message:
    """Return the message as a vendor is asked to carry it: a time to send at that has come is none of its business."""
    come = message.send_at is not None and message.send_at <= now
    return attrs.evolve(message, send_at=None) if come else message


def write_down(parts: Parts, asked: Iterable[Asked]) -> int:
    """Store what was decided of those that are not submitted now; return how many that were."""
    verdicts = {one.delivery.id: _verdict(one) for one in asked if not isinstance(one.decision, Submit)}
    if not verdicts:
        return 0
    written = parts.store.close_out(tuple(verdicts.values()), parts.clock.now())
    parked = sum(Event.PARK in verdicts[name].events for name in written)
    if parked:
        observe.log.warning(observe.ALARM, reason="parked", count=parked)
    return len(verdicts)


def _verdict(asked: Asked) -> Verdict:
    """Return a decision not to submit as the order that the store takes."""
    delivery, decision = asked.delivery, asked.decision
    due_at = decision.until if isinstance(decision, AwaitReport | Wait | Later) else None
    overdue = isinstance(decision, AwaitReport) and decision.overdue
    events = _events(asked)
    says_new = bool(events) or overdue != delivery.report_overdue or isinstance(decision, Later)
    return Verdict(
        seen=delivery,
        events=events,
        due_at=due_at,
        report_overdue=overdue,
        explanation=explain(decision) if says_new else None,
    )


_CLOSES: dict[type[Decision], Event] = {
    GiveUp: Event.GIVE_UP,
    Expire: Event.EXPIRE,
    Park: Event.PARK,
    Undelivered: Event.REPORTED_FAILED,
    CloseWindow: Event.WINDOW_CLOSED,
}
_OF_THE_TAKEN = (Undelivered, CloseWindow, AwaitReport)


def _events(asked: Asked) -> tuple[Event, ...]:
    """Return what a decision does to a delivery where it stands: a claimed one goes back to where it waits."""
    decision, state = asked.decision, asked.delivery.state
    if isinstance(decision, Wait | Later):
        return (_back(asked.attempts),) if state is State.CLAIMED else ()
    taken = (Event.ACCEPTED,) if isinstance(decision, _OF_THE_TAKEN) and state is not State.SUBMITTED else ()
    closes = (_CLOSES[type(decision)],) if type(decision) in _CLOSES else ()
    return taken + closes


def _back(attempts: tuple[Attempt, ...]) -> Event:
    """Return what takes a claimed delivery back to where it waits: with the vendor, in doubt, or in the queue."""
    copy = next((one for one in reversed(attempts) if one.state.may_ring), None)
    if copy is None:
        return Event.RELEASE
    return Event.LOST if copy.state is AttemptState.UNKNOWN else Event.ACCEPTED
