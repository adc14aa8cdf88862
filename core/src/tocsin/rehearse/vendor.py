"""The vendor of one account, as far as a rehearsal goes: takes, refuses, is not to be reached, reports.

How it behaves is its character's to say; what it took, rang and owes a report for is kept here. It knows no clock but
the stage's, and no dice but its character's.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

import attrs

from tocsin.clock import Clock
from tocsin.errors import Reached, TransportError
from tocsin.model.account import Account
from tocsin.model.balance import Balance, Unit
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted, Outcome, Reason, Refused, SendResult
from tocsin.model.phone import E164
from tocsin.model.report import Batch, Report, ReportState
from tocsin.rehearse.ledger import Copy, Ledger, Parcel

PAGE = 1000
"""Report rows of a full page."""

ENDLESS = Decimal(1_000_000)
"""What is shown of a balance that has no end."""


@attrs.frozen(kw_only=True)
class Fate:
    """What becomes of a request as a whole.

    Args:
        delay_s: when that is known.
        unreached: why nothing left; empty where it did.
        lost: why no answer comes, though something left; empty where one comes.
        taken: whether the vendor has the request then.
        refused: the vendor refuses it for everybody.
    """

    delay_s: float
    unreached: str = ""
    lost: str = ""
    taken: bool = True
    refused: Refused | None = None


@attrs.frozen(kw_only=True)
class Course:
    """What becomes of one parcel of a request that was not refused.

    Args:
        refused: the vendor does not take this one.
        rings_after_s: when the phone rings; None for never.
        report_after_s: when the vendor reports; None for never.
        code: the report's own word.
    """

    refused: Refused | None = None
    rings_after_s: float | None = None
    report_after_s: float | None = None
    code: str = ""


class Character(Protocol):
    """How a vendor behaves. Times are seconds since the beginning."""

    def fate(self, parcels: Sequence[Parcel], now_s: float) -> Fate:
        """Say what becomes of a request."""
        ...

    def course(self, parcel: Parcel, now_s: float) -> Course:
        """Say what becomes of one parcel of it."""
        ...

    def reachable(self, now_s: float) -> bool:
        """Say whether it answers who asks for reports, or for a balance."""
        ...


@attrs.define(order=True)
class _Row:
    at_s: float
    number: int
    report: Report = attrs.field(order=False)


class Vendor:
    """One vendor with its one account.

    Args:
        account: as configured.
        character: how it behaves.
        ledger: where the truth is written down.
        clock: the stage's.
        balance: what is left at the beginning; None for no end.

    Attributes:
        delay_s: how long its last answer takes to arrive.
        balance: what is left; None for no end.
    """

    def __init__(
        self, account: Account, character: Character, ledger: Ledger, clock: Clock, balance: Decimal | None
    ) -> None:
        self.account = account
        self.delay_s = 0.0
        self.balance = balance
        self._character = character
        self._ledger = ledger
        self._clock = clock
        self._rows: list[_Row] = []
        self._taken = 0

    @property
    def owes(self) -> bool:
        """Whether a report is still to come."""
        return bool(self._rows)

    def has_news(self, now_s: float) -> bool:
        """Say whether asking it would bring reports, or fail."""
        return bool(self._rows and self._rows[0].at_s <= now_s) or not self._character.reachable(now_s)

    def have(self, balance: Decimal | None) -> None:
        """Have that much left from now on."""
        self.balance = balance

    def submit(self, parcels: Sequence[Parcel]) -> SendResult:
        """Meet a request.

        Raises:
            TransportError: no answer comes; `delay_s` says when that is known.
        """
        now_s = self._clock.monotonic()
        fate = self._character.fate(parcels, now_s)
        self.delay_s = fate.delay_s
        if fate.unreached:
            raise TransportError(reached=Reached.NO, cause=fate.unreached)
        result = SendResult(self._outcomes(parcels, fate, now_s) if fate.taken else {})
        if fate.lost:
            raise TransportError(reached=Reached.MAYBE, cause=fate.lost)
        return result

    def reports(self) -> Batch[Report]:
        """Hand out the reports that are there by now: each once.

        Raises:
            TransportError: it cannot be reached.
        """
        now_s = self._reached()
        rows: list[Report] = []
        while self._rows and self._rows[0].at_s <= now_s and len(rows) < PAGE:
            rows.append(heapq.heappop(self._rows).report)
        return Batch(rows=tuple(rows), more=len(rows) == PAGE)

    def query_balance(self) -> Balance:
        """Say what is left.

        Raises:
            TransportError: it cannot be reached.
        """
        self._reached()
        unit = Unit.MESSAGES if self.account.price is None else Unit.CNY
        return Balance(
            amount=ENDLESS if self.balance is None else self.balance, unit=unit, as_of=self._clock.now(), postpaid=False
        )

    def _reached(self) -> float:
        now_s = self._clock.monotonic()
        if not self._character.reachable(now_s):
            raise TransportError(reached=Reached.NO, cause="connect-refused")
        return now_s

    def _outcomes(self, parcels: Sequence[Parcel], fate: Fate, now_s: float) -> dict[E164, Outcome]:
        if fate.refused is not None:
            return {one.to: fate.refused for one in parcels}
        if not self._pay(parcels):
            return {one.to: Refused(Reason.BALANCE) for one in parcels}
        self._taken += 1
        vendor_id = VendorId(f"{self.account.id}-{self._taken}")
        return {one.to: self._outcome(one, vendor_id, now_s) for one in parcels}

    def _pay(self, parcels: Sequence[Parcel]) -> bool:
        """Take the price of a request from what is left; False where that is not enough for it."""
        if self.balance is None:
            return True
        price = Decimal(1) if self.account.price is None else self.account.price
        cost = price * sum(one.segments for one in parcels)
        if self.balance <= 0 or self.balance < cost:
            return False
        self.balance -= cost
        return True

    def _outcome(self, parcel: Parcel, vendor_id: VendorId, now_s: float) -> Outcome:
        course = self._character.course(parcel, now_s)
        if course.refused is not None:
            return course.refused
        rings_s = None if course.rings_after_s is None else now_s + course.rings_after_s
        self._ledger.copies.append(Copy(account=self.account.id, parcel=parcel, rings_s=rings_s))
        if course.report_after_s is not None:
            state = ReportState.FAILED if rings_s is None else ReportState.DELIVERED
            at = self._clock.now() + timedelta(seconds=course.rings_after_s or course.report_after_s)
            report = Report(vendor_id=vendor_id, to=parcel.to, state=state, code=course.code, at=at)
            heapq.heappush(self._rows, _Row(now_s + course.report_after_s, len(self._ledger.copies), report))
        return Accepted(vendor_id)
