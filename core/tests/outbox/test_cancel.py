"""An operator takes back what is not sent yet."""

import pytest

from tocsin.model.ids import DeliveryId
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State


def test_what_is_queued_is_cancelled(desk):
    """A delivery that waits is cancelled, and is not claimed any more."""
    (delivery,) = desk.accept(holder=None)

    assert desk.outbox.cancel((delivery.id,), desk.now) == (delivery.id,)
    assert desk.state(delivery.id) is State.CANCELLED
    assert desk.outbox.claim(delivery.message, desk.holder, desk.now) == ()


def test_what_somebody_has_in_hand_is_not_cancelled(desk):
    """A claimed delivery may be on its way the next moment, a submitted one is gone: both stay as they are."""
    (claimed,) = desk.accept()
    taken = desk.taken(number="13900000001")

    assert desk.outbox.cancel((claimed.id, taken), desk.now) == ()
    assert (desk.state(claimed.id), desk.state(taken)) == (State.CLAIMED, State.SUBMITTED)


@pytest.mark.parametrize("names", [(), (DeliveryId("nobody.1"),)], ids=["nothing", "a stranger"])
def test_what_is_not_there_is_not_cancelled(desk, names):
    """Nothing, and a name that is none, cancel nothing."""
    desk.accept(holder=None)

    assert desk.outbox.cancel(names, desk.now) == ()
    assert [one.state for one in desk.outbox.deliveries(Filter())] == [State.QUEUED]
