"""What a store keeps, as values: deliveries, attempts, and the orders that change them. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from tocsin.model.ids import AccountId, AttemptId, DeliveryId, HolderId, MessageId, SubmitId, VendorId
from tocsin.model.message import Message
from tocsin.model.outcome import Accepted, NotSent, Outcome, Reason, Refused, Unknown
from tocsin.model.phone import E164, Msisdn
from tocsin.model.push import Trust
from tocsin.model.report import InboundMessage, Report, ReportState
from tocsin.outbox.state import AttemptState, Event, State

EVIDENCE_WINDOW = timedelta(hours=72)
"""How long a report may come after its submit, and how long one that matches nothing is kept for matching."""

Explanation = Mapping[str, Any]
"""A decision as it is stored and shown: plain JSON."""


class Trigger(enum.StrEnum):
    """What a submit follows from: the only reasons there are to make one."""

    FIRST = "first"
    """Nothing was tried before."""

    NOT_TAKEN = "not_taken"
    """The submit before it rang no phone: it was refused, or not sent."""

    DOUBT = "doubt"
    """Nobody knows about the one before it, and the class or route asks for another copy."""

    UNDELIVERED = "undelivered"
    """A report said that the one before it did not arrive."""

    SILENCE = "silence"
    """The vendor took the one before it, no report came in time, and the class or route asks to go on."""


@attrs.frozen(kw_only=True)
class NewDelivery:
    """A delivery as it is accepted.

    Args:
        only: the one account that it may leave through; two `broadcast` deliveries may share a recipient, and this
            tells them apart.
        in_turn: its route takes its accounts in turn, and the store is to say whose turn it is.
    """

    id: DeliveryId
    to: E164
    route: str
    due_at: datetime
    expires_at: datetime
    only: AccountId | None = None
    in_turn: bool = False


@attrs.frozen(kw_only=True)
class Acceptance:
    """One message with its deliveries, to be stored in one transaction.

    Args:
        fingerprint: digest of all that the idempotency key stands for; empty where there is no key.
        holder: who claims the deliveries in the same transaction; None leaves them queued.
    """

    message: Message
    deliveries: tuple[NewDelivery, ...]
    fingerprint: str
    holder: HolderId | None = None


@attrs.frozen(kw_only=True)
class Delivery:
    """One message to one recipient, as it stands.

    Args:
        due_at: when the policy is to be asked next: while queued, whether to submit; while in doubt or submitted,
            whether to go on without the evidence that did not come.
        epoch: raised with each claim; a write by an older claim changes nothing.
        revision: raised with each write; what was decided about an older one is dropped.
        urgency: of its class; see `MessageClass.urgency`.
        report_overdue: the vendor took it, and no report came in its class's time.
        account: the account of the newest attempt.
        only: the one account that it may leave through; None for any of its route.
        turn: of its route, counted from 0: which of its accounts begins, where they take turns.
    """

    id: DeliveryId
    message: MessageId
    to: E164
    state: State
    route: str
    due_at: datetime
    expires_at: datetime
    updated_at: datetime
    epoch: int = 0
    revision: int = 0
    urgency: int = 0
    report_overdue: bool = False
    holder: HolderId | None = None
    account: AccountId | None = None
    only: AccountId | None = None
    turn: int = 0


@attrs.frozen(kw_only=True)
class Attempt:
    """One try of one delivery through one account.

    Args:
        number: from 1, within the delivery.
        submit: names the vendor request after its first attempt; attempts that leave together share it.
        group_size: how many recipients that request held.
        vendor_id, partial: of an accepted one.
        reason, code, text: of a refused one.
        cause: of one not sent or unknown.
        report: the join of all reports so far.
        trigger: what it follows from.
        segments, cost: what its vendor bills for it, where the account has a price; given back where nothing was taken.
    """

    id: AttemptId
    delivery: DeliveryId
    number: int
    submit: SubmitId
    group_size: int
    account: AccountId
    state: AttemptState
    intended_at: datetime
    settled_at: datetime | None = None
    vendor_id: VendorId | None = None
    partial: bool = False
    reason: Reason | None = None
    code: str = ""
    text: str = attrs.field(default="", repr=False)
    cause: str = ""
    report: ReportState | None = None
    report_code: str = ""
    report_at: datetime | None = None
    trigger: Trigger = Trigger.FIRST
    segments: int = 0
    cost: Decimal = Decimal(0)

    @property
    def is_copy(self) -> bool:
        """Whether it counts as a copy: accepted or unknown, and not since reported undelivered."""
        return self.state.may_ring and self.report is not ReportState.FAILED

    @property
    def proved(self) -> bool:
        """Whether it was in doubt until evidence came that the vendor had taken it."""
        return self.state is AttemptState.ACCEPTED and bool(self.cause)

    def settled(self, outcome: Outcome, at: datetime) -> Attempt:
        """Return the attempt with its outcome written in."""
        match outcome:
            case NotSent(cause=cause):
                return attrs.evolve(self, state=AttemptState.NOT_SENT, cause=cause, settled_at=at)
            case Refused(reason=reason, code=code, text=text):
                return attrs.evolve(
                    self, state=AttemptState.REFUSED, reason=reason, code=code, text=text, settled_at=at
                )
            case Accepted(vendor_id=vendor_id, partial=partial):
                return attrs.evolve(
                    self, state=AttemptState.ACCEPTED, vendor_id=vendor_id, partial=partial, settled_at=at
                )
            case Unknown(cause=cause):
                return attrs.evolve(self, state=AttemptState.UNKNOWN, cause=cause, settled_at=at)


def event_of(outcome: Outcome) -> Event:
    """Return what an outcome means for its delivery. Whether and where to try again is the policy's to say."""
    match outcome:
        case NotSent() | Refused():
            return Event.TRY_AGAIN
        case Accepted():
            return Event.ACCEPTED
        case Unknown():
            return Event.LOST


