"""A store in memory, for the embedded call, the tests and the simulator. It is gone with the process."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

import attrs

from tocsin.model.ids import (
    AccountId,
    AttemptId,
    DeliveryId,
    HolderId,
    MessageId,
    VendorId,
    message_of,
    position_of,
)
from tocsin.model.message import Message
from tocsin.model.phone import Msisdn
from tocsin.outbox.loose import LooseEnd
from tocsin.outbox.memory_alerts import MemoryAlerts
from tocsin.outbox.memory_books import MemoryBooks
from tocsin.outbox.memory_gauges import MemoryGauges
from tocsin.outbox.memory_pushes import MemoryPushes
from tocsin.outbox.memory_review import find_loose_ends
from tocsin.outbox.memory_tables import Tables
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
from tocsin.outbox.store import Outbox


def open_memory(is_dead: Callable[[HolderId], bool] = lambda _: False) -> Outbox:
    """Return an empty store.

    Args:
        is_dead: says of a holder whether it is known to be gone.
    """
    return Outbox(MemoryRows(), is_dead)


class MemoryRows:
    """Rows in dictionaries. A failed transaction puts back the tables as they were.

    Args:
        boundary: told of each commit, before and after: where the simulator pulls the plug.
    """

    def __init__(self, boundary: Callable[[str], None] = lambda _: None) -> None:
        self._boundary = boundary
        self._lock = threading.RLock()
        self._tables = Tables()
        self.books = MemoryBooks(lambda: self._tables.pages, self._numbered)
        self.alerts = MemoryAlerts(lambda: self._tables.board)
        self.pushes = MemoryPushes(lambda: self._tables)
        self.gauges = MemoryGauges(lambda: self._tables)

    @contextmanager
    def transaction(self, name: str) -> Iterator[None]:
        with self._lock:
            before = self._tables.copy()
            try:
                yield
                self._boundary(f"{name}: before commit")
            except BaseException:
                self._tables = before
                raise
            self._boundary(f"{name}: after commit")

    def reading(self) -> AbstractContextManager[object]:
        return self._lock

    def snapshot(self) -> AbstractContextManager[object]:
        return self._lock

    def close(self) -> None:
        """Do nothing: what is in memory goes with the object."""

    def add_messages(self, messages: Iterable[tuple[Message, str]]) -> None:
        for message, fingerprint in messages:
            self._tables.messages[message.id] = message
            if message.idempotency_key is not None:
                self._tables.keys[message.idempotency_key] = (message.id, fingerprint)

    def key_owners(self, keys: Iterable[str]) -> dict[str, tuple[MessageId, str]]:
        return {key: self._tables.keys[key] for key in keys if key in self._tables.keys}

    def count_repeats(self, keys: Iterable[str]) -> None:
        """Do nothing: nothing here is more durable than the process."""

    def find_message(self, message: MessageId) -> Message | None:
        return self._tables.messages.get(message)

    def find_deliveries(self, wanted: Filter) -> tuple[Delivery, ...]:
        by_message: dict[MessageId, list[Delivery]] = defaultdict(list)
        for delivery in self._tables.deliveries.values():
            by_message[delivery.message].append(delivery)
        fitting = [
            delivery
            for message in sorted(by_message, reverse=True)
            for delivery in by_message[message]
            if _fits(delivery, wanted)
        ]
        return tuple(fitting[: wanted.limit])

    def get_deliveries(self, ids: Iterable[DeliveryId]) -> dict[DeliveryId, Delivery]:
        return {one: self._tables.deliveries[one] for one in ids if one in self._tables.deliveries}

    def deliveries_of(self, messages: Iterable[MessageId]) -> tuple[Delivery, ...]:
        wanted = set(messages)
        return tuple(one for one in self._tables.deliveries.values() if one.message in wanted)

    def due(self, state: State, now: datetime, limit: int, shut: Collection[str] = ()) -> tuple[Delivery, ...]:
        due = [one for one in self._waiting((state,), shut) if one.due_at <= now]
        return tuple(sorted(due, key=lambda one: (one.urgency, one.due_at, one.message, position_of(one.id)))[:limit])

    def next_due(self, states: Iterable[State], shut: Collection[str] = ()) -> datetime | None:
        return min((one.due_at for one in self._waiting(states, shut)), default=None)

    def _waiting(self, states: Iterable[State], shut: Collection[str]) -> Iterator[Delivery]:
        wanted = frozenset(states)
        there = self._tables.deliveries.values()
        return (one for one in there if one.state in wanted and not (_may_stay(one) and one.route in shut))

    def expired(self, now: datetime, limit: int) -> tuple[Delivery, ...]:
        queued = [one for one in self._waiting((State.QUEUED,), ()) if one.expires_at <= now]
        return tuple(sorted(queued, key=lambda one: (one.expires_at, one.message, position_of(one.id)))[:limit])

    def next_expiry(self) -> datetime | None:
        return min((one.expires_at for one in self._waiting((State.QUEUED,), ())), default=None)

    def held_by(self, holder: HolderId) -> tuple[Delivery, ...]:
        return tuple(one for one in self._tables.deliveries.values() if one.holder == holder)

    def save_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        self._tables.deliveries.update((one.id, one) for one in deliveries)

    def save_holder(self, holder: HolderId, lease_until: datetime | None) -> None:
        if lease_until is None:
            self._tables.holders.pop(holder, None)
        else:
            self._tables.holders[holder] = lease_until

    def holders(self) -> dict[HolderId, datetime]:
        return dict(self._tables.holders)

    def poller(self, account: AccountId) -> tuple[HolderId, datetime] | None:
        return self._tables.pollers.get(account)

    def save_poller(self, account: AccountId, holder: HolderId, lease_until: datetime) -> None:
        self._tables.pollers[account] = (holder, lease_until)

    def remove_poller(self, account: AccountId, holder: HolderId) -> None:
        if self._tables.pollers.get(account, (None,))[0] == holder:
            del self._tables.pollers[account]

    def save_listening(self, heard: Listening) -> None:
        self._tables.listenings[heard.account, heard.kind] = heard

    def listenings(self) -> tuple[Listening, ...]:
        return tuple(heard for _, heard in sorted(self._tables.listenings.items()))

    def attempts_of(self, deliveries: Iterable[DeliveryId]) -> dict[DeliveryId, tuple[Attempt, ...]]:
        found: dict[DeliveryId, list[Attempt]] = {one: [] for one in deliveries}
        for attempt in self._tables.attempts.values():
            if attempt.delivery in found:
                found[attempt.delivery].append(attempt)
        return {one: tuple(attempts) for one, attempts in found.items()}

    def get_attempts(self, ids: Iterable[AttemptId]) -> dict[AttemptId, Attempt]:
        return {one: self._tables.attempts[one] for one in ids if one in self._tables.attempts}

    def save_attempts(self, attempts: Iterable[Attempt]) -> None:
        self._tables.attempts.update((one.id, one) for one in attempts)

    def accepted_as(self, account: AccountId, vendor_id: VendorId, to: Msisdn) -> Attempt | None:
        return next((one for one in self._of(account, to) if one.vendor_id == vendor_id), None)

    def ringing(self, account: AccountId, to: Msisdn) -> tuple[Attempt, ...]:
        return tuple(one for one in self._of(account, to) if one.state.may_ring)

    def _numbered(self) -> Iterator[tuple[Attempt, Msisdn]]:
        return ((one, self._tables.deliveries[one.delivery].to) for one in self._tables.attempts.values())

    def _of(self, account: AccountId, to: Msisdn) -> Iterator[Attempt]:
        for attempt in self._tables.attempts.values():
            if attempt.account == account and self._tables.deliveries[attempt.delivery].to == to:
                yield attempt

    def add_transitions(self, transitions: Iterable[Transition]) -> None:
        self._tables.transitions.extend(transitions)

    def add_chapters(self, chapters: Mapping[DeliveryId, Chapter]) -> None:
        self._tables.chapters.extend(chapters.items())

    def story(self, delivery: DeliveryId) -> tuple[tuple[Chapter, ...], tuple[Transition, ...]]:
        return (
            tuple(chapter for one, chapter in self._tables.chapters if one == delivery),
            tuple(transition for transition in self._tables.transitions if transition.delivery == delivery),
        )

    def add_raw(self, raw: RawAnswer, now: datetime) -> RawId:  # noqa: ARG002 (memory keeps no times of arrival)
        self._tables.raw.append(raw)
        return RawId(len(self._tables.raw))

    def get_raw(self, raw: RawId) -> RawAnswer:
        return self._tables.raw[raw - 1]

    def mark_read(self, raw: RawId) -> None:
        self._tables.read.add(raw)

    def unread(self, account: AccountId, kind: str) -> dict[RawId, RawAnswer]:
        numbered = ((RawId(number), raw) for number, raw in enumerate(self._tables.raw, start=1))
        return {
            number: raw
            for number, raw in numbered
            if number not in self._tables.read and (raw.account, raw.kind) == (account, kind)
        }

    def add_reports(self, raw: RawId, reports: Iterable[StoredReport]) -> None:
        self._tables.applied.add(raw)
        self._tables.reports.extend(reports)

    def orphans(self, account: AccountId, vendor_id: VendorId, since: datetime) -> tuple[StoredReport, ...]:
        return tuple(
            one
            for one in self._tables.reports
            if one.may_be_matched
            and one.account == account
            and one.report.vendor_id == vendor_id
            and one.received_at >= since
        )

    def orphans_to(self, account: AccountId, to: Msisdn, since: datetime) -> tuple[StoredReport, ...]:
        return tuple(
            one
            for one in self._tables.reports
            if one.may_be_matched
            and not one.shared
            and (one.account, one.report.to) == (account, to)
            and one.received_at >= since
        )

    def adopt(self, orphan: StoredReport, delivery: DeliveryId, *, by_number: bool) -> None:
        if orphan in self._tables.reports:
            adopted = attrs.evolve(orphan, delivery=delivery, by_number=by_number)
            self._tables.reports[self._tables.reports.index(orphan)] = adopted

    def add_inbound(self, raw: RawId, messages: Iterable[StoredInbound]) -> None:
        self._tables.applied.add(raw)
        self._tables.inbound.extend(messages)

    def add_quarantine(self, raw: RawId, pieces: Iterable[str], now: datetime) -> None:  # noqa: ARG002
        self._tables.quarantine.extend((raw, piece) for piece in pieces)

    def evidence(self, account: AccountId | None) -> tuple[tuple[StoredReport, ...], tuple[StoredInbound, ...]]:
        return (
            tuple(one for one in reversed(self._tables.reports) if account in (None, one.account)),
            tuple(one for one in reversed(self._tables.inbound) if account in (None, one.account)),
        )

    def events(self, after: int, limit: int) -> tuple[tuple[int, Transition], ...]:
        return tuple(enumerate(self._tables.transitions, start=1))[after : after + limit]

    def last_event(self) -> int:
        return len(self._tables.transitions)

    def inbound(
        self, account: AccountId | None, before: int | None, limit: int
    ) -> tuple[tuple[int, StoredInbound], ...]:
        numbered = list(enumerate(self._tables.inbound, start=1))
        fitting = [
            (number, one)
            for number, one in reversed(numbered)
            if account in (None, one.account) and (before is None or number < before)
        ]
        return tuple(fitting[:limit])

    def counts(self, *states: State) -> dict[tuple[State, AccountId | None], int]:
        wanted = states or tuple(State)
        return Counter((one.state, one.account) for one in self._tables.deliveries.values() if one.state in wanted)

    def page(self, after: DeliveryId, limit: int) -> tuple[Delivery, ...]:
        ids = sorted(one for one in self._tables.deliveries if one > after)
        return tuple(self._tables.deliveries[one] for one in ids[:limit])

    def reports_for(self, deliveries: Iterable[DeliveryId]) -> dict[DeliveryId, tuple[StoredReport, ...]]:
        found: dict[DeliveryId, list[StoredReport]] = {one: [] for one in deliveries}
        for report in self._tables.reports:
            if report.delivery in found:
                found[report.delivery].append(report)
        return {one: tuple(reports) for one, reports in found.items()}

    def loose_ends(self) -> tuple[LooseEnd, ...]:
        return find_loose_ends(self._tables)


def _fits(delivery: Delivery, wanted: Filter) -> bool:
    return (
        wanted.message in (None, delivery.message)
        and wanted.delivery in (None, delivery.id)
        and wanted.state in (None, delivery.state)
        and wanted.to in (None, delivery.to)
        and (wanted.since is None or delivery.message >= wanted.since)
        and (wanted.behind is None or _is_behind(delivery, wanted.behind))
    )


def _is_behind(delivery: Delivery, other: DeliveryId) -> bool:
    """Say whether a delivery is listed behind another: newest message first, recipients in order."""
    message = message_of(other)
    return delivery.message < message or (delivery.message == message and position_of(delivery.id) > position_of(other))


def _may_stay(delivery: Delivery) -> bool:
    """Say whether a delivery may be left in the queue of a route that is shut."""
    return delivery.urgency > 0 and delivery.only is None
