"""Policy tests as values: a message, a state of the fleet, what is expected, and how what was found differs. Pure.

`tocsin.config.cases` reads them from a file, `tocsin.delivery.trial` finds what the policy says, `tocsin route --test`
tells.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

import attrs

from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.phone import E164
from tocsin.policy.judge import Judgement, Verdict


class Breaker(enum.Enum):
    """How an account's breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@attrs.frozen(kw_only=True)
class AccountState:
    """How one account stands in a case. As constructed: nothing is known of it, so it may be used.

    Args:
        drained: it was refused for want of balance.
        refused: it was refused as an account: password, address.
        disabled: an operator has taken it out of use.
        balance: that was just heard; None where none was.
        submits: requests that have just left through it, to other numbers.
        recipient: messages that the case's number has just got through it.
        spent: money that has just gone out through it.
        tried: it has refused this message before.
        quality: its points for numbers like this.
    """

    breaker: Breaker = Breaker.CLOSED
    drained: bool = False
    refused: bool = False
    disabled: bool = False
    balance: Decimal | None = None
    submits: int = 0
    recipient: int = 0
    spent: Decimal = Decimal(0)
    tried: bool = False
    quality: int | None = None


@attrs.frozen(kw_only=True)
class Expectation:
    """What a case expects. What is left out is not looked at.

    Args:
        account: through which it leaves at once.
        none: it leaves through nobody at once.
        why: words that stand in the reason, or in what is thought of an account.
        route: that takes it.
        order: of all accounts, as the strategy puts them.
        verdicts: by account.
    """

    account: AccountId | None = None
    none: bool = False
    why: str | None = None
    route: str | None = None
    order: tuple[AccountId, ...] | None = None
    verdicts: Mapping[AccountId, Verdict] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Case:
    """One case.

    Args:
        at: when the message is handed in; aware.
        opted_out: its recipient wants no more messages.
        states: of the fleet, by account; the others are as new.
    """

    name: str
    to: E164
    text: str = attrs.field(default="test", repr=False)
    cls: MessageClass = MessageClass.ALERT
    tags: Mapping[str, str] = attrs.field(factory=dict)
    source: str = "cli"
    at: datetime
    opted_out: bool = False
    states: Mapping[AccountId, AccountState] = attrs.field(factory=dict)
    expect: Expectation


@attrs.frozen(kw_only=True)
class Found:
    """What the policy said.

    Args:
        route: None where no route takes the message.
        accounts: through which it leaves at once: one at most, but for a broadcast.
        judgements: of each account, in the strategy's order.
    """

    route: str | None
    accounts: tuple[AccountId, ...] = ()
    why: str
    judgements: tuple[Judgement, ...] = ()


@attrs.frozen
class Difference:
    """One thing that is not as expected, in words."""

    what: str
    expected: str
    found: str


def differences(expect: Expectation, found: Found) -> tuple[Difference, ...]:
    """Return all that is not as expected."""
    return tuple(_differences(expect, found))


def _differences(expect: Expectation, found: Found) -> Iterator[Difference]:
    left_by = " and ".join(found.accounts) or "none"
    if expect.account is not None and expect.account not in found.accounts:
        yield Difference("account", expect.account, left_by)
    if expect.none and found.accounts:
        yield Difference("account", "none", left_by)
    if expect.route is not None and expect.route != found.route:
        yield Difference("route", expect.route, found.route or "none")
    order = tuple(one.account for one in found.judgements)
    if expect.order is not None and expect.order != order:
        yield Difference("order", ", ".join(expect.order), ", ".join(order))
    verdicts = {one.account: one.verdict.value for one in found.judgements}
    for account, verdict in expect.verdicts.items():
        if verdicts.get(account) != verdict.value:
            yield Difference(f"verdict.{account}", verdict.value, verdicts.get(account, "none"))
    if expect.why is not None and not any(expect.why in words for words in _reasons(found)):
        yield Difference("why", expect.why, "; ".join(filter(None, _reasons(found))))


def _reasons(found: Found) -> tuple[str, ...]:
    return (found.why, *(one.detail for one in found.judgements))
