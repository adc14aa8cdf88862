"""The worker at work: real threads over a store in memory and vendors in this process."""

import threading
import time
from datetime import timedelta

import attrs
import pytest

from tocsin.clock import SystemClock
from tocsin.delivery import worker as worker_module
from tocsin.delivery.lines import LINES
from tocsin.delivery.worker import Worker
from tocsin.errors import CommitUnknown, Reached, StoreError, StoreFailed, TransportError
from tocsin.model.account import Polling
from tocsin.model.alert import AlertStatus
from tocsin.model.ids import HolderId, VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, Reason, Refused
from tocsin.model.phone import parse_number
from tocsin.model.report import Report, ReportState
from tocsin.outbox.alert import REMEMBERED, AlertKey, AlertRecord, Decided, Intake
from tocsin.outbox.memory import MemoryRows
from tocsin.outbox.record import Filter
from tocsin.outbox.state import AttemptState, State
from tocsin.outbox.store import Outbox
from tocsin.testing.vendor import answer_reports, answer_send, sent_to

DEADLINE_S = 20
NO_POLLS = Polling(reports_s=0, inbound_s=0, balance_s=0)
TAKEN = answer_send(Accepted(VendorId("77")))
UNREACHED = TransportError(reached=Reached.NO, cause="connect-refused")
NEW = HolderId("the-next")


@pytest.fixture
def clock():
    return SystemClock()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """No test waits a second for a store that failed on purpose."""
    monkeypatch.setattr(worker_module, "PAUSE_S", 0.01)


def wait_until(condition):
    """Wait for a condition, with a deadline."""
    until = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.005)


class Shift:
    """A worker in a thread of its own. Leaving it stops the worker, and waits for its end.

    Attributes:
        error: what `run` raised.
    """

    def __init__(self, house, reopen=None, *, drain=False, holder=None, take_up=lambda: None):
        self.worker = Worker(house.parts, holder or house.holder, reopen or (lambda: house.outbox), take_up)
        self.error = None
        self._drain = drain
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            self.worker.run(drain=self._drain)
        except Exception as error:  # noqa: BLE001 (the test looks at whatever it is)
            self.error = error

    def join(self):
        self._thread.join(timeout=DEADLINE_S)
        assert not self._thread.is_alive(), "the worker did not end"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.worker.stop()
        self.join()


class Line:
    """A vendor that answers when it is let, and counts who rang.

    Args:
        answer: gives the answer to a submit; an exception is raised.
    """

    def __init__(self, answer=lambda _: TAKEN):
        self._answer = answer
        self.open = threading.Event()
        self.open.set()
        self.waiting = 0
        self.rung = []
        self._lock = threading.Lock()

    def __call__(self, request):
        if not request.url.endswith("/send"):
            return answer_reports(())
        with self._lock:
            self.waiting += 1
        assert self.open.wait(DEADLINE_S)
        answer = self._answer(request)
        if isinstance(answer, Exception):
            raise answer
        with self._lock:
            self.rung += sent_to(request)
        return answer


def states(house):
    return [one.state for one in house.outbox.deliveries(Filter())]


def numbers(count):
    return [f"139{position:08}" for position in range(count)]


def test_what_is_queued_is_delivered(house_of):
    """Queued before it began or while it works: the worker submits it, and ends when it is told to."""
    line = Line()
    house = house_of(line, poll=NO_POLLS)
    house.queue(*numbers(3))

    with Shift(house) as shift:
        wait_until(lambda: states(house) == [State.SUBMITTED] * 3)
        house.queue("13900000099", text="another")
        wait_until(lambda: states(house) == [State.SUBMITTED] * 4)

    assert shift.error is None
    assert len(line.rung) == 4


def test_reports_are_fetched_and_followed(house_of):
    """Its pollers bring a failed report, and the loop moves the alert on to the next account."""
    number = parse_number("13900000000")
    reports = [Report(vendor_id=VendorId("77"), to=number, state=ReportState.FAILED)]

    def answer(request):
        if request.url.endswith("/send"):
            return TAKEN if "one." in request.url else answer_send(Accepted(VendorId("78")))
        return answer_reports(reports if request.url == "http://one.invalid/reports" else ())

    house = house_of(answer, poll=Polling(reports_s=0.02, inbound_s=0, balance_s=0))
    message = house.queue()

    with Shift(house):
        wait_until(lambda: house.deliveries(message)[0].account == "two")

    assert [one.report for one in house.attempts(house.deliveries(message)[0])] == [ReportState.FAILED, None]


