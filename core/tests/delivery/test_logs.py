"""What delivery logs: allowed keys, dotted events, and nothing that is anybody's business (I13)."""

import pytest

from tocsin.delivery import poll
from tocsin.errors import AnswerError, Reached, TransportError
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted, Reason, Refused, Unknown
from tocsin.model.phone import parse_number
from tocsin.model.report import Report, ReportState
from tocsin.observe import ALLOWED_KEYS, keep_allowed
from tocsin.testing.vendor import ExampleVendor, answer_reports, answer_send
from tocsin.wire.http import HttpResponse

NUMBER = "13900000000"
TEXT = "the code is 424242"
WORDS = "the vendor quotes 424242"


def fail(submission):
    raise ValueError(f"{submission.to} {submission.text}")


def send(house):
    house.send(NUMBER, text=TEXT)


def fetch(house):
    with pytest.raises((AnswerError, TransportError)):
        poll.fetch_reports(house.parts, house.accounts["one"], house.holder)


LOST = TransportError(reached=Reached.MAYBE, cause="read-timeout")
CASES = {
    "accepted": (send, [answer_send(Accepted(VendorId("77")))], ["tocsin.send.accepted"]),
    "partial": (
        send,
        [answer_send(Accepted(VendorId("77"), partial=True))],
        ["tocsin.send.accepted", "tocsin.alarm"],
    ),
    "refused": (send, [answer_send(Refused(Reason.BLOCKED, "-5", WORDS))], ["tocsin.send.refused"]),
    "alarming": (
        send,
        [answer_send(Refused(Reason.BALANCE, "-7", WORDS)), LOST],
        ["tocsin.send.refused", "tocsin.alarm", "tocsin.account.closed", "tocsin.send.unknown"],
    ),
    "unreached": (
        send,
        [TransportError(reached=Reached.NO, cause="dns"), answer_send(Unknown("no word"))],
        ["tocsin.send.not_sent", "tocsin.send.unknown"],
    ),
    "undecodable": (send, [HttpResponse(status=200, body=TEXT.encode())], ["tocsin.send.unknown"]),
    "unreadable reports": (fetch, [HttpResponse(status=200, body=NUMBER.encode() * 2)], ["tocsin.poll.failed"]),
    "lost reports": (fetch, [LOST], ["tocsin.poll.report_gap"]),
}


@pytest.mark.parametrize(("act", "world", "events"), CASES.values(), ids=CASES)
def test_each_event_is_logged_without_anything_private(house_of, lines, act, world, events):
    """Each attempt and each alarm is one line: of allowed keys only, without number, text or the vendor's words."""
    act(house_of(world))

    assert [line["event"] for line in lines.all()] == events
    for line in lines.all():
        assert set(line) <= ALLOWED_KEYS
        assert not [word for word in (NUMBER, "424242", "quotes", "http://") if word in str(line)]


def test_a_broken_plugin_is_an_alarm_without_its_words(house_of, lines):
    """What a plugin raises names plugin, account and kind of error, and quotes none of it."""
    house = house_of([answer_send(Accepted(None))], vendors={"one": ExampleVendor("broken", on_send=fail)})

    send(house)

    (alarm,) = lines.of("tocsin.alarm")
    assert (alarm["account"], alarm["vendor"]) == ("one", "broken")
    assert alarm["cause"] == "plugin broken: send raised ValueError"


def test_a_group_is_a_line_for_each_kind_of_outcome(house_of, lines):
    """Outcomes of one request are counted, not listed: one line for each kind, under the submit's name."""
    numbers = [f"1390000000{position}" for position in range(5)]
    outcomes = {parse_number(number): Accepted(VendorId("77")) for number in numbers[:3]}
    outcomes |= {parse_number(number): Refused(Reason.BLOCKED, "-5") for number in numbers[3:]}
    house = house_of([answer_send(outcomes)])

    house.send(*numbers)

    assert [(line["event"], line["count"], line["reason"], line["code"]) for line in lines.all()] == [
        ("tocsin.send.accepted", "3", "", ""),
        ("tocsin.send.refused", "2", "blocked", "-5"),
    ]
    assert len({line["submit"] for line in lines.all()}) == 1


def test_a_poll_counts_what_came(house_of, lines):
    """A poll's line counts its rows, and what was quarantined of them."""
    row = Report(vendor_id=VendorId("77"), to=parse_number(NUMBER), state=ReportState.FAILED)
    house = house_of([answer_reports([row], unparsed=["77,139"])])

    poll.fetch_reports(house.parts, house.accounts["one"], house.holder)

    (line,) = lines.of("tocsin.poll.done")
    assert (line["count"], line["quarantined"]) == ("1", "1")


def test_a_key_that_is_not_on_the_list_is_dropped():
    """A new argument cannot slip a number or a text into a line."""
    event = dict.fromkeys(ALLOWED_KEYS, "x") | {"to": NUMBER, "text": TEXT, "url": "http://x/?password=y"}

    assert set(keep_allowed(None, "info", event)) == ALLOWED_KEYS
