"""The outbox: every transaction of a delivery's life, written once over `Rows`.

Each method loads what it needs, computes with pure functions and `step`, and saves. Its steps stand by their nouns:
`accepting`, `claims`, `settling`, `arrivals`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import attrs

from tocsin.model.balance import Balance
from tocsin.model.ids import AccountId, DeliveryId, HolderId, MessageId
from tocsin.model.message import Message
from tocsin.model.push import VerifiedPush
from tocsin.model.report import Batch, InboundMessage, Report
from tocsin.outbox.accepting import Accepting
from tocsin.outbox.accounts import Accounts
from tocsin.outbox.alert import Intake, Taken
from tocsin.outbox.arrivals import Arrivals
from tocsin.outbox.claims import LEASE, abandon, renew, take
from tocsin.outbox.debits import debit, grant, refund
from tocsin.outbox.gauges import OPEN, Gauges, outcomes
from tocsin.outbox.health import Health, Sample
from tocsin.outbox.loose import LooseEnd
from tocsin.outbox.meter import Meter
from tocsin.outbox.moves import Moves
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import (
    Acceptance,
    Attempt,
    Chapter,
    Delivery,
    Dossier,
    Filter,
    Listening,
    RawAnswer,
    Settlement,
    StoredInbound,
    StoredReport,
    Transition,
    Verdict,
)
from tocsin.outbox.rows import Rows
from tocsin.outbox.settling import is_told, one_request, settle_each, stands, still_holds
from tocsin.outbox.spending import Request
from tocsin.outbox.state import TRANSITIONS, Event, State


class Outbox:
    """A store over `Rows`. Fits `tocsin.outbox.ports.Store`, which says what each method promises.

    Args:
        rows: where it is kept.
        is_dead: says of a holder whether its process is known to be gone, whatever its lease says.
    """

    def __init__(self, rows: Rows, is_dead: Callable[[HolderId], bool]) -> None:
        self._rows = rows
        self._is_dead = is_dead
        self._accepting = Accepting(rows)
        self._arrivals = Arrivals(rows)
        self._accounts = Accounts(rows)

    def close(self) -> None:
        self._rows.close()

    def accept(self, acceptance: Acceptance, now: datetime) -> MessageId:
        with self._rows.transaction("accept"):
            return self._accepting.accept(acceptance, now)

    def take_in(self, intakes: Sequence[Intake], now: datetime) -> tuple[Taken, ...]:
        with self._rows.transaction("take-in"):
            return self._accepting.take_in(intakes, now)

    def forget_alerts(self, before: datetime) -> int:
        if not self._rows.alerts.any_alert(before):  # a look costs no commit
            return 0
        with self._rows.transaction("forget-alerts"):
            return self._rows.alerts.forget_alerts(before)

    def claim(self, message: MessageId, holder: HolderId, now: datetime) -> tuple[Delivery, ...]:
        def due() -> list[Delivery]:
            deliveries = self._rows.find_deliveries(Filter(message=message, state=State.QUEUED))
            return [one for one in deliveries if one.due_at <= now]

        if due():  # a look costs no commit
            with self._rows.transaction("claim"):
                take(self._rows, due(), holder, now)
        return tuple(one for one in self._rows.held_by(holder) if one.message == message)

    def claim_due(
        self, holder: HolderId, limit: int, now: datetime, shut: Collection[str] = ()
    ) -> tuple[Delivery, ...]:
        if not self._claimable(1, now, shut):
            return ()
        with self._rows.transaction("claim"):
            return tuple(take(self._rows, self._claimable(limit, now, shut), holder, now))

    def awaiting(self, limit: int, now: datetime) -> tuple[Delivery, ...]:
        with self._rows.reading():
            doubtful = self._rows.due(State.IN_DOUBT, now, limit)
            return doubtful + self._rows.due(State.SUBMITTED, now, limit - len(doubtful))

    def next_due(self, shut: Collection[str] = ()) -> datetime | None:
        with self._rows.reading():
            moments = (
                self._rows.next_due((State.QUEUED,), shut),
                self._rows.next_due((State.IN_DOUBT, State.SUBMITTED)),
                self._rows.next_expiry() if shut else None,
            )
            return min((moment for moment in moments if moment is not None), default=None)

    def reopen(self, seen: tuple[Delivery, ...], now: datetime) -> tuple[DeliveryId, ...]:
        with self._rows.transaction("reopen"):
            found = self._rows.get_deliveries(one.id for one in seen)
            standing = [found[one.id] for one in seen if found[one.id].revision == one.revision]
            with Moves(self._rows, now) as moves:
                for one in standing:
                    moves.move(one, Event.RESEND, report_overdue=False)
            return tuple(one.id for one in standing)

    def held(self, holder: HolderId) -> tuple[Delivery, ...]:
        with self._rows.reading():
            return self._rows.held_by(holder)

    def release(self, holder: HolderId, now: datetime) -> None:
        with self._rows.transaction("release"):
            self._abandon(holder, now)

    def renew(self, holder: HolderId, now: datetime) -> None:
        with self._rows.transaction("renew"):
            self._rows.save_holder(holder, now + LEASE)

    def recover(self, now: datetime) -> int:
        holders = self._rows.holders()
        gone = [holder for holder, until in holders.items() if until < now or self._is_dead(holder)]
        if not gone:
            return 0
        with self._rows.transaction("recover"):
            return sum(self._abandon(holder, now) for holder in gone)

    def intend(self, requests: Sequence[Request], now: datetime) -> tuple[tuple[Attempt, ...], ...]:
        with self._rows.transaction("intend"):
            ids = [one.delivery for request in requests for one in request.intents]
            deliveries, history = self._rows.get_deliveries(ids), self._rows.attempts_of(ids)
            with Moves(self._rows, now) as moves:
                leaving = tuple(self._begin(moves, request, deliveries, history) for request in requests)
            renew(self._rows, deliveries.values(), now)
            return leaving

    def settle(
        self, settlements: tuple[Settlement, ...], now: datetime, samples: tuple[Sample, ...] = ()
    ) -> tuple[Health, ...]:
        with self._rows.transaction("settle"):
            attempts = self._rows.get_attempts(one.attempt for one in settlements)
            deliveries = self._rows.get_deliveries(attempt.delivery for attempt in attempts.values())
            history = self._rows.attempts_of(deliveries)
            with Moves(self._rows, now) as moves:
                changed = settle_each(moves, settlements, attempts, history, deliveries)
            self._rows.save_attempts(changed)
            self._rows.gauges.add(outcomes(changed))
            refund(self._rows, changed)
            self._arrivals.rematch(changed, now)
            renew(self._rows, deliveries.values(), now)
            told = {one.submit for one in attempts.values() if is_told(one)}
            return self._accounts.observe(one for one in samples if one.submit not in told)

    def cancel(self, deliveries: tuple[DeliveryId, ...], now: datetime) -> tuple[DeliveryId, ...]:
        with self._rows.transaction("cancel"):
            found = self._rows.get_deliveries(deliveries).values()
            unsent = [one for one in found if (one.state, Event.CANCEL) in TRANSITIONS]
            with Moves(self._rows, now) as moves:
                for one in unsent:
                    moves.move(one, Event.CANCEL)
            return tuple(one.id for one in unsent)

    def close_out(self, verdicts: tuple[Verdict, ...], now: datetime) -> tuple[DeliveryId, ...]:
        with self._rows.transaction("close-out"):
            deliveries = self._rows.get_deliveries(verdict.seen.id for verdict in verdicts)
            standing = [one for one in verdicts if still_holds(one, deliveries[one.seen.id])]
            with Moves(self._rows, now) as moves:
                for one in standing:
                    due = {} if one.due_at is None else {"due_at": one.due_at}
                    moves.move(deliveries[one.seen.id], *one.events, report_overdue=one.report_overdue, **due)
            told = {one.seen.id: one.explanation for one in standing if one.explanation is not None}
            self._rows.add_chapters({one: Chapter(at=now, explanation=why) for one, why in told.items()})
            return tuple(one.seen.id for one in standing)

    def begin_poll(self, account: AccountId, holder: HolderId, now: datetime) -> bool:
        with self._rows.transaction("begin-poll"):
            poller = self._rows.poller(account)
            if poller is not None and poller[0] != holder and poller[1] >= now and not self._is_dead(poller[0]):
                return False
            self._rows.save_poller(account, holder, now + LEASE)
            return True

    def end_poll(self, account: AccountId, holder: HolderId, heard: Listening | None = None) -> None:
        with self._rows.transaction("end-poll"):
            self._rows.remove_poller(account, holder)
            if heard is not None:
                self._note(heard)

    def note_poll(self, heard: Listening, balance: Balance | None = None, floor: Decimal | None = None) -> None:
        with self._rows.transaction("note-poll"):
            self._note(heard)
            if balance is not None:
                self._accounts.hear(heard.account, balance, floor, heard.asked_at)

    def listenings(self) -> tuple[Listening, ...]:
        with self._rows.reading():
            return self._rows.listenings()

    def wanted_polls(self, account: AccountId) -> dict[str, datetime]:
        with self._rows.reading():
            return self._rows.pushes.wanted_polls(account)

    def spool(self, raw: RawAnswer, now: datetime) -> RawId:
        return self._arrivals.spool(raw, now)

    def apply_reports(self, raw: RawId, batch: Batch[Report], *, shared: bool, now: datetime) -> None:
        self._arrivals.apply_reports(raw, batch, shared=shared, now=now)

    def apply_inbound(
        self, raw: RawId, batch: Batch[InboundMessage], now: datetime, words: tuple[str, ...] = ()
    ) -> None:
        self._arrivals.apply_inbound(raw, batch, now, words)

    def apply_push(
        self, raw: RawId, push: VerifiedPush, words: tuple[str, ...] = (), *, shared: bool, now: datetime
    ) -> bool:
        return self._arrivals.apply_push(raw, push, words, shared=shared, now=now)

    def quarantine(self, raw: RawId, why: str, now: datetime) -> None:
        self._arrivals.quarantine(raw, why, now)

    def unread(self, account: AccountId, kind: str) -> dict[RawId, RawAnswer]:
        return self._rows.unread(account, kind)

    def save_keywords(self, account: AccountId, words: tuple[str, ...], now: datetime) -> None:
        with self._rows.transaction("keywords"):
            self._rows.books.save_keywords(account, words, now)

    def keywords(self, account: AccountId) -> tuple[str, ...]:
        return self._rows.books.keywords(account)

    def reserve_balance(self, account: AccountId, every_s: float, now: datetime) -> float:
        with self._rows.transaction("reserve-balance"):
            asked_at = self._rows.books.balance_asked_at(account)
            wait_s = 0.0 if asked_at is None else every_s - abs((now - asked_at).total_seconds())
            if wait_s > 0:
                return wait_s
            self._rows.books.save_balance_asked_at(account, now)
            return 0.0

    def message(self, message: MessageId) -> Message | None:
        with self._rows.reading():
            return self._rows.find_message(message)

    def messages(self, wanted: Iterable[MessageId]) -> dict[MessageId, Message]:
        with self._rows.reading():
            found = {one: self._rows.find_message(one) for one in set(wanted)}
            return {name: message for name, message in found.items() if message is not None}

    def deliveries(self, wanted: Filter) -> tuple[Delivery, ...]:
        with self._rows.reading():
            return self._rows.find_deliveries(wanted)

    def get(self, deliveries: tuple[DeliveryId, ...]) -> tuple[Delivery, ...]:
        with self._rows.reading():
            return tuple(self._rows.get_deliveries(deliveries).values())

    def attempts(self, deliveries: tuple[DeliveryId, ...]) -> dict[DeliveryId, tuple[Attempt, ...]]:
        with self._rows.reading():
            return self._rows.attempts_of(deliveries)

    def story(self, delivery: DeliveryId) -> tuple[tuple[Chapter, ...], tuple[Transition, ...]]:
        with self._rows.reading():
            return self._rows.story(delivery)

    def evidence(self, account: AccountId | None) -> tuple[tuple[StoredReport, ...], tuple[StoredInbound, ...]]:
        with self._rows.reading():
            return self._rows.evidence(account)

    def events(self, after: int, limit: int) -> tuple[tuple[int, Transition], ...]:
        return self._rows.events(after, limit)

    def last_event(self) -> int:
        return self._rows.last_event()

    def inbound(
        self, account: AccountId | None, before: int | None, limit: int
    ) -> tuple[tuple[int, StoredInbound], ...]:
        return self._rows.inbound(account, before, limit)

    def counts(self, *states: State) -> Mapping[tuple[State, AccountId | None], int]:
        with self._rows.reading():
            return self._rows.counts(*states)

    def gauges(self) -> Gauges:
        with self._rows.snapshot():
            kept = self._rows.gauges
            return Gauges(
                open=self._rows.counts(*OPEN),
                tallies=kept.tallies(),
                backlog=kept.backlog(),
                doubted_since=kept.doubted_since(),
            )

    def prove(self, now: datetime) -> None:
        with self._rows.transaction("prove"):
            self._rows.gauges.touch(now)

    def dossiers(self, after: DeliveryId, limit: int) -> tuple[Dossier, ...]:
        with self._rows.snapshot():
            page = self._rows.page(after, limit)
            messages = {one: self._rows.find_message(one) for one in {delivery.message for delivery in page}}
            attempts = self._rows.attempts_of(one.id for one in page)
            reports = self._rows.reports_for(one.id for one in page)
            stories = {one.id: self._rows.story(one.id) for one in page}
        return tuple(
            Dossier(
                message=messages[one.message],
                delivery=one,
                attempts=attempts[one.id],
                chapters=stories[one.id][0],
                transitions=stories[one.id][1],
                reports=reports[one.id],
            )
            for one in page
        )

    @property
    def accounts(self) -> Accounts:
        return self._accounts

    def meter(self, now: datetime) -> Meter:
        return Meter(self._rows.books, now)

    def loose_ends(self) -> tuple[LooseEnd, ...]:
        with self._rows.snapshot():
            return self._rows.loose_ends()

    def _claimable(self, limit: int, now: datetime, shut: Collection[str]) -> tuple[Delivery, ...]:
        """Return what may be claimed; of routes that are shut, what has to be told that its time is over."""
        due = self._rows.due(State.QUEUED, now, limit, shut)
        over = self._rows.expired(now, limit - len(due)) if shut and len(due) < limit else ()
        return tuple({one.id: one for one in (*due, *over)}.values())

    def _begin(
        self,
        moves: Moves,
        request: Request,
        deliveries: Mapping[DeliveryId, Delivery],
        history: Mapping[DeliveryId, tuple[Attempt, ...]],
    ) -> tuple[Attempt, ...]:
        """Write INTENT for those of a request whose claim stands and whose bounds leave room, and debit them (T3)."""
        standing = [one for one in request.intents if stands(deliveries[one.delivery], one.epoch, State.CLAIMED)]
        going = grant(self._rows, request, {deliveries[one.delivery].to: one for one in standing}, moves.now)
        attempts = one_request(going, history, moves.now)
        if attempts:
            for one in going:
                moves.move(deliveries[one.delivery], Event.INTENT, account=one.account)
            self._rows.save_attempts(attempts)
            debit(self._rows, request, attempts, moves.now)
            told = {one.delivery: Chapter(at=moves.now, explanation=one.explanation) for one in going}
            self._rows.add_chapters(told)
        return attempts

    def _abandon(self, holder: HolderId, now: datetime) -> int:
        count, lost = abandon(self._rows, holder, now)
        self._arrivals.rematch(lost, now)
        return count

    def _note(self, heard: Listening) -> None:
        """Write down how a poll went. Gaps are counted; a failed poll does not forget when the last one was heard."""
        known = {(one.account, one.kind): one for one in self._rows.listenings()}.get((heard.account, heard.kind))
        if known is not None:
            heard = attrs.evolve(heard, heard_at=heard.heard_at or known.heard_at, gaps=known.gaps + heard.gaps)
        self._rows.save_listening(heard)
