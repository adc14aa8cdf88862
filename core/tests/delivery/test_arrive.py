"""What an account's own transport receives unasked."""

import pytest

from tocsin.delivery.arrive import StoringSink
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted
from tocsin.model.phone import parse_number
from tocsin.model.push import Trust
from tocsin.model.report import Batch, InboundMessage, Report, ReportState
from tocsin.outbox.state import State
from tocsin.plugin import AnswerError, Evidence
from tocsin.testing.vendor import answer_send

NUMBER = parse_number("13900000000")
EVIDENCE = Evidence(
    reports=Batch(rows=(Report(vendor_id=VendorId("77"), to=NUMBER, state=ReportState.DELIVERED),), unparsed=("?",)),
    inbound=Batch(rows=(InboundMessage(sender=NUMBER, text="TD"),)),
)


@pytest.fixture
def house(house_of):
    return house_of([answer_send(Accepted(VendorId("77")))])


@pytest.fixture
def sink(house, clock):
    return StoringSink(house.outbox, clock, house.accounts["one"])


def test_evidence_that_comes_unasked_is_applied(house, sink):
    """Reports and inbound messages in one piece of input are both stored and applied, trusted like a poll."""
    (delivery,) = house.send()

    sink.receive(b"pdu", lambda raw: EVIDENCE)

    assert house.deliveries(delivery.message)[0].state is State.DELIVERED
    (report,), (inbound,) = house.outbox.evidence("one")
    assert (report.trust, inbound.message.text) == (Trust.POLL, "TD")
    assert house.quarantined() == ["?"]


def test_raw_bytes_are_durable_before_they_are_read(house, sink):
    """When the decoder runs, the store has the bytes."""
    sink.receive(b"pdu", lambda raw: Evidence() if house.raw_bodies() == [b"pdu"] else None)

    assert house.rows.get_raw(1).kind == "unasked"


@pytest.mark.parametrize(
    "error", [AnswerError("not a PDU"), ValueError("secret")], ids=["outside the grammar", "fault"]
)
def test_what_cannot_be_read_is_quarantined(house, sink, lines, error):
    """Whatever a decoder raises, the bytes stay and the piece is quarantined, so that it may be acknowledged (I7)."""

    def decode(_):
        raise error

    sink.receive(b"pdu", decode)

    assert house.raw_bodies() == [b"pdu"]
    assert len(house.quarantined()) == 1
    assert [line["event"] for line in lines.all()] == ["tocsin.poll.failed"]
    assert "secret" not in str(lines.all())
