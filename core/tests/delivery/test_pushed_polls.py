"""What pushes do to the poller of an account: which polls they bring forward, and what it reads that nobody read."""

import threading
from functools import partial
from itertools import pairwise

import pytest

from tocsin.delivery.poller import LEAST_GAP_S, Poller
from tocsin.delivery.push import as_raw
from tocsin.errors import Reached, TransportError
from tocsin.model.account import Polling, PushAccess
from tocsin.model.ids import VendorId
from tocsin.model.phone import parse_number
from tocsin.model.push import PushRequest, Trust, VerifiedPush
from tocsin.model.report import Batch, InboundMessage, Report, ReportState
from tocsin.model.secret import Secret
from tocsin.testing.vendor import answer_balance, answer_mo, answer_reports

NUMBER = parse_number("13900000000")
REPORT = Report(vendor_id=VendorId("77"), to=NUMBER, state=ReportState.DELIVERED)
REPLY = InboundMessage(sender=NUMBER, text="TD", vendor_id=VendorId("5"))
PUSHED_TO = PushAccess(token=Secret("a-token-of-some-length"))
NEVER = threading.Event()
EMPTY = {"reports": answer_reports(()), "mo": answer_mo(()), "balance": answer_balance("12.5")}


class Vendor:
    """Answers polls, empty as long as a test says nothing else; writes down when each came."""

    def __init__(self, clock, **instead):
        self._clock, self.instead, self.asked = clock, instead, []

    def __call__(self, request):
        kind = request.url.rsplit("/", 1)[1]
        self.asked.append((kind, self._clock.monotonic()))
        answer = self.instead.get(kind, EMPTY[kind])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def times(self, kind):
        return [at for asked, at in self.asked if asked == kind]


@pytest.fixture
def house_of(house_of):
    """A house whose accounts have tokens, and are polled once an hour."""
    return partial(house_of, push=PUSHED_TO, poll=Polling(reports_s=3600, inbound_s=0, balance_s=0))


def poller_of(house, heard=lambda: None):
    return Poller(house.parts, house.accounts["one"], house.holder, heard)


def want(house, kind):
    """Have somebody push something with a token alone."""
    raw = house.outbox.spool(left(house), house.clock.now())
    reports = Batch(rows=(REPORT,)) if kind == "reports" else Batch()
    inbound = Batch(rows=(REPLY,)) if kind == "inbound" else Batch()
    push = VerifiedPush(reports=reports, inbound=inbound)
    house.outbox.apply_push(raw, push, shared=False, now=house.clock.now())


def left(house):
    """Return a push as it is spooled."""
    request = PushRequest(method="POST", path="", headers=(), query=(), body=b"x", peer="::1")
    return as_raw(house.accounts["one"], request, Trust.TOKEN)


def look_on(poller, clock, seconds):
    """Let time pass second by second, with a look and what is due in each."""
    for _ in range(seconds):
        clock.advance(1)
        poller.look()
        poller.poll_due(NEVER)


@pytest.mark.parametrize(("kind", "method"), [("reports", "reports"), ("inbound", "mo")])
def test_a_push_brings_the_next_poll_of_its_kind_forward(house_of, clock, kind, method):
    """What somebody pushed with a token alone is asked for within a second or so, and nothing else is."""
    vendor = Vendor(clock)
    house = house_of(vendor, poll=Polling(reports_s=3600, inbound_s=3600, balance_s=3600))
    poller = poller_of(house)
    look_on(poller, clock, 20)
    asked = len(vendor.asked)
    want(house, kind)

    look_on(poller, clock, 2)

    assert [name for name, _ in vendor.asked[asked:]] == [method]
    look_on(poller, clock, 100)
    assert len(vendor.asked) == asked + 1


def test_whoever_pushes_sets_no_pace(house_of, clock):
    """A push every second brings a poll every five."""
    vendor = Vendor(clock)
    house = house_of(vendor)
    poller = poller_of(house)
    for _ in range(60):
        want(house, "reports")
        look_on(poller, clock, 1)

    times = vendor.times("reports")
    assert 10 <= len(times) <= 13
    assert min(later - earlier for earlier, later in pairwise(times)) >= LEAST_GAP_S


def test_a_push_does_not_hurry_to_a_vendor_that_fails(house_of, clock):
    """A poll that failed is put off, whatever is pushed meanwhile."""
    vendor = Vendor(clock, reports=TransportError(reached=Reached.NO, cause="connect-refused"))
    house = house_of(vendor, poll=Polling(reports_s=60, inbound_s=0, balance_s=0))
    poller = poller_of(house)
    look_on(poller, clock, 2)
    for _ in range(50):
        want(house, "reports")
        look_on(poller, clock, 1)

    assert len(vendor.times("reports")) == 1


def test_what_was_wanted_before_the_start_is_no_news(house_of, clock):
    """All kinds are asked at the start anyway."""
    vendor = Vendor(clock)
    house = house_of(vendor)
    want(house, "reports")

    look_on(poller_of(house), clock, 60)

    assert len(vendor.times("reports")) == 1


def test_an_account_that_takes_no_pushes_is_not_looked_at(house_of, clock):
    """Without a token there is nothing to look for."""
    vendor = Vendor(clock)
    house = house_of(vendor, push=PushAccess())
    poller = poller_of(house)
    look_on(poller, clock, 5)
    want(house, "reports")
    look_on(poller, clock, 60)

    assert len(vendor.times("reports")) == 1


def test_a_store_that_cannot_be_read_is_looked_at_again(house_of, failing_rows, clock, lines):
    """A look that fails is told, and the next one finds what that one missed."""
    rows, vendor = failing_rows(), Vendor(clock)
    house = house_of(vendor, rows=rows)
    poller = poller_of(house)
    look_on(poller, clock, 10)
    want(house, "reports")
    rows.fails = lambda name: name == "read"
    clock.advance(1)
    poller.look()
    rows.fails = lambda _: False

    look_on(poller, clock, 2)

    assert len(vendor.times("reports")) == 2
    assert [line["kind"] for line in lines.of("tocsin.poll.failed")] == ["pushed"]


def test_a_push_that_nobody_read_is_read_within_a_minute(house_of, clock):
    """What a gateway stored and could not read any more is read by the poller; the worker hears of it."""
    house = house_of(Vendor(clock))
    heard = []
    poller = poller_of(house, lambda: heard.append(1))
    look_on(poller, clock, 2)
    house.outbox.spool(left(house), clock.now())

    look_on(poller, clock, 61)

    assert house.outbox.unread(house.accounts["one"].id, "pushed") == {}
    assert heard == [1]


def test_an_account_without_polls_is_looked_at_until_told_to_stop(house_of, clock):
    """With polling off, pushes that nobody read are read all the same."""
    house = house_of(Vendor(clock), poll=Polling(reports_s=0, inbound_s=0, balance_s=0))
    house.outbox.spool(left(house), clock.now())
    stop, heard = threading.Event(), threading.Event()
    thread = threading.Thread(target=poller_of(house, heard.set).run, args=(stop,))
    thread.start()

    assert heard.wait(10)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
