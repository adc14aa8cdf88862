"""Looks after the accounts, once a minute: their weights, their balances, and whether they are known to deliver.

The worker calls it, and so does the simulator. It decides nothing itself: `tocsin.policy.quality`,
`tocsin.policy.balance` and `tocsin.policy.drill` do.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tocsin import observe
from tocsin.delivery.drill import Drills
from tocsin.delivery.parts import Parts
from tocsin.model.account import Account
from tocsin.model.balance import Balance
from tocsin.model.ids import AccountId
from tocsin.outbox.spending import DAY
from tocsin.policy.balance import LOW_DAYS, days_left, is_below_floor, is_fresh
from tocsin.policy.drill import lasting, unproved
from tocsin.policy.quality import LATE_AFTER, OLDEST, YOUNGEST, reassess

EVERY_S = 60.0
"""How often it is worth while to look."""

_WARN_AGAIN = timedelta(hours=1)
_HEARD = timedelta(seconds=60)
"""Silence counts only where reports were heard this lately, or within three polls."""


class Watch:
    """The watch over one fleet.

    Args:
        parts: what delivery works with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._looked_at: float | None = None
        self._warned: dict[tuple[AccountId, str], datetime] = {}
        self._drills = Drills(parts)
        self._began = parts.clock.now()

    def keep(self) -> None:
        """Look, if the last look was long enough ago."""
        now_s = self._parts.clock.monotonic()
        if self._looked_at is None or now_s - self._looked_at >= EVERY_S:
            self._looked_at = now_s
            self.look(self._parts.clock.now())

    def look(self, now: datetime) -> None:
        """Look once."""
        self._weigh(now)
        self._count_money(now)
        self._prove(now)

    def _weigh(self, now: datetime) -> None:
        """Move the weights of accounts that deliver badly, or well again. Each change is stored with its reason."""
        book, heard = self._parts.store.accounts, self._heard(now)
        cohorts = [one for one in book.cohorts(now - OLDEST, now - YOUNGEST, LATE_AFTER) if one.account in heard]
        changes = reassess(book.weights(), cohorts, now)
        if not changes:
            return
        book.save_changes(changes)
        for one in changes:
            observe.log.warning(observe.QUALITY_MOVED, account=one.account, reason=one.reason)

    def _heard(self, now: datetime) -> frozenset[AccountId]:
        """Return the accounts whose silence would mean something: we have been listening."""
        accounts = self._parts.fleet.accounts
        notes = [one for one in self._parts.store.listenings() if one.kind == "reports" and one.account in accounts]
        paces = {one.account: timedelta(seconds=3 * accounts[one.account].poll.reports_s) for one in notes}
        return frozenset(
            one.account
            for one in notes
            if one.heard_at is not None and now - one.heard_at <= max(_HEARD, paces[one.account])
        )

    def _count_money(self, now: datetime) -> None:
        health = self._parts.store.accounts.health()
        for account in self._parts.fleet.accounts.values():
            balance = health[account.id].balance if account.id in health else None
            if balance is not None and is_fresh(account, balance, now):
                self._warn_of(account, balance, now)

    def _warn_of(self, account: Account, balance: Balance, now: datetime) -> None:
        if is_below_floor(account, balance):
            self._warn(account.id, "balance-below-floor", now)
            return
        left = days_left(account, balance, *self._parts.store.accounts.spent(account.id, now - DAY))
        if left is not None and left < LOW_DAYS:
            self._warn(account.id, "balance-runs-dry", now)

    def _prove(self, now: datetime) -> None:
        """Hold the fire drills that are due, and warn of accounts that have not delivered for too long."""
        self._drills.hold(now)
        drills = {one.id: one.drill for one in self._parts.fleet.accounts.values() if one.drill is not None}
        if not drills:
            return
        proved = self._parts.store.accounts.proved(now - max(map(lasting, drills.values())))
        for account in unproved(drills, proved, self._began, now):
            self._warn(account, "unproved", now)

    def _warn(self, account: AccountId, reason: str, now: datetime) -> None:
        """Raise an alarm, not more than once an hour."""
        warned_at = self._warned.get((account, reason))
        if warned_at is None or now - warned_at >= _WARN_AGAIN:
            self._warned[account, reason] = now
            observe.log.warning(observe.ALARM, reason=reason, account=account)
