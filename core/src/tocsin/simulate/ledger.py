"""The truth: what a vendor took, for which phone, and what it said of it afterwards. Our code never sees it."""

from __future__ import annotations

import attrs

from tocsin.model.ids import AccountId, AttemptId, DeliveryId, VendorId
from tocsin.model.report import Report


@attrs.define(kw_only=True)
class Entry:
    """One message that a vendor took for one phone.

    Args:
        attempt: of ours, that asked for it.
    """

    account: AccountId
    delivery: DeliveryId
    attempt: AttemptId
    vendor_id: VendorId


@attrs.define(kw_only=True)
class Row:
    """One report that waits to be fetched."""

    at_micros: int
    report: Report
    entry: Entry | None


@attrs.define
class Ledger:
    """All that one vendor took, in order."""

    entries: list[Entry] = attrs.field(factory=list)
    rows: list[Row] = attrs.field(factory=list)

    def take_rows(self, now_micros: int, most: int) -> tuple[list[Row], bool]:
        """Hand out reports that are there by now, once; say whether there are more."""
        there = sorted((row for row in self.rows if row.at_micros <= now_micros), key=lambda row: row.at_micros)
        handed = there[:most]
        taken = set(map(id, handed))
        self.rows = [row for row in self.rows if id(row) not in taken]
        return handed, len(there) > most
