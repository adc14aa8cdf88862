"""What a store of rows must offer, so that `tocsin.outbox.store` can be written once. All within a transaction.

Loads and saves are plural: a store may make one statement of each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from tocsin.model.ids import AccountId, AttemptId, DeliveryId, HolderId, MessageId, VendorId
from tocsin.model.message import Message
from tocsin.model.phone import Msisdn
from tocsin.model.push import Trust
from tocsin.outbox.alert import AlertKey, AlertRecord, Stream, StreamKey
from tocsin.outbox.books import Books
from tocsin.outbox.gauges import GaugeRows
from tocsin.outbox.loose import LooseEnd
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import (
    Attempt,
    Chapter,
    Delivery,
    Filter,
    Listening,
    RawAnswer,
    StoredInbound,
    StoredReport,
    Transition,
)
from tocsin.outbox.state import State


class MessageRows(Protocol):
    """Messages, and who owns an idempotency key."""

    def add_messages(self, messages: Iterable[tuple[Message, str]]) -> None:
        """Insert messages, and the key of each with its fingerprint where it has one."""
        ...

    def key_owners(self, keys: Iterable[str]) -> dict[str, tuple[MessageId, str]]:
        """Return the message and fingerprint that each key stands for; keys that stand for nothing are absent."""
        ...

    def count_repeats(self, keys: Iterable[str]) -> None:
        """Count that keys were used again: a write, so that the commit makes durable what they stand for, too."""
        ...

    def find_message(self, message: MessageId) -> Message | None:
        """Return a message, or None."""
        ...


class DeliveryRows(Protocol):
    """Deliveries, and the holders that claim them."""

    def find_deliveries(self, wanted: Filter) -> tuple[Delivery, ...]:
        """Return what fits, newest message first, recipients in the order given."""
        ...

    def get_deliveries(self, ids: Iterable[DeliveryId]) -> dict[DeliveryId, Delivery]:
        """Return those that exist."""
        ...

    def deliveries_of(self, messages: Iterable[MessageId]) -> tuple[Delivery, ...]:
        """Return the deliveries of messages."""
        ...

    def due(self, state: State, now: datetime, limit: int, shut: Collection[str] = ()) -> tuple[Delivery, ...]:
        """Return up to so many in that state that are due by now: the most urgent first, then the longest due.

        Those of routes that are shut are left out, unless they are of the first urgency, or bound to one account.
        """
        ...

    def next_due(self, states: Iterable[State], shut: Collection[str] = ()) -> datetime | None:
        """Return the earliest time at which one in any of the states is due, with the same left out."""
        ...

    def expired(self, now: datetime, limit: int) -> tuple[Delivery, ...]:
        """Return up to so many that are queued, and whose time is over by now."""
        ...

    def next_expiry(self) -> datetime | None:
        """Return when the time of the next one in the queue is over."""
        ...

    def held_by(self, holder: HolderId) -> tuple[Delivery, ...]:
        """Return what a holder has claimed or is sending, in order."""
        ...

    def save_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        """Insert or replace."""
        ...


class HolderRows(Protocol):
    """Who claims, and until when; who polls an account, and until when."""

    def save_holder(self, holder: HolderId, lease_until: datetime | None) -> None:
        """Set a holder's lease, or remove the holder."""
        ...

    def holders(self) -> dict[HolderId, datetime]:
        """Return every holder with the end of its lease."""
        ...

    def poller(self, account: AccountId) -> tuple[HolderId, datetime] | None:
        """Return who polls the account, with the end of that lease."""
        ...

    def save_poller(self, account: AccountId, holder: HolderId, lease_until: datetime) -> None:
        """Set who polls the account."""
        ...

    def remove_poller(self, account: AccountId, holder: HolderId) -> None:
        """Remove the account's poller, if it is that holder."""
        ...

    def save_listening(self, heard: Listening) -> None:
        """Insert or replace how the polls of an account and kind have gone."""
        ...

    def listenings(self) -> tuple[Listening, ...]:
        """Return all of them, by account and kind."""
        ...


