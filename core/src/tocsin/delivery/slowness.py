"""How long deliveries take, account by account, as reports show. Read now and then, kept in between."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from tocsin.model.ids import AccountId
from tocsin.outbox.ports import Store
from tocsin.policy.quality import p95

LOOKS_BACK = timedelta(hours=1)
KEPT = timedelta(seconds=60)


class Slowness:
    """What 95 of 100 deliveries of an account took less than, in the last hour.

    Args:
        store: where reports are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[AccountId, tuple[datetime, timedelta | None]] = {}

    def of(self, accounts: Iterable[AccountId], now: datetime) -> dict[AccountId, timedelta]:
        """Return it for each of the accounts that has enough evidence."""
        found = {account: self._one(account, now) for account in sorted(accounts)}
        return {account: slowness for account, slowness in found.items() if slowness is not None}

    def _one(self, account: AccountId, now: datetime) -> timedelta | None:
        read_at, slowness = self._known.get(account, (None, None))
        if read_at is None or not read_at <= now < read_at + KEPT:
            slowness = p95(self._store.accounts.delays(account, now - LOOKS_BACK))
            self._known[account] = (now, slowness)
        return slowness
