"""What lies between a vendor and the phones: delivery reports to come, and replies. Not thread-safe: see `Desk`."""

from __future__ import annotations

import enum
from datetime import datetime

import attrs


class ReportMode(enum.StrEnum):
    """What becomes of a message, and of the news about it."""

    DELIVERED = "delivered"
    """It arrives; the next poll says so."""
    FAILED = "failed"
    """It does not arrive; the next poll says so."""
    LATE = "late"
    """It arrives; the news is held back for some polls."""
    NEVER = "never"
    """It arrives; no report ever says so."""


@attrs.frozen(kw_only=True)
class DeliveryReport:
    """One report, handed out once."""

    vendor_id: str
    number: str = attrs.field(repr=False)
    delivered: bool
    at: datetime


@attrs.frozen(kw_only=True)
class PhoneReply:
    """One message from a phone, handed out once.

    Args:
        vendor_id: the last submit that reached this phone; empty where none did.
    """

    number: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    extension: str
    vendor_id: str
    at: datetime


@attrs.frozen
class _Pending:
    report: DeliveryReport
    polls_left: int


class Carrier:
    """Decides what reaches a phone. Modes hold for messages accepted from then on."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget modes, reports and replies."""
        self._modes: dict[str, tuple[ReportMode, int]] = {}
        self._default = (ReportMode.DELIVERED, 0)
        self._pending: list[_Pending] = []
        self._last_id: dict[str, str] = {}
        self._replies: list[PhoneReply] = []

    def set_mode(self, mode: ReportMode, *, number: str | None = None, polls: int = 2) -> None:
        """Choose the mode of one number, or of all that have none of their own.

        Args:
            polls: how many polls a `late` report misses.
        """
        choice = (mode, polls if mode is ReportMode.LATE else 0)
        if number is None:
            self._default = choice
        else:
            self._modes[number] = choice

    def carry(self, vendor_id: str, number: str, at: datetime) -> bool:
        """Take one accepted message; say whether it reaches the phone."""
        mode, polls = self._modes.get(number, self._default)
        delivered = mode is not ReportMode.FAILED
        if mode is not ReportMode.NEVER:
            report = DeliveryReport(vendor_id=vendor_id, number=number, delivered=delivered, at=at)
            self._pending.append(_Pending(report, polls))
        if delivered:
            self._last_id[number] = vendor_id
        return delivered

    def take_reports(self, *, limit: int | None = None, vendor_id: str = "") -> tuple[DeliveryReport, ...]:
        """Hand out what is due, once and for all.

        Args:
            limit: at most so many; the rest stays for the next poll.
            vendor_id: of that submit only; empty for all.
        """
        due: list[DeliveryReport] = []
        kept: list[_Pending] = []
        for entry in self._pending:
            if vendor_id not in ("", entry.report.vendor_id):
                kept.append(entry)
            elif entry.polls_left:
                kept.append(attrs.evolve(entry, polls_left=entry.polls_left - 1))
            elif limit is not None and len(due) >= limit:
                kept.append(entry)
            else:
                due.append(entry.report)
        self._pending = kept
        return tuple(due)

    def reply(self, number: str, text: str, extension: str, at: datetime) -> None:
        """Send a message from a phone to the vendor."""
        last = self._last_id.get(number, "")
        self._replies.append(PhoneReply(number=number, text=text, extension=extension, vendor_id=last, at=at))

    def take_replies(self) -> tuple[PhoneReply, ...]:
        """Hand out every waiting reply, once and for all."""
        replies, self._replies = tuple(self._replies), []
        return replies
