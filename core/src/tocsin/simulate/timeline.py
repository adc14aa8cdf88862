"""Virtual time: events in the order of their moments, and a clock that stands at the one that happens now."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000


class Timeline:
    """The clock of a simulated world, and what is to happen in it. Fits `tocsin.clock.Clock`."""

    def __init__(self) -> None:
        self._micros = 0
        self._count = 0
        self._events: list[tuple[int, int, str, Callable[[], None]]] = []

    def now(self) -> datetime:
        """Return the wall clock's time, aware UTC."""
        return START + timedelta(microseconds=self._micros)

    def monotonic(self) -> float:
        """Return the seconds since the start."""
        return self._micros / _SECOND

    @property
    def micros(self) -> int:
        """The microseconds since the start."""
        return self._micros

    def after(self, delay_s: float, name: str, event: Callable[[], None]) -> None:
        """Let something happen that much later; of two at one moment the one that was planned first is first."""
        self._count += 1
        moment = self._micros + max(0, math.ceil(delay_s * _SECOND))
        heapq.heappush(self._events, (moment, self._count, name, event))

    def step(self) -> str | None:
        """Let the next event happen; return its name, or None where nothing is left."""
        if not self._events:
            return None
        self._micros, _, name, event = heapq.heappop(self._events)
        event()
        return name
