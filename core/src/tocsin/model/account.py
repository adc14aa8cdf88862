"""A vendor account as the configuration describes it, and what a vendor or account can carry."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from tocsin.model.hours import Hours
from tocsin.model.ids import AccountId
from tocsin.model.phone import E164
from tocsin.model.secret import Secret
from tocsin.model.segments import SegmentRule

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.wire.http import Exchange

_SIGNATURE = re.compile(r"【[^【】]+】")


@attrs.frozen
class Rate:
    """At most `count` in `window_s` seconds."""

    count: int
    window_s: int


@attrs.frozen(kw_only=True)
class Limits:
    """What an account may do. Windows are enforced by the routing engine; `max_recipients` by coalescing.

    Args:
        max_recipients: numbers in one submit.
        submits: submits per window, any of them binding.
        per_recipient: messages to one number per window.
        limit_scope: whether `per_recipient` counts by number or by account.
        spend_per_day: most money that may leave through the account in any 24 hours; None for no cap.
    """

    max_recipients: int = attrs.field(default=500, validator=attrs.validators.ge(1))
    submits: tuple[Rate, ...] = ()
    per_recipient: tuple[Rate, ...] = ()
    limit_scope: str = attrs.field(default="number", validator=attrs.validators.in_(("number", "account")))
    spend_per_day: Decimal | None = None


@attrs.frozen(kw_only=True)
class Polling:
    """Seconds between polls by the worker; 0 for never."""

    reports_s: float = 5.0
    inbound_s: float = 5.0
    balance_s: float = 60.0


@attrs.frozen(kw_only=True)
class PushAccess:
    """Who may push reports and inbound messages for an account."""

    token: Secret | None = None
    allow: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Drill:
    """A fire drill: one real message to a number of one's own, now and then, to see that the account delivers.

    Args:
        to: a number of one's own.
        every: how often.
        text: what it says.
    """

    to: E164
    every: timedelta = timedelta(days=1)
    text: str = attrs.field(default="fire drill", repr=False)


@attrs.frozen(kw_only=True)
class Capabilities:
    """What can be carried. A plugin declares it for the vendor and narrows it for an account's settings.

    Args:
        max_recipients: numbers that one submit may hold.
        interfaces: names for the account's `interface` setting, the default first.
        personalised: recipients of one submit may get different texts.
        scheduling: the vendor can send later by itself.
        extension_digits: longest extension number; 0 where none can be given.
        mms: attachments.
        encrypted: the submit's content is encrypted by the vendor's own method.
        signature_required: the vendor refuses a text that does not end in a signature.
        min_recipients: numbers that one submit must hold.
        balance_every_s: least seconds between two balance queries; the core keeps them, across processes.
        segments: how the vendor counts the segments of a text, signature included.
    """

    max_recipients: int
    interfaces: tuple[str, ...]
    personalised: bool = False
    scheduling: bool = False
    extension_digits: int = 0
    mms: bool = False
    encrypted: bool = False
    signature_required: bool = False
    min_recipients: int = 1
    balance_every_s: float = 0.0
    segments: SegmentRule = attrs.field(factory=SegmentRule)


def _signature(_: object, __: object, value: str) -> None:
    if value and not _SIGNATURE.fullmatch(value):
        raise ValueError("expected a signature such as 【Example】")


@attrs.frozen(kw_only=True)
class Account:
    """One account with one vendor.

    Args:
        id: its name in the configuration.
        vendor: the plugin that serves it.
        base_url: scheme, host and port of every request, without a trailing slash.
        settings: the vendor's own settings, an instance of `Vendor.settings`.
        signature: appended where a text has none; empty for none.
        price: money for one segment; None where nobody said.
        balance_floor: with less than this left, the account takes nothing more; None for no floor.
        shared: other software sends through the same account, so an unmatched report settles no doubt.
        hours: when the account may be used; None for always.
        drill: of which a worker takes care; None for none.
    """

    id: AccountId
    vendor: str
    base_url: str
    settings: object
    signature: str = attrs.field(default="", validator=_signature)
    price: Decimal | None = None
    limits: Limits = attrs.field(factory=Limits)
    poll: Polling = attrs.field(factory=Polling)
    balance_floor: Decimal | None = None
    shared: bool = False
    hours: Hours | None = None
    push: PushAccess = attrs.field(factory=PushAccess)
    drill: Drill | None = None


@attrs.frozen(kw_only=True)
class Argument:
    """One argument of an operation.

    Args:
        name: as in `name=value` on the command line.
        title: one line for the help.
        secret: asked for without echo where it is not given, and never shown.
    """

    name: str
    title: str
    secret: bool = False


MakeExchange = Callable[["Account", Mapping[str, str], "datetime"], "Exchange[object]"]


@attrs.frozen(kw_only=True)
class Operation:
    """An extra operation of a vendor, run by `tocsin call ACCOUNT NAME key=value`.

    Args:
        title: one line for the help.
        arguments: all of them required.
        exchange: makes the exchange from account, arguments and time. Its result is `Refused`, or plain JSON values
            (texts, numbers, booleans, tuples, mappings). Raises ValueError, with words for the user, for an argument
            that cannot be.
        settle: makes the exchange that finds out what became of the operation when its own answer was lost; None
            where nothing can be found out. Its result is like that of `exchange`.
    """

    title: str
    arguments: tuple[Argument, ...] = ()
    exchange: MakeExchange
    settle: MakeExchange | None = None


@attrs.frozen(kw_only=True)
class Vendor:
    """What `describe_vendor` returns.

    Args:
        name: as in `vendor = "…"` and in the entry point.
        title: for people.
        settings: attrs class of the vendor's own account fields.
        base_url: default of every account; None where each account must give one.
        capabilities: what the vendor can do at best.
        limits: defaults for every account.
        operations: extra operations by name.
        documentation: where the vendor's document is described.
    """

    name: str
    title: str
    settings: type
    base_url: str | None
    capabilities: Capabilities
    limits: Limits = attrs.field(factory=Limits)
    operations: Mapping[str, Operation] = attrs.field(factory=dict)
    documentation: str = ""
