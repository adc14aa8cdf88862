"""A worker and a quick sender under limits: who waits, who goes elsewhere, who is told, and who never spins."""

from datetime import timedelta
from decimal import Decimal

import attrs
import pytest

from tocsin.errors import Reached, TransportError
from tocsin.model.account import Limits, Rate
from tocsin.model.ids import AccountId, VendorId
from tocsin.model.limits import FleetLimits
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, Reason, Refused
from tocsin.outbox.breaker import Mode, mode
from tocsin.outbox.record import Filter
from tocsin.outbox.spending import Budgets
from tocsin.outbox.state import State
from tocsin.policy.route import Match, Route, Strategy
from tocsin.testing.vendor import answer_send, sent_to

ONE, TWO = AccountId("one"), AccountId("two")
NUMBER = "13900000000"
TAKEN = answer_send(Accepted(VendorId("77")))
UNREACHED = TransportError(reached=Reached.NO, cause="connect-refused")
LOST = TransportError(reached=Reached.MAYBE, cause="read-timeout")
FEN = Decimal("0.05")
WORK = {"claim", "intend", "close-out", "reopen"}
"""Transactions that change a delivery."""


def numbers(count, start=0):
    return [f"139{position:08}" for position in range(start, start + count)]


def hosts(house):
    return [request.url.split("/")[2].removesuffix(".invalid") for request in house.transport.requests]


def states(house, message=None):
    return [one.state for one in house.outbox.deliveries(Filter(message=message))]


def why(house, message):
    """Return the newest word of the policy on a message's only delivery."""
    (delivery,) = house.deliveries(message)
    return house.outbox.story(delivery.id)[0][-1].explanation["why"]


@pytest.fixture
def bounded(house_of, failing_rows):
    """Build a house whose accounts, or whose fleet, have limits; its transactions are written down."""

    def build(world=lambda _: TAKEN, *, one=None, two=None, fleet=None, **details):
        house = house_of(world, rows=failing_rows(), **details)
        changes = {ONE: one or {}, TWO: two or {}}
        accounts = {name: attrs.evolve(each, **changes[name]) for name, each in house.accounts.items()}
        house.parts = attrs.evolve(
            house.parts, fleet=attrs.evolve(house.parts.fleet, accounts=accounts, **(fleet or {}))
        )
        return house

    return build


def _raise(_):
    raise UNREACHED


def submits(count, window_s):
    return {"limits": Limits(submits=(Rate(count, window_s),))}


def disable(house, *accounts):
    for name in accounts or (ONE, TWO):
        house.outbox.accounts.disable(name, house.clock.now())


def resume(house, *accounts):
    for name in accounts or (ONE, TWO):
        house.outbox.accounts.resume(name, house.clock.now())


# Limits on submits.


def test_the_next_account_takes_what_the_first_may_not(bounded, desk_of):
    """Three submits in three minutes through the first; the fourth goes through the second at once."""
    house = bounded(one=submits(3, 180))
    for text in "abcd":
        house.queue(NUMBER, text=text)

    desk_of(house).work()

    assert hosts(house) == ["one", "one", "one", "two"]


def test_a_worker_waits_for_the_only_account(bounded, desk_of):
    """With nobody else the fourth waits until the first is three minutes old, and goes in that second."""
    house = bounded(accounts=("one",), one=submits(3, 180))
    for text in "abcd":
        house.queue(NUMBER, text=text)
    desk = desk_of(house)

    desk.until(179)
    assert len(hosts(house)) == 3
    desk.until(1)
    assert len(hosts(house)) == 4
    assert states(house) == [State.SUBMITTED] * 4


def test_any_window_of_a_backlog_holds_no_more_than_the_limit(bounded, desk_of):
    """Forty texts at two in ten seconds: no ten seconds see three, and the backlog drains at that rate."""
    house = bounded(accounts=("one",), one=submits(2, 10))
    for number in numbers(40):
        house.queue(number, text=number)
    desk_of(house).until(195)

    times = sorted(attempt.intended_at for one in house.outbox.deliveries(Filter()) for attempt in house.attempts(one))
    assert len(times) == 40
    assert all(late - early >= timedelta(seconds=10) for early, late in zip(times, times[2:], strict=False))


def test_a_short_limit_is_waited_for_at_the_desk(bounded, desk_of):
    """A limit of one a second closes no route: what is claimed leaves second by second."""
    house = bounded(one=submits(1, 1))
    for text in "abc":
        house.queue(NUMBER, text=text)

    desk_of(house).until(2)

    assert hosts(house) == ["one", "one", "one"]


def test_a_quick_sender_goes_elsewhere_or_is_told(bounded):
    """Who does not wait goes by the second account; with nobody left, it fails, and is told until when."""
    house = bounded(one=submits(1, 180), two=submits(1, 2))

    ends = [house.send(NUMBER, text=text)[0].state for text in "abc"]

    assert (hosts(house), ends) == (["one", "two"], [State.SUBMITTED, State.SUBMITTED, State.FAILED])
    (last, *_) = house.outbox.deliveries(Filter())
    judged = {one["account"]: one["detail"] for one in house.outbox.story(last.id)[0][-1].explanation["candidates"]}
    assert judged == {
        "one": "its submits are used up until 00:03:00 UTC",
        "two": "its submits are used up until 00:00:02 UTC",
    }


