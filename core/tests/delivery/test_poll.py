"""Destructive polls: what a vendor answered is durable before anything reads it, and nothing of it is lost."""

from contextlib import suppress
from decimal import Decimal

import pytest

from tocsin.delivery import poll
from tocsin.errors import AnswerError, PluginError, Reached, TransportError
from tocsin.model.balance import Unit
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted, Reason, Refused
from tocsin.model.phone import parse_number, parse_vendor_number
from tocsin.model.push import Trust
from tocsin.model.report import InboundMessage, Report, ReportState
from tocsin.outbox.record import RawAnswer
from tocsin.outbox.state import State
from tocsin.plugin import Exchange, HttpRequest, hookimpl
from tocsin.testing.vendor import (
    ExampleVendor,
    answer_balance,
    answer_mo,
    answer_refusal,
    answer_reports,
    answer_send,
)
from tocsin.wire.http import HttpResponse

NUMBER = parse_number("13900000000")


def report(vendor_id="77", state=ReportState.DELIVERED, to=NUMBER):
    return Report(vendor_id=VendorId(vendor_id), to=to, state=state, code="WORD")


def fetch(house, account="one"):
    return poll.fetch_reports(house.parts, house.accounts[account], house.holder)


def fetch_mo(house):
    return poll.fetch_mo(house.parts, house.accounts["one"], house.holder)


def test_a_fetched_report_closes_its_delivery(house_of):
    """A delivered report that was fetched is applied; every row is returned, matched or not."""
    house = house_of([answer_send(Accepted(VendorId("77"))), answer_reports([report(), report("78")])])
    (delivery,) = house.send()

    rows = fetch(house)

    assert rows == (report(), report("78"))
    assert house.deliveries(delivery.message)[0].state is State.DELIVERED
    assert [(one.delivery, one.trust) for one in house.outbox.evidence(None)[0]] == [
        (None, Trust.POLL),
        (delivery.id, Trust.POLL),
    ]


def test_an_answer_is_stored_before_it_is_read(house_of):
    """When the plugin reads an answer its raw bytes are in the store already (I7)."""
    found = []

    class Curious(ExampleVendor):
        """Reads an answer only to look into the store."""

        @hookimpl
        def fetch_reports(self, account):
            return Exchange(HttpRequest(url="http://one.invalid/reports"), self._look)

        def _look(self, answer):
            found.append(house.raw_bodies() == [answer.body])
            raise ValueError("no form that I know")

    house = house_of([HttpResponse(status=200, body=b"raw")], vendors={"one": Curious("curious")})
    with pytest.raises(PluginError):
        fetch(house)

    assert found == [True]


@pytest.mark.parametrize("body", [b"garbage", b"[]", b"\xff"], ids=["no JSON", "no object", "no text"])
def test_an_answer_that_cannot_be_read_is_quarantined(house_of, lines, body):
    """Its raw bytes stay, why it could not be read is kept, and the caller hears of it."""
    house = house_of([HttpResponse(status=200, body=body)])

    with pytest.raises(AnswerError):
        fetch(house)

    assert house.raw_bodies() == [body]
    assert len(house.quarantined()) == 1
    assert len(lines.of("tocsin.poll.failed")) == 1


def test_a_plugin_that_breaks_over_an_answer_loses_nothing(house_of):
    """What a decoder raises is the plugin's fault: raw bytes and quarantine stay."""
    house = house_of([HttpResponse(status=200, body=b'{"rows": [[]]}')])

    with pytest.raises(PluginError):
        fetch(house)

    assert house.raw_bodies() == [b'{"rows": [[]]}']
    assert house.quarantined() == ["decode raised ValueError"]


def test_a_cut_answer_gives_its_whole_rows(house_of):
    """Of an answer that broke off, the fault is kept with the bytes, the rows count, and the tail is quarantined."""
    cut = HttpResponse(status=200, body=answer_reports([report()], unparsed=["77,139"]).body, fault="reset-in-body")
    house = house_of([cut])

    assert fetch(house) == (report(),)
    assert house.quarantined() == ["77,139"]
    assert house.rows.get_raw(1).fault == "reset-in-body"


def test_full_pages_are_asked_for_until_one_is_not_full(house_of):
    """A full page is followed by another poll at once; the rows of all pages are returned in order."""
    house = house_of([answer_reports([report("1")], more=True), answer_reports([report("2")], more=True),
                      answer_reports([])])  # fmt: skip

    assert fetch(house) == (report("1"), report("2"))
    assert len(house.raw_bodies()) == 3


def test_a_vendor_without_end_is_left_at_last(house_of):
    """A vendor whose every page is full is asked a hundred times, and then left for the next call."""
    house = house_of(lambda _: answer_reports([report()], more=True))

    assert len(fetch(house)) == poll.MOST_PAGES


def leave_behind(house, answer, fault=None):
    """Store a poll's answer as a process does that dies before it has read it."""
    raw = RawAnswer(
        account=house.accounts["one"].id, kind="reports", trust=Trust.POLL, body=answer.body, fault=fault,
        status=answer.status, headers=answer.headers,
    )  # fmt: skip
    return house.outbox.spool(raw, house.clock.now())


