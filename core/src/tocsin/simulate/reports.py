"""What a vendor says of a message that it took: when, how often, and how true. And how a poll for it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.errors import AnswerError, Reached, TransportError
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Reason, Refused
from tocsin.model.phone import E164
from tocsin.model.report import Batch, Report, ReportState
from tocsin.simulate.ledger import Entry, Row
from tocsin.simulate.seen import Kind

if TYPE_CHECKING:
    from tocsin.simulate.vendor import SimVendor
    from tocsin.simulate.world import World

PAGE = 3
"""Rows of a full page."""

FOREIGN = "foreign"
"""Stands in a report's code in the place of the attempt that it truly speaks of."""

_SOON_S = (1.0, 5.0, 20.0)
_LATE_S = (100.0, 400.0, 2500.0)
DELIVERED, FAILED, ENROUTE = ReportState.DELIVERED, ReportState.FAILED, ReportState.ENROUTE


def plan_reports(vendor: SimVendor, world: World, entry: Entry, to: E164) -> None:
    """Decide what will be reported of an entry."""
    soon_s = vendor.dice.choice(_SOON_S)
    kind = vendor.dice.choice(tuple(_MANNERS)) if vendor.happens(vendor.plan.evasive) else None
    sayings = [(soon_s, DELIVERED)]
    if kind is not None:
        world.saw(kind)
        sayings = [(soon_s if delay_s == 0 else delay_s, state) for delay_s, state in _MANNERS[kind]]
    if kind is Kind.REPORT_EARLY:
        sayings = [(0.0, DELIVERED)]
    if kind is Kind.REPORT_LATE:
        sayings = [(vendor.dice.choice(_LATE_S), DELIVERED)]
    numbered = kind is not Kind.REPORT_NUMBER_ONLY
    for delay_s, state in sayings:
        vendor_id = entry.vendor_id if numbered else None
        report = Report(vendor_id=vendor_id, to=to, state=state, code=f"{state.name} {entry.attempt}")
        _say(vendor, world, report, delay_s, entry)
    if vendor.plan.shared and vendor.happens(0.5):
        world.saw(Kind.REPORT_FOREIGN)
        foreign = Report(vendor_id=VendorId(f"f{world.timeline.micros}"), to=to, state=FAILED, code=f"FAILED {FOREIGN}")
        _say(vendor, world, foreign, soon_s, None)


_MANNERS: dict[Kind, tuple[tuple[float, ReportState], ...]] = {
    Kind.REPORT_EARLY: (),
    Kind.REPORT_LATE: (),
    Kind.REPORT_NEVER: (),
    Kind.REPORT_TWICE: ((0, ENROUTE), (0, DELIVERED), (30, DELIVERED)),
    Kind.REPORT_TURNED: ((0, FAILED), (200, DELIVERED)),
    Kind.REPORT_BACKWARDS: ((0, DELIVERED), (40, FAILED)),
    Kind.REPORT_FAILED: ((0, FAILED),),
    Kind.REPORT_NUMBER_ONLY: ((0, DELIVERED),),
}


def _say(vendor: SimVendor, world: World, report: Report, delay_s: float, entry: Entry | None) -> None:
    at_micros = world.timeline.micros + int(delay_s * 1_000_000)
    vendor.ledger.rows.append(Row(at_micros=at_micros, report=report, entry=entry))
    world.expect_reports(vendor, delay_s)


def hand_out(vendor: SimVendor, world: World) -> tuple[list[Row], Batch[Report] | Refused | AnswerError]:
    """Answer a poll for reports; return the rows that are gone then, and what a decoder finds.

    Raises:
        TransportError: no answer comes, and what it held is gone, or was never handed out.
    """
    if vendor.dark or vendor.happens(vendor.plan.trouble / 4):
        raise vendor.unreached(Kind.POLL_UNREACHED)
    if vendor.happens(vendor.plan.trouble / 8):
        world.saw(Kind.POLL_REFUSED)
        return [], Refused(Reason.THROTTLED)
    rows, more = vendor.ledger.take_rows(world.timeline.micros, PAGE)
    if more:
        world.saw(Kind.POLL_PAGED)
    if rows and vendor.happens(vendor.plan.trouble / 6):
        world.saw(Kind.POLL_LOST)
        raise TransportError(reached=Reached.MAYBE, cause="total-timeout")
    if rows and vendor.happens(vendor.plan.trouble / 6):
        world.saw(Kind.POLL_GARBLED)
        return rows, AnswerError("not the vendor's grammar")
    if rows and vendor.happens(vendor.plan.trouble / 6):
        world.saw(Kind.POLL_CUT)
        return rows, Batch(rows=tuple(row.report for row in rows[:-1]), unparsed=("a cut row",), more=more)
    return rows, Batch(rows=tuple(row.report for row in rows), more=more)
