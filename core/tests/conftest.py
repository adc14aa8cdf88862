"""What the tests of the heart share: a clock, and the invariants that every store must keep."""

import pytest

from tocsin.outbox.record import Filter
from tocsin.outbox.state import AttemptState, Event, State, step
from tocsin.policy.route import CLASS_RULES
from tocsin.testing import FakeClock

HELD = (State.CLAIMED, State.SENDING)


@pytest.fixture
def clock():
    return FakeClock()


def check_invariants(store):
    """Check I2, I3, I4, I5 and I12 for each delivery of a store."""
    for delivery in store.deliveries(Filter()):
        attempts = store.attempts((delivery.id,))[delivery.id]
        _, transitions = store.story(delivery.id)
        message = store.message(delivery.message)
        check_audit(delivery, transitions)
        check_intents(delivery, attempts, transitions)
        check_copies(attempts, CLASS_RULES[message.cls].max_copies)
        assert (delivery.holder is not None) == (delivery.state in HELD), "a holder without a claim, or the reverse"


def check_audit(delivery, transitions):
    """I12: the audit rows, replayed from the start, lead to the state."""
    state = State.QUEUED
    for row in transitions:
        assert row.before is state
        assert row.after is step(row.before, row.event)
        state = row.after
    assert state is delivery.state


def check_intents(delivery, attempts, transitions):
    """I2 and I4: one INTENT for each attempt, and one live at most, while it is being sent."""
    assert [attempt.number for attempt in attempts] == list(range(1, len(attempts) + 1))
    assert sum(row.event is Event.INTENT for row in transitions) == len(attempts)
    live = [attempt.number for attempt in attempts if attempt.state is AttemptState.INTENT]
    assert live == ([len(attempts)] if delivery.state is State.SENDING else [])


def check_copies(attempts, max_copies):
    """I3 and I5: nothing follows a clean accept that was not reported undelivered, and copies stay in bounds."""
    clean = [one for one in attempts if one.state is AttemptState.ACCEPTED and not one.cause and one.is_copy]
    assert all(one.number == len(attempts) for one in clean)
    assert sum(one.is_copy for one in attempts) <= max_copies


@pytest.fixture
def invariants():
    """The check itself, for a test to call on its store."""
    return check_invariants
