"""A store that fails while a worker works: nothing is forgotten, nothing leaves twice, and the next round goes on."""

from contextlib import suppress
from itertools import count

import attrs
import pytest

from tocsin.delivery import poll
from tocsin.delivery.dispatcher import Dispatcher
from tocsin.delivery.submit import Arrival, carry
from tocsin.errors import Reached, StoreFailed, TransportError
from tocsin.model.ids import VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, Reason, Refused
from tocsin.model.phone import parse_number
from tocsin.model.report import Report, ReportState
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State
from tocsin.testing.vendor import answer_mo, answer_reports, answer_send, sent_to

TAKEN, SPLIT_OUT, LOST, FAILED = (parse_number(f"1390000000{n}") for n in range(4))
READ_TIMEOUT = TransportError(reached=Reached.MAYBE, cause="read-timeout")


class World:
    """Two vendors. The first refuses one number, loses the answer about another, and reports a third undelivered."""

    def __init__(self):
        self.rung = []
        self._ids = count(70)
        self._reports = []

    def __call__(self, request):
        if request.url.endswith("/reports"):
            reports, self._reports = self._reports, []
            return answer_reports(reports if "one." in request.url else ())
        if request.url.endswith("/mo"):
            return answer_mo(())
        to = sent_to(request)
        if "one." in request.url and SPLIT_OUT in to:
            return answer_send(Refused(Reason.SPLIT))
        self.rung += to
        if "one." in request.url and LOST in to:
            raise READ_TIMEOUT
        vendor_id = VendorId(str(next(self._ids)))
        if "one." in request.url and FAILED in to:
            self._reports.append(Report(vendor_id=vendor_id, to=FAILED, state=ReportState.FAILED))
        return answer_send(Accepted(vendor_id))


class Stubborn:
    """Works as the worker does: what came back is kept until it is settled, and what failed is tried again."""

    def __init__(self, house):
        self.house = house
        self.house.parts = attrs.evolve(house.parts, hold_on=lambda: True)
        self.desk = Dispatcher(house.parts, house.holder)
        self.arrived = []
        self.failures = 0

    def round(self):
        try:
            if self.arrived:
                self.desk.settle(self.arrived)
                self.arrived = []
            departures = self.desk.round(lambda _: True)
        except StoreFailed:
            self.failures += 1
            return
        self.arrived += [Arrival(one, carry(self.house.parts, one)) for one in departures]

    def poll(self):
        try:
            poll.fetch_reports(self.house.parts, self.house.accounts["one"], self.house.holder)
        except StoreFailed:
            self.failures += 1

    def live(self):
        """Live until every wait is over, with a poll now and then."""
        for pause_s in (60, 240, 300, 300, 300):
            for _ in range(7):
                self.round()
            self.poll()
            self.house.clock.advance(pause_s)
        with suppress(StoreFailed):
            self.desk.release()


def life(house_of, rows):
    house = house_of(World(), rows=rows)
    house.queue(*(one.full for one in (TAKEN, SPLIT_OUT, LOST, FAILED)), text="disk full")
    house.queue(TAKEN.full, text="another")
    house.queue(TAKEN.full, text="for your information", cls=MessageClass.NOTICE)
    used = len(rows.used)
    worker = Stubborn(house)
    return house, worker, used


def story(house):
    """Return what every delivery came to: state, account, and each attempt."""
    deliveries = house.outbox.deliveries(Filter())
    return [
        (one.state, one.account, [(attempt.account, attempt.state) for attempt in house.attempts(one)])
        for one in deliveries
    ]


@pytest.fixture
def undisturbed(house_of, failing_rows):
    """Give the names of all transactions and reads where nothing fails, and what comes of it all."""
    rows = failing_rows()
    house, worker, used = life(house_of, rows)
    worker.live()
    return rows.used[used:], story(house), sorted(house.transport._answer.rung)


def test_the_life_has_every_transaction_of_a_worker(undisturbed):
    """The sweep below is worth something: each transaction that a worker makes is in it."""
    used, stories, rung = undisturbed

    assert set(used) == {
        *("claim", "close-out", "intend", "settle", "reopen", "release", "read"),
        *("begin-poll", "spool", "reports", "end-poll"),
    }
    assert len(rung) > len(stories)


@pytest.mark.parametrize("lasts", [1, 3])
def test_whatever_fails_is_made_up_for(house_of, failing_rows, undisturbed, lasts):
    """One transaction or read after the other fails, once or three times: it all comes to the same in the end."""
    used, stories, rung = undisturbed
    for broken in range(len(used)):
        rows = failing_rows()
        house, worker, skipped = life(house_of, rows)
        rows.fails = lambda _, rows=rows, first=skipped + broken: first < len(rows.used) <= first + lasts
        worker.live()

        assert worker.failures >= 1 or used[broken] in ("release", "spool"), (broken, used[broken])
        rows.fails = lambda _: False
        assert story(house) == stories, (broken, used[broken])
        assert sorted(house.transport._answer.rung) == rung, (broken, used[broken])


@pytest.mark.parametrize("name", ["claim", "close-out", "intend", "settle", "reopen", "read"])
def test_a_store_that_fails_for_ten_minutes_costs_nothing_but_time(house_of, failing_rows, name):
    """Every transaction of a kind fails: nothing leaves that is not written down, and afterwards all goes on."""
    rows = failing_rows()
    house, worker, _ = life(house_of, rows)
    rows.fails = lambda used: used == name
    for _ in range(60):
        worker.round()
        house.clock.advance(10)
    rows.fails = lambda _: False
    assert worker.failures
    written = [one for each in house.outbox.deliveries(Filter()) for one in house.attempts(each)]
    assert len(house.transport._answer.rung) <= sum(one.state.may_ring for one in written)

    worker.live()

    assert {one.state for one in house.outbox.deliveries(Filter())} <= {State.SUBMITTED, State.DELIVERED}
