"""What is known of one account's health, and what one request says of it: values, and their plain form for a store.

They hold no rule: what a sample changes, and what may be sent, is for `tocsin.outbox.breaker` to say.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from tocsin.model.balance import Balance, Unit
from tocsin.model.ids import AccountId, SubmitId
from tocsin.model.outcome import Sticky

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Answer(enum.Enum):
    """What one request says about the vendor's health."""

    HEALTHY = "healthy"
    FAILED = "failed"
    NEUTRAL = "neutral"
    """Nothing: the account is refused or throttled, or the trouble is our own."""


@attrs.frozen(kw_only=True)
class Sample:
    """What one vendor request came to.

    Args:
        account: whose health it is about.
        at: when the outcome was known.
        began_at: its INTENT.
        answer: what it says of the vendor's health.
        slow: the answer took longer than 5 s.
        sticky: the state that it puts the account into.
        dice: how long the breaker opens, should it open: 0 for the shortest, 1 for the longest.
        balance: that the answer carried; a free sample of it.
        floor: of the account, for `hear`.
        submit: the request; None where nobody keeps it.
    """

    account: AccountId
    at: datetime
    began_at: datetime
    answer: Answer
    slow: bool = False
    sticky: Sticky | None = None
    dice: float = attrs.field(default=0.5, validator=[attrs.validators.ge(0), attrs.validators.le(1)])
    balance: Balance | None = None
    floor: Decimal | None = None
    submit: SubmitId | None = None


@attrs.frozen
class Second:
    """What one second of the window holds. `second` counts from 1970."""

    second: int
    total: int = 0
    failed: int = 0
    slow: int = 0


@attrs.frozen(kw_only=True)
class Health:
    """The health of one account. As constructed: never heard of, so it may be used.

    Args:
        account: whose.
        window: at most 60 seconds in which requests were answered, oldest first; empty while open.
        failures: when the last failures in a row were known, at most 5; empty while open.
        opened_at: when the breaker opened, or a request failed that was let through all the same; None while closed.
        open_until: when it becomes half-open; None while closed.
        openings: consecutive openings without a closing.
        successes: requests that began after the opening and succeeded, none having failed since.
        probe_until: when the one probe frees its slot by itself; None where none is under way.
        sticky: the state that a refusal put the account into.
        sticky_until: when one request is let through to see.
        disabled: by the operator, until `resume`.
        changed_at: when the breaker opened or closed, or a sticky state or the operator's was entered or lifted.
        balance: the last that was heard.
    """

    account: AccountId
    window: tuple[Second, ...] = ()
    failures: tuple[datetime, ...] = ()
    opened_at: datetime | None = None
    open_until: datetime | None = None
    openings: int = 0
    successes: int = 0
    probe_until: datetime | None = None
    sticky: Sticky | None = None
    sticky_until: datetime | None = None
    disabled: bool = False
    changed_at: datetime | None = None
    balance: Balance | None = None

    @property
    def ejected_at(self) -> datetime | None:
        """Since when the breaker keeps the account out: of several, the longest ago is tried first; None while in."""
        return self.opened_at


def to_plain(health: Health) -> dict[str, Any]:
    """Render the health as what JSON can hold, exactly: times as microseconds since 1970, amounts as text."""
    return {
        "account": health.account,
        "window": [[one.second, one.total, one.failed, one.slow] for one in health.window],
        "failures": [_render_time(time) for time in health.failures],
        "openings": health.openings,
        "successes": health.successes,
        "sticky": health.sticky.value if health.sticky else None,
        "disabled": health.disabled,
        "balance": _render_balance(health.balance) if health.balance else None,
        **{name: _render_optional(getattr(health, name)) for name in _TIMES},
    }


def from_plain(plain: Mapping[str, Any]) -> Health:
    """Parse what `to_plain` rendered."""
    return Health(
        account=AccountId(plain["account"]),
        window=tuple(Second(*numbers) for numbers in plain["window"]),
        failures=tuple(_parse_time(number) for number in plain["failures"]),
        openings=plain["openings"],
        successes=plain["successes"],
        sticky=Sticky(plain["sticky"]) if plain["sticky"] else None,
        disabled=plain["disabled"],
        balance=_parse_balance(plain["balance"]) if plain["balance"] else None,
        **{name: _parse_optional(plain[name]) for name in _TIMES},
    )


_TIMES = ("opened_at", "open_until", "probe_until", "sticky_until", "changed_at")


def _render_time(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _parse_time(number: int) -> datetime:
    return _EPOCH + number * _MICROSECOND


def _render_optional(time: datetime | None) -> int | None:
    return None if time is None else _render_time(time)


def _parse_optional(number: int | None) -> datetime | None:
    return None if number is None else _parse_time(number)


def _render_balance(balance: Balance) -> dict[str, Any]:
    return {
        "amount": str(balance.amount),
        "unit": balance.unit.value,
        "as_of": _render_time(balance.as_of),
        "postpaid": balance.postpaid,
    }


def _parse_balance(plain: Mapping[str, Any]) -> Balance:
    return Balance(
        amount=Decimal(plain["amount"]),
        unit=Unit(plain["unit"]),
        as_of=_parse_time(plain["as_of"]),
        postpaid=plain["postpaid"],
    )
