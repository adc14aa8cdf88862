"""A message as it was accepted, and what is told of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

import attrs

from tocsin.model.ids import AccountId, DeliveryId, MessageId
from tocsin.model.outcome import Outcome
from tocsin.model.phone import E164
from tocsin.model.submission import Attachment


class MessageClass(enum.StrEnum):
    """What a message is for. The class decides how doubt, silence and failure are met; a route may refine it."""

    OTP = "otp"
    CRITICAL = "critical"
    ALERT = "alert"
    NOTICE = "notice"
    BULK = "bulk"

    @property
    def urgency(self) -> int:
        """Which of what is due goes first: 0 before 1. A mass mailing never keeps an alarm waiting."""
        return _URGENCY[self]


_URGENCY = {
    MessageClass.OTP: 0,
    MessageClass.CRITICAL: 0,
    MessageClass.ALERT: 1,
    MessageClass.NOTICE: 2,
    MessageClass.BULK: 3,
}


@attrs.frozen(kw_only=True)
class Message:
    """One text to one or many recipients.

    Args:
        id: drawn at acceptance.
        to: recipients, none twice, in the order given.
        text: as the sender wrote it, without the account's signature; may be empty with attachments.
        cls: what it is for.
        tags: for routing and for people.
        source: who handed it in (`cli`, `api`, an alert source).
        idempotency_key: the sender's own name for it; the same key never makes a second message.
        accepted_at, send_at: aware UTC.
    """

    id: MessageId
    to: tuple[E164, ...]
    text: str = attrs.field(repr=False)
    cls: MessageClass
    accepted_at: datetime
    tags: Mapping[str, str] = attrs.field(factory=dict)
    source: str = "library"
    idempotency_key: str | None = attrs.field(default=None, repr=False)
    send_at: datetime | None = None
    extension: str = ""
    subject: str = attrs.field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()


@attrs.frozen(kw_only=True)
class OutcomeNotice:
    """What `observe_outcome` is told, after the outcome is committed."""

    delivery: DeliveryId
    account: AccountId
    outcome: Outcome
    at: datetime