def test_stopping_settles_what_is_under_way(house_of):
    """Told to end while answers are outstanding, it waits for them, settles them, and gives back what has not left."""
    line = Line()
    house = house_of(line, poll=NO_POLLS)
    for position in range(LINES + 5):
        house.queue("13900000000", text=f"text {position}")
    line.open.clear()

    with Shift(house) as shift:
        wait_until(lambda: line.waiting == LINES)
        shift.worker.stop()
        line.open.set()

    assert sorted(states(house)) == [State.QUEUED] * 5 + [State.SUBMITTED] * LINES
    assert len(line.rung) == LINES


def test_drain_ends_by_itself(house_of):
    """Once nothing is due and nothing is under way it ends; it asks no vendor for anything else."""
    house = house_of(Line(), poll=Polling(reports_s=0.01, inbound_s=0.01, balance_s=0.01))
    house.queue(*numbers(30))

    with Shift(house, drain=True) as shift:
        shift.join()

    assert states(house) == [State.SUBMITTED] * 30
    assert {request.url.rsplit("/", 1)[1] for request in house.transport.requests} == {"send"}


def test_drain_does_not_wait_for_what_is_due_later(house_of):
    """Nobody can be reached: both accounts are tried, and what waits for its pause is left to the next worker."""
    house = house_of(Line(lambda _: UNREACHED), poll=NO_POLLS)
    message = house.queue()

    with Shift(house, drain=True) as shift:
        shift.join()

    (delivery,) = house.deliveries(message)
    assert delivery.state is State.QUEUED
    assert [one.account for one in house.attempts(delivery)] == ["one", "two"]


def test_a_worker_with_no_accounts_to_poll_and_nothing_to_do_ends_when_told(house_of):
    """An empty store is no reason to spin, to fail or to end."""
    house = house_of([], poll=NO_POLLS)

    with Shift(house) as shift:
        wait_until(lambda: shift.worker._lines.under_way == 0)

    assert shift.error is None


def test_a_failed_store_is_survived(house_of, failing_rows):
    """Whatever fails for a while, it says so and goes on: each number is rung once."""
    rows = failing_rows()
    line = Line()
    house = house_of(line, rows=rows, poll=NO_POLLS)
    house.queue(*numbers(5))
    failures = iter(range(12))
    rows.fails = lambda name: name != "release" and next(failures, None) is not None

    with Shift(house) as shift:
        wait_until(lambda: next(failures, None) is None)
        wait_until(lambda: states(house) == [State.SUBMITTED] * 5)

    assert shift.error is None
    assert sorted(to.mainland for to in line.rung) == numbers(5)


def test_answers_that_cannot_be_settled_are_kept(house_of, failing_rows, lines):
    """The store fails exactly when answers come back: they are settled as soon as it works, and nobody is in doubt."""
    rows = failing_rows()
    house = house_of(Line(), rows=rows, poll=NO_POLLS)
    house.queue(*numbers(5))
    failures = iter(range(20))
    rows.fails = lambda name: name == "settle" and next(failures, None) is not None

    with Shift(house):
        wait_until(lambda: states(house) == [State.SUBMITTED] * 5)

    assert len([one for one in lines.of("tocsin.alarm") if one["reason"] == "store-failed"]) == 20


class Unknowing(MemoryRows):
    """Rows whose n-th commit of a name fails, so that nobody knows: it stands where it fails after, else not.

    Afterwards this connection is of no more use; `anew` opens another.
    """

    def __init__(self, name, when, skip=0):
        super().__init__(self._reach)
        self._fatal = (f"{name}: {when} commit", skip)
        self.broken = False
        self.armed = True

    def _reach(self, boundary):
        if self.broken:
            raise StoreFailed("the connection is of no use")
        name, skip = self._fatal
        if boundary == name and self.armed:
            self._fatal = (name, skip - 1)
            if skip == 0:
                self.broken = True
                raise CommitUnknown("the commit failed: no space")

    def anew(self):
        rows = MemoryRows()
        rows._tables = self._tables
        return Outbox(rows, lambda _: False)


