"""Lines to the vendors: a few threads for each account, that carry departures and bring back what became of them."""

from __future__ import annotations

import queue
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from tocsin.delivery.parts import Parts
from tocsin.delivery.submit import Arrival, Departure, travel
from tocsin.model.account import Account
from tocsin.model.ids import AccountId

LINES = 16
"""Requests of one account that are under way at a time: at a third of a second each, about fifty a second."""

GATHER_S = 0.002
"""How long the first arrival waits for others, so that one commit settles them all."""


class Lines:
    """All lines of one worker. Departures go out by `begin`; arrivals are collected by `arrivals`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pools: dict[AccountId, ThreadPoolExecutor] = {}
        self._busy: Counter[AccountId] = Counter()
        self._back: queue.SimpleQueue[Future[Arrival] | None] = queue.SimpleQueue()

    @property
    def under_way(self) -> int:
        """How many departures have not come back."""
        return self._busy.total()

    def free(self) -> Counter[AccountId]:
        """Return how many lines of each account are free."""
        return Counter({account: LINES - self._busy[account] for account in self._parts.fleet.accounts})

    def begin(self, departure: Departure) -> None:
        """Carry a departure on a line of its account."""
        account = departure.account
        if account.id not in self._pools:
            self._pools[account.id] = ThreadPoolExecutor(LINES, thread_name_prefix=f"line-{account.id}")
        self._busy[account.id] += 1
        self._pools[account.id].submit(travel, self._parts, departure).add_done_callback(self._back.put)

    def wake(self) -> None:
        """End a wait for arrivals: something else has happened."""
        self._back.put(None)

    def arrivals(self, timeout_s: float) -> list[Arrival]:
        """Wait for the first arrival, or to be woken, or that long; return all that came back until a moment later.

        Whatever a line raised, which none should, is raised here.
        """
        came: list[Future[Arrival] | None] = []
        with suppress(queue.Empty):
            came.append(self._back.get(timeout=timeout_s))
            until = time.monotonic() + GATHER_S
            while self.under_way > len(came):
                came.append(self._back.get(timeout=max(0.0, until - time.monotonic())))
        arrivals = [one.result() for one in came if one is not None]
        self._busy.subtract(one.departure.account.id for one in arrivals)
        return arrivals

    def close(self) -> None:
        """End the threads. Whatever is under way comes back first."""
        for pool in self._pools.values():
            pool.shutdown(wait=True)


def has_line(free: Counter[AccountId], account: Account) -> bool:
    """Take one of the free lines of an account; False where there is none."""
    if free[account.id] <= 0:
        return False
    free[account.id] -= 1
    return True
