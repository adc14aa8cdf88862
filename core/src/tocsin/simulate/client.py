"""A client that hands a message in: it dies, repeats itself, uses a key again, and cancels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.delivery.accept import Draft, prepare
from tocsin.delivery.dispatch import dispatch
from tocsin.errors import CommitUnknown, KeyConflict, StoreFailed
from tocsin.model.ids import HolderId, MessageId
from tocsin.outbox.record import Filter
from tocsin.simulate.actor import Actor, Crash
from tocsin.simulate.dice import dice_of
from tocsin.simulate.scenario import Sending
from tocsin.simulate.seen import Kind

if TYPE_CHECKING:
    from tocsin.simulate.world import World

_AGAIN_S = 3.0


class SimClient(Actor):
    """Whoever sends one message of a scenario, until it is acknowledged."""

    def __init__(self, world: World, sending: Sending) -> None:
        super().__init__(world, f"client {sending.number}")
        self.dice = dice_of(f"client {world.scenario.seed} {sending.number}")
        self._sending = sending
        self._life = 0
        self._repeats = sending.repeats if sending.key else 0
        self.dies_in = sending.dies_at
        world.timeline.after(sending.at_s, f"{self.name}: hands in", self._hand_in)
        if sending.cancelled_s is not None:
            world.timeline.after(sending.at_s + sending.cancelled_s, f"{self.name}: cancels", self._cancel)

    def _hand_in(self) -> None:
        self._life += 1
        holder = HolderId(f"{self.name} life {self._life}")
        try:
            with self.acting():
                self._send(holder)
        except (Crash, CommitUnknown, StoreFailed):
            self.calm_down()
            self.world.saw(Kind.CLIENT_DIED)
            self.world.gone(holder)
            if self._sending.key:  # without one, to try again would be to ask for a second message
                self.world.timeline.after(_AGAIN_S, f"{self.name}: hands in again", self._hand_in)
            return
        if self._repeats:
            self._repeats -= 1
            self.world.saw(Kind.CLIENT_REPEATED)
            self.world.timeline.after(_AGAIN_S, f"{self.name}: repeats itself", self._hand_in)
        elif self._sending.altered and self._sending.key:
            self.world.timeline.after(_AGAIN_S, f"{self.name}: uses its key again", self._alter)

    def _send(self, holder: HolderId) -> None:
        sending, world = self._sending, self.world
        parts = world.parts(self.dice)
        message = self._accept(holder if sending.now else None)
        world.acknowledged(sending, message)
        if sending.now:
            dispatch(parts, message, holder)
            parts.store.release(holder, world.timeline.now())
            world.gone(holder)

    def _accept(self, holder: HolderId | None, text: str = "") -> MessageId:
        sending, world = self._sending, self.world
        parts = world.parts(self.dice)
        now = world.timeline.now()
        draft = Draft(
            to=tuple(world.phone(place) for place in sending.to),
            text=text or world.text_of(sending),
            cls=sending.cls,
            idempotency_key=f"key {sending.number}" if sending.key else None,
            send_at=world.due(sending),
        )
        acceptance = prepare(draft, parts.fleet.routes, (), now=now, draw_bits=self.dice.getrandbits, holder=holder)
        return parts.store.accept(acceptance, now)

    def _alter(self) -> None:
        """Use the key for something else: that must be refused."""
        self.world.saw(Kind.CLIENT_ALTERED)
        try:
            self._accept(None, text="something else")
        except KeyConflict:
            return
        self.world.violated("I11", self.name, "a key was accepted for a second, different message")

    def _cancel(self) -> None:
        message = self.world.message_of(self._sending)
        if message is not None:
            store = self.world.parts(self.dice).store
            names = tuple(one.id for one in store.deliveries(Filter(message=message)))
            if store.cancel(names, self.world.timeline.now()):
                self.world.saw(Kind.CANCELLED)
