"""Asks the store when Prometheus asks, through a connection of its own, so that no acceptance waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tocsin import __version__
from tocsin.clock import Clock
from tocsin.delivery.fleet import Fleet
from tocsin.errors import StoreError
from tocsin.gateway.families import Seen, families, gauge, one_gauge
from tocsin.gateway.health import Canary
from tocsin.model.account import Account
from tocsin.model.ids import AccountId
from tocsin.model.quality import FULL
from tocsin.outbox.health import Health
from tocsin.outbox.ports import Store
from tocsin.outbox.role import is_taken
from tocsin.outbox.spending import DAY


class StoreCollector(Collector):
    """Asks the store at each scrape.

    Args:
        open_store: opens a connection to look through; called at the first scrape.
        fleet: the configured accounts and limits.
        clock: tells the time.
        canary: says whether the gateway's own connection can commit.
        path: of the store, beside which the worker's role is locked.
    """

    def __init__(self, open_store: Callable[[], Store], fleet: Fleet, clock: Clock, canary: Canary, path: Path) -> None:
        self._open_store = open_store
        self._store: Store | None = None
        self._turn = threading.Lock()
        self._fleet = fleet
        self._clock = clock
        self._canary = canary
        self._path = path

    def collect(self) -> Iterator[Metric]:
        """Yield every family; where the store cannot be read, that alone."""
        began = time.perf_counter()
        yield gauge("tocsin_build_info", "The version that runs; always 1.", ("version",), [((__version__,), 1)])
        yield one_gauge("tocsin_worker_running", "1 while a process holds the worker's role.", is_taken(self._path))
        ready = self._canary.trouble() is None
        yield one_gauge("tocsin_store_ready", "1 while the store takes what is accepted: a commit has shown it.", ready)
        seen = self._try_to_look()
        yield one_gauge("tocsin_store_readable", "1 where the store could be read for this scrape.", seen is not None)
        if seen is not None:
            yield from families(seen, self._fleet.limits.spend_per_day)
        yield one_gauge("tocsin_scrape_seconds", "Time that reading the store took.", time.perf_counter() - began)

    def _try_to_look(self) -> Seen | None:
        try:
            with self._turn:
                return self._look()
        except StoreError:
            return None

    def _look(self) -> Seen:
        if self._store is None:
            self._store = self._open_store()
        store, book, now = self._store, self._store.accounts, self._clock.now()
        accounts = self._fleet.accounts
        weakest: dict[AccountId, int] = {}
        for (name, _), weight in book.weights().items():
            weakest[name] = min(weight.points, weakest.get(name, FULL))
        return Seen(
            now=now,
            accounts=accounts,
            gauges=store.gauges(),
            health={name: Health(account=name) for name in accounts} | dict(book.health()),
            polls=tuple(one for one in store.listenings() if _is_polled(accounts.get(one.account), one.kind)),
            spent={name: book.spent(name, now - DAY) for name in accounts},
            weakest=weakest,
        )


def _is_polled(account: Account | None, kind: str) -> bool:
    """Say whether somebody listens at all: what is not polled is not deaf."""
    if account is None:
        return False
    every_s = {"reports": account.poll.reports_s, "inbound": account.poll.inbound_s, "balance": account.poll.balance_s}
    return every_s.get(kind, 0) > 0
