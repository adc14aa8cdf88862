"""Reads what is used up, and says when one more may be: for the policy before it decides, and for the debit itself.

Both ask the same questions of the same rows, so that what the policy thinks free is free, unless somebody was quicker.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from tocsin.model.account import Rate
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.phone import Msisdn
from tocsin.outbox.books import Books
from tocsin.outbox.spending import (
    DAY,
    RESEND_WINDOW,
    RETRY_WINDOW,
    Bounds,
    Budgets,
    Sent,
    free_at,
    latest,
)

SHORT_S = 60

LOOK_AGAIN = timedelta(seconds=60)
"""When to ask again for money or a retry: nobody can say when enough of them has left its window."""


class Meter:
    """The books at one moment.

    Args:
        books: where it is written.
        now: aware time.
    """

    def __init__(self, books: Books, now: datetime) -> None:
        self._books = books
        self._now = now
        self._spendings: dict[AccountId | None, Decimal] = {}

    def submits_free_at(self, account: AccountId, rates: Iterable[Rate]) -> datetime | None:
        """Return when the account may submit once more; None for now."""
        return latest(*(self._submit_free_at(account, rate) for rate in rates))

    def submits_room(self, account: AccountId, rates: Iterable[Rate]) -> int | None:
        """Return how many more requests the account may submit now, as far as its short windows say; None for any.

        A window that is longer than a minute is left to the debit: to count it each time would cost more than it saves.
        """
        short = [rate for rate in rates if rate.window_s <= SHORT_S]
        return min((max(0, rate.count - self._submits(account, rate)) for rate in short), default=None)

    def money_free_at(self, account: AccountId, cost: Decimal, bounds: Bounds) -> datetime | None:
        """Return when to ask again whether the caps leave room for that much more; None where they do."""
        caps = ((account, bounds.account_cap), (None, bounds.fleet_cap))
        over = any(cap is not None and self._spent(whose) + cost > cap for whose, cap in caps)
        return self._now + LOOK_AGAIN if over and cost else None

    def retry_free_at(self, account: AccountId, budgets: Budgets) -> datetime | None:
        """Return when to ask again whether the account may be retried; None where it may."""
        firsts, retries = self._books.count_retries(account, self._now - RETRY_WINDOW)
        return None if retries < budgets.retries_allowed(firsts) else self._now + RETRY_WINDOW / 6

    def may_resend(self, cls: MessageClass, budgets: Budgets) -> bool:
        """Say whether the duplicate budget of a class leaves one more copy out of doubt."""
        requests, resends = self._books.count_resends(cls, self._now - RESEND_WINDOW)
        return resends < budgets.resends_allowed(requests)

    def sent_to(self, numbers: Iterable[Msisdn], bounds: Iterable[Bounds]) -> tuple[Sent, ...]:
        """Return what counts towards the limits of these numbers, the newest first."""
        windows = [rate.window_s for one in bounds for rate in (*one.per_recipient, *one.overall)]
        if not windows:
            return ()
        return self._books.sent_to(numbers, self._now - timedelta(seconds=max(windows)))

    def account_free_at(self, account: AccountId, bounds: Bounds) -> datetime | None:
        """Return when the account may send one more message to anybody, where its limit counts them all together."""
        times = self._messages(account, bounds)
        return latest(*(free_at(times, rate, self._now) for rate in bounds.per_recipient)) if times else None

    def room(self, account: AccountId, bounds: Bounds) -> int | None:
        """Return how many more messages the account may send now, counted so; None for any number."""
        if not bounds.by_account:
            return None
        times = self._messages(account, bounds)
        return min(
            (max(0, rate.count - _within(times, rate, self._now)) for rate in bounds.per_recipient), default=None
        )

    def recipient_free_at(
        self, account: AccountId, to: Msisdn, cls: MessageClass, bounds: Bounds, sent: Iterable[Sent]
    ) -> datetime | None:
        """Return when one number may get one more message; None for now.

        Args:
            account: through which.
            to: the number.
            cls: of the message.
            bounds: to keep to.
            sent: as `sent_to` returned it.
        """
        received = [one for one in sent if one.to == to]
        own = [] if bounds.by_account else [one.at for one in received if one.account == account]
        critical = cls is MessageClass.CRITICAL
        together = [one.at for one in received if (one.cls is MessageClass.CRITICAL) == critical]
        return latest(
            *(free_at(own, rate, self._now) for rate in bounds.per_recipient),
            *(free_at(together, rate, self._now) for rate in bounds.overall),
        )

    def _submits(self, account: AccountId, rate: Rate) -> int:
        return self._books.count_submits(account, self._now - timedelta(seconds=rate.window_s))

    def _submit_free_at(self, account: AccountId, rate: Rate) -> datetime | None:
        newest = self._books.nth_submit_at(account, rate.count)
        return None if newest is None else free_at((newest,), Rate(1, rate.window_s), self._now)

    def _messages(self, account: AccountId, bounds: Bounds) -> tuple[datetime, ...]:
        if not bounds.by_account or not bounds.per_recipient:
            return ()
        longest_s = max(rate.window_s for rate in bounds.per_recipient)
        return self._books.messages_since(account, self._now - timedelta(seconds=longest_s))

    def _spent(self, account: AccountId | None) -> Decimal:
        if account not in self._spendings:
            self._spendings[account] = self._books.spent(account, self._now - DAY)[1]
        return self._spendings[account]


def _within(times: Iterable[datetime], rate: Rate, now: datetime) -> int:
    since = now - timedelta(seconds=rate.window_s)
    return sum(since < moment for moment in times)