def end_in_doubt_of_a_commit(house_of, rows, line, **shift):
    """Let a worker work until a commit fails; return the house with a store that was opened anew."""
    house = house_of(line, rows=rows, accounts=("one", "two"), poll=NO_POLLS)
    for position in range(LINES + 2):
        house.queue(*numbers(3), text=f"text {position}")
    with Shift(house, rows.anew, drain=True, **shift) as ended:
        ended.join()
    assert isinstance(ended.error, CommitUnknown)
    house.outbox = rows.anew()
    house.parts = attrs.evolve(house.parts, store=house.outbox)
    return house


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("name", "skip"), [("claim", 0), ("intend", 0), ("intend", 1), ("settle", 0), ("settle", 1), ("close-out", 0)]
)
def test_after_a_commit_of_unknown_outcome_everything_known_is_saved(house_of, name, skip, when):
    """It ends with that error. Known answers are settled, what never left is not sent, claims are given back.

    The next worker goes on from there: each number has got each text once, and nobody was ever in doubt.
    """
    blocked = answer_send(Refused(Reason.BLOCKED))
    line = Line(lambda request: blocked if name == "close-out" or b"text 4" in request.body else TAKEN)
    rows = Unknowing(name, when, skip)
    house = end_in_doubt_of_a_commit(house_of, rows, line)

    assert set(states(house)) <= {State.QUEUED, State.SUBMITTED, State.FAILED}
    attempts = [one.state for each in house.outbox.deliveries(Filter()) for one in house.attempts(each)]
    assert set(attempts) <= {AttemptState.NOT_SENT, AttemptState.ACCEPTED, AttemptState.REFUSED}
    assert len(attempts) - attempts.count(AttemptState.NOT_SENT) == len(line.rung)

    with Shift(house, drain=True, holder=NEW) as shift:
        shift.join()
    assert shift.error is None
    assert {one.state for one in house.outbox.deliveries(Filter())} <= {State.SUBMITTED, State.FAILED}
    assert len(line.rung) == 3 * (LINES + 2)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_doubt_of_a_commit_between_two_accounts_makes_no_copy(house_of, when):
    """The commit fails that says who did not take it: the next worker asks the other account, and nobody twice."""
    line = Line(lambda request: UNREACHED if "one." in request.url else TAKEN)
    house = end_in_doubt_of_a_commit(house_of, Unknowing("settle", when, 0), line)

    with Shift(house, drain=True, holder=NEW) as shift:
        shift.join()

    assert states(house) == [State.SUBMITTED] * (3 * (LINES + 2))
    assert len(line.rung) == 3 * (LINES + 2)


def test_what_cannot_be_saved_is_in_doubt_and_said_to_be(house_of, lines):
    """The store does not even open: the worker says how many answers are lost, and ends."""

    def closed():
        raise StoreError("the disk is gone")

    rows = Unknowing("settle", "before")
    house = house_of(Line(), rows=rows, poll=NO_POLLS)
    house.queue(*numbers(3))
    with Shift(house, closed) as shift:
        shift.join()
    house.outbox = rows.anew()

    assert isinstance(shift.error, CommitUnknown)
    assert [one["reason"] for one in lines.of("tocsin.alarm")] == ["commit-unknown", "evidence-lost"]
    assert states(house) == [State.SENDING] * 3
    house.outbox.release(house.holder, house.clock.now())
    assert states(house) == [State.IN_DOUBT] * 3


def test_a_poller_whose_commit_fails_ends_the_worker_with_all_saved(house_of):
    """Where a poll's commit is the one that nobody knows of, what is under way is waited for and kept as well."""
    line = Line()
    rows = Unknowing("end-poll", "before")
    rows.armed = False
    house = house_of(line, rows=rows, poll=Polling(reports_s=0.05, inbound_s=0, balance_s=0))
    house.queue(*numbers(3))
    line.open.clear()

    with Shift(house, rows.anew) as shift:
        wait_until(lambda: line.waiting == 1)
        rows.armed = True
        wait_until(lambda: rows.broken)
        line.open.set()
        shift.join()
    house.outbox = rows.anew()

    assert isinstance(shift.error, CommitUnknown)
    assert states(house) == [State.SUBMITTED] * 3


