"""What a vendor's own sandbox is written against: it reads a request into a `Call`; the shared part does the rest.

A site (entry point group `tocsin.sandboxes`, a class named `Sandbox`) knows its vendor's grammar and rules. It knows
neither sockets nor faults nor the ledger. The owner holds one lock around everything that touches a site or its desk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from datetime import UTC, datetime, timedelta
from typing import Protocol

import attrs

from tocsin.sandbox.carrier import Carrier
from tocsin.sandbox.fault import Operation
from tocsin.sandbox.http import Answer, Request
from tocsin.sandbox.ledger import Attachment, Ledger
from tocsin.sandbox.push import Pushing
from tocsin.sandbox.terms import Terms


def _size(value: Sized) -> str:
    return f"<{len(value)}>"


@attrs.frozen(kw_only=True)
class Draft:
    """A submit as the site read it, whether it will be taken or not. Fields: see `Submit`."""

    numbers: tuple[str, ...] = attrs.field(repr=_size)
    text: str = attrs.field(default="", repr=_size)
    extension: str = ""
    texts: tuple[str, ...] = attrs.field(default=(), repr=_size)
    planned: str = ""
    subject: str = attrs.field(default="", repr=_size)
    attachments: tuple[Attachment, ...] = ()

    @property
    def text_of_each(self) -> tuple[str, ...]:
        """What each number is to receive."""
        return self.texts or (self.text,) * len(self.numbers)


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

    @classmethod
    def refused(cls, render: Callable[[str], Answer], code: str) -> Reply:
        """Return a refusal with a code of the vendor's."""
        return cls(answer=render(code), code=code)


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
    terms: Terms
    """At the start, and after a reset."""
    shapes: Mapping[str, Operation]
    """Odd forms of answers that the vendor's document shows, and the operation that each belongs to."""

    pushing: Pushing

    @property
    def account_settings(self) -> Mapping[str, str]:
        """The vendor's own fields that an account needs to talk to it now."""
        ...

    def read(self, request: Request, /) -> Call:
        """Understand a request. Nothing happens before the call is performed."""
        ...


class Desk:
    """What a site works with: terms, carrier, ledger, clock. Not thread-safe but for the ledger."""

    def __init__(self) -> None:
        self.carrier = Carrier()
        self.ledger = Ledger()
        self.reset(Terms())

    def reset(self, terms: Terms) -> None:
        """Start afresh under these terms."""
        self.terms = terms
        self.carrier.clear()
        self.ledger.clear()
        self._ahead = timedelta()
        self._asked: dict[str, datetime] = {}

    def now(self) -> datetime:
        """Return the vendor's time: aware, UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Set the vendor's clock forward, or back."""
        self._ahead += by

    def is_too_soon(self, what: str, apart: timedelta) -> bool:
        """Say whether this was asked less than so long ago; else take it as asked now."""
        last = self._asked.get(what)
        if last is not None and self.now() - last < apart:
            return True
        self._asked[what] = self.now()
        return False

    def charge(self, draft: Draft) -> bool:
        """Take the price of a submit; False, and nothing taken, where the balance does not allow it."""
        terms = self.terms
        balance = terms.balance - terms.price * sum(count_segments(text) for text in draft.text_of_each)
        if balance < 0 and not terms.postpaid:
            return False
        self.terms = attrs.evolve(terms, balance=balance)
        return True

    def charge_mms(self, draft: Draft) -> bool:
        """Take one MMS for each number; False, and nothing taken, where too few are left."""
        balance = self.terms.mms_balance - len(draft.numbers)
        if balance < 0 and not self.terms.postpaid:
            return False
        self.terms = attrs.evolve(self.terms, mms_balance=balance)
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
