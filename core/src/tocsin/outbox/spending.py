"""What requests have used up of limits, budgets and money, and what one more may use. Values and arithmetic; pure.

A request is debited in the transaction that writes its INTENT, and so before its first byte. What it proves not to have
sent, or is refused, is given back; what nobody knows about is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import attrs

from tocsin.model.account import Rate
from tocsin.model.ids import AccountId, SubmitId
from tocsin.model.message import MessageClass
from tocsin.model.phone import Msisdn
from tocsin.outbox.record import Intent

DAY = timedelta(days=1)
"""The window of a money cap: any 24 hours, and so any calendar day in any time zone."""

RETRY_WINDOW = timedelta(seconds=60)
RETRY_SHARE = 0.10
RETRY_FLOOR = 60
"""One a second, over its window. source: delivery.md, retry budget"""

RESEND_WINDOW = timedelta(hours=1)
RESEND_SHARE = 0.01
RESEND_FLOOR = 20
"""source: delivery.md, duplicate budget"""


@attrs.frozen(kw_only=True)
class Spending:
    """What one vendor request uses up.

    Args:
        at: of its INTENT.
        cls: of its messages: a request holds no two classes.
        retries: its account had its turn with them before, and is asked again.
        resends: nobody knows about the request before it, and it may ring a phone twice.
        messages: how many of it are not given back.
        cost: of those.
    """

    submit: SubmitId
    account: AccountId
    at: datetime
    cls: MessageClass
    retries: bool = False
    resends: bool = False
    messages: int
    cost: Decimal = Decimal(0)

    def less(self, cost: Decimal) -> Spending:
        """Return it with one message given back."""
        return attrs.evolve(self, messages=self.messages - 1, cost=self.cost - cost)


@attrs.frozen(kw_only=True)
class Sent:
    """One message to one number that counts towards its limits."""

    to: Msisdn
    account: AccountId
    cls: MessageClass
    at: datetime


@attrs.frozen(kw_only=True)
class Budgets:
    """What may be sent although it was sent before: a share of all requests, and as many as that in any case.

    Args:
        retries: of one account in `RETRY_WINDOW`.
        resends: of one class in `RESEND_WINDOW`.
    """

    retries: int = RETRY_FLOOR
    resends: int = RESEND_FLOOR

    def retries_allowed(self, firsts: int) -> int:
        """Return how many retries an account may have in its window beside so many first requests."""
        return max(self.retries, int(firsts * RETRY_SHARE))

    def resends_allowed(self, requests: int) -> int:
        """Return how many requests of a class may be copies out of doubt, of so many in its window."""
        return max(self.resends, int(requests * RESEND_SHARE))


@attrs.frozen(kw_only=True)
class Bounds:
    """What a request has to keep to.

    Args:
        submits: requests of its account per window.
        per_recipient: messages of its account to one number per window; to all numbers together, `by_account`.
        overall: messages to one number per window through all accounts, of the classes that count with it.
        account_cap, fleet_cap: most money in any 24 hours, through its account and in all.
        resends_freely: its class is not held to the duplicate budget.
        budgets: of retries and of copies out of doubt.
        spares_opted_out: who wants no more messages gets none: its class is not exempt.
    """

    submits: tuple[Rate, ...] = ()
    per_recipient: tuple[Rate, ...] = ()
    by_account: bool = False
    overall: tuple[Rate, ...] = ()
    account_cap: Decimal | None = None
    fleet_cap: Decimal | None = None
    resends_freely: bool = True
    budgets: Budgets = attrs.field(factory=Budgets)
    spares_opted_out: bool = False


@attrs.frozen(kw_only=True)
class Request:
    """Deliveries that would leave in one vendor request.

    Args:
        insists: it goes although its account's breaker is open: its class cannot wait, and nobody else is there.
    """

    account: AccountId
    cls: MessageClass
    intents: tuple[Intent, ...]
    bounds: Bounds = attrs.field(factory=Bounds)
    insists: bool = False


def free_at(times: Sequence[datetime], rate: Rate, now: datetime) -> datetime | None:
    """Return when one more is allowed by a rate; None for now.

    Args:
        times: of those that count, the newest first; older ones than the window may be left out.
        rate: the most of them in any window.
        now: aware time.
    """
    if len(times) < rate.count:
        return None
    leaves_at = times[rate.count - 1] + timedelta(seconds=rate.window_s)
    return leaves_at if leaves_at > now else None


def latest(*moments: datetime | None) -> datetime | None:
    """Return the latest of those that there are: when the last of several bars is gone."""
    return max((moment for moment in moments if moment is not None), default=None)