def test_a_poller_that_breaks_ends_the_worker_with_its_error(house_of):
    """A defect in a poller is not hidden: what is under way is settled, and the worker ends with that very error."""

    class Defect(Exception):
        """What no poller expects."""

    line = Line()

    def breaks(boundary):
        if boundary == "end-poll: before commit" and line.waiting:
            raise Defect

    house = house_of(line, rows=MemoryRows(breaks), poll=Polling(reports_s=0.02, inbound_s=0, balance_s=0))
    house.queue(*numbers(3))
    line.open.clear()

    with Shift(house) as shift:
        wait_until(shift.worker._stopping.is_set)
        line.open.set()
        shift.join()

    assert isinstance(shift.error, Defect)
    assert states(house) == [State.SUBMITTED] * 3


def test_it_gives_signs_of_life_and_takes_up_what_the_dead_left(house_of, monkeypatch):
    """While something is under way the lease is renewed; what a dead holder had claimed is delivered."""
    monkeypatch.setattr(worker_module, "UPKEEP_S", 0.02)
    renewed = []
    line = Line()
    rows = MemoryRows(lambda boundary: renewed.append(boundary) if boundary.startswith("renew") else None)
    house = house_of(line, rows=rows, poll=NO_POLLS, is_dead=lambda holder: holder == "dead")
    house.queue("13900000001")
    line.open.clear()

    with Shift(house):
        wait_until(lambda: len(renewed) > 3)
        house.accept("13900000002", text="another", holder=HolderId("dead"))
        line.open.set()
        wait_until(lambda: states(house) == [State.SUBMITTED] * 2)


def test_urgent_messages_overtake_while_every_line_is_busy(house_of):
    """A mass mailing of many texts keeps every line busy: the next line that is free takes the alarm."""
    texts = []
    line = Line(lambda request: texts.append(request.body) or TAKEN)
    house = house_of(line, poll=NO_POLLS)
    for position in range(LINES + 8):
        house.queue("13900000000", text=f"bulk {position}", cls=MessageClass.BULK)
    line.open.clear()

    with Shift(house):
        wait_until(lambda: line.waiting == LINES)
        house.queue("13900000001", text="alarm", cls=MessageClass.CRITICAL)
        wait_until(lambda: State.CLAIMED in [one.state for one in house.outbox.deliveries(Filter()) if not one.urgency])
        line.open.set()
        wait_until(lambda: set(states(house)) == {State.SUBMITTED})

    (place,) = [position for position, text in enumerate(texts) if b"alarm" in text]
    assert place < LINES + 4


def test_a_worker_takes_up_the_spool_before_it_ends(house_of):
    """What waits on the spool is taken in at the beginning: a worker that only drains delivers it as well."""
    house = house_of(Line(), poll=NO_POLLS)
    with Shift(house, drain=True, take_up=lambda: house.queue("13900000001")) as shift:
        shift.join()
    assert states(house) == [State.SUBMITTED]


def test_a_worker_looks_at_the_spool_again_and_again(house_of, monkeypatch):
    """Every few seconds it looks again, and a store that fails then is met like at any other time."""
    monkeypatch.setattr(worker_module, "TAKE_UP_S", 0.01)
    looks = []

    def take_up():
        looks.append(1)
        if len(looks) == 2:
            raise StoreFailed("busy")

    with Shift(house_of(Line(), poll=NO_POLLS), take_up=take_up) as shift:
        wait_until(lambda: len(looks) >= 4)
    assert shift.error is None


def test_alerts_that_nobody_speaks_of_are_forgotten(house_of, monkeypatch):
    """What was not heard of for longer than alerts are remembered is gone once a worker has looked after the store."""
    monkeypatch.setattr(worker_module, "UPKEEP_S", 0.0)
    house = house_of(Line(), poll=NO_POLLS)
    now = house.clock.now()
    keys = [AlertKey(source="am", receiver="r", fingerprint=name) for name in ("old", "new")]
    records = [
        AlertRecord(key=key, status=AlertStatus.FIRING, level="", starts_at=None, ends_at=None, seen_at=seen_at)
        for key, seen_at in zip(keys, (now - REMEMBERED - timedelta(hours=1), now), strict=True)
    ]
    house.outbox.take_in([Intake(decide=lambda _, __: Decided(alerts=tuple(records)))], now)

    with Shift(house):
        wait_until(lambda: keys[0] not in house.rows.alerts.get_alerts(keys))

    assert list(house.rows.alerts.get_alerts(keys)) == [keys[1]]
