"""A broadcast: a delivery of its own through every account, and none of them goes through another's."""

from collections import Counter

import attrs
import pytest

from tocsin.errors import Reached, TransportError
from tocsin.model.account import Rate
from tocsin.model.ids import AccountId, VendorId
from tocsin.model.limits import FleetLimits
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, Reason, Refused
from tocsin.outbox.state import State
from tocsin.policy.route import Route, Strategy
from tocsin.testing.vendor import ExampleVendor, answer_send

ONE, TWO = AccountId("one"), AccountId("two")
NUMBER = "13900000000"
TAKEN = answer_send(Accepted(VendorId("77")))
REFUSED = answer_send(Refused(Reason.UNAVAILABLE))
LOST = TransportError(reached=Reached.MAYBE, cause="read-timeout")


@pytest.fixture
def station(house_of):
    """Build a house whose one route broadcasts through both accounts; `two` answers something else."""

    def build(two=TAKEN, **details):
        def answer(request):
            found = two if "two.invalid" in request.url else TAKEN
            if isinstance(found, Exception):
                raise found
            return found

        route = Route(name="all", strategy=Strategy.BROADCAST, accounts=(ONE, TWO))
        return house_of(answer, routes=(route,), **details)

    return build


def ends(house, message):
    """Return where each delivery ended, by the one account that it was bound to."""
    return {(one.to.full[-1], one.only): one.state for one in house.deliveries(message)}


def used(house, message):
    """Return through which accounts each delivery was submitted, by the one that it was bound to."""
    return {one.only: {attempt.account for attempt in house.attempts(one)} for one in house.deliveries(message)}


def test_each_account_gets_a_copy_for_each_number(station, desk_of):
    """Two numbers and two accounts are four deliveries, in two requests, each through its own account."""
    house = station()
    message = house.queue(NUMBER, "13900000001")

    assert desk_of(house).work() == 2

    assert ends(house, message) == dict.fromkeys([("0", ONE), ("0", TWO), ("1", ONE), ("1", TWO)], State.SUBMITTED)
    assert used(house, message) == {ONE: {ONE}, TWO: {TWO}}


def test_a_quick_broadcast_is_the_same(station):
    """Sent at once it is no different."""
    house = station()

    assert Counter(one.account for one in house.send(NUMBER)) == {ONE: 1, TWO: 1}


@pytest.mark.parametrize("cls", [MessageClass.ALERT, MessageClass.CRITICAL], ids=lambda cls: cls.value)
def test_one_that_is_refused_goes_nowhere_else(station, desk_of, cls):
    """What the second account refuses is asked of it again, and never of the first, which has its own copy."""
    house = station(two=REFUSED)
    message = house.queue(NUMBER, cls=cls)

    desk_of(house).until(60)

    assert ends(house, message) == {("0", ONE): State.SUBMITTED, ("0", TWO): State.FAILED}
    assert used(house, message) == {ONE: {ONE}, TWO: {TWO}}


def test_one_in_doubt_is_held(station, desk_of):
    """A copy that nobody knows about is not sent by the other account: that one has its own."""
    house = station(two=LOST)
    message = house.queue(NUMBER)

    desk_of(house).until(120, step_s=10)

    assert ends(house, message) == {("0", ONE): State.SUBMITTED, ("0", TWO): State.PARKED}
    assert used(house, message) == {ONE: {ONE}, TWO: {TWO}}


def test_one_that_is_closed_waits_alone(station, desk_of):
    """While one account is out of use its copy waits, and the other's goes; when it is back, both have gone."""
    house = station()
    house.outbox.accounts.disable(TWO, house.clock.now())
    message = house.queue(NUMBER)
    desk = desk_of(house)
    desk.until(60)
    assert ends(house, message) == {("0", ONE): State.SUBMITTED, ("0", TWO): State.QUEUED}

    house.outbox.accounts.resume(TWO, house.clock.now())
    desk.until(30)

    assert ends(house, message) == {("0", ONE): State.SUBMITTED, ("0", TWO): State.SUBMITTED}


def test_one_that_cannot_carry_it_fails_alone(station, desk_of):
    """An account that the text does not fit into has its copy fail, and no other."""
    house = station(vendors={"two": ExampleVendor("vendor-two", unfit="too long")})
    message = house.queue(NUMBER)

    desk_of(house).work()

    assert ends(house, message) == {("0", ONE): State.SUBMITTED, ("0", TWO): State.FAILED}


def test_each_copy_counts_to_its_number(station, desk_of):
    """A number that may have one message an hour has one of the two copies; the other waits."""
    house = station()
    fleet = house.parts.fleet
    house.parts = attrs.evolve(
        house.parts, fleet=attrs.evolve(fleet, limits=FleetLimits(per_recipient=(Rate(1, 3600),)))
    )
    message = house.queue(NUMBER)

    desk_of(house).work()

    assert set(ends(house, message).values()) == {State.QUEUED, State.SUBMITTED}
