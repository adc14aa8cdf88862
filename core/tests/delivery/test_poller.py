"""The poller of one account: its pace, what it does about a vendor that fails, and what it never does."""

import threading
from datetime import timedelta
from itertools import pairwise

import attrs
import pytest

from tocsin.delivery.poller import Poller
from tocsin.errors import Reached, TransportError
from tocsin.model.account import Polling
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted, Reason
from tocsin.model.phone import parse_number
from tocsin.model.report import InboundMessage, Report, ReportState
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State
from tocsin.plugin import Capabilities, hookimpl
from tocsin.testing.vendor import (
    ExampleVendor,
    answer_balance,
    answer_mo,
    answer_refusal,
    answer_reports,
    answer_send,
)

NUMBER = parse_number("13900000000")
REPORT = Report(vendor_id=VendorId("77"), to=NUMBER, state=ReportState.DELIVERED)
UNREACHED = TransportError(reached=Reached.NO, cause="connect-refused")
LOST = TransportError(reached=Reached.MAYBE, cause="read-timeout")
GO_ON = threading.Event()
EMPTY = {"reports": answer_reports(()), "mo": answer_mo(()), "balance": answer_balance("12.5")}


def kind_of(request):
    return request.url.rsplit("/", 1)[1]


class Vendor:
    """Answers polls, empty as long as a test says nothing else; writes down when each came.

    Args:
        clock: tells when.
        instead: by kind, what to answer; an exception is raised.
    """

    def __init__(self, clock, **instead):
        self._clock, self.instead, self.asked = clock, instead, []

    def __call__(self, request):
        kind = kind_of(request)
        self.asked.append((kind, self._clock.monotonic()))
        answer = self.instead.get(kind, EMPTY.get(kind))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def times(self, kind):
        return [at for asked, at in self.asked if asked == kind]


def poller_of(house, heard=lambda: None):
    return Poller(house.parts, house.accounts["one"], house.holder, heard)


def live(poller, clock, seconds):
    """Let time pass up to each turn, and take it, for so many seconds."""
    ends_at = clock.monotonic() + seconds
    while True:
        wait_s = max(0.0, poller.wait_s())
        if clock.monotonic() + wait_s > ends_at:
            clock.advance(ends_at - clock.monotonic())
            return
        clock.advance(wait_s)
        poller.poll_due(GO_ON)


def listening(house, kind):
    (heard,) = [one for one in house.outbox.listenings() if one.kind == kind]
    return heard


def test_each_kind_has_its_own_pace(house_of, clock):
    """Reports, inbound messages and the balance are asked at once, then each as often as the account says."""
    vendor = Vendor(clock)
    house = house_of(vendor, poll=Polling(reports_s=5, inbound_s=20, balance_s=30))

    live(poller_of(house), clock, 60)

    assert vendor.times("reports") == [*range(0, 61, 5)]
    assert vendor.times("mo") == [0, 20, 40, 60]
    assert vendor.times("balance") == [0, 30, 60]


def test_zero_seconds_is_never(house_of, clock):
    """A kind whose pace is 0 is not asked."""
    vendor = Vendor(clock)
    house = house_of(vendor, poll=Polling(reports_s=0, inbound_s=0, balance_s=10))

    live(poller_of(house), clock, 30)

    assert {kind for kind, _ in vendor.asked} == {"balance"}


class Mute:
    """A vendor that can send, and be asked nothing."""

    name = "vendor-one"

    @hookimpl
    def describe_vendor(self):
        return attrs.evolve(ExampleVendor(self.name).describe_vendor())

    @hookimpl
    def capabilities(self):
        return Capabilities(max_recipients=1, interfaces=("post",))

    @hookimpl
    def fits(self):
        return ""

    @hookimpl
    def send(self, account, submission):
        return ExampleVendor(self.name).send(account, submission)


@pytest.mark.parametrize(
    "details", [{"vendors": {"one": Mute()}}, {"poll": Polling(reports_s=0, inbound_s=0, balance_s=0)}]
)
def test_with_nothing_to_ask_it_ends_at_once(house_of, details):
    """A vendor without a hook to poll by, or an account that wants no polls, keeps no thread."""
    house = house_of([], **details)

    poller_of(house).run(threading.Event())

    assert house.transport.requests == []