class AttemptRows(Protocol):
    """Attempts."""

    def attempts_of(self, deliveries: Iterable[DeliveryId]) -> dict[DeliveryId, tuple[Attempt, ...]]:
        """Return attempts in order; an empty tuple where there is none."""
        ...

    def get_attempts(self, ids: Iterable[AttemptId]) -> dict[AttemptId, Attempt]:
        """Return those that exist."""
        ...

    def save_attempts(self, attempts: Iterable[Attempt]) -> None:
        """Insert or replace."""
        ...

    def accepted_as(self, account: AccountId, vendor_id: VendorId, to: Msisdn) -> Attempt | None:
        """Return the attempt that a report of (account, vendor id, number) speaks of."""
        ...

    def ringing(self, account: AccountId, to: Msisdn) -> tuple[Attempt, ...]:
        """Return the attempts of that account and number for which a phone may ring: all but refused and not sent."""
        ...


class StoryRows(Protocol):
    """Why, and what happened."""

    def add_transitions(self, transitions: Iterable[Transition]) -> None:
        """Append audit rows."""
        ...

    def add_chapters(self, chapters: Mapping[DeliveryId, Chapter]) -> None:
        """Append a decision to the story of each delivery."""
        ...

    def story(self, delivery: DeliveryId) -> tuple[tuple[Chapter, ...], tuple[Transition, ...]]:
        """Return both, in order."""
        ...


class EvidenceRows(Protocol):
    """Raw answers, reports, inbound messages."""

    def add_raw(self, raw: RawAnswer, now: datetime) -> RawId:
        """Insert a raw answer."""
        ...

    def get_raw(self, raw: RawId) -> RawAnswer:
        """Return a raw answer."""
        ...

    def mark_read(self, raw: RawId) -> None:
        """Note that an answer was applied or quarantined."""
        ...

    def unread(self, account: AccountId, kind: str) -> dict[RawId, RawAnswer]:
        """Return the answers that are not marked so, oldest first."""
        ...

    def add_reports(self, raw: RawId, reports: Iterable[StoredReport]) -> None:
        """Insert report rows, matched or not."""
        ...

    def orphans(self, account: AccountId, vendor_id: VendorId, since: datetime) -> tuple[StoredReport, ...]:
        """Return the unmatched reports of a submit that came since then."""
        ...

    def orphans_to(self, account: AccountId, to: Msisdn, since: datetime) -> tuple[StoredReport, ...]:
        """Return the unmatched reports of a number that came since then, and may settle a doubt by it."""
        ...

    def adopt(self, orphan: StoredReport, delivery: DeliveryId, *, by_number: bool) -> None:
        """Write down which delivery an unmatched report turned out to be for, and whether by its number alone.

        One that has been adopted meanwhile stays with whom it is.
        """
        ...


class ArrivalRows(Protocol):
    """What came in, and what of it could not be read."""

    def add_inbound(self, raw: RawId, messages: Iterable[StoredInbound]) -> None:
        """Insert inbound messages."""
        ...

    def add_quarantine(self, raw: RawId, pieces: Iterable[str], now: datetime) -> None:
        """Keep pieces that could not be read."""
        ...

    def evidence(self, account: AccountId | None) -> tuple[tuple[StoredReport, ...], tuple[StoredInbound, ...]]:
        """Return stored reports and inbound messages, newest first."""
        ...


