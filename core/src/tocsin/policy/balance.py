"""What a balance says: whether it is known, whether it is too low, and how long it will last. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from tocsin.model.account import Account
from tocsin.model.balance import Balance, Unit

STALE = timedelta(minutes=10)
"""A balance is unknown, not zero, when it is older than this, and than three of its account's polls."""

LOW_DAYS = 3
"""With less than this left at the present rate, somebody should top up."""


def is_fresh(account: Account, balance: Balance, now: datetime) -> bool:
    """Say whether a balance is new enough to be believed."""
    return now - balance.as_of <= max(STALE, timedelta(seconds=3 * account.poll.balance_s))


def is_below_floor(account: Account, balance: Balance) -> bool:
    """Say whether an account has less left than it may. A postpaid account has no floor."""
    floor = account.balance_floor
    return floor is not None and not balance.postpaid and balance.amount < floor


def days_left(account: Account, balance: Balance, messages: int, cost: Decimal) -> Decimal | None:
    """Return how many days the balance lasts down to its floor, at the rate of the last day.

    Args:
        account: whose.
        balance: what it has.
        messages, cost: what went out through it in 24 hours.

    Returns:
        None where nothing runs out: postpaid, or nothing went out that the balance counts.
    """
    per_day = Decimal(messages) if balance.unit is Unit.MESSAGES else cost
    if balance.postpaid or per_day <= 0:
        return None
    left = balance.amount - (account.balance_floor or Decimal(0))
    return max(Decimal(0), left / per_day)
