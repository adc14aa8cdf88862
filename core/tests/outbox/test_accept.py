"""T1: a message is accepted whole, once for each key, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import attrs
import pytest

from tocsin.errors import KeyConflict, StoreError
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted
from tocsin.outbox.record import Filter
from tocsin.outbox.state import State


def test_an_accepted_message_is_there_with_its_deliveries(desk):
    """What was accepted is found again: the message, and one queued delivery for each recipient in the order given."""
    acceptance = desk.acceptance("13900000002", "13900000001", holder=None)

    message = desk.outbox.accept(acceptance, desk.now)

    assert message == acceptance.message.id
    assert desk.outbox.message(message) == acceptance.message
    deliveries = desk.outbox.deliveries(Filter(message=message))
    assert [one.to for one in deliveries] == list(acceptance.message.to)
    assert {one.state for one in deliveries} == {State.QUEUED}


def test_a_holder_claims_in_the_same_transaction(desk):
    """Where a holder is named, the deliveries are its own as soon as they are there."""
    (delivery,) = desk.accept(holder=desk.holder)

    assert (delivery.state, delivery.holder, delivery.epoch) == (State.CLAIMED, desk.holder, 1)


class CutShort(tuple):
    """Gives its first item, and fails."""

    def __iter__(self):
        yield self[0]
        raise OverflowError


@pytest.mark.parametrize(
    "fault",
    [lambda given: {"deliveries": CutShort(given.deliveries)}, lambda given: {"holder": ["no", "name"]}],
    ids=["behind the message and its key", "behind the deliveries"],
)
def test_a_fault_inside_accept_leaves_nothing(desk, fault):
    """A failure after some rows are written takes them all back: message, deliveries and key."""
    given = desk.acceptance("13900000001", "13900000002", key="k")

    with pytest.raises((OverflowError, TypeError, StoreError)):
        desk.outbox.accept(attrs.evolve(given, **fault(given)), desk.now)

    assert desk.outbox.message(given.message.id) is None
    assert desk.outbox.deliveries(Filter()) == ()
    assert desk.outbox.accept(given, desk.now) == given.message.id


def test_the_same_key_and_thing_is_the_same_message(desk):
    """The same key for the same thing gives the first message again, and stores nothing."""
    first = desk.outbox.accept(desk.acceptance(key="k"), desk.now)
    desk.wait(seconds=1)
    again = desk.acceptance(key="k")

    assert desk.outbox.accept(again, desk.now) == first
    assert desk.outbox.message(again.message.id) is None
    assert len(desk.outbox.deliveries(Filter())) == 1


def test_the_same_key_for_another_thing_is_a_conflict(desk):
    """The same key for something else is refused, and the first message stays as it was (I11)."""
    (delivery,) = desk.accept(key="k", fingerprint="one")

    with pytest.raises(KeyConflict):
        desk.outbox.accept(desk.acceptance(key="k", fingerprint="another"), desk.now)

    assert desk.outbox.deliveries(Filter()) == (delivery,)


def test_messages_without_a_key_are_never_the_same(desk):
    """Without a key, each acceptance is a message of its own."""
    assert desk.accept()[0].message != desk.accept()[0].message


def test_two_threads_with_one_key_make_one_message(desk):
    """Of many threads that bring the same key at once, one stores a message and all get its id."""
    count = 8
    start = Barrier(count)
    given = [desk.acceptance(key="k", holder=None) for _ in range(count)]

    def accept(acceptance):
        start.wait(10)
        return desk.outbox.accept(acceptance, desk.now)

    with ThreadPoolExecutor(count) as threads:
        names = set(threads.map(accept, given))

    assert len(names) == 1
    assert [one.message for one in desk.outbox.deliveries(Filter())] == list(names)


def test_a_delivery_that_is_not_due_is_not_claimed_later_than_accepted(desk):
    """A delivery for later is claimed when its time has come, and not before."""
    (delivery,) = desk.accept(holder=None, due_in=timedelta(minutes=5))

    assert desk.outbox.claim(delivery.message, desk.holder, desk.now) == ()
    desk.wait(minutes=5)
    assert [one.id for one in desk.outbox.claim(delivery.message, desk.holder, desk.now)] == [delivery.id]


def test_1200_recipients_are_accepted_claimed_sent_and_settled(desk):
    """One message to 1,200 recipients goes all the way in the order given, and loses none."""
    numbers = [f"1390000{position:04}" for position in range(1200)]
    deliveries = desk.accept(*numbers)
    assert [one.to.mainland for one in deliveries] == numbers

    attempts = desk.intend(*deliveries)
    assert {one.submit for one in attempts} == {attempts[0].id}
    assert {one.group_size for one in attempts} == {1200}
    desk.settle(Accepted(VendorId("77")), *attempts)

    found = desk.outbox.deliveries(Filter(message=deliveries[0].message))
    assert [one.to.mainland for one in found] == numbers
    assert {one.state for one in found} == {State.SUBMITTED}
