"""The memory store of a simulated world, which notes what each event touches, so that only that is checked after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tocsin.model.ids import DeliveryId
from tocsin.model.message import Message
from tocsin.outbox.memory import MemoryRows
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import Attempt, Delivery, StoredReport


class SimRows(MemoryRows):
    """Rows in memory.

    Attributes:
        touched: deliveries that were written, or whose attempts or reports were, since somebody cleared it.
    """

    def __init__(self, boundary: Callable[[str], None]) -> None:
        super().__init__(boundary)
        self.touched: dict[DeliveryId, None] = {}
        self._told = 0

    def save_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        saved = tuple(deliveries)
        self._touch(one.id for one in saved)
        super().save_deliveries(saved)

    def save_attempts(self, attempts: Iterable[Attempt]) -> None:
        saved = tuple(attempts)
        self._touch(one.delivery for one in saved)
        super().save_attempts(saved)

    def add_reports(self, raw: RawId, reports: Iterable[StoredReport]) -> None:
        stored = tuple(reports)
        self._touch(one.delivery for one in stored if one.delivery is not None)
        super().add_reports(raw, stored)

    def adopt(self, orphan: StoredReport, delivery: DeliveryId, *, by_number: bool) -> None:
        self._touch((delivery,))
        super().adopt(orphan, delivery, by_number=by_number)

    def all_messages(self) -> tuple[Message, ...]:
        """Return every message."""
        return tuple(self._tables.messages.values())

    def raw_bodies(self) -> tuple[bytes, ...]:
        """Return the bytes of every raw answer."""
        return tuple(one.body for one in self._tables.raw)

    def quarantined(self) -> tuple[str, ...]:
        """Return the pieces of answers that could not be read."""
        return tuple(piece for _, piece in self._tables.quarantine)

    def news(self) -> list[str]:
        """Return what happened to deliveries since the last call, in words: what a trace is made of."""
        told, self._told = self._told, len(self._tables.transitions)
        return [f"{one.delivery} {one.event.value} {one.after.value}" for one in self._tables.transitions[told:]]

    def _touch(self, deliveries: Iterable[DeliveryId]) -> None:
        self.touched.update(dict.fromkeys(deliveries))
