"""The outbox: every transaction of a delivery's life, written once over `Rows`.

Each method loads what it needs, computes with pure functions and `step`, and saves. What arrives from vendors is in
`tocsin.outbox.arrivals`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from tocsin.errors import KeyConflict
from tocsin.model.ids import AccountId, DeliveryId, HolderId, MessageId, SubmitId, attempt_id
from tocsin.model.message import Message
from tocsin.model.outcome import Accepted, Outcome, Unknown
from tocsin.model.report import Batch, InboundMessage, Report
from tocsin.outbox.arrivals import Arrivals
from tocsin.outbox.evidence import events_of, proved_by_duplicate
from tocsin.outbox.moves import Moves
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import (
    Acceptance,
    Attempt,
    Chapter,
    Delivery,
    Filter,
    Intent,
    NewDelivery,
    RawAnswer,
    Settlement,
    StoredInbound,
    StoredReport,
    Transition,
    Verdict,
    event_of,
)
from tocsin.outbox.rows import Rows
from tocsin.outbox.state import TRANSITIONS, AttemptState, Event, State, step_attempt

LEASE = timedelta(seconds=60)
"""How long a claim stands without a sign of life. Longer than any exchange may take."""


class Outbox:
    """A store over `Rows`. Fits `tocsin.outbox.ports.Store`, which says what each method promises.

    Args:
        rows: where it is kept.
        is_dead: says of a holder whether its process is known to be gone, whatever its lease says.
    """

    def __init__(self, rows: Rows, is_dead: Callable[[HolderId], bool]) -> None:
        self._rows = rows
        self._is_dead = is_dead
        self._arrivals = Arrivals(rows)

    def close(self) -> None:
        self._rows.close()

    def accept(self, acceptance: Acceptance, now: datetime) -> MessageId:
        message = acceptance.message
        with self._rows.transaction("accept"):
            owner = self._rows.key_owner(message.idempotency_key) if message.idempotency_key is not None else None
            if owner is not None:
                return _same_message(owner, acceptance.fingerprint)
            self._rows.add_message(message, acceptance.fingerprint)
            queued = [_queued(message.id, new, now) for new in acceptance.deliveries]
            self._rows.save_deliveries(queued)
            if acceptance.holder is not None:
                self._take(queued, acceptance.holder, now)
        return message.id

    def claim(self, message: MessageId, holder: HolderId, now: datetime) -> tuple[Delivery, ...]:
        def due() -> list[Delivery]:
            deliveries = self._rows.find_deliveries(Filter(message=message, state=State.QUEUED))
            return [one for one in deliveries if one.due_at <= now]

        if due():  # a look costs no commit
            with self._rows.transaction("claim"):
                self._take(due(), holder, now)
        return tuple(one for one in self._rows.held_by(holder) if one.message == message)

    def resend(self, delivery: DeliveryId, holder: HolderId, now: datetime) -> Delivery | None:
        with self._rows.transaction("resend"):
            found = self._rows.get_deliveries([delivery]).get(delivery)
            if found is None or found.state is not State.IN_DOUBT:
                return None
            with Moves(self._rows, now) as moves:
                queued = moves.move(found, Event.RESEND)
            return self._take([queued], holder, now)[0]

    def release(self, holder: HolderId, now: datetime) -> None:
        with self._rows.transaction("release"):
            self._abandon(holder, now)

    def recover(self, now: datetime) -> int:
        holders = self._rows.holders()
        gone = [holder for holder, until in holders.items() if until < now or self._is_dead(holder)]
        if not gone:
            return 0
        with self._rows.transaction("recover"):
            return sum(self._abandon(holder, now) for holder in gone)

    def intend(self, intents: tuple[Intent, ...], now: datetime) -> tuple[Attempt, ...]:
        with self._rows.transaction("intend"):
            ids = [intent.delivery for intent in intents]
            deliveries, history = self._rows.get_deliveries(ids), self._rows.attempts_of(ids)
            standing = [one for one in intents if _stands(deliveries[one.delivery], one.epoch, State.CLAIMED)]
            attempts = _one_request(standing, history, now)
            with Moves(self._rows, now) as moves:
                for one in standing:
                    moves.move(deliveries[one.delivery], Event.INTENT, account=one.account)
            self._rows.save_attempts(attempts)
            self._rows.add_chapters({one.delivery: Chapter(at=now, explanation=one.explanation) for one in standing})
            self._renew(deliveries.values(), now)
            return attempts

    def settle(self, settlements: tuple[Settlement, ...], now: datetime) -> None:
        with self._rows.transaction("settle"):
            attempts = self._rows.get_attempts(one.attempt for one in settlements)
            deliveries = self._rows.get_deliveries(attempt.delivery for attempt in attempts.values())
            history = self._rows.attempts_of(deliveries)
            settled = []
            with Moves(self._rows, now) as moves:
                for one in settlements:
                    attempt = attempts[one.attempt]
                    delivery = deliveries[attempt.delivery]
                    if _stands(delivery, one.epoch, State.SENDING):
                        settled.append(_settled(attempt, one.outcome, now))
                        if proved := proved_by_duplicate(history[delivery.id], settled[-1]):
                            settled.append(proved)
                        _after_outcome(moves, delivery, one, history[delivery.id])
                    elif attempt.state is AttemptState.UNKNOWN and isinstance(one.outcome, Accepted):
                        settled.append(_settled(attempt, one.outcome, now))
                        _late_acceptance(moves, delivery)
            self._rows.save_attempts(settled)
            self._arrivals.rematch(settled, now)
            self._renew(deliveries.values(), now)

    def cancel(self, deliveries: tuple[DeliveryId, ...], now: datetime) -> tuple[DeliveryId, ...]:
        with self._rows.transaction("cancel"):
            found = self._rows.get_deliveries(deliveries).values()
            unsent = [one for one in found if (one.state, Event.CANCEL) in TRANSITIONS]
            with Moves(self._rows, now) as moves:
                for one in unsent:
                    moves.move(one, Event.CANCEL)
            return tuple(one.id for one in unsent)

    def close_out(self, verdicts: tuple[Verdict, ...], now: datetime) -> None:
        with self._rows.transaction("close-out"):
            deliveries = self._rows.get_deliveries(verdict.delivery for verdict in verdicts)
            standing = [
                verdict
                for verdict in verdicts
                if (delivery := deliveries[verdict.delivery]).epoch == verdict.epoch
                and (delivery.state, verdict.event) in TRANSITIONS
            ]
            with Moves(self._rows, now) as moves:
                for verdict in standing:
                    moves.move(deliveries[verdict.delivery], verdict.event)
            self._rows.add_chapters(
                {verdict.delivery: Chapter(at=now, explanation=verdict.explanation) for verdict in standing}
            )

    def begin_poll(self, account: AccountId, holder: HolderId, now: datetime) -> bool:
        with self._rows.transaction("begin-poll"):
            poller = self._rows.poller(account)
            if poller is not None and poller[0] != holder and poller[1] >= now and not self._is_dead(poller[0]):
                return False
            self._rows.save_poller(account, holder, now + LEASE)
            return True

    def end_poll(self, account: AccountId, holder: HolderId) -> None:
        with self._rows.transaction("end-poll"):
            self._rows.remove_poller(account, holder)

    def spool(self, raw: RawAnswer, now: datetime) -> RawId:
        return self._arrivals.spool(raw, now)

    def apply_reports(self, raw: RawId, batch: Batch[Report], *, shared: bool, now: datetime) -> None:
        self._arrivals.apply_reports(raw, batch, shared=shared, now=now)

    def apply_inbound(self, raw: RawId, batch: Batch[InboundMessage], now: datetime) -> None:
        self._arrivals.apply_inbound(raw, batch, now)

    def quarantine(self, raw: RawId, why: str, now: datetime) -> None:
        self._arrivals.quarantine(raw, why, now)

    def unread(self, account: AccountId, kind: str) -> dict[RawId, RawAnswer]:
        return self._rows.unread(account, kind)

    def save_keywords(self, account: AccountId, words: tuple[str, ...], now: datetime) -> None:
        with self._rows.transaction("keywords"):
            self._rows.save_keywords(account, words, now)

    def keywords(self, account: AccountId) -> tuple[str, ...]:
        return self._rows.keywords(account)

    def reserve_balance(self, account: AccountId, every_s: float, now: datetime) -> float:
        with self._rows.transaction("reserve-balance"):
            asked_at = self._rows.balance_asked_at(account)
            wait_s = 0.0 if asked_at is None else every_s - abs((now - asked_at).total_seconds())
            if wait_s > 0:
                return wait_s
            self._rows.save_balance_asked_at(account, now)
            return 0.0

    def message(self, message: MessageId) -> Message | None:
        with self._rows.reading():
            return self._rows.find_message(message)

    def deliveries(self, wanted: Filter) -> tuple[Delivery, ...]:
        with self._rows.reading():
            return self._rows.find_deliveries(wanted)

    def attempts(self, deliveries: tuple[DeliveryId, ...]) -> dict[DeliveryId, tuple[Attempt, ...]]:
        with self._rows.reading():
            return self._rows.attempts_of(deliveries)

    def story(self, delivery: DeliveryId) -> tuple[tuple[Chapter, ...], tuple[Transition, ...]]:
        with self._rows.reading():
            return self._rows.story(delivery)

    def evidence(self, account: AccountId | None) -> tuple[tuple[StoredReport, ...], tuple[StoredInbound, ...]]:
        with self._rows.reading():
            return self._rows.evidence(account)

    def _take(self, queued: list[Delivery], holder: HolderId, now: datetime) -> list[Delivery]:
        """Claim, under a new epoch, and start or renew the holder's lease."""
        self._rows.save_holder(holder, now + LEASE)
        with Moves(self._rows, now) as moves:
            return [moves.move(one, Event.CLAIM, holder=holder, epoch=one.epoch + 1) for one in queued]

    def _abandon(self, holder: HolderId, now: datetime) -> int:
        """T5: what the holder had claimed is queued again; what it was sending is in doubt, never queued."""
        held = self._rows.held_by(holder)
        sending = [one for one in held if one.state is State.SENDING]
        history = self._rows.attempts_of(one.id for one in sending)
        lost = [_settled(history[one.id][-1], Unknown("holder-lost"), now) for one in sending]
        with Moves(self._rows, now) as moves:
            for one in held:
                moved = moves.move(one, Event.LOST if one.state is State.SENDING else Event.RELEASE)
                _apply_earlier(moves, moved, history.get(one.id, ()))
        self._rows.save_attempts(lost)
        self._arrivals.rematch(lost, now)
        self._rows.save_holder(holder, None)
        return len(held)

    def _renew(self, deliveries: Iterable[Delivery], now: datetime) -> None:
        for holder in {one.holder for one in deliveries if one.holder is not None}:
            self._rows.save_holder(holder, now + LEASE)