def test_what_a_killed_poll_left_behind_is_read_by_the_next(house_of):
    """An answer that was stored and not read is read before the vendor is asked again; its rows come first, once."""
    house = house_of([answer_send(Accepted(VendorId("77"))), answer_reports([report("78")]), answer_reports([])])
    (delivery,) = house.send()
    leave_behind(house, answer_reports([report("77")]))

    assert fetch(house) == (report("77"), report("78"))
    assert house.deliveries(delivery.message)[0].state is State.DELIVERED
    assert fetch(house) == ()


@pytest.mark.parametrize(
    "answer",
    [HttpResponse(status=200, body=b"garbage"), answer_refusal(Reason.BALANCE), HttpResponse(status=200, body=b"[[]")],
    ids=["unreadable", "refused", "cut"],
)
def test_what_a_killed_poll_left_unreadable_is_quarantined_once(house_of, answer):
    """An answer that holds no rows for us is quarantined, and hinders neither this poll nor the next."""
    house = house_of([answer_reports([report()]), answer_reports([])])
    raw = leave_behind(house, answer)

    assert fetch(house) == (report(),)
    assert fetch(house) == ()
    assert len(house.quarantined()) == 1
    assert house.rows.get_raw(raw).body == answer.body


def test_an_answer_that_breaks_the_plugin_does_not_stop_the_polls(house_of):
    """An answer that makes the plugin raise is quarantined like one that it cannot read, and the vendor is asked."""
    house = house_of([answer_reports([report()])])
    leave_behind(house, HttpResponse(status=200, body=b'{"rows": [[]]}'))

    assert fetch(house) == (report(),)
    assert len(house.quarantined()) == 1


def test_a_refused_poll_is_an_answer(house_of):
    """A refusal is returned as a value, and its raw answer is kept like any other."""
    house = house_of([answer_refusal(Reason.AUTHENTICATION)])

    assert fetch(house) == Refused(Reason.AUTHENTICATION)
    assert len(house.raw_bodies()) == 1


def test_a_refusal_after_some_pages_returns_what_came(house_of):
    """What came before a refusal is stored, and returned."""
    house = house_of([answer_reports([report()], more=True), answer_refusal(Reason.THROTTLED)])

    assert fetch(house) == (report(),)


@pytest.mark.parametrize(("reached", "gaps"), [(Reached.MAYBE, 1), (Reached.NO, 0)])
def test_a_poll_that_may_have_taken_reports_away_is_a_gap(house_of, lines, reached, gaps):
    """A poll whose answer is lost may have consumed reports, and is logged as a gap; one that never left is none."""
    house = house_of([TransportError(reached=reached, cause="read-timeout")])

    with pytest.raises(TransportError):
        fetch(house)

    assert len(lines.of("tocsin.poll.report_gap")) == gaps


@pytest.mark.parametrize(
    "world",
    [
        [answer_reports([])],
        [answer_refusal(Reason.BALANCE)],
        [HttpResponse(status=200, body=b"?")],
        [TransportError(reached=Reached.NO, cause="dns")],
    ],
    ids=["empty", "refused", "unreadable", "unreached"],
)
def test_a_poll_gives_its_lease_back(house_of, clock, world):
    """However a poll ends, the next poller may begin at once."""
    house = house_of(world)
    with suppress(AnswerError, TransportError):
        fetch(house)

    assert house.outbox.begin_poll("one", "somebody-else", clock.now())


def test_two_pollers_of_an_account_do_not_meet(house_of, clock):
    """While another process polls the account nobody is asked, and its lease is left alone."""
    house = house_of([answer_reports([])])
    house.outbox.begin_poll("one", "somebody-else", clock.now())

    with pytest.raises(poll.PollBusy):
        fetch(house)
    assert fetch(house, "two") == ()
    assert not house.outbox.begin_poll("one", house.holder, clock.now())


def test_a_shared_account_settles_no_doubt(house_of):
    """An account that other software sends through never settles a doubt by number."""
    lost = TransportError(reached=Reached.MAYBE, cause="reset")
    for shared, state in ((False, State.DELIVERED), (True, State.IN_DOUBT)):
        house = house_of([lost, answer_reports([report()])], shared=shared)
        (delivery,) = house.send()
        fetch(house)

        assert house.deliveries(delivery.message)[0].state is state


def test_inbound_messages_are_fetched_page_by_page(house_of):
    """Replies of all pages are stored and returned, in order."""
    first, second = (
        InboundMessage(sender=parse_vendor_number(sender), text="TD") for sender in ("13900000000", "10086")
    )
    house = house_of([answer_mo([first], more=True), answer_mo([second])])

    assert fetch_mo(house) == (first, second)
    assert [one.message for one in house.outbox.evidence(None)[1]] == [second, first]
    assert [house.rows.get_raw(number).kind for number in (1, 2)] == ["inbound", "inbound"]


def test_a_balance_is_asked_and_not_stored(house_of, clock):
    """A balance is what the vendor says, as of now; its answer takes nothing away, so it is not spooled."""
    house = house_of([answer_balance("12.30"), answer_refusal(Reason.AUTHENTICATION)])

    balance = poll.query_balance(house.parts, house.accounts["one"])

    assert (balance.amount, balance.unit, balance.as_of) == (Decimal("12.30"), Unit.CNY, clock.now())
    assert poll.query_balance(house.parts, house.accounts["one"]) == Refused(Reason.AUTHENTICATION)
    assert house.raw_bodies() == []
