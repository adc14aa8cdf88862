"""The one transition table. Every write of a state goes through `step` or `step_attempt`; nothing else decides one.

QUEUED → CLAIMED → SENDING → SUBMITTED → DELIVERED | UNDELIVERED | REPORT_TIMEOUT
                     │  └──→ IN_DOUBT → SUBMITTED (evidence) | QUEUED (policy) | PARKED (policy)
                     └─────→ QUEUED (next account), from where the policy may say FAILED
"""

from __future__ import annotations

import enum

from tocsin.errors import TocsinError


class State(enum.StrEnum):
    """Where a delivery (one message to one recipient) stands. Values are what people and programs see."""

    HELD = "held"
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    SUBMITTED = "submitted"
    IN_DOUBT = "in_doubt"
    PARKED = "parked"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REPORT_TIMEOUT = "report_timeout"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether nothing but a late report can change it."""
        return self in _TERMINAL


_TERMINAL = frozenset(
    {State.DELIVERED, State.UNDELIVERED, State.REPORT_TIMEOUT, State.FAILED, State.EXPIRED, State.CANCELLED}
)


class Event(enum.Enum):
    """What may happen to a delivery."""

    APPROVE = "approve"
    CLAIM = "claim"
    RELEASE = "release"
    """A claim is given back, or its holder is dead, before any INTENT."""

    INTENT = "intent"
    ACCEPTED = "accepted"
    """The vendor's answer, or evidence that it had taken it."""

    TRY_AGAIN = "try_again"
    """Proof that this attempt rang no phone: the policy may choose again."""

    LOST = "lost"
    """Nobody knows what became of the attempt; also of every SENDING whose holder is gone, and of what was claimed
    for another copy while evidence may still come."""

    GIVE_UP = "give_up"
    RESEND = "resend"
    """The policy (or an operator) asks for another copy, or for the first after a failed report."""

    PARK = "park"
    REPORTED_DELIVERED = "reported_delivered"
    REPORTED_FAILED = "reported_failed"
    WINDOW_CLOSED = "window_closed"
    """72 hours went by without a report."""

    EXPIRE = "expire"
    CANCEL = "cancel"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.HELD, Event.APPROVE): State.QUEUED,
    (State.HELD, Event.EXPIRE): State.EXPIRED,
    (State.HELD, Event.CANCEL): State.CANCELLED,
    (State.QUEUED, Event.CLAIM): State.CLAIMED,
    (State.QUEUED, Event.EXPIRE): State.EXPIRED,
    (State.QUEUED, Event.CANCEL): State.CANCELLED,
    (State.QUEUED, Event.GIVE_UP): State.FAILED,
    (State.CLAIMED, Event.RELEASE): State.QUEUED,
    (State.CLAIMED, Event.INTENT): State.SENDING,
    (State.CLAIMED, Event.ACCEPTED): State.SUBMITTED,
    (State.CLAIMED, Event.LOST): State.IN_DOUBT,
    (State.CLAIMED, Event.GIVE_UP): State.FAILED,
    (State.CLAIMED, Event.PARK): State.PARKED,
    (State.CLAIMED, Event.EXPIRE): State.EXPIRED,
    (State.SENDING, Event.ACCEPTED): State.SUBMITTED,
    (State.SENDING, Event.TRY_AGAIN): State.QUEUED,
    (State.SENDING, Event.LOST): State.IN_DOUBT,
    (State.SUBMITTED, Event.REPORTED_DELIVERED): State.DELIVERED,
    (State.SUBMITTED, Event.REPORTED_FAILED): State.UNDELIVERED,
    (State.SUBMITTED, Event.RESEND): State.QUEUED,
    (State.SUBMITTED, Event.WINDOW_CLOSED): State.REPORT_TIMEOUT,
    (State.SUBMITTED, Event.PARK): State.PARKED,
    (State.IN_DOUBT, Event.ACCEPTED): State.SUBMITTED,
    (State.IN_DOUBT, Event.RESEND): State.QUEUED,
    (State.IN_DOUBT, Event.PARK): State.PARKED,
    (State.PARKED, Event.ACCEPTED): State.SUBMITTED,
    (State.PARKED, Event.REPORTED_DELIVERED): State.DELIVERED,
    (State.PARKED, Event.REPORTED_FAILED): State.UNDELIVERED,
    (State.PARKED, Event.RESEND): State.QUEUED,
    (State.PARKED, Event.CANCEL): State.CANCELLED,
    # Late truth: an earlier attempt did arrive. What waits is not sent again, and what was closed says so.
    (State.QUEUED, Event.REPORTED_DELIVERED): State.DELIVERED,
    (State.CLAIMED, Event.REPORTED_DELIVERED): State.DELIVERED,
    (State.UNDELIVERED, Event.REPORTED_DELIVERED): State.DELIVERED,
    (State.REPORT_TIMEOUT, Event.REPORTED_DELIVERED): State.DELIVERED,
    (State.FAILED, Event.REPORTED_DELIVERED): State.DELIVERED,
    (State.EXPIRED, Event.REPORTED_DELIVERED): State.DELIVERED,
    (State.CANCELLED, Event.REPORTED_DELIVERED): State.DELIVERED,
}


class AttemptState(enum.StrEnum):
    """Where one attempt stands. INTENT means that bytes may be on their way."""

    INTENT = "intent"
    NOT_SENT = "not_sent"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"

    @property
    def may_ring(self) -> bool:
        """Whether a phone may ring, or have rung, for it."""
        return self in (AttemptState.INTENT, AttemptState.ACCEPTED, AttemptState.UNKNOWN)


ATTEMPT_TRANSITIONS: frozenset[tuple[AttemptState, AttemptState]] = frozenset(
    {
        (AttemptState.INTENT, AttemptState.NOT_SENT),
        (AttemptState.INTENT, AttemptState.REFUSED),
        (AttemptState.INTENT, AttemptState.ACCEPTED),
        (AttemptState.INTENT, AttemptState.UNKNOWN),
        (AttemptState.UNKNOWN, AttemptState.ACCEPTED),
    }
)


class IllegalTransition(TocsinError):
    """A state was about to change in a way that the table does not know. Nothing was written: it is a defect."""


def step(state: State, event: Event) -> State:
    """Return the state that follows.

    Raises:
        IllegalTransition: the table has no such row.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"a delivery that is {state.value} cannot meet {event.value}") from None


def step_attempt(state: AttemptState, then: AttemptState) -> AttemptState:
    """Return `then`, where the table allows it.

    Raises:
        IllegalTransition: the table has no such row.
    """
    if (state, then) not in ATTEMPT_TRANSITIONS:
        raise IllegalTransition(f"an attempt that is {state.value} cannot become {then.value}")
    return then
