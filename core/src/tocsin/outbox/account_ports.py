"""What the rest of the house asks a store about accounts. Small Protocols; `AccountBook` is all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from tocsin.model.balance import Balance
from tocsin.model.ids import AccountId
from tocsin.model.optout import OptedOut
from tocsin.model.phone import Msisdn
from tocsin.model.quality import Change, Cohort, Weight
from tocsin.outbox.health import Health


class Faring(Protocol):
    """How accounts fare."""

    def health(self) -> Mapping[AccountId, Health]:
        """Return what is known; accounts of which nothing is known are absent."""
        ...

    def hear_balance(self, account: AccountId, balance: Balance, floor: Decimal | None, now: datetime) -> None:
        """Keep a balance. One above the floor lifts DRAINED."""
        ...

    def disable(self, account: AccountId, now: datetime) -> None:
        """Let nothing through the account until `resume`."""
        ...

    def resume(self, account: AccountId, now: datetime) -> None:
        """Lift every state of the account: breaker, sticky, disabled."""
        ...

    def spent(self, account: AccountId | None, since: datetime) -> tuple[int, Decimal]:
        """Return the messages and the money that went out after that time, through one account or all."""
        ...


class Delivering(Protocol):
    """How well accounts deliver."""

    def weights(self) -> Mapping[tuple[AccountId, str], Weight]:
        """Return every weight that was ever changed, by account and carrier prefix."""
        ...

    def cohorts(self, since: datetime, until: datetime, patience: timedelta) -> tuple[Cohort, ...]:
        """Count what was accepted between the times, and what of it was not delivered within `patience`."""
        ...

    def delays(self, account: AccountId, since: datetime) -> tuple[timedelta, ...]:
        """Return how long each delivery took that was accepted after that time."""
        ...

    def save_changes(self, changes: tuple[Change, ...]) -> None:
        """Set weights, and keep each change with its reason."""
        ...

    def changes(self, limit: int) -> tuple[Change, ...]:
        """Return the newest changes, the newest first."""
        ...


class Proving(Protocol):
    """Which accounts are known to deliver."""

    def proved(self, since: datetime) -> Mapping[AccountId, datetime]:
        """Return when each account last delivered, of what was accepted after that time.

        Where a report has no time of its own, the time of the acceptance stands for it.
        """
        ...


class OptingOut(Protocol):
    """Who wants no more messages."""

    def opted_out(self, numbers: Iterable[Msisdn]) -> Mapping[Msisdn, OptedOut]:
        """Return those of the numbers that want no more."""
        ...

    def all_opted_out(self) -> tuple[OptedOut, ...]:
        """Return everybody, the newest first."""
        ...

    def opt_out(self, one: OptedOut) -> None:
        """Send a number no more."""
        ...

    def opt_in(self, number: Msisdn) -> bool:
        """Send a number again; say whether it was left out."""
        ...


class AccountBook(Faring, Delivering, Proving, OptingOut, Protocol):
    """All that is known of accounts."""
