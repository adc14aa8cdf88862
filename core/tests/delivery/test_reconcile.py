"""The second pass: doubts whose wait for evidence is over."""

from datetime import timedelta

import pytest

from tocsin.delivery import poll
from tocsin.errors import Reached, TransportError
from tocsin.model.ids import VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, Reason, Refused
from tocsin.model.phone import parse_number
from tocsin.model.report import Report, ReportState
from tocsin.outbox.state import State
from tocsin.policy.route import InDoubt, RuleChanges
from tocsin.testing.vendor import answer_reports, answer_send

LOST = TransportError(reached=Reached.MAYBE, cause="read-timeout")
UNREACHED = TransportError(reached=Reached.NO, cause="connect-refused")
TAKEN = answer_send(Accepted(VendorId("78")))
REFUSED = answer_send(Refused(Reason.KEYWORD))
WAIT_S = 60


def hosts(house):
    return [request.url.split("/")[2].removesuffix(".invalid") for request in house.transport.requests]


def in_doubt(house, **details):
    (delivery,) = house.send(**details)
    assert delivery.state is State.IN_DOUBT
    return delivery.message


def test_nothing_happens_while_evidence_may_still_come(house_of, clock):
    """Before its class's wait is over a doubt is left alone, and no request is made."""
    house = house_of([LOST])
    message = in_doubt(house)
    clock.advance(WAIT_S - 1)

    (delivery,) = house.resolve(message)

    assert (delivery.state, delivery.epoch) == (State.IN_DOUBT, 1)


@pytest.mark.parametrize(
    ("answer", "state"),
    [(TAKEN, State.SUBMITTED), (LOST, State.IN_DOUBT), (REFUSED, State.PARKED), (UNREACHED, State.PARKED)],
    ids=["taken", "lost", "refused", "unreached"],
)
def test_an_alert_in_doubt_goes_to_the_other_account_once(house_of, clock, answer, state):
    """After the wait another account is asked; where that proves to ring nobody, the first copy is parked."""
    house = house_of([LOST, answer])
    message = in_doubt(house)
    clock.advance(WAIT_S)

    (delivery,) = house.resolve(message)

    assert delivery.state is state
    assert hosts(house) == ["one", "two"]


def test_copies_end_at_what_the_class_allows(house_of, clock):
    """Two lost answers are all the copies an alert may have: then it is parked, and stays so."""
    house = house_of([LOST, LOST], accounts=("one", "two", "three"))
    message = in_doubt(house)
    for _ in range(4):
        clock.advance(WAIT_S)
        (delivery,) = house.resolve(message)

    assert delivery.state is State.PARKED
    assert hosts(house) == ["one", "two"]


def test_a_notice_in_doubt_is_held(house_of, clock):
    """A class that holds sends no copy: after its wait the delivery is parked."""
    house = house_of([LOST])
    message = in_doubt(house, cls=MessageClass.NOTICE)
    clock.advance(600)

    (delivery,) = house.resolve(message)

    assert (delivery.state, hosts(house)) == (State.PARKED, ["one"])


def test_resend_same_asks_the_same_account(house_of, clock):
    """`resend-same` sends its copy by the account that may have taken the first."""
    house = house_of([LOST, TAKEN], rules=RuleChanges(when_in_doubt=InDoubt.RESEND_SAME))
    message = in_doubt(house)
    clock.advance(WAIT_S)

    assert house.resolve(message)[0].state is State.SUBMITTED
    assert hosts(house) == ["one", "one"]


def test_evidence_within_the_wait_ends_the_doubt(house_of, clock):
    """A report that settles the doubt leaves nothing for the second pass."""
    number = parse_number("13900000000")
    report = Report(vendor_id=VendorId("77"), to=number, state=ReportState.DELIVERED)
    house = house_of([LOST, answer_reports([report])])
    message = in_doubt(house)
    poll.fetch_reports(house.parts, house.accounts["one"], house.holder)
    clock.advance(WAIT_S)

    assert house.resolve(message)[0].state is State.DELIVERED
    assert len(house.transport.requests) == 2


def test_a_doubt_past_its_time_is_parked(house_of, clock):
    """Where the wait outlasts the message's time no copy is sent."""
    house = house_of([LOST], rules=RuleChanges(expires_after=timedelta(seconds=30)))
    message = in_doubt(house)
    clock.advance(WAIT_S)

    assert house.resolve(message)[0].state is State.PARKED


def test_only_what_is_in_doubt_is_looked_at(house_of, clock):
    """The second pass touches nothing that is submitted, failed or unknown to the store."""
    house = house_of([TAKEN])
    (delivery,) = house.send()
    clock.advance(WAIT_S)

    assert house.resolve(delivery.message) == (delivery,)
    assert house.resolve("no-such") == ()


def test_of_many_doubts_each_is_decided_on_its_own(house_of, clock):
    """Doubts of one message that are due leave together, in one request."""
    house = house_of([LOST, TAKEN])
    deliveries = house.send("13900000001", "13900000002")
    clock.advance(WAIT_S)

    resolved = house.resolve(deliveries[0].message)

    assert [one.state for one in resolved] == [State.SUBMITTED, State.SUBMITTED]
    assert hosts(house) == ["one", "two"]
