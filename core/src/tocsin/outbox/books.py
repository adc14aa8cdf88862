"""What a store of rows keeps about accounts: what they have used up, how they fare, who wants no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from tocsin.model.ids import AccountId, SubmitId
from tocsin.model.message import MessageClass
from tocsin.model.optout import OptedOut
from tocsin.model.phone import Msisdn
from tocsin.model.quality import Change, Cohort, Weight
from tocsin.outbox.health import Health
from tocsin.outbox.spending import Sent, Spending


class SpendingRows(Protocol):
    """Debits. Those of which no message is left count nowhere but as retries: it was a request, whatever came of it."""

    def save_spending(self, spent: Iterable[Spending]) -> None:
        """Insert or replace."""
        ...

    def get_spending(self, submits: Iterable[SubmitId]) -> dict[SubmitId, Spending]:
        """Return those that exist."""
        ...

    def spent(self, account: AccountId | None, since: datetime) -> tuple[int, Decimal]:
        """Return the messages and the money that went out after that time, through one account or all."""
        ...

    def count_retries(self, account: AccountId, since: datetime) -> tuple[int, int]:
        """Count an account's requests after that time: first ones, and retries."""
        ...

    def count_resends(self, cls: MessageClass, since: datetime) -> tuple[int, int]:
        """Count a class's requests after that time: all, and those that are copies out of doubt."""
        ...


class SentRows(Protocol):
    """When so many were sent before."""

    def count_submits(self, account: AccountId, since: datetime) -> int:
        """Count the account's requests after that time."""
        ...

    def nth_submit_at(self, account: AccountId, number: int) -> datetime | None:
        """Return when the account's request left that was the newest but `number - 1`; None where there were fewer."""
        ...

    def messages_since(self, account: AccountId, since: datetime) -> tuple[datetime, ...]:
        """Return when each of the account's messages left after that time, the newest first."""
        ...

    def sent_to(self, numbers: Iterable[Msisdn], since: datetime) -> tuple[Sent, ...]:
        """Return what was sent to the numbers after that time and was not given back, the newest first."""
        ...


class HealthRows(Protocol):
    """How each account fares."""

    def health(self) -> dict[AccountId, Health]:
        """Return what is known; accounts of which nothing is known are absent."""
        ...

    def save_health(self, health: Health) -> None:
        """Insert or replace."""
        ...


class QualityRows(Protocol):
    """What reports say of each account's delivery."""

    def weights(self) -> dict[tuple[AccountId, str], Weight]:
        """Return what was ever changed, by account and carrier prefix."""
        ...

    def save_changes(self, changes: Iterable[Change]) -> None:
        """Set weights, and keep each change with its reason."""
        ...

    def changes(self, limit: int) -> tuple[Change, ...]:
        """Return the newest changes, the newest first."""
        ...

    def cohorts(self, since: datetime, until: datetime, patience: timedelta) -> tuple[Cohort, ...]:
        """Count what was accepted, with an id, between the times: by account and prefix, and how many came late.

        Late is what was not reported delivered within `patience` of its acceptance.
        """
        ...

    def delays(self, account: AccountId, since: datetime) -> tuple[timedelta, ...]:
        """Return how long after its acceptance each message was delivered that was accepted after that time."""
        ...

    def proved(self, since: datetime) -> dict[AccountId, datetime]:
        """Return when each account last delivered, of what was accepted after that time.

        Where a report has no time of its own, the time of the acceptance stands for it.
        """
        ...


class OptOutRows(Protocol):
    """Who wants no more."""

    def opted_out(self, numbers: Iterable[Msisdn]) -> Mapping[Msisdn, OptedOut]:
        """Return those of the numbers that do."""
        ...

    def all_opted_out(self) -> tuple[OptedOut, ...]:
        """Return everybody, the newest first."""
        ...

    def save_opt_out(self, one: OptedOut) -> None:
        """Insert; who is there already stays as it is."""
        ...

    def remove_opt_out(self, number: Msisdn) -> bool:
        """Let somebody be sent to again; say whether it was there."""
        ...


class TurnRows(Protocol):
    """Whose turn it is."""

    def take_turns(self, route: str, number: int) -> int:
        """Take so many turns of a route; return the first of them, counted from 0."""
        ...


class UpkeepRows(Protocol):
    """Of each account: the words that its vendor refuses, and when its balance was last asked."""

    def save_keywords(self, account: AccountId, words: tuple[str, ...], now: datetime) -> None:
        """Insert or replace."""
        ...

    def keywords(self, account: AccountId) -> tuple[str, ...]:
        """Return them; empty where there are none."""
        ...

    def balance_asked_at(self, account: AccountId) -> datetime | None:
        """Return when a turn was last taken."""
        ...

    def save_balance_asked_at(self, account: AccountId, at: datetime) -> None:
        """Insert or replace."""
        ...


class Books(SpendingRows, SentRows, HealthRows, QualityRows, UpkeepRows, OptOutRows, TurnRows, Protocol):
    """All of it."""
