"""What whoever hands a message in gets back, and waits with."""

from __future__ import annotations

import time

import attrs

from tocsin.delivery.dispatch import Progress
from tocsin.model.ids import MessageId
from tocsin.outbox.ports import Store
from tocsin.outbox.record import Delivery, Filter
from tocsin.outbox.state import State


@attrs.frozen
class Receipt:
    """What `send` gives back: the message is durable.

    Args:
        id: of the message.
    """

    id: MessageId
    _store: Store = attrs.field(repr=False)

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Where each of its deliveries stands now."""
        return self._store.deliveries(Filter(message=self.id))

    def wait(self, timeout_s: float, progress: Progress = lambda _: None) -> bool:
        """Wait until each of its deliveries has come to its end, or is parked. A worker brings it there.

        Args:
            timeout_s: how long at most.
            progress: told how many more have.

        Returns:
            Whether all have; False where some are still open.
        """
        until = time.monotonic() + timeout_s
        told = 0
        while True:
            ended = [one.state.terminal or one.state is State.PARKED for one in self.deliveries]
            progress(sum(ended) - told)
            told = sum(ended)
            left_s = until - time.monotonic()
            if all(ended) or left_s <= 0:
                return all(ended)
            time.sleep(min(_LOOK_S, left_s))


_LOOK_S = 0.1
"""How often a receipt looks where its deliveries stand."""
