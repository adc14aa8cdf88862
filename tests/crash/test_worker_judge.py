"""The judge of the crash runs finds each kind of loss, copy and untruth, and nothing where all is well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from tocsin.model.ids import AccountId, AttemptId, DeliveryId, MessageId, SubmitId, VendorId
from tocsin.model.message import MessageClass
from tocsin.model.phone import parse_number
from tocsin.model.push import Trust
from tocsin.model.report import Report, ReportState
from tocsin.outbox.record import Attempt, Delivery, StoredReport
from tocsin.outbox.state import AttemptState, State
from tocsin.policy.route import CLASS_RULES
from tocsin.sandbox import Page, Received, Submit

from .worker_judge import Kept, Standing, judge

T0 = datetime(2026, 1, 1, tzinfo=UTC)
NUMBER, TEXT = "13900000001", "disk full on db1【Example】"
MAIN = AccountId("winnerlook")


def attempt(number=1, account=MAIN, state=AttemptState.ACCEPTED, vendor_id="7", **more):
    settled_at = None if state is AttemptState.INTENT else T0
    known = VendorId(vendor_id) if state is AttemptState.ACCEPTED else None
    return Attempt(
        id=AttemptId(f"m.1.{number}"), delivery=DeliveryId("m.1"), number=number, submit=SubmitId("m.1.1"),
        group_size=1, account=account, state=state, intended_at=T0, settled_at=settled_at, vendor_id=known, **more,
    )  # fmt: skip


def submit(vendor_id="7", **changes):
    taken = Submit(operation="SendMsg", numbers=(NUMBER,), text=TEXT, extension="", accepted=True,
                   vendor_id=vendor_id, code="", fault="", at=T0)  # fmt: skip
    return attrs.evolve(taken, **changes)


REFUSED = submit("", accepted=False, code="-3")


def received(vendor_id="7"):
    return Received(number=NUMBER, text=TEXT, vendor_id=vendor_id, extension="", at=T0)


def page(*submits, phones=None):
    count = sum(one.accepted for one in submits) if phones is None else phones
    return Page(submits, (received(),) * count)


def report(vendor_id="7", delivery="m.1"):
    said = Report(vendor_id=VendorId(vendor_id), to=parse_number(NUMBER), state=ReportState.DELIVERED, code="0", at=T0)
    matched = None if delivery is None else DeliveryId(delivery)
    return StoredReport(account=MAIN, report=said, trust=Trust.POLL, received_at=T0, delivery=matched)


def found(state, attempts, ledgers, *, reports=(), due_at=T0 + timedelta(hours=1), cls=MessageClass.ALERT):
    """Judge one delivery."""
    delivery = Delivery(id=DeliveryId("m.1"), message=MessageId("m"), to=parse_number(NUMBER), state=state, route="all",
                        due_at=due_at, expires_at=T0 + timedelta(hours=4), updated_at=T0)  # fmt: skip
    standing = Standing(delivery=delivery, attempts=tuple(attempts), rules=CLASS_RULES[cls], text=TEXT)
    kept = Kept(standings=(standing,), reports=tuple(reports), troubles=(), ended_early=False, at=T0)
    return judge(kept, ledgers)


FAILED = attempt(report=ReportState.FAILED)
UNKNOWN = attempt(state=AttemptState.UNKNOWN, cause="reset")
SECOND = attempt(2, account=AccountId("ipyy"), vendor_id="8")

RIGHT = {
    "taken": (State.SUBMITTED, [attempt()], {MAIN: page(submit())}),
    "reported": (State.DELIVERED, [attempt(report=ReportState.DELIVERED)], {MAIN: page(submit())}),
    "refused": (State.FAILED, [attempt(state=AttemptState.REFUSED)], {MAIN: page(REFUSED)}),
    "never begun": (State.EXPIRED, [], {}),
    "in doubt, and taken": (State.PARKED, [UNKNOWN], {MAIN: page(submit())}),
    "in doubt, and not taken": (State.PARKED, [UNKNOWN], {MAIN: page(submit(accepted=False))}),
    "in doubt, and never there": (State.IN_DOUBT, [UNKNOWN], {}),
    "resent": (State.SUBMITTED, [UNKNOWN, SECOND], {MAIN: page(submit()), "ipyy": page(submit("8"))}),
    "reported undelivered": (State.UNDELIVERED, [FAILED], {MAIN: page(submit(), phones=0)}),
}
WRONG = {
    "no vendor has taken it": (State.SUBMITTED, [UNKNOWN], {MAIN: page(REFUSED)}),
    "no phone has it": (State.DELIVERED, [attempt()], {MAIN: page(submit(), phones=0)}),
    "a vendor has taken it": (State.FAILED, [attempt()], {MAIN: page(submit())}),
    "a phone has it": (State.UNDELIVERED, [attempt()], {MAIN: page(submit())}),
    "and the store knows of no copy": (State.QUEUED, [], {MAIN: page(submit())}),
    "it is in somebody's hand": (State.SENDING, [attempt(state=AttemptState.INTENT)], {}),
    "phones have 2 copies": (State.SUBMITTED, [attempt()], {MAIN: page(submit(), phones=2)}),
    "3 copies, and its class allows 2": (
        State.SUBMITTED, [UNKNOWN, SECOND, attempt(3, vendor_id="9")],
        {MAIN: page(submit(), submit("9")), "ipyy": page(submit("8"))},
    ),
    "follows a clean accept": (
        State.SUBMITTED, [attempt(), SECOND], {MAIN: page(submit()), "ipyy": page(submit("8"))},
    ),
    "fewer INTENTs": (State.SUBMITTED, [attempt()], {MAIN: page(submit(), REFUSED)}),
    "took 0, and the store says 1": (State.SUBMITTED, [attempt()], {MAIN: page(REFUSED)}),
    "refused 0, and the store says 1": (
        State.FAILED, [attempt(state=AttemptState.REFUSED)], {MAIN: page()},
    ),
    "it still waits": (State.SUBMITTED, [FAILED], {MAIN: page(submit(), phones=0)}),
    "gave it no such id": (State.SUBMITTED, [attempt()], {MAIN: page(submit("6"))}),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_what_fits_is_not_complained_of(name):
    """Where store and ledgers agree, the judge says nothing."""
    assert found(*RIGHT[name]) == ()


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_found(what):
    """Each untruth, loss and copy too many is told in its own sentence."""
    assert [sentence for sentence in found(*WRONG[what]) if what in sentence]


def test_what_is_due_is_not_left_lying():
    """A worker that ends by itself leaves nothing that is due."""
    assert "as if nothing were" in "".join(found(State.QUEUED, [], {}, due_at=T0))


def test_a_report_on_the_disk_is_matched_once():
    """A report that names a copy and is matched to nothing is found; so is one that is stored twice."""
    taken = RIGHT["taken"]

    assert found(*taken, reports=[report()]) == ()
    assert "not matched to it" in "".join(found(*taken, reports=[report(delivery=None)]))
    assert "stored 2 times" in "".join(found(*taken, reports=[report(), report()]))
