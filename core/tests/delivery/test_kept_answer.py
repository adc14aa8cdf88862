"""A poll's answer whose commit has an unknown outcome: the vendor has forgotten it, so it is stored once more."""

import attrs
import pytest

from tocsin import observe
from tocsin.delivery import poll
from tocsin.errors import CommitUnknown
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted
from tocsin.model.phone import parse_number
from tocsin.model.report import Report, ReportState
from tocsin.outbox.memory import MemoryRows
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State
from tocsin.outbox.store import Outbox
from tocsin.testing.vendor import answer_reports, answer_send

NUMBER = parse_number("13900000000")
REPORT = Report(vendor_id=VendorId("77"), to=NUMBER, state=ReportState.DELIVERED)


class Doubtful:
    """A boundary at which the commit of a spooled answer fails once it is told so: before it stands, or after."""

    def __init__(self):
        self._at = ""

    def doubt(self, when):
        self._at = f"spool: {when} commit"

    def __call__(self, boundary):
        if boundary == self._at:
            self._at = ""
            raise CommitUnknown("the commit failed")


@pytest.fixture
def house(house_of):
    """A house whose vendor took one message, and has one report of it."""
    answers = iter([answer_send(Accepted(VendorId("77"))), answer_reports([REPORT])])
    doubtful = Doubtful()
    house = house_of(lambda _: next(answers, answer_reports(())), rows=MemoryRows(doubtful))
    house.send()
    house.doubt = doubtful.doubt
    return house


def fetch(house):
    return poll.fetch_reports(house.parts, house.accounts["one"], house.holder)


@pytest.mark.parametrize("when", ["before", "after"])
def test_it_is_read_by_the_next_poll_whether_it_stood_or_not(house, when):
    """It stands once, whatever became of the commit that failed, and the next poll applies it once."""
    house.parts = attrs.evolve(house.parts, reopen=lambda: Outbox(house.rows, lambda _: False))
    house.doubt(when)

    with pytest.raises(CommitUnknown):
        fetch(house)
    (delivery,) = house.outbox.deliveries(Filter())
    assert delivery.state is State.SUBMITTED

    assert fetch(house) == (REPORT,)
    (delivery,) = house.outbox.deliveries(Filter())
    assert delivery.state is State.DELIVERED
    assert len(house.outbox.evidence(None)[0]) == 1


def test_what_cannot_be_stored_at_all_is_said_to_be_lost(house, lines):
    """Where the store cannot even be opened anew, what it held is a gap, and the log says so."""
    house.doubt("before")

    with pytest.raises(CommitUnknown):
        fetch(house)

    (line,) = lines.of(observe.REPORT_GAP)
    assert (line["account"], line["kind"]) == ("one", "reports")
    assert fetch(house) == ()
