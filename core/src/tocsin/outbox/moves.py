"""Changes of state within one transaction: each goes through `step`, and each leaves an audit row (I12)."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Any, Self

import attrs

from tocsin.model.ids import DeliveryId
from tocsin.outbox.gauges import ends
from tocsin.outbox.record import Delivery, Transition
from tocsin.outbox.rows import Rows
from tocsin.outbox.state import Event, State, step

_HELD_BY_SOMEBODY = (State.CLAIMED, State.SENDING)
_WAITING = (State.QUEUED, State.IN_DOUBT, State.SUBMITTED)


class Moves:
    """Collects moves; on leaving without an error, saves the deliveries and their audit rows together."""

    def __init__(self, rows: Rows, now: datetime) -> None:
        self._rows = rows
        self.now = now
        self._moved: dict[DeliveryId, Delivery] = {}
        self._transitions: list[Transition] = []

    def move(self, delivery: Delivery, *events: Event, **changes: Any) -> Delivery:
        """Take a delivery, as far as it has been moved here, through the events; return it as it stands then.

        Wherever it waits afterwards, the policy is asked of it at once, unless `due_at` says when.

        Args:
            delivery: as loaded.
            events: in order.
            changes: other fields to set.

        Raises:
            IllegalTransition: the table does not know a step; nothing is saved.
        """
        delivery = self._moved.get(delivery.id, delivery)
        state = delivery.state
        for event in events:
            before, state = state, step(state, event)
            self._transitions.append(
                Transition(at=self.now, delivery=delivery.id, event=event, before=before, after=state)
            )
        if state in _WAITING:
            changes.setdefault("due_at", self.now)
        if state not in _HELD_BY_SOMEBODY:
            changes["holder"] = None
        changes |= {"state": state, "updated_at": self.now, "revision": delivery.revision + 1}
        self._moved[delivery.id] = moved = attrs.evolve(delivery, **changes)
        return moved

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._rows.save_deliveries(self._moved.values())
            self._rows.add_transitions(self._transitions)
            if ended := ends(self._transitions, self._moved):
                self._rows.gauges.add(ended)
