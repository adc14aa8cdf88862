"""What a store in memory is asked of what vendors push: whether it is known, and which polls it makes wanted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs

from tocsin.model.ids import AccountId
from tocsin.model.push import Trust
from tocsin.outbox.memory_tables import Tables
from tocsin.outbox.ports import RawId
from tocsin.outbox.record import StoredInbound, StoredReport


class MemoryPushes:
    """Fits `tocsin.outbox.rows.PushRows`, which says what each method promises.

    Args:
        tables: returns the tables as they stand; a failed transaction puts others in their place.
    """

    def __init__(self, tables: Callable[[], Tables]) -> None:
        self._tables = tables

    def is_read(self, raw: RawId) -> bool:
        return raw in self._tables().read

    def is_known(self, pushed: StoredReport) -> bool:
        return any(
            (one.account, one.report) == (pushed.account, pushed.report) and pushed.trust <= one.trust < Trust.POLL
            for one in self._tables().reports
        )

    def trust_of(self, arrived: StoredInbound) -> Trust | None:
        return min((one.trust for one in self._same(arrived)), default=None)

    def raise_trust(self, arrived: StoredInbound) -> None:
        least = min(self._same(arrived), key=lambda one: one.trust)
        there = self._tables().inbound
        there[there.index(least)] = attrs.evolve(least, trust=arrived.trust)

    def want_poll(self, account: AccountId, kind: str, now: datetime) -> None:
        self._tables().wanted[account, kind] = now

    def wanted_polls(self, account: AccountId) -> dict[str, datetime]:
        return {kind: at for (one, kind), at in self._tables().wanted.items() if one == account}

    def _same(self, arrived: StoredInbound) -> list[StoredInbound]:
        named = (arrived.account, arrived.message)
        return [one for one in self._tables().inbound if (one.account, one.message) == named]
