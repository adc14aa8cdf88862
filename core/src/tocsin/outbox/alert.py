"""What a store keeps of alerts, and what is taken in together: values.

An alert is decided about within the transaction that stores what comes of it, because the copy of an alert that another
peer of its stack sends may arrive at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import attrs

from tocsin.errors import TocsinError
from tocsin.model.alert import AlertStatus
from tocsin.model.ids import MessageId
from tocsin.outbox.record import Acceptance

REMEMBERED = timedelta(days=30)
"""How long an alert is known that nobody speaks of any more."""


@attrs.frozen(kw_only=True)
class AlertKey:
    """Names an alert: whose it is, for whom, and which.

    Args:
        source: the configured source.
        receiver: whom the stack chose; empty where it has none.
        fingerprint: the stack's own name for it.
    """

    source: str
    receiver: str
    fingerprint: str


@attrs.frozen(kw_only=True)
class AlertRecord:
    """Where an alert stands for one receiver.

    Args:
        level: its severity when it was last heard of.
        starts_at, ends_at: as last heard of; the end is None while it fires.
        seen_at: when it was last heard of.
        told_at: when a message about it was last accepted; None for never.
        message: that message.
    """

    key: AlertKey
    status: AlertStatus
    level: str
    starts_at: datetime | None
    ends_at: datetime | None
    seen_at: datetime
    told_at: datetime | None = None
    message: MessageId | None = None


@attrs.frozen(kw_only=True)
class StreamKey:
    """Names what one audience is told by one source.

    Args:
        source: the configured source.
        audience: digest of recipients and class.
    """

    source: str
    audience: str


@attrs.frozen(kw_only=True)
class Stream:
    """How much an audience was told lately, and what is held back for it.

    Args:
        opened_at: when the present window began.
        told: messages accepted in it.
        pending: the message that sums up what is held back; None where nothing is.
        held: what that message sums up, as plain JSON.
    """

    key: StreamKey
    opened_at: datetime
    told: int = 0
    pending: MessageId | None = None
    held: Mapping[str, object] = attrs.field(factory=dict, repr=False)


@attrs.frozen(kw_only=True)
class Standing:
    """How alerts and streams stand, as their intake finds them.

    Args:
        alerts: those that are known.
        streams: those that are known. Their `pending` is None where that message has left the queue, or is due.
    """

    alerts: Mapping[AlertKey, AlertRecord] = attrs.field(factory=dict)
    streams: Mapping[StreamKey, Stream] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Decided:
    """What an intake comes to.

    Args:
        acceptances: messages to accept.
        alerts, streams: to insert or replace.
        supersedes: messages that a newer one takes the place of; none of them has left the queue.
    """

    acceptances: tuple[Acceptance, ...] = ()
    alerts: tuple[AlertRecord, ...] = ()
    streams: tuple[Stream, ...] = ()
    supersedes: tuple[MessageId, ...] = ()


@attrs.frozen(kw_only=True)
class Intake:
    """Something to take in: one request of somebody's.

    Args:
        decide: pure; is given how things stand, and the time. Raises InvalidInput where it cannot be accepted.
        alerts, streams: what it has to know of.
        key: the idempotency key of what it may accept.
    """

    decide: Callable[[Standing, datetime], Decided] = attrs.field(repr=False)
    alerts: tuple[AlertKey, ...] = ()
    streams: tuple[StreamKey, ...] = ()
    key: str | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Taken:
    """What became of an intake.

    Args:
        messages: accepted, in order; the first one where a key was used before for the same thing.
        error: why nothing of it was accepted: InvalidInput or KeyConflict; None where it was.
    """

    messages: tuple[MessageId, ...] = ()
    error: TocsinError | None = None


def whole(acceptance: Acceptance) -> Intake:
    """Return the intake of a message that depends on nothing."""
    decided = Decided(acceptances=(acceptance,))
    return Intake(decide=lambda _, __: decided, key=acceptance.message.idempotency_key)