class PushRows(Protocol):
    """What is asked of what vendors push: it may come twice, and from anybody."""

    def is_read(self, raw: RawId) -> bool:
        """Say whether an answer is marked as read."""
        ...

    def is_known(self, pushed: StoredReport) -> bool:
        """Say whether a pushed row that says the same is stored, and is trusted as much at least."""
        ...

    def trust_of(self, arrived: StoredInbound) -> Trust | None:
        """Return the trust of the stored message that is the same, the least trusted of them; None for none."""
        ...

    def raise_trust(self, arrived: StoredInbound) -> None:
        """Trust that message as much as this one."""
        ...

    def want_poll(self, account: AccountId, kind: str, now: datetime) -> None:
        """Write down that a poll of that kind is wanted."""
        ...

    def wanted_polls(self, account: AccountId) -> dict[str, datetime]:
        """Return when a poll of each kind was last wanted."""
        ...


class ListingRows(Protocol):
    """What people go through, a page at a time."""

    def events(self, after: int, limit: int) -> tuple[tuple[int, Transition], ...]:
        """Return up to so many things that happened to deliveries behind that number, each with its own, in order."""
        ...

    def last_event(self) -> int:
        """Return the number of the newest of them; 0 for none."""
        ...

    def inbound(
        self, account: AccountId | None, before: int | None, limit: int
    ) -> tuple[tuple[int, StoredInbound], ...]:
        """Return up to so many inbound messages below that number, each with its own, the newest first."""
        ...


class AlertRows(Protocol):
    """Where alerts stand, and what their audiences were told."""

    def get_alerts(self, keys: Iterable[AlertKey]) -> dict[AlertKey, AlertRecord]:
        """Return those that are known."""
        ...

    def save_alerts(self, alerts: Iterable[AlertRecord]) -> None:
        """Insert or replace."""
        ...

    def any_alert(self, before: datetime) -> bool:
        """Say whether there is one that was not heard of since then."""
        ...

    def forget_alerts(self, before: datetime) -> int:
        """Remove those that were not heard of since then; say how many."""
        ...

    def get_streams(self, keys: Iterable[StreamKey]) -> dict[StreamKey, Stream]:
        """Return those that are known."""
        ...

    def save_streams(self, streams: Iterable[Stream]) -> None:
        """Insert or replace."""
        ...


class ReviewRows(Protocol):
    """What `tocsin verify` reads: everything, a page at a time."""

    def counts(self, *states: State) -> dict[tuple[State, AccountId | None], int]:
        """Count deliveries by state and account; only those in one of the states, where any is named."""
        ...

    def page(self, after: DeliveryId, limit: int) -> tuple[Delivery, ...]:
        """Return up to so many deliveries behind that one, by id."""
        ...

    def reports_for(self, deliveries: Iterable[DeliveryId]) -> dict[DeliveryId, tuple[StoredReport, ...]]:
        """Return the reports that were matched to each, in order; an empty tuple where there is none."""
        ...

    def loose_ends(self) -> tuple[LooseEnd, ...]:
        """Return every row whose counterpart is missing, and every answer that nobody has read yet."""
        ...


class Rows(
    MessageRows,
    DeliveryRows,
    HolderRows,
    AttemptRows,
    StoryRows,
    EvidenceRows,
    ArrivalRows,
    ListingRows,
    ReviewRows,
    Protocol,
):
    """All of it, with transactions."""

    @property
    def books(self) -> Books:
        """What is kept about accounts, in the same transactions."""
        ...

    @property
    def alerts(self) -> AlertRows:
        """What is kept of alerts, in the same transactions."""
        ...

    @property
    def pushes(self) -> PushRows:
        """What is asked of what vendors push, in the same transactions."""
        ...

    @property
    def gauges(self) -> GaugeRows:
        """What is counted for whoever watches, in the same transactions."""
        ...

    def transaction(self, name: str) -> AbstractContextManager[None]:
        """Begin, and commit on leaving; an error rolls back. `name` tells boundaries apart."""
        ...

    def reading(self) -> AbstractContextManager[object]:
        """Keep other threads' transactions out while something is read: none is seen half done."""
        ...

    def snapshot(self) -> AbstractContextManager[object]:
        """Read as of one moment, whoever else writes meanwhile, other processes included."""
        ...

    def close(self) -> None:
        """Release what is open."""
        ...