@pytest.mark.parametrize("trouble", [UNREACHED, LOST, answer_refusal(Reason.THROTTLED)], ids=["no", "maybe", "refused"])
def test_a_vendor_that_fails_is_put_off(house_of, clock, trouble):
    """Twice as long each time, five minutes at most; the others keep their pace, and after an answer so does it."""
    vendor = Vendor(clock, reports=trouble)
    house = house_of(vendor, poll=Polling(reports_s=5, inbound_s=60, balance_s=0))
    poller = poller_of(house)

    live(poller, clock, 1500)
    failed = vendor.times("reports")
    vendor.instead.clear()
    live(poller, clock, 310)

    assert [later - sooner for sooner, later in pairwise(failed)] == [
        *(10, 20, 40, 80, 160),
        *(300, 300, 300),
    ]
    assert len(vendor.times("mo")) == 31
    assert vendor.times("reports")[-1] - vendor.times("reports")[-2] == 5


def test_it_is_never_early(house_of, clock):
    """An account that is asked once an hour is not asked sooner because it failed."""
    vendor = Vendor(clock, reports=UNREACHED)
    house = house_of(vendor, poll=Polling(reports_s=3600, inbound_s=0, balance_s=0))

    live(poller_of(house), clock, 4 * 3600)

    assert vendor.times("reports") == [0, 3600, 7200, 10800, 14400]


def test_a_vendor_may_be_away_for_weeks(house_of, clock):
    """However often a poll has failed, the next one comes within five minutes."""
    vendor = Vendor(clock, reports=UNREACHED)
    house = house_of(vendor, poll=Polling(reports_s=5, inbound_s=0, balance_s=0))

    live(poller_of(house), clock, 1100 * 300)

    assert len(vendor.times("reports")) > 1100


def test_an_account_that_somebody_else_polls_is_left_to_them(house_of, clock):
    """It is asked again at its pace; that is no failure, and nothing is written down."""
    vendor = Vendor(clock)
    house = house_of(vendor, poll=Polling(reports_s=5, inbound_s=0, balance_s=0))
    house.outbox.begin_poll("one", "somebody-else", clock.now())
    poller = poller_of(house)

    live(poller, clock, 9)
    assert (vendor.asked, house.outbox.listenings()) == ([], ())
    house.outbox.end_poll("one", "somebody-else")
    live(poller, clock, 11)

    assert vendor.times("reports") == [10, 15, 20]


def test_a_balance_that_was_just_asked_is_no_trouble(house_of, clock):
    """The vendor wants more time between two queries: none is made, and the note of the last one stands."""
    vendor = Vendor(clock)
    slow = ExampleVendor("slow", Capabilities(max_recipients=9, interfaces=("post",), balance_every_s=15))
    house = house_of(vendor, vendors={"one": slow}, poll=Polling(reports_s=0, inbound_s=0, balance_s=10))

    live(poller_of(house), clock, 10)

    assert vendor.times("balance") == [0]
    heard = listening(house, "balance")
    assert (heard.trouble, heard.heard_at) == ("", clock.now() - timedelta(seconds=10))


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (answer_balance("12.5"), ""),
        (answer_refusal(Reason.AUTHENTICATION), "refused: authentication"),
        (UNREACHED, "connect-refused (request not sent)"),
    ],
    ids=["fine", "refused", "unreached"],
)
def test_how_the_balance_was_asked_is_written_down(house_of, clock, answer, trouble):
    """When it was asked, whether it was told, and what was in the way."""
    house = house_of(Vendor(clock, balance=answer), poll=Polling(reports_s=0, inbound_s=0, balance_s=10))

    live(poller_of(house), clock, 0)

    heard = listening(house, "balance")
    assert (heard.asked_at, heard.heard_at, heard.trouble) == (clock.now(), None if trouble else clock.now(), trouble)


def test_a_full_page_is_followed_at_once(house_of, clock):
    """As long as the vendor has more, it is asked again in the same turn."""
    pages = [answer_reports([REPORT], more=True), answer_reports([REPORT], more=True), answer_reports(())]
    house = house_of(pages, poll=Polling(reports_s=5, inbound_s=0, balance_s=0))

    live(poller_of(house), clock, 0)

    assert len(house.transport.requests) == 3


@pytest.mark.parametrize(("trouble", "gaps"), [(LOST, 3), (UNREACHED, 0)], ids=["maybe", "no"])
def test_a_poll_that_may_have_taken_reports_away_is_a_gap(house_of, clock, lines, trouble, gaps):
    """An answer lost on its way held what the vendor has forgotten: it is counted and logged; one never made is not."""
    house = house_of(Vendor(clock, reports=trouble), poll=Polling(reports_s=5, inbound_s=0, balance_s=0))

    live(poller_of(house), clock, 30)

    assert listening(house, "reports").gaps == gaps
    assert len(lines.of("tocsin.poll.report_gap")) == gaps


