"""Fire drills: a message through one account alone, once to a slot of time; and the alarm where nothing is proved."""

import attrs
import pytest

from tocsin.delivery.poll import fetch_reports
from tocsin.delivery.watch import Watch
from tocsin.model.account import Drill
from tocsin.model.ids import AccountId
from tocsin.model.outcome import Accepted
from tocsin.model.phone import parse_number
from tocsin.model.report import Report, ReportState
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State
from tocsin.policy.route import Match, Route, Strategy
from tocsin.testing.vendor import answer_reports, answer_send

ONE, TWO = AccountId("one"), AccountId("two")
NUMBER = parse_number("13900000000")
DAY_S = 24 * 3600


@pytest.fixture
def drilled(house_of):
    """Build a house whose second account has a drill a day."""

    def build(world=lambda _: answer_send(Accepted("77")), **details):
        house = house_of(world, **details)
        accounts = dict(house.accounts)
        accounts[TWO] = attrs.evolve(accounts[TWO], drill=Drill(to=NUMBER))
        house.parts = attrs.evolve(house.parts, fleet=attrs.evolve(house.parts.fleet, accounts=accounts))
        return house

    return build


def held(house):
    """Return all deliveries, and the messages that they are of."""
    deliveries = house.outbox.deliveries(Filter())
    return [(house.outbox.message(one.message), one) for one in deliveries]


def test_a_drill_goes_through_its_account_alone(drilled, desk_of):
    """It is queued for the drilled account although the route prefers another, and is told from others by its tag."""
    house = drilled()
    Watch(house.parts).look(house.clock.now())

    ((message, delivery),) = held(house)
    assert (message.source, message.tags, message.text) == ("drill", {"drill": "two"}, "fire drill")
    assert (delivery.to, delivery.only) == (NUMBER, TWO)
    desk_of(house).work()
    assert [(one.state, one.account) for _, one in held(house)] == [(State.SUBMITTED, TWO)]


def test_a_slot_has_one_drill_whoever_asks(drilled):
    """Neither a second look nor a restart holds a second drill in the same slot; the next slot has its own."""
    house = drilled()
    watch = Watch(house.parts)
    watch.look(house.clock.now())
    watch.look(house.clock.now())
    Watch(house.parts).look(house.clock.now())
    assert len(held(house)) == 1

    house.clock.advance(DAY_S)
    Watch(house.parts).look(house.clock.now())
    assert len(held(house)) == 2


def test_a_drill_that_no_route_takes_is_an_alarm(drilled, lines):
    """The others go on, and it is tried again in its next slot, not at each look."""
    house = drilled(routes=(Route(name="nobody", match=Match(sources=("cli",)), accounts=(ONE, TWO)),))
    watch = Watch(house.parts)
    watch.look(house.clock.now())
    watch.look(house.clock.now())

    (alarm,) = lines.of("tocsin.alarm")
    assert (alarm["reason"], alarm["account"]) == ("drill-failed", "two")
    assert held(house) == []


def test_a_path_that_delivers_raises_no_alarm(drilled, desk_of, lines):
    """A delivered report proves the account for a day; then there is an alarm, not more than once an hour."""
    house = drilled(lambda _: answer_send(Accepted("77")))
    watch = Watch(house.parts)
    watch.look(house.clock.now())
    desk_of(house).work()
    report(house, ReportState.DELIVERED)

    house.clock.advance(DAY_S - 1)
    watch.look(house.clock.now())
    assert lines.of("tocsin.alarm") == []

    house.clock.advance(3602)  # a day and an hour: today's drill has not been delivered either
    watch.look(house.clock.now())
    watch.look(house.clock.now())
    assert [(one["reason"], one["account"]) for one in lines.of("tocsin.alarm")] == [("unproved", "two")]


def test_a_vendor_that_takes_and_never_delivers_is_found_out(drilled, desk_of, lines):
    """An accepted drill proves nothing: an hour after the first one the path is called unproved."""
    house = drilled()
    watch = Watch(house.parts)
    watch.look(house.clock.now())
    desk_of(house).work()

    house.clock.advance(3599)
    watch.look(house.clock.now())
    assert lines.of("tocsin.alarm") == []
    house.clock.advance(1)
    watch.look(house.clock.now())
    assert [one["reason"] for one in lines.of("tocsin.alarm")] == ["unproved"]


def test_a_message_for_one_account_is_on_one_account_whatever_the_strategy(house_of):
    """A route that broadcasts makes one delivery of it, and one that takes turns loses no turn by it."""
    for strategy in Strategy:
        route = Route(name="all", strategy=strategy, accounts=(ONE, TWO), weights={ONE: 1, TWO: 1})
        acceptance = house_of(routes=(route,)).prepare("13900000001", "13900000002", only=TWO)

        assert [(one.only, one.in_turn) for one in acceptance.deliveries] == [(TWO, False)] * 2


def test_a_key_stands_for_the_account_too(house_of):
    """The same key with another `only` is another message; without one the fingerprint is what it always was."""
    house = house_of()
    prints = [house.prepare(only=only, idempotency_key="k").fingerprint for only in (None, ONE, TWO)]

    assert len(set(prints)) == 3
    assert prints[0] == house.prepare(idempotency_key="k").fingerprint


def report(house, state):
    """Let the account's next poll bring a report of what it took."""
    row = Report(vendor_id="77", to=NUMBER, state=state, code="X")
    house.transport._answer = lambda _: answer_reports([row])
    fetch_reports(house.parts, house.parts.fleet.account(TWO), house.holder)
    house.transport._answer = lambda _: answer_send(Accepted("78"))
