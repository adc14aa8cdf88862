"""INTENT, request, settlement: what is proved before a byte may leave, and by whose fault none does."""

from datetime import timedelta

import attrs
import pytest

from tocsin.delivery.arrive import StoringSink
from tocsin.delivery.transports import Transports
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted
from tocsin.outbox.record import Filter
from tocsin.outbox.state import AttemptState, State
from tocsin.plugin import hookimpl
from tocsin.policy.route import RuleChanges
from tocsin.testing.vendor import ExampleVendor, answer_send

TAKEN = answer_send(Accepted(VendorId("77")))


def attempts_seen(house):
    return [
        (one.state, one.cause) for delivery in house.outbox.deliveries(Filter()) for one in house.attempts(delivery)
    ]


def test_the_intent_is_committed_before_the_first_byte(house_of):
    """When the transport is asked, the store already says SENDING, and shows the attempt as INTENT (I2)."""
    seen = []

    def look(request):
        (delivery,) = house.outbox.deliveries(Filter())
        seen.append((delivery.state, [one.state for one in house.attempts(delivery)]))
        return TAKEN

    house = house_of(look)
    house.send()

    assert seen == [(State.SENDING, [AttemptState.INTENT])]


def test_too_little_lease_lets_no_byte_out(house_of, clock):
    """With less lease left than an exchange may take, the attempt is proved not sent, and nothing leaves (T6)."""
    slow = ExampleVendor("slow", on_send=lambda _: clock.advance(31))
    house = house_of([TAKEN], vendors={"one": slow})

    (delivery,) = house.send()

    assert attempts_seen(house) == [(AttemptState.NOT_SENT, "lease-short"), (AttemptState.ACCEPTED, "")]
    assert [request.url for request in house.transport.requests] == ["http://two.invalid/send"]
    assert delivery.account == "two"


def test_enough_lease_lets_it_out(house_of, clock):
    """With half the lease left the request goes out."""
    house = house_of([TAKEN], vendors={"one": ExampleVendor("slow", on_send=lambda _: clock.advance(30))})

    assert house.send()[0].account == "one"


def test_no_submit_begins_after_expiry(house_of, clock):
    """Where a first group takes so long that the others' time is over, the others expire and are not sent (I9)."""

    def answer_late(request):
        clock.advance(10)
        return TAKEN

    house = house_of(answer_late, max_recipients=1, rules=RuleChanges(expires_after=timedelta(seconds=10)))

    deliveries = house.send("13900000001", "13900000002", "13900000003")

    assert [one.state for one in deliveries] == [State.SUBMITTED, State.EXPIRED, State.EXPIRED]
    assert len(house.transport.requests) == 1


def test_those_in_time_leave_without_those_that_are_not(house_of, clock):
    """What expired while it waited is not in the request."""
    house = house_of([], rules=RuleChanges(expires_after=timedelta(seconds=10)))
    message = house.accept("13900000001")
    clock.advance(10)

    (delivery,) = house.dispatch(message)

    assert delivery.state is State.EXPIRED
    assert house.attempts(delivery) == ()


@pytest.mark.parametrize("error", [ValueError, KeyError, ZeroDivisionError])
def test_a_plugin_that_fails_to_make_a_request_sends_nothing(house_of, error):
    """What a plugin raises in `send` is proof that nothing left: the next account has its turn."""

    def fail(submission):
        raise error(submission.text)

    house = house_of([TAKEN], vendors={"one": ExampleVendor("broken", on_send=fail)})

    (delivery,) = house.send()

    assert delivery.account == "two"
    assert attempts_seen(house)[0] == (AttemptState.NOT_SENT, "plugin-fault")


def test_a_claim_that_is_lost_before_the_intent_sends_nothing(house_of, clock):
    """Where another holder has taken over by the time of the INTENT, this one lets nothing out."""

    class Delayed(ExampleVendor):
        """Takes so long to judge a submission that somebody else takes over."""

        @hookimpl
        def fits(self):
            house.outbox.release(house.holder, clock.now())
            house.outbox.claim(message, "somebody-else", clock.now())
            return ""

    house = house_of([], vendors={"one": Delayed("delayed")})
    message = house.accept()

    (delivery,) = house.dispatch(message)

    assert (delivery.state, delivery.holder, delivery.epoch) == (State.CLAIMED, "somebody-else", 2)
    assert house.transport.requests == []


def test_without_a_transport_nothing_is_sent(house_of, lines):
    """Where the shared transport cannot be made, that is proof that nothing left, and an alarm: no thread breaks."""

    def unreadable():
        raise FileNotFoundError(2, "no certificates")

    house = house_of(accounts=("one",))
    sink = lambda account: StoringSink(house.outbox, house.clock, account)  # noqa: E731
    house.parts = attrs.evolve(house.parts, transports=Transports(unreadable, sink))

    (delivery,) = house.send()

    assert delivery.state is State.FAILED
    assert [one.cause for one in house.attempts(delivery)] == ["no-transport"]
    assert [line["cause"] for line in lines.of("tocsin.alarm")] == ["no-transport (request not sent)"]
