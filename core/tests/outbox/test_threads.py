"""Many threads at one store."""

from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier

import attrs
import pytest

from tocsin.outbox.record import Filter
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.state import State


def test_a_reader_never_sees_a_transaction_under_way(open_desk):
    """A thread that reads while another one writes sees the time before or the time after, never what is in between."""

    def fail_while_another_reads():
        with desk.rows.transaction("a test's"):
            desk.rows.save_deliveries([attrs.evolve(delivery, state=State.PARKED)])
            reading.append(threads.submit(desk.outbox.deliveries, Filter(state=State.PARKED)))
            wait(reading, timeout=0.1)  # a store that reads at once has read by then; one that waits, waits
            raise OverflowError

    reading = []
    with open_desk() as desk, ThreadPoolExecutor(1) as threads:
        (delivery,) = desk.accept()
        with pytest.raises(OverflowError):
            fail_while_another_reads()

        assert reading[0].result(10) == ()


def test_threads_claim_each_delivery_once(desk):
    """Of many threads that claim the same message at once, one gets each delivery."""
    (delivery,) = desk.accept(holder=None)
    holders = [f"holder-{number}" for number in range(8)]

    with ThreadPoolExecutor(len(holders)) as threads:
        claims = list(threads.map(lambda holder: desk.outbox.claim(delivery.message, holder, desk.now), holders))

    assert sum(len(claim) for claim in claims) == 1


def test_a_store_that_many_make_at_once_is_made_once(tmp_path):
    """Of many that open a store which is not there yet, each gets the same whole store, and none is refused."""
    makers = 6
    start = Barrier(makers)

    def make(path):
        start.wait(10)
        open_rows(path).close()

    with ThreadPoolExecutor(makers) as threads:
        for number in range(10):
            list(threads.map(make, [tmp_path / f"{number}.db"] * makers))
