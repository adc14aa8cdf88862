"""Routes with nobody to send through: what is left in their queue, and what is claimed from them all the same."""

import attrs
import pytest

from tocsin.model.ids import AccountId, HolderId
from tocsin.model.message import MessageClass
from tocsin.outbox.record import Filter

NEW = HolderId("new")


@pytest.fixture
def queue(desk):
    """Queue a message that expires after four hours; return its delivery."""

    def accept(cls=MessageClass.ALERT, only=None, **details):
        acceptance = desk.acceptance(cls=cls, holder=None, **details)
        bound = tuple(attrs.evolve(one, only=only) for one in acceptance.deliveries)
        message = desk.outbox.accept(attrs.evolve(acceptance, deliveries=bound), desk.now)
        (delivery,) = desk.outbox.deliveries(Filter(message=message))
        return delivery

    return accept


def claim(desk, shut=("all",), limit=100):
    return {one.id for one in desk.outbox.claim_due(NEW, limit, desk.now, shut)}


def test_a_route_that_is_shut_keeps_its_queue(desk, queue):
    """What is on it stays, and is nothing that is due; of any other route nothing is left behind."""
    delivery = queue()
    queue(MessageClass.BULK)

    assert claim(desk) == set()
    assert desk.outbox.next_due(("all",)) == delivery.expires_at
    assert desk.outbox.next_due(("other",)) == desk.outbox.next_due() == desk.now
    assert len(claim(desk, ("other",))) == 2


@pytest.mark.parametrize("cls", [MessageClass.OTP, MessageClass.CRITICAL], ids=lambda cls: cls.value)
def test_the_most_urgent_is_claimed_all_the_same(desk, queue, cls):
    """A code or an alarm is not left there: it may go where others may not."""
    queue()
    urgent = queue(cls)

    assert desk.outbox.next_due(("all",)) == desk.now
    assert claim(desk) == {urgent.id}


def test_what_is_bound_to_one_account_is_claimed_all_the_same(desk, queue):
    """It asks for one account alone, which need not be one of those that are closed."""
    queue()
    bound = queue(only=AccountId("backup"))

    assert desk.outbox.next_due(("all",)) == desk.now
    assert claim(desk) == {bound.id}
    assert claim(desk) == set()


def test_what_is_over_is_claimed_to_be_told_so(desk, queue):
    """The time of what waits there goes by: each is claimed when its own is over, and no sooner."""
    first = queue()
    desk.wait(minutes=1)
    second = queue()
    desk.now = first.expires_at - (second.due_at - first.due_at) / 60
    assert claim(desk) == set()

    desk.now = first.expires_at

    assert desk.outbox.next_due(("all",)) == desk.now
    assert claim(desk) == {first.id}
    assert desk.outbox.next_due(("all",)) == second.expires_at


def test_a_claim_takes_no_more_than_it_may(desk, queue):
    """What is due and what is over count together, each once."""
    for _ in range(3):
        queue()
        queue(MessageClass.OTP)
    desk.now = queue().expires_at

    assert len(claim(desk, limit=4)) == 4
    assert len(claim(desk)) == 3
