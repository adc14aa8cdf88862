"""A receipt: where the deliveries of a message stand, and waiting for their end."""

import threading

import pytest

from tocsin.model.ids import VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, Reason, Refused, Unknown
from tocsin.model.phone import parse_number
from tocsin.model.push import Trust
from tocsin.model.report import Batch, Report, ReportState
from tocsin.outbox.record import RawAnswer
from tocsin.outbox.state import State
from tocsin.receipt import Receipt
from tocsin.testing.vendor import answer_send


def receipt_of(house, *numbers, **details):
    return Receipt(house.queue(*numbers, **details), house.outbox)


def numbers(count):
    return [f"139{position:08}" for position in range(count)]


def report(house, number, state=ReportState.DELIVERED):
    """Apply a report as a poller would."""
    raw = house.outbox.spool(RawAnswer(account="one", kind="reports", trust=Trust.POLL, body=b""), house.clock.now())
    row = Report(vendor_id=VendorId("77"), to=parse_number(number), state=state)
    house.outbox.apply_reports(raw, Batch(rows=(row,)), shared=False, now=house.clock.now())


def test_it_shows_where_each_delivery_stands(house_of, desk_of):
    """Asked again, it tells what has changed."""
    house = house_of([answer_send(Accepted(VendorId("77")))])
    receipt = receipt_of(house, *numbers(2))

    assert [one.state for one in receipt.deliveries] == [State.QUEUED] * 2
    desk_of(house).work()
    assert [one.state for one in receipt.deliveries] == [State.SUBMITTED] * 2


def test_waiting_ends_when_all_have_come_to_their_end(house_of, desk_of):
    """The last report ends it, long before its time; progress adds up to everybody."""
    house = house_of([answer_send(Accepted(VendorId("77")))])
    receipt = receipt_of(house, *numbers(3))
    desk_of(house).work()
    told = []

    def carrier():
        for number in numbers(3):
            report(house, number)

    threading.Timer(0.05, carrier).start()

    assert receipt.wait(20, told.append)
    assert sum(told) == 3
    assert {one.state for one in receipt.deliveries} == {State.DELIVERED}


@pytest.mark.parametrize("timeout_s", [0, 0.05])
def test_waiting_ends_with_its_time(house_of, timeout_s):
    """What is still open then is said to be: nobody works here."""
    receipt = receipt_of(house_of([]), *numbers(2))
    told = []

    assert not receipt.wait(timeout_s, told.append)
    assert sum(told) == 0


@pytest.mark.parametrize(
    ("answer", "cls", "ended"),
    [
        (answer_send(Refused(Reason.BLOCKED)), MessageClass.ALERT, True),
        (answer_send(Unknown("?")), MessageClass.NOTICE, True),
        (answer_send(Unknown("?")), MessageClass.BULK, False),
        (answer_send(Accepted(VendorId("77"))), MessageClass.NOTICE, False),
    ],
    ids=["failed", "parked", "in doubt", "submitted"],
)
def test_an_end_is_what_only_evidence_can_change(house_of, desk_of, answer, cls, ended):
    """Failed and parked are ends; what may still go on, in doubt or with its vendor, is not."""
    house = house_of([answer])
    receipt = receipt_of(house, cls=cls)
    desk_of(house).until(600, step_s=300)

    assert receipt.wait(0) is ended
