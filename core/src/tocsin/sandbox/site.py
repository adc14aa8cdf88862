"""What a vendor's own sandbox is written against: it reads a request into a `Call`; the shared part does the rest.

A site (entry point group `tocsin.sandboxes`, a class named `Sandbox`) knows its vendor's grammar and rules. It knows
neither sockets nor faults nor the ledger. The owner holds one lock around everything that touches a site or its desk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sized
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

import attrs

from tocsin.sandbox.carrier import Carrier
from tocsin.sandbox.fault import Operation
from tocsin.sandbox.http import Answer, Request
from tocsin.sandbox.ledger import Ledger


def _size(value: Sized) -> str:
    return f"<{len(value)}>"


def _texts(values: Iterable[str]) -> frozenset[str]:
    texts = frozenset(values)
    if isinstance(values, str) or not all(isinstance(text, str) for text in texts):
        raise TypeError("expected a list of texts")
    return texts


def _amount(value: Decimal | str | float) -> Decimal:
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        raise ValueError("expected an amount such as 99.90") from None
    if not amount.is_finite():
        raise ValueError("expected an amount such as 99.90")
    return amount


@attrs.frozen(kw_only=True)
class Terms:
    """What the vendor has agreed with the account. Replaced as a whole, never changed in place.

    Args:
        balance: what is left, in the vendor's unit.
        price: of one segment to one number, in the same unit.
        postpaid: the balance may fall below zero.
        keywords: words that no text may hold.
        blocked: numbers on the vendor's blacklist.
        extensions: whether the account may give an extension number.
        limited: whether the vendor's limits for one number are enforced.
    """

    balance: Decimal = attrs.field(default=Decimal(1000), converter=_amount)
    price: Decimal = attrs.field(default=Decimal("0.10"), converter=_amount)
    postpaid: bool = attrs.field(default=False, validator=attrs.validators.instance_of(bool))
    keywords: frozenset[str] = attrs.field(default=frozenset(), converter=_texts)
    blocked: frozenset[str] = attrs.field(default=frozenset(), converter=_texts, repr=_size)
    extensions: bool = attrs.field(default=True, validator=attrs.validators.instance_of(bool))
    limited: bool = attrs.field(default=False, validator=attrs.validators.instance_of(bool))


@attrs.frozen(kw_only=True)
class Draft:
    """A submit as the site read it, whether it will be taken or not."""

    numbers: tuple[str, ...] = attrs.field(repr=_size)
    text: str = attrs.field(repr=_size)
    extension: str = ""


@attrs.frozen(kw_only=True)
class Reply:
    """What the vendor answers, and what it did.

    Args:
        accepted: a submit was taken.
        vendor_id: the id given to it.
        code: the vendor's code of a refusal.
    """

    answer: Answer
    accepted: bool = False
    vendor_id: str = ""
    code: str = ""


@attrs.frozen(kw_only=True)
class Call:
    """A request as the site understands it; nothing has happened yet.

    Args:
        name: the vendor's name of the method or page.
        draft: present for submits alone.
        perform: acts and answers, in the odd shape of that name; empty for the usual one.
        refuse: answers with that code of the vendor's, and does nothing.
    """

    operation: Operation
    name: str
    perform: Callable[[str], Reply]
    refuse: Callable[[str], Reply]
    draft: Draft | None = None

    @classmethod
    def answered(cls, answer: Answer, name: str = "") -> Call:
        """Return a call that the web server answers before the vendor's code is reached."""
        reply = Reply(answer=answer)
        return cls(operation=Operation.OTHER, name=name, perform=lambda _: reply, refuse=lambda _: reply)


class Site(Protocol):
    """One vendor's side. Its class takes the desk as its only argument."""

    vendor: str
    account_settings: Mapping[str, str]
    """The vendor's own fields that an account needs to talk to it."""
    terms: Terms
    """At the start, and after a reset."""
    shapes: Mapping[str, Operation]
    """Odd forms of answers that the vendor's document shows, and the operation that each belongs to."""

    def read(self, request: Request, /) -> Call:
        """Understand a request. Nothing happens before the call is performed."""
        ...


class Desk:
    """What a site works with: terms, carrier, ledger, clock. Not thread-safe but for the ledger."""

    def __init__(self) -> None:
        self.terms = Terms()
        self.carrier = Carrier()
        self.ledger = Ledger()

    def now(self) -> datetime:
        """Return the time: aware, UTC."""
        return datetime.now(UTC)

    def charge(self, draft: Draft) -> bool:
        """Take the price of a submit; False, and nothing taken, where the balance does not allow it."""
        terms = self.terms
        balance = terms.balance - terms.price * count_segments(draft.text) * len(draft.numbers)
        if balance < 0 and not terms.postpaid:
            return False
        self.terms = attrs.evolve(terms, balance=balance)
        return True

    def received_by(self, number: str, within: timedelta) -> int:
        """Count what a phone received lately."""
        since = self.now() - within
        return sum(entry.number == number and entry.at >= since for entry in self.ledger.received)


class Serial:
    """Ids that rise and are never given twice, not even by the next run."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, floor: int) -> str:
        """Return an id above the last one, at least `floor`, which the caller derives from the time."""
        self._last = max(self._last + 1, floor)
        return str(self._last)


def count_segments(text: str) -> int:
    """Count what a text is billed as: 70 characters, or 67 in each part of a longer one."""
    return 1 if len(text) <= 70 else -(-len(text) // 67)
