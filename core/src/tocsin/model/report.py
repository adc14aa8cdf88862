"""Evidence from a vendor: delivery reports (DLR) and inbound messages (MO)."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Generic, TypeVar

import attrs

from tocsin.model.ids import VendorId
from tocsin.model.phone import Msisdn

Row = TypeVar("Row")


class ReportState(enum.IntEnum):
    """States of a report, ordered: joining two is taking the greater, so order and duplicates cannot matter."""

    UNKNOWN = 0
    ENROUTE = 1
    FAILED = 2
    DELIVERED = 3


@attrs.frozen(kw_only=True)
class Report:
    """One row of a delivery report.

    Args:
        vendor_id: id of the submit that it speaks of; None where the vendor left it out.
        to: the recipient.
        state: what became of it.
        code: the vendor's or carrier's own word (`DELIVRD`), for people.
        at: when, aware UTC; None where the vendor does not say.
    """

    vendor_id: VendorId | None
    to: Msisdn
    state: ReportState
    code: str = ""
    at: datetime | None = None


@attrs.frozen(kw_only=True)
class InboundMessage:
    """One message that a phone sent to an account (MO).

    Args:
        sender: who wrote.
        text: what; never in a repr.
        at: when, aware UTC; None where the vendor gave none.
        extension: the extension number or channel that it came in on, as the vendor wrote it.
        vendor_id: id of the submit that it answers, where the vendor names one.
    """

    sender: Msisdn
    text: str = attrs.field(repr=False)
    at: datetime | None = None
    extension: str = ""
    vendor_id: VendorId | None = None


@attrs.frozen(kw_only=True)
class Batch(Generic[Row]):
    """What one poll or push brought.

    Args:
        rows: what was read, in the vendor's order.
        unparsed: pieces that could not be read; kept in quarantine, never dropped.
        more: the page was full: ask again at once.
    """

    rows: tuple[Row, ...] = ()
    unparsed: tuple[str, ...] = attrs.field(default=(), repr=lambda pieces: f"<{len(pieces)} pieces>")
    more: bool = False