# Limits of numbers, and money.


def test_a_storm_to_one_number_ends_at_the_default_limit(bounded, desk_of):
    """A hundred alerts to one phone in a minute: sixty go, the others wait for the hour, through whichever account."""
    house = bounded()
    for number in range(100):
        house.queue(NUMBER, text=f"storm {number}", cls=MessageClass.NOTICE)
    desk = desk_of(house)
    desk.until(60)

    assert len(hosts(house)) == 60
    assert states(house).count(State.QUEUED) == 40
    house.queue(NUMBER, text="fire", cls=MessageClass.CRITICAL)
    house.queue(numbers(1, start=5)[0], text="other")
    desk.work()
    assert len(hosts(house)) == 62


def test_of_a_group_only_the_number_that_had_enough_waits(bounded, desk_of):
    """One text to three numbers, one of which had its message: two go in one request, the third when it may."""
    house = bounded(fleet={"limits": FleetLimits(per_recipient=(Rate(1, 60),))})
    one, two, three = numbers(3)
    house.queue(two, text="first")
    desk = desk_of(house)
    desk.work()
    house.queue(one, two, three)
    desk.work()

    assert [len(sent_to(request)) for request in house.transport.requests] == [1, 2]
    desk.until(60)
    assert [len(sent_to(request)) for request in house.transport.requests] == [1, 2, 1]


def test_money_that_is_spent_stops_everything_that_costs(bounded, desk_of):
    """A cap of three messages' money lets three of ten go; the rest waits for the day, and is said to."""
    priced = {"price": FEN}
    house = bounded(one=priced, two=priced, fleet={"limits": FleetLimits(spend_per_day=3 * FEN)})
    message = house.queue(*numbers(10), cls=MessageClass.BULK)
    desk = desk_of(house)
    desk.until(120, step_s=10)

    assert states(house, message).count(State.SUBMITTED) == 3
    assert house.outbox.accounts.spent(None, house.clock.now() - timedelta(days=1)) == (3, 3 * FEN)
    last = house.deliveries(message)[-1]
    judged = house.outbox.story(last.id)[0][-1].explanation["candidates"]
    assert {one["detail"] for one in judged} == {"the day's money is spent"}


def test_retries_are_held_to_their_budget(bounded, desk_of):
    """A vendor that throttles everything is asked again no more often than the budget allows, whatever is queued."""
    throttled = answer_send(Refused(Reason.THROTTLED))
    house = bounded(lambda _: throttled, accounts=("one",), fleet={"budgets": Budgets(retries=4)})
    for number in numbers(30):
        house.queue(number, text=number)
    desk_of(house).until(59)

    asked = [attempt for one in house.outbox.deliveries(Filter()) for attempt in house.attempts(one)]
    assert sum(one.number > 1 for one in asked) <= 4
    assert sum(one.number == 1 for one in asked) == 30


# Routes with nobody.


def test_nothing_is_claimed_from_a_route_with_nobody(bounded, desk_of):
    """While every account is out of use, an alert stays queued, and no round changes anything."""
    house = bounded()
    disable(house)
    message = house.queue(NUMBER)
    desk = desk_of(house)
    desk.work()
    house.rows.used.clear()

    desk.until(600)

    assert states(house, message) == [State.QUEUED]
    assert WORK.isdisjoint(house.rows.used)
    assert desk.dispatcher.next_due() > house.clock.now()


@pytest.mark.parametrize("cls", [MessageClass.OTP, MessageClass.CRITICAL], ids=lambda cls: cls.value)
def test_the_most_urgent_are_asked_about_all_the_same(bounded, desk_of, cls):
    """A code or an alarm is claimed although nobody is there, is told so, and is asked about again, but not at once."""
    house = bounded()
    disable(house)
    message = house.queue(NUMBER, cls=cls)
    desk = desk_of(house)
    desk.work()

    assert states(house, message) == [State.QUEUED]
    assert why(house, message) == "no account that can take it is open just now"
    assert desk.dispatcher.next_due() == house.clock.now() + timedelta(seconds=10)
    house.rows.used.clear()
    desk.until(9)
    assert WORK.isdisjoint(house.rows.used)
    resume(house)
    desk.until(1)
    assert states(house, message) == [State.SUBMITTED]


def test_what_expires_on_a_route_with_nobody_is_told_so(bounded, desk_of):
    """Its time is over all the same, and in the second that it is."""
    house = bounded()
    disable(house)
    message = house.queue(NUMBER)
    house.queue(NUMBER, text="later", cls=MessageClass.BULK)
    desk = desk_of(house)
    desk.until(4 * 3600 - 60, step_s=60)
    assert states(house, message) == [State.QUEUED]
    desk.until(59)
    assert states(house, message) == [State.QUEUED]
    assert desk.dispatcher.next_due() <= house.clock.now() + timedelta(seconds=1)

    desk.until(1)

    assert (states(house, message), house.transport.requests) == ([State.EXPIRED], [])


