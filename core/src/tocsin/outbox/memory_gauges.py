"""What a store in memory counts for whoever watches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime

from tocsin.outbox.gauges import Backlog, Tally
from tocsin.outbox.memory_tables import Tables
from tocsin.outbox.state import AttemptState, State


class MemoryGauges:
    """Fits `tocsin.outbox.gauges.GaugeRows`, which says what each method promises.

    Args:
        tables: returns the tables as they stand; a failed transaction puts others in their place.
    """

    def __init__(self, tables: Callable[[], Tables]) -> None:
        self._tables = tables

    def add(self, more: Mapping[Tally, int]) -> None:
        self._tables().tallies.update(more)

    def touch(self, now: datetime) -> None:
        """Do nothing: what is in memory proves nothing."""

    def tallies(self) -> Mapping[Tally, int]:
        return dict(self._tables().tallies)

    def backlog(self) -> tuple[Backlog, ...]:
        due: dict[int, list[datetime]] = defaultdict(list)
        for one in self._tables().deliveries.values():
            if one.state is State.QUEUED:
                due[one.urgency].append(one.due_at)
        return tuple(
            Backlog(urgency=urgency, number=len(moments), due_at=min(moments))
            for urgency, moments in sorted(due.items())
        )

    def doubted_since(self) -> datetime | None:
        tables = self._tables()
        return min(
            (
                one.intended_at
                for one in tables.attempts.values()
                if one.state is AttemptState.UNKNOWN and tables.deliveries[one.delivery].state is State.IN_DOUBT
            ),
            default=None,
        )
