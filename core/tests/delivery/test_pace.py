"""The pace of a desk: how many requests leave in a round, and when there is room again."""

from datetime import timedelta

import attrs
import pytest

from tocsin.delivery.dispatcher import Dispatcher
from tocsin.delivery.pace import Pace
from tocsin.model.account import Limits, Rate
from tocsin.model.outcome import Accepted
from tocsin.testing.vendor import answer_send

TAKEN = answer_send(Accepted(None))


@pytest.fixture
def paced(house_of):
    """Build a house whose first account has limits on submits, a request for each recipient; two is as it is."""

    def build(*rates):
        house = house_of(lambda _: TAKEN)
        limits = Limits(max_recipients=1, submits=tuple(Rate(count, window_s) for count, window_s in rates))
        accounts = {
            name: attrs.evolve(one, limits=limits) if name == "one" else one for name, one in house.accounts.items()
        }
        house.parts = attrs.evolve(house.parts, fleet=attrs.evolve(house.parts.fleet, accounts=accounts))
        return house

    return build


def leave(house, desk):
    return len(desk.round(lambda _: True))


def numbers(count):
    return [f"139{position:08}" for position in range(count)]


def test_no_more_leave_than_there_is_room_for(paced):
    """Of ten that wait three leave, as the limit says; it is known when the next may, and then three more do."""
    house = paced((3, 1))
    house.queue(*numbers(10))
    desk = Dispatcher(house.parts, house.holder)

    assert leave(house, desk) == 3
    assert (leave(house, desk), desk.in_hand) == (0, 7)
    assert desk.next_due() == house.clock.now() + timedelta(seconds=1)
    house.clock.advance(1)
    assert (leave(house, desk), desk.in_hand) == (3, 4)


def test_who_waits_for_room_is_not_asked_about_again(paced):
    """Until there is room no transaction is opened for those that wait: they stay planned as they are."""
    house = paced((1, 2))
    house.queue(*numbers(3))
    desk = Dispatcher(house.parts, house.holder)
    leave(house, desk)
    before = [one.revision for one in house.outbox.held(house.holder)]

    assert [leave(house, desk) for _ in range(3)] == [0, 0, 0]
    assert [one.revision for one in house.outbox.held(house.holder)] == before


@pytest.mark.parametrize(("rates", "room"), [((), None), (((5, 61),), None), (((5, 60), (2, 1)), 2)])
def test_only_short_windows_set_the_pace(paced, rates, room):
    """The tightest of the windows up to a minute says how many may leave; a longer one is the debit's to keep."""
    house = paced(*rates)
    meter = house.outbox.meter(house.clock.now())

    assert meter.submits_room(house.accounts["one"].id, tuple(Rate(*rate) for rate in rates)) == room


def test_a_line_is_taken_only_where_there_is_room(paced):
    """Without room no line is taken; without a line no room is."""
    house = paced((1, 1))
    fleet = house.parts.fleet
    (account,) = (one for one in fleet.accounts.values() if one.id == "one")
    pace = Pace(fleet, house.outbox.meter(house.clock.now()))

    assert not pace.keep(lambda _: False)(account)
    asked = []
    take = pace.keep(lambda one: asked.append(one.id) or True)
    assert (take(account), take(account), asked) == (True, False, ["one"])
