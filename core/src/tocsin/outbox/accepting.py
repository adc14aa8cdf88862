"""T1: what is accepted, and what is taken in together. Within a transaction of the store's, which calls it.

All that a batch has to know is looked up at once, each of its members is decided about in turn, with what those before
it have come to, and all that came of them is written at once: a statement costs more than what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

from tocsin.errors import InvalidInput, KeyConflict
from tocsin.model.ids import DeliveryId, MessageId
from tocsin.model.message import Message
from tocsin.outbox.alert import AlertKey, AlertRecord, Decided, Intake, Standing, Stream, StreamKey, Taken
from tocsin.outbox.claims import take
from tocsin.outbox.moves import Moves
from tocsin.outbox.record import Acceptance, Delivery, NewDelivery
from tocsin.outbox.rows import Rows
from tocsin.outbox.state import Event, State

Owner = tuple[MessageId, str]


class Accepting:
    """The accepting half of the outbox, over the same rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def accept(self, acceptance: Acceptance, now: datetime) -> MessageId:
        """Write a message with its deliveries and its key; return its id, or that of the key's first message.

        Raises:
            KeyConflict: the key was used for something else.
        """
        key = acceptance.message.idempotency_key
        batch = _Batch(self._rows, now)
        batch.look_up_keys([] if key is None else [key])
        message = batch.accept(acceptance)
        queued = batch.write()
        if acceptance.holder is not None and queued:
            take(self._rows, queued, acceptance.holder, now)
        return message

    def take_in(self, intakes: Sequence[Intake], now: datetime) -> tuple[Taken, ...]:
        """Decide about each intake as things stand then, and write what comes of all of them."""
        batch = _Batch(self._rows, now)
        batch.look_up(intakes)
        taken = tuple(batch.take_in(one) for one in intakes)
        batch.write()
        return taken


@attrs.define(eq=False)
class _Batch:
    """What is taken in together: what it found, and what came of it so far.

    Args:
        owners: of idempotency keys, those of the batch itself among them.
        alerts, streams: as they stand now.
        accepted: new messages, in order.
        repeated: keys that were used again.
        superseded: pending messages that have had their day.
    """

    _rows: Rows
    _now: datetime
    owners: dict[str, Owner] = attrs.field(factory=dict)
    alerts: dict[AlertKey, AlertRecord] = attrs.field(factory=dict)
    streams: dict[StreamKey, Stream] = attrs.field(factory=dict)
    accepted: dict[MessageId, Acceptance] = attrs.field(factory=dict)
    repeated: list[str] = attrs.field(factory=list)
    superseded: list[MessageId] = attrs.field(factory=list)
    changed_alerts: dict[AlertKey, AlertRecord] = attrs.field(factory=dict)
    changed_streams: dict[StreamKey, Stream] = attrs.field(factory=dict)

    def look_up(self, intakes: Iterable[Intake]) -> None:
        """Find all that any of the intakes has to know of, but for keys: what uses one is not known before."""
        alerts = dict.fromkeys(key for one in intakes for key in one.alerts)
        streams = dict.fromkeys(key for one in intakes for key in one.streams)
        self.look_up_keys([one.key for one in intakes if one.key is not None])
        if alerts:
            self.alerts = self._rows.alerts.get_alerts(alerts)
        if streams:
            found = self._rows.alerts.get_streams(streams)
            self.streams = {key: self._as_it_stands(one) for key, one in found.items()}

    def look_up_keys(self, keys: Iterable[str]) -> None:
        """Find who owns idempotency keys."""
        self.owners = self._rows.key_owners(keys) if keys else {}

    def take_in(self, intake: Intake) -> Taken:
        """Decide about one, with what those before it have come to."""
        standing = Standing(
            alerts={key: self.alerts[key] for key in intake.alerts if key in self.alerts},
            streams={key: self.streams[key] for key in intake.streams if key in self.streams},
        )
        try:
            decided = intake.decide(standing, self._now)
            return Taken(messages=self._keep(decided))
        except (InvalidInput, KeyConflict) as error:
            return Taken(error=error)

    def accept(self, acceptance: Acceptance) -> MessageId:
        """Keep a message to be written; return its id, or that of the key's first message."""
        message = acceptance.message
        if message.idempotency_key is not None:
            owner = self.owners.get(message.idempotency_key)
            if owner is not None:  # to say so is a promise, too, and is written
                first = _same_message(owner, acceptance.fingerprint)
                self.repeated.append(message.idempotency_key)
                return first
            self.owners[message.idempotency_key] = (message.id, acceptance.fingerprint)
        self.accepted[message.id] = acceptance
        return message.id

    def write(self) -> list[Delivery]:
        """Write all that came of the batch; return the deliveries that are queued now."""
        queued = self._queue()
        self._rows.add_messages((one.message, one.fingerprint) for one in self.accepted.values())
        self._rows.save_deliveries(queued)
        self._rows.count_repeats(self.repeated)
        self._supersede()
        if self.changed_alerts:
            self._rows.alerts.save_alerts(self.changed_alerts.values())
        if self.changed_streams:
            self._rows.alerts.save_streams(self.changed_streams.values())
        return queued

    def _keep(self, decided: Decided) -> tuple[MessageId, ...]:
        messages = tuple(self.accept(one) for one in decided.acceptances)
        self.superseded += decided.supersedes
        alerts = {one.key: one for one in decided.alerts}
        streams = {one.key: one for one in decided.streams}
        self.alerts |= alerts
        self.streams |= streams
        self.changed_alerts |= alerts
        self.changed_streams |= streams
        return messages

    def _queue(self) -> list[Delivery]:
        turns = self._turns()
        return [
            _queued(acceptance.message, new, turns.get(new.id, 0), self._now)
            for acceptance in self.accepted.values()
            for new in acceptance.deliveries
        ]

    def _turns(self) -> dict[DeliveryId, int]:
        """Take a turn of its route for each delivery that wants one."""
        ours: dict[str, list[DeliveryId]] = {}
        for acceptance in self.accepted.values():
            for new in acceptance.deliveries:
                if new.in_turn:
                    ours.setdefault(new.route, []).append(new.id)
        turns: dict[DeliveryId, int] = {}
        for route, names in ours.items():
            first = self._rows.books.take_turns(route, len(names))
            turns |= {name: first + number for number, name in enumerate(names)}
        return turns

    def _as_it_stands(self, stream: Stream) -> Stream:
        """Return a stream without a pending message that a worker may have in its hands by now."""
        if stream.pending is None:
            return stream
        pending = self._rows.deliveries_of([stream.pending])
        waits = all(one.state is State.QUEUED and one.due_at > self._now for one in pending)
        return stream if waits else attrs.evolve(stream, pending=None, held={})

    def _supersede(self) -> None:
        """Cancel what a newer message took the place of."""
        if self.superseded:
            with Moves(self._rows, self._now) as moves:
                for one in self._rows.deliveries_of(self.superseded):
                    if one.state is State.QUEUED:
                        moves.move(one, Event.CANCEL)


def _same_message(owner: Owner, fingerprint: str) -> MessageId:
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
