"""Lines to the vendors: so many at a time, and all that comes back meanwhile is settled together."""

import threading

import pytest

from tocsin.delivery.dispatcher import Dispatcher
from tocsin.delivery.lines import LINES, Lines
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State
from tocsin.testing.vendor import answer_send

TAKEN = answer_send(Accepted(VendorId("77")))


@pytest.fixture
def lines_of():
    """Give lines that are closed at the end, so that no thread is left."""
    opened = []

    def build(house):
        opened.append(Lines(house.parts))
        return opened[-1]

    yield build
    for lines in opened:
        lines.close()


def queue(house, count):
    for position in range(count):
        house.queue("13900000000", text=f"text {position}")


def test_all_that_came_back_is_settled_in_one_transaction(house_of, failing_rows, lines_of):
    """However many arrivals there are, their outcomes are one commit, and so are their INTENTs."""
    rows = failing_rows()
    house = house_of(lambda _: TAKEN, rows=rows)
    queue(house, 12)
    desk, lines = Dispatcher(house.parts, house.holder), lines_of(house)
    for departure in desk.round(lambda _: True):
        lines.begin(departure)
    assert lines.under_way == 12
    lines.close()  # all of them are back

    arrivals = lines.arrivals(0)
    desk.settle(arrivals)

    assert (len(arrivals), lines.under_way) == (12, 0)
    assert (rows.used.count("intend"), rows.used.count("settle")) == (1, 1)
    assert {one.state for one in house.outbox.deliveries(Filter())} == {State.SUBMITTED}


def test_an_account_has_few_lines(house_of, lines_of):
    """No more requests of one account are under way than it has lines, and each account has its own."""
    house = house_of(lambda _: TAKEN)
    lines = lines_of(house)
    assert lines.free() == {"one": LINES, "two": LINES}
    queue(house, 3)
    for departure in Dispatcher(house.parts, house.holder).round(lambda _: True):
        lines.begin(departure)

    assert lines.free() == {"one": LINES - 3, "two": LINES}
    lines.close()
    assert len(lines.arrivals(0)) == 3
    assert lines.free() == {"one": LINES, "two": LINES}


def test_a_wait_for_arrivals_ends_when_it_is_woken(house_of, lines_of):
    """Whoever has news wakes the one who waits, however long it would wait."""
    lines = lines_of(house_of([]))
    threading.Timer(0.01, lines.wake).start()

    assert lines.arrivals(20) == []
