"""The alerts of a store in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import attrs

from tocsin.outbox.alert import AlertKey, AlertRecord, Stream, StreamKey


@attrs.define
class Board:
    """The tables of alerts."""

    alerts: dict[AlertKey, AlertRecord] = attrs.field(factory=dict)
    streams: dict[StreamKey, Stream] = attrs.field(factory=dict)

    def copy(self) -> Board:
        """Return them as they are, to put back after a transaction that failed."""
        return Board(self.alerts.copy(), self.streams.copy())


class MemoryAlerts:
    """The alerts over a store's tables. Fits `tocsin.outbox.rows.AlertRows`, which says what each method promises.

    Args:
        board: returns the tables as they stand; a failed transaction puts others in their place.
    """

    def __init__(self, board: Callable[[], Board]) -> None:
        self._board = board

    def get_alerts(self, keys: Iterable[AlertKey]) -> dict[AlertKey, AlertRecord]:
        there = self._board().alerts
        return {key: there[key] for key in keys if key in there}

    def save_alerts(self, alerts: Iterable[AlertRecord]) -> None:
        self._board().alerts.update((one.key, one) for one in alerts)

    def any_alert(self, before: datetime) -> bool:
        return any(one.seen_at < before for one in self._board().alerts.values())

    def forget_alerts(self, before: datetime) -> int:
        there = self._board().alerts
        old = [key for key, one in there.items() if one.seen_at < before]
        for key in old:
            del there[key]
        return len(old)

    def get_streams(self, keys: Iterable[StreamKey]) -> dict[StreamKey, Stream]:
        there = self._board().streams
        return {key: there[key] for key in keys if key in there}

    def save_streams(self, streams: Iterable[Stream]) -> None:
        self._board().streams.update((one.key, one) for one in streams)