def test_a_route_goes_on_when_one_of_its_accounts_opens(bounded, desk_of):
    """Within the time to look again after an account is back, everything that waited leaves by it."""
    house = bounded()
    disable(house)
    for text in "abc":
        house.queue(NUMBER, text=text)
    desk = desk_of(house)
    desk.until(100)
    resume(house, TWO)

    desk.until(30)

    assert hosts(house) == ["two"] * 3


def test_another_route_goes_on_meanwhile(bounded, desk_of):
    """A route with nobody holds up no other, however much waits there, and however old it is."""
    routes = (
        Route(name="codes", match=Match(classes=(MessageClass.NOTICE,)), accounts=(TWO,)),
        Route(name="rest", accounts=(ONE,)),
    )
    house = bounded(routes=routes)
    disable(house, ONE)
    waiting = house.queue(*numbers(50), cls=MessageClass.BULK)
    house.clock.advance(60)
    house.queue(NUMBER, cls=MessageClass.NOTICE)

    desk_of(house).work()

    assert hosts(house) == ["two"]
    assert set(states(house, waiting)) == {State.QUEUED}


def test_what_is_bound_to_an_open_account_leaves_a_route_with_nobody(bounded, desk_of):
    """A message for one account alone waits for that one, not for those of its route."""
    house = bounded(routes=(Route(name="all", accounts=(ONE,)),))
    disable(house, ONE)
    house.queue(NUMBER, only=TWO)
    house.queue(NUMBER, text="not bound")

    desk_of(house).work()

    assert hosts(house) == ["two"]


# The breaker at the desk.


def test_a_dark_vendor_is_probed_and_not_hammered(bounded, desk_of):
    """Two hundred alerts and a vendor that nobody reaches for an hour: some tens of requests; then all arrive."""
    dark = [True]

    def answer(_):
        if dark[0]:
            raise UNREACHED
        return TAKEN

    house = bounded(answer, accounts=("one",))
    house.queue(*numbers(200), cls=MessageClass.NOTICE)
    desk = desk_of(house)
    desk.until(3600, step_s=2)
    assert len(house.transport.requests) < 60
    dark[0] = False

    desk.until(600)

    assert set(states(house)) == {State.SUBMITTED}
    assert mode(house.outbox.accounts.health()[ONE], house.clock.now()) is Mode.CLOSED


def test_critical_goes_through_an_open_breaker_where_nobody_else_is(bounded, desk_of):
    """With both breakers open an alert waits; an alarm goes at once, to the one that was ejected longest ago."""
    house = bounded(_raise)
    now = house.clock.now
    desk = desk_of(house)
    for text in "abc":
        house.queue(NUMBER, text=text, cls=MessageClass.BULK)
    desk.until(12)
    assert [mode(one, now()) for one in house.outbox.accounts.health().values()] == [Mode.OPEN, Mode.OPEN]
    ejected = {name: one.ejected_at for name, one in house.outbox.accounts.health().items()}
    already = len(hosts(house))
    alert, alarm = house.queue(NUMBER, text="alert"), house.queue(NUMBER, text="alarm", cls=MessageClass.CRITICAL)

    desk.work()

    assert hosts(house)[already:] == [str(name) for name in sorted(ejected, key=ejected.get)]
    assert [len(house.attempts(house.deliveries(one)[0])) for one in (alert, alarm)] == [0, 2]


# Copies out of doubt.


def test_copies_end_in_a_park_and_an_alarm_where_their_budget_is_spent(bounded, desk_of, lines):
    """Three lost answers, and a budget for one copy: one is sent again, the others are parked, and somebody is told."""
    house = bounded(lambda request: TAKEN if "two" in request.url else _lose(), fleet={"budgets": Budgets(resends=1)})
    for text in "abc":
        house.queue(NUMBER, text=text)
    desk = desk_of(house)

    desk.until(61)

    assert hosts(house).count("two") == 1
    assert sorted(map(str, states(house))) == sorted(map(str, [State.SUBMITTED, State.PARKED, State.PARKED]))
    assert "parked" in {one["reason"] for one in lines.of("tocsin.alarm")}


def test_critical_ones_are_copied_whatever_the_budget(bounded, desk_of):
    """An alarm in doubt is sent again although the budget is spent."""
    house = bounded(lambda request: TAKEN if "two" in request.url else _lose(), fleet={"budgets": Budgets(resends=0)})
    message = house.queue(NUMBER, cls=MessageClass.CRITICAL)

    desk_of(house).until(4)

    assert (hosts(house), states(house, message)) == (["one", "two"], [State.SUBMITTED])


def _lose():
    raise LOST


def test_a_full_round_robin_takes_turns_under_limits(bounded, desk_of):
    """In turn, and where the one whose turn it is may not, the next does."""
    route = Route(name="all", strategy=Strategy.ROUND_ROBIN, accounts=(ONE, TWO))
    house = bounded(one=submits(1, 180), routes=(route,))
    for text in "abcd":
        house.queue(NUMBER, text=text)

    desk_of(house).work()

    assert sorted(hosts(house)) == ["one", "two", "two", "two"]