def _same_message(owner: tuple[MessageId, str], fingerprint: str) -> MessageId:
    message, first_fingerprint = owner
    if first_fingerprint != fingerprint:
        raise KeyConflict("the idempotency key was used before, for another message")
    return message


def _queued(message: MessageId, new: NewDelivery, now: datetime) -> Delivery:
    return Delivery(
        id=new.id,
        message=message,
        to=new.to,
        state=State.QUEUED,
        route=new.route,
        due_at=new.due_at,
        expires_at=new.expires_at,
        updated_at=now,
    )


def _stands(delivery: Delivery, epoch: int, state: State) -> bool:
    """Whether a claim of that epoch still stands: the guard of T3 and T4."""
    return delivery.epoch == epoch and delivery.state is state


def _one_request(
    intents: list[Intent], history: dict[DeliveryId, tuple[Attempt, ...]], now: datetime
) -> tuple[Attempt, ...]:
    """Return the attempts that leave together, named after the first of them."""
    numbers = [len(history[one.delivery]) + 1 for one in intents]
    ids = [attempt_id(one.delivery, number) for one, number in zip(intents, numbers, strict=True)]
    return tuple(
        Attempt(
            id=name,
            delivery=one.delivery,
            number=number,
            submit=SubmitId(ids[0]),
            group_size=len(intents),
            account=one.account,
            state=AttemptState.INTENT,
            intended_at=now,
        )
        for one, number, name in zip(intents, numbers, ids, strict=True)
    )


def _settled(attempt: Attempt, outcome: Outcome, now: datetime) -> Attempt:
    settled = attempt.settled(outcome, now)
    step_attempt(attempt.state, settled.state)
    return settled


def _after_outcome(moves: Moves, delivery: Delivery, one: Settlement, history: tuple[Attempt, ...]) -> None:
    """Move on from SENDING."""
    moved = _apply_earlier(moves, moves.move(delivery, event_of(one.outcome)), history)
    if one.keep and moved.state is State.QUEUED:
        moves.move(moved, Event.CLAIM, holder=delivery.holder)


def _apply_earlier(moves: Moves, delivery: Delivery, history: tuple[Attempt, ...]) -> Delivery:
    """Let reports of earlier copies have their say, which came while another was being sent."""
    for earlier in history:
        delivery = moves.move(delivery, *events_of(delivery.state, earlier, newest=False))
    return delivery


def _late_acceptance(moves: Moves, delivery: Delivery) -> None:
    """The answer of a lost lease is kept as evidence: the doubt that the lease left behind is over."""
    if delivery.state in (State.IN_DOUBT, State.PARKED):
        moves.move(delivery, Event.ACCEPTED)