def test_a_store_that_cannot_write_asks_no_vendor(house_of, failing_rows, clock):
    """The lease's commit is the canary: as long as it fails nothing is taken from a vendor (I7)."""
    rows = failing_rows()
    vendor = Vendor(clock, reports=answer_reports([REPORT]))
    house = house_of(vendor, rows=rows, poll=Polling(reports_s=5, inbound_s=5, balance_s=0))
    rows.fails = lambda name: name == "begin-poll"
    poller = poller_of(house)

    live(poller, clock, 60)
    assert vendor.asked == []
    rows.fails = lambda _: False
    live(poller, clock, 300)

    assert vendor.asked


@pytest.mark.parametrize("failures", [1, 5])
def test_an_answer_in_hand_is_kept_until_the_store_takes_it(house_of, failing_rows, clock, failures):
    """The vendor has forgotten it: it is stored as soon as that works, and applied once."""
    rows = failing_rows()
    answers = iter([answer_send(Accepted(VendorId("77"))), answer_reports([REPORT])])
    house = house_of(lambda _: next(answers), rows=rows, poll=Polling(reports_s=5, inbound_s=0, balance_s=0))
    held = []
    house.parts = attrs.evolve(house.parts, hold_on=lambda: held.append(1) or True)
    house.send()
    rows.fails = lambda name: name == "spool" and len(held) < failures

    poller_of(house).poll_due(GO_ON)

    (delivery,) = house.outbox.deliveries(Filter())
    assert (delivery.state, len(held)) == (State.DELIVERED, failures)
    assert [one.report for one in house.outbox.evidence(None)[0]] == [REPORT]


def test_an_answer_that_cannot_be_kept_is_a_gap(house_of, failing_rows, clock, lines):
    """Where it is time to give up, what is lost is said to be lost; the poll is put off like any that failed."""
    rows = failing_rows()
    house = house_of(
        Vendor(clock, reports=answer_reports([REPORT])),
        rows=rows,
        poll=Polling(reports_s=5, inbound_s=0, balance_s=0),
    )
    rows.fails = lambda name: name == "spool"
    poller = poller_of(house)

    poller.poll_due(GO_ON)

    assert [one["cause"] for one in lines.of("tocsin.poll.report_gap")] == ["store-failed"]
    assert poller.wait_s() == 10


@pytest.mark.parametrize(
    ("kind", "answer", "count"),
    [
        ("reports", answer_reports([REPORT]), 1),
        ("reports", answer_reports(()), 0),
        ("mo", answer_mo([InboundMessage(sender=NUMBER, text="stop")]), 1),
        ("balance", answer_balance("7"), 0),
        ("reports", UNREACHED, 0),
    ],
    ids=["reports", "none", "inbound", "balance", "trouble"],
)
def test_the_worker_is_woken_by_what_is_news(house_of, clock, kind, answer, count):
    """A poll that brought rows says so; one that brought nothing wakes nobody."""
    pace = Polling(**{"reports_s": 0, "inbound_s": 0, "balance_s": 0, f"{kind.replace('mo', 'inbound')}_s": 5})
    house = house_of(Vendor(clock, **{kind: answer}), poll=pace)
    heard = []

    poller_of(house, lambda: heard.append(1)).poll_due(GO_ON)

    assert len(heard) == count


def test_a_store_that_fails_over_an_answer_loses_none(house_of, failing_rows, clock):
    """Spooled, and then not applied: the next poll applies it, before it asks for more."""
    rows = failing_rows()
    answers = iter([answer_send(Accepted(VendorId("77"))), answer_reports([REPORT]), answer_reports(())])
    house = house_of(lambda _: next(answers), rows=rows, poll=Polling(reports_s=5, inbound_s=0, balance_s=0))
    house.send()
    rows.fails = lambda name: name == "reports"
    poller = poller_of(house)
    poller.poll_due(GO_ON)
    rows.fails = lambda _: False

    live(poller, clock, 10)

    (delivery,) = house.outbox.deliveries(Filter())
    assert delivery.state is State.DELIVERED


def test_a_told_stop_ends_it_while_it_waits(house_of, clock):
    """Its thread ends as soon as it is told, however long the next turn is off."""
    house = house_of(Vendor(clock), poll=Polling(reports_s=3600, inbound_s=0, balance_s=0))
    stop = threading.Event()
    thread = threading.Thread(target=poller_of(house).run, args=(stop,))
    thread.start()

    stop.set()
    thread.join(timeout=10)

    assert not thread.is_alive()
