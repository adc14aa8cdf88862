"""What the policy may decide of a delivery, as values. Each says why, and is stored with its judgements."""

from __future__ import annotations

from datetime import datetime

import attrs

from tocsin.model.ids import AccountId
from tocsin.outbox.record import Trigger
from tocsin.policy.judge import Judgement


@attrs.frozen(kw_only=True)
class Submit:
    """Submit through this account now.

    Args:
        trigger: what it follows from.
        copy: which copy of the delivery it is, counted from 1.
        max_copies: how many there may be.
        at_most: most recipients that may leave with it in one request; None for what account and class allow.
        insists: although the account's breaker is open: it cannot wait, and nobody else is there.
    """

    account: AccountId
    why: str
    judgements: tuple[Judgement, ...]
    trigger: Trigger
    copy: int = 1
    max_copies: int = 1
    at_most: int | None = None
    insists: bool = False


@attrs.frozen(kw_only=True)
class GiveUp:
    """Nothing more can be done, and no phone will ring: the delivery has failed."""

    why: str
    judgements: tuple[Judgement, ...] = ()


@attrs.frozen(kw_only=True)
class Undelivered:
    """A report says that it did not arrive, and nothing more is done about it."""

    why: str
    judgements: tuple[Judgement, ...] = ()


@attrs.frozen(kw_only=True)
class Park:
    """A copy may exist and the policy sends no other: the delivery waits, visibly, for evidence or an operator."""

    why: str
    judgements: tuple[Judgement, ...] = ()


@attrs.frozen(kw_only=True)
class AwaitReport:
    """A vendor has taken a copy, and nothing better can be done: its report will tell.

    Args:
        until: when to ask again.
        overdue: its report did not come in time.
    """

    why: str
    until: datetime
    overdue: bool = False
    judgements: tuple[Judgement, ...] = ()


@attrs.frozen(kw_only=True)
class Wait:
    """Evidence may still come: ask again at that time."""

    until: datetime
    why: str


@attrs.frozen(kw_only=True)
class Later:
    """Nobody can take it just now; somebody may at that time."""

    until: datetime
    why: str
    judgements: tuple[Judgement, ...] = ()


@attrs.frozen(kw_only=True)
class Expire:
    """Its time is over."""

    why: str = "it expired before it could be sent"


@attrs.frozen(kw_only=True)
class CloseWindow:
    """The vendor took it, and the time in which a report may come is over: nobody will ever know."""

    why: str = "no report came within 72 hours"


Stop = GiveUp | Undelivered | Park | AwaitReport | CloseWindow | Expire
"""What is decided where no submit follows, now or later."""

Decision = Submit | Wait | Later | Stop
