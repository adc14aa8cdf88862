"""The truth of a rehearsal: what was asked of each vendor, what it took, and which phone rang when."""

from __future__ import annotations

from collections import Counter

import attrs

from tocsin.model.ids import AccountId, DeliveryId, MessageId
from tocsin.model.phone import E164
from tocsin.outbox.record import Trigger


@attrs.frozen(kw_only=True)
class Parcel:
    """What one recipient of a request is sent.

    Args:
        number: of the attempt, within its delivery.
        trigger: what the attempt follows from.
        segments: of its text, as the vendor counts them.
        origin: the recorded message that it repeats, if any.
    """

    delivery: DeliveryId
    to: E164
    number: int
    trigger: Trigger
    segments: int
    origin: MessageId | None = None


@attrs.frozen(kw_only=True)
class Copy:
    """What a vendor took for one phone.

    Args:
        rings_s: when the phone rings; None for never.
    """

    account: AccountId
    parcel: Parcel
    rings_s: float | None


@attrs.frozen(kw_only=True)
class Promise:
    """A delivery that was accepted.

    Args:
        due_s: when it is to be sent.
        expires_s: when it is of no more use.
        late_s: from when on it is late, though not too late.
        most_copies: that may exist of it.
    """

    due_s: float
    expires_s: float
    late_s: float
    most_copies: int


@attrs.define
class Ledger:
    """All of it, as it happened.

    Attributes:
        copies: in the order taken.
        promises: what was accepted, by delivery.
        turned_away: messages that no route took, or that were not acceptable.
        requests: by account.
        outcomes: attempts by account and kind of outcome.
        tried: the deliveries that each account was asked to carry.
    """

    copies: list[Copy] = attrs.field(factory=list)
    promises: dict[DeliveryId, Promise] = attrs.field(factory=dict)
    turned_away: int = 0
    requests: Counter[AccountId] = attrs.field(factory=Counter)
    outcomes: dict[AccountId, Counter[str]] = attrs.field(factory=dict)
    tried: dict[AccountId, set[DeliveryId]] = attrs.field(factory=dict)
