"""T1: what is accepted, and what is taken in together. Within a transaction of the store's, which calls it.

An intake is all or nothing by itself: what it is decided to be is known before anything of it is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from tocsin.errors import InvalidInput, KeyConflict
from tocsin.model.ids import DeliveryId, MessageId
from tocsin.model.message import Message
from tocsin.outbox.alert import Decided, Intake, Standing, Stream, Taken
from tocsin.outbox.claims import take
from tocsin.outbox.moves import Moves
from tocsin.outbox.record import Acceptance, Delivery, Filter, NewDelivery
from tocsin.outbox.rows import Rows
from tocsin.outbox.state import Event, State


class Accepting:
    """The accepting half of the outbox, over the same rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def accept(self, acceptance: Acceptance, now: datetime) -> MessageId:
        """Write a message with its deliveries and its key; return its id, or that of the key's first message."""
        message = acceptance.message
        if (first := self._first_of(message.idempotency_key, acceptance.fingerprint)) is not None:
            return first
        self._rows.add_message(message, acceptance.fingerprint)
        turns = self._turns(acceptance)
        queued = [_queued(message, new, turns.get(new.id, 0), now) for new in acceptance.deliveries]
        self._rows.save_deliveries(queued)
        if acceptance.holder is not None:
            take(self._rows, queued, acceptance.holder, now)
        return message.id

    def take_in(self, intake: Intake, now: datetime) -> Taken:
        """Decide about an intake as things stand, and write what comes of it."""
        try:
            decided = intake.decide(self._standing(intake, now), now)
            return Taken(messages=self._write(decided, now))
        except (InvalidInput, KeyConflict) as error:
            return Taken(error=error)

    def _write(self, decided: Decided, now: datetime) -> tuple[MessageId, ...]:
        messages = tuple(self.accept(one, now) for one in decided.acceptances)
        self._supersede(decided.supersedes, now)
        if decided.alerts:
            self._rows.alerts.save_alerts(decided.alerts)
        if decided.streams:
            self._rows.alerts.save_streams(decided.streams)
        return messages

    def _standing(self, intake: Intake, now: datetime) -> Standing:
        if not (intake.alerts or intake.streams):
            return Standing()
        streams = self._rows.alerts.get_streams(intake.streams)
        return Standing(
            alerts=self._rows.alerts.get_alerts(intake.alerts),
            streams={key: self._as_it_stands(one, now) for key, one in streams.items()},
        )

    def _as_it_stands(self, stream: Stream, now: datetime) -> Stream:
        """Return a stream without a pending message that a worker may have in its hands by now."""
        if stream.pending is None:
            return stream
        waits = all(one.state is State.QUEUED and one.due_at > now for one in self._deliveries(stream.pending))
        return stream if waits else attrs.evolve(stream, pending=None, held={})

    def _supersede(self, messages: Iterable[MessageId], now: datetime) -> None:
        """Cancel what a newer message takes the place of."""
        with Moves(self._rows, now) as moves:
            for message in messages:
                for one in self._deliveries(message):
                    if one.state is State.QUEUED:
                        moves.move(one, Event.CANCEL)

    def _deliveries(self, message: MessageId) -> tuple[Delivery, ...]:
        return self._rows.find_deliveries(Filter(message=message))

    def _turns(self, acceptance: Acceptance) -> dict[DeliveryId, int]:
        """Take a turn of its route for each delivery that wants one."""
        turns: dict[DeliveryId, int] = {}
        for route in {one.route for one in acceptance.deliveries if one.in_turn}:
            ours = [one.id for one in acceptance.deliveries if one.in_turn and one.route == route]
            first = self._rows.books.take_turns(route, len(ours))
            turns |= {name: first + number for number, name in enumerate(ours)}
        return turns

    def _first_of(self, key: str | None, fingerprint: str) -> MessageId | None:
        """Return the message that the key was used for before. To say so is a promise, too, and is written."""
        owner = None if key is None else self._rows.key_owner(key)
        if key is None or owner is None:
            return None
        first = _same_message(owner, fingerprint)
        self._rows.count_repeat(key)
        return first


def _same_message(owner: tuple[MessageId, str], fingerprint: str) -> MessageId:
    message, first_fingerprint = owner
    if first_fingerprint != fingerprint:
        raise KeyConflict("the idempotency key was used before, for another message")
    return message


def _queued(message: Message, new: NewDelivery, turn: int, now: datetime) -> Delivery:
    return Delivery(
        id=new.id,
        message=message.id,
        to=new.to,
        state=State.QUEUED,
        route=new.route,
        due_at=new.due_at,
        expires_at=new.expires_at,
        updated_at=now,
        urgency=message.cls.urgency,
        only=new.only,
        turn=turn,
    )