@attrs.frozen(kw_only=True)
class Intent:
    """An attempt that is about to be made, guarded by the claim's epoch.

    Args:
        explanation: the decision that led to it.
        trigger: what it follows from.
        retries: the account had its turn before, and is asked again.
        segments, cost: of the text as the account sends it.
    """

    delivery: DeliveryId
    epoch: int
    account: AccountId
    explanation: Explanation = attrs.field(repr=False)
    trigger: Trigger = Trigger.FIRST
    retries: bool = False
    segments: int = 0
    cost: Decimal = Decimal(0)


@attrs.frozen(kw_only=True)
class Settlement:
    """The outcome of one attempt.

    Args:
        keep: the holder goes on with a delivery that may be tried again, instead of leaving it queued.
        due_at: when the policy is to be asked again of what was accepted or is in doubt; None for at once.
    """

    attempt: AttemptId
    epoch: int
    outcome: Outcome
    keep: bool = False
    due_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Verdict:
    """What the policy decided of a delivery that is not submitted now.

    Args:
        seen: the delivery as it stood. A claimed one is guarded by its epoch, any other by its revision.
        events: what happens to it, in order; none where it stays as it is.
        due_at: when the policy is to be asked again; None for never, or where the events say.
        report_overdue: no report came in time.
        explanation: the decision, for its story; None where it says nothing new.
    """

    seen: Delivery
    events: tuple[Event, ...] = ()
    due_at: datetime | None = None
    report_overdue: bool = False
    explanation: Explanation | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class RawAnswer:
    """What a vendor said, word for word, stored before anything reads it.

    Args:
        kind: `reports`, `inbound`, `unasked` or `pushed`.
        fault: why the answer is cut, if it is.
        status: of an HTTP answer, so that it can be read again; None otherwise.
        headers: of an HTTP answer or of a push, likewise; none otherwise.
    """

    account: AccountId
    kind: str
    trust: Trust
    body: bytes = attrs.field(repr=lambda body: f"<{len(body)} bytes>")
    fault: str | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)


@attrs.frozen(kw_only=True)
class StoredReport:
    """A report row as it was stored.

    Args:
        delivery: what it was matched to, if anything yet.
        by_number: it named no known submit, and settled the one attempt in doubt of its account and number.
        shared: other software sends through the account, so that it may not settle a doubt by number.
    """

    account: AccountId
    report: Report
    trust: Trust
    received_at: datetime
    delivery: DeliveryId | None = None
    by_number: bool = False
    shared: bool = False

    @property
    def may_be_matched(self) -> bool:
        """Whether it waits for an attempt that it may speak of: one that anybody may have pushed never does."""
        return self.delivery is None and self.trust > Trust.TOKEN


@attrs.frozen(kw_only=True)
class StoredInbound:
    """An inbound message as it was stored.

    Args:
        trust: of the best that said so, where it came more than once.
    """

    account: AccountId
    message: InboundMessage
    received_at: datetime
    trust: Trust = Trust.POLL


@attrs.frozen(kw_only=True)
class Listening:
    """How the polls of one account and kind have gone.

    Args:
        kind: `reports`, `inbound` or `balance`.
        asked_at: when the last one began.
        heard_at: when the last one that brought a whole answer began; None for never.
        trouble: what became of the last one, if it failed.
        gaps: polls whose answer was lost on its way: what it held, the vendor has forgotten.
    """

    account: AccountId
    kind: str
    asked_at: datetime
    heard_at: datetime | None = None
    trouble: str = ""
    gaps: int = 0


@attrs.frozen(kw_only=True)
class Filter:
    """What `list` asks for. None asks nothing.

    Args:
        since: the message's id is not below this one: ids sort by time.
        behind: what comes behind that delivery, in the order of the list.
    """

    message: MessageId | None = None
    delivery: DeliveryId | None = None
    state: State | None = None
    to: Msisdn | None = None
    limit: int | None = None
    since: MessageId | None = None
    behind: DeliveryId | None = None


@attrs.frozen(kw_only=True)
class Transition:
    """One audit row: what happened to a delivery."""

    at: datetime
    delivery: DeliveryId
    event: Event
    before: State
    after: State


@attrs.frozen(kw_only=True)
class Chapter:
    """One decision of a delivery's story, with when it was made."""

    at: datetime
    explanation: Explanation


@attrs.frozen(kw_only=True)
class Dossier:
    """All that stands in a store about one delivery, as of one moment.

    Args:
        message: None where it is missing, which it must not be.
        reports: the rows that were matched to it.
    """

    message: Message | None
    delivery: Delivery
    attempts: tuple[Attempt, ...]
    chapters: tuple[Chapter, ...]
    transitions: tuple[Transition, ...]
    reports: tuple[StoredReport, ...]
