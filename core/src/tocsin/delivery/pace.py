"""How many requests each account may let out just now, by its limits on submits: what a desk keeps to by itself.

The store has the last word (`tocsin.outbox.debits`). A desk that did not know would ask it again and again, and miss
the moment at which there is room.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tocsin.delivery.fleet import Fleet
from tocsin.model.account import Account
from tocsin.model.ids import AccountId
from tocsin.outbox.meter import Meter


class Pace:
    """The room of one round.

    Args:
        fleet: the accounts with their limits.
        meter: what they have used up by now.
    """

    def __init__(self, fleet: Fleet, meter: Meter) -> None:
        self._fleet = fleet
        self._meter = meter
        self._room: dict[AccountId, int | None] = {}
        self._free_at: dict[AccountId, datetime] = {}

    def keep(self, has_line: Callable[[Account], bool]) -> Callable[[Account], bool]:
        """Return what takes a line to an account only where there is room for a request."""

        def has_line_and_room(account: Account) -> bool:
            room = self._room_of(account)
            if room == 0 or not has_line(account):
                return False
            if room is not None:
                self._room[account.id] = room - 1
            return True

        return has_line_and_room

    def free_at(self) -> datetime | None:
        """Return when the first of those that were asked for and had no room has some."""
        return min(self._free_at.values(), default=None)

    def _room_of(self, account: Account) -> int | None:
        if account.id not in self._room:
            rates = account.limits.submits
            self._room[account.id] = self._meter.submits_room(account.id, rates)
            free_at = self._meter.submits_free_at(account.id, rates)
            if free_at is not None:
                self._free_at[account.id] = free_at
        return self._room[account.id]
