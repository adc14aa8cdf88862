"""What the store knows of accounts: how they fare, what they have left, how well they deliver; who wants no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from tocsin.model.balance import Balance
from tocsin.model.ids import AccountId
from tocsin.model.optout import OptedOut
from tocsin.model.phone import Msisdn
from tocsin.model.quality import Change, Cohort, Weight
from tocsin.outbox.breaker import disable, hear, mode, observe, resume
from tocsin.outbox.health import Health, Sample
from tocsin.outbox.rows import Rows


class Accounts:
    """The accounts' half of the outbox, over the same rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def observe(self, samples: Iterable[Sample]) -> tuple[Health, ...]:
        """Let each request's outcome have its say, within the transaction that settles it (T4).

        Returns:
            The accounts that stand otherwise than before.
        """
        known, changed = self._rows.books.health(), {}
        for one in samples:
            before = known.get(one.account, Health(account=one.account))
            after = observe(before, one)
            if one.balance is not None:
                after = hear(after, one.balance, one.floor, one.at)
            known[one.account] = after
            self._rows.books.save_health(after)
            if mode(after, one.at) is not mode(before, one.at):
                changed[one.account] = after
        return tuple(changed.values())

    def health(self) -> Mapping[AccountId, Health]:
        with self._rows.reading():
            return self._rows.books.health()

    def hear_balance(self, account: AccountId, balance: Balance, floor: Decimal | None, now: datetime) -> None:
        with self._rows.transaction("balance"):
            self.hear(account, balance, floor, now)

    def hear(self, account: AccountId, balance: Balance, floor: Decimal | None, now: datetime) -> None:
        """Keep a balance, within a transaction of the caller's."""
        self._rows.books.save_health(hear(self._of(account), balance, floor, now))

    def disable(self, account: AccountId, now: datetime) -> None:
        with self._rows.transaction("disable"):
            self._rows.books.save_health(disable(self._of(account), now))

    def resume(self, account: AccountId, now: datetime) -> None:
        with self._rows.transaction("resume"):
            self._rows.books.save_health(resume(self._of(account), now))

    def weights(self) -> Mapping[tuple[AccountId, str], Weight]:
        with self._rows.reading():
            return self._rows.books.weights()

    def cohorts(self, since: datetime, until: datetime, patience: timedelta) -> tuple[Cohort, ...]:
        with self._rows.reading():
            return self._rows.books.cohorts(since, until, patience)

    def delays(self, account: AccountId, since: datetime) -> tuple[timedelta, ...]:
        with self._rows.reading():
            return self._rows.books.delays(account, since)

    def proved(self, since: datetime) -> Mapping[AccountId, datetime]:
        with self._rows.reading():
            return self._rows.books.proved(since)

    def spent(self, account: AccountId | None, since: datetime) -> tuple[int, Decimal]:
        with self._rows.reading():
            return self._rows.books.spent(account, since)

    def save_changes(self, changes: tuple[Change, ...]) -> None:
        with self._rows.transaction("weights"):
            self._rows.books.save_changes(changes)

    def changes(self, limit: int) -> tuple[Change, ...]:
        with self._rows.reading():
            return self._rows.books.changes(limit)

    def opted_out(self, numbers: Iterable[Msisdn]) -> Mapping[Msisdn, OptedOut]:
        with self._rows.reading():
            return self._rows.books.opted_out(numbers)

    def all_opted_out(self) -> tuple[OptedOut, ...]:
        with self._rows.reading():
            return self._rows.books.all_opted_out()

    def opt_out(self, one: OptedOut) -> None:
        with self._rows.transaction("opt-out"):
            self._rows.books.save_opt_out(one)

    def opt_in(self, number: Msisdn) -> bool:
        with self._rows.transaction("opt-in"):
            return self._rows.books.remove_opt_out(number)

    def _of(self, account: AccountId) -> Health:
        return self._rows.books.health().get(account, Health(account=account))
