"""The transition table, against a second table written from the design alone."""

from itertools import product

import pytest

from tocsin.outbox.state import TRANSITIONS, AttemptState, Event, IllegalTransition, State, step, step_attempt

S, E = State, Event

# From the design's diagram, its lines T2 to T7 and its list of what evidence, policy and operator may do.
EXPECTED = {
    S.HELD: {E.APPROVE: S.QUEUED, E.EXPIRE: S.EXPIRED, E.CANCEL: S.CANCELLED},
    S.QUEUED: {
        E.CLAIM: S.CLAIMED,
        E.EXPIRE: S.EXPIRED,
        E.CANCEL: S.CANCELLED,
        E.GIVE_UP: S.FAILED,
        E.REPORTED_DELIVERED: S.DELIVERED,
    },
    S.CLAIMED: {
        E.RELEASE: S.QUEUED,
        E.INTENT: S.SENDING,
        E.ACCEPTED: S.SUBMITTED,
        E.LOST: S.IN_DOUBT,
        E.GIVE_UP: S.FAILED,
        E.PARK: S.PARKED,
        E.EXPIRE: S.EXPIRED,
        E.REPORTED_DELIVERED: S.DELIVERED,
    },
    S.SENDING: {E.ACCEPTED: S.SUBMITTED, E.LOST: S.IN_DOUBT, E.TRY_AGAIN: S.QUEUED},
    S.SUBMITTED: {
        E.REPORTED_DELIVERED: S.DELIVERED,
        E.REPORTED_FAILED: S.UNDELIVERED,
        E.WINDOW_CLOSED: S.REPORT_TIMEOUT,
        E.RESEND: S.QUEUED,
        E.PARK: S.PARKED,
    },
    S.IN_DOUBT: {E.ACCEPTED: S.SUBMITTED, E.RESEND: S.QUEUED, E.PARK: S.PARKED},
    S.PARKED: {
        E.ACCEPTED: S.SUBMITTED,
        E.REPORTED_DELIVERED: S.DELIVERED,
        E.REPORTED_FAILED: S.UNDELIVERED,
        E.RESEND: S.QUEUED,
        E.CANCEL: S.CANCELLED,
    },
    S.DELIVERED: {},
    S.UNDELIVERED: {E.REPORTED_DELIVERED: S.DELIVERED},
    S.REPORT_TIMEOUT: {E.REPORTED_DELIVERED: S.DELIVERED},
    S.FAILED: {E.REPORTED_DELIVERED: S.DELIVERED},
    S.EXPIRED: {E.REPORTED_DELIVERED: S.DELIVERED},
    S.CANCELLED: {E.REPORTED_DELIVERED: S.DELIVERED},
}

TERMINAL = {S.DELIVERED, S.UNDELIVERED, S.REPORT_TIMEOUT, S.FAILED, S.EXPIRED, S.CANCELLED}

A = AttemptState
EXPECTED_ATTEMPTS = {(A.INTENT, A.NOT_SENT), (A.INTENT, A.REFUSED), (A.INTENT, A.ACCEPTED), (A.INTENT, A.UNKNOWN),
                     (A.UNKNOWN, A.ACCEPTED)}  # fmt: skip


# What programs read in JSON, on the command line and in the store: a value that changes breaks them all.
STATES = [
    "held", "queued", "claimed", "sending", "submitted", "in_doubt", "parked",
    "delivered", "undelivered", "report_timeout", "failed", "expired", "cancelled",
]  # fmt: skip
EVENTS = [
    "approve", "claim", "release", "intent", "accepted", "try_again", "lost", "give_up", "resend", "park",
    "reported_delivered", "reported_failed", "window_closed", "expire", "cancel",
]  # fmt: skip


def named(value):
    return value.value


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)), ids=named)
def test_every_pair_is_in_the_table_or_illegal(state, event):
    """A pair of the table leads to its state; every other one is refused, and nothing else happens."""
    expected = EXPECTED[state].get(event)
    if expected is not None:
        assert step(state, event) is expected
        return
    with pytest.raises(IllegalTransition, match=f"^a delivery that is {state.value} cannot meet {event.value}$"):
        step(state, event)


@pytest.mark.parametrize(("before", "after"), list(product(AttemptState, AttemptState)), ids=named)
def test_every_pair_of_attempt_states_is_in_the_table_or_illegal(before, after):
    """An attempt is settled once; only doubt may still turn into acceptance."""
    if (before, after) in EXPECTED_ATTEMPTS:
        assert step_attempt(before, after) is after
        return
    with pytest.raises(IllegalTransition, match=f"^an attempt that is {before.value} cannot become {after.value}$"):
        step_attempt(before, after)


@pytest.mark.parametrize("state", State, ids=named)
def test_a_terminal_state_is_left_by_a_late_delivered_report_alone(state):
    """What is closed stays closed, but for the proof that it did arrive after all."""
    assert state.terminal == (state in TERMINAL)
    if state.terminal:
        assert {event for before, event in TRANSITIONS if before is state} <= {E.REPORTED_DELIVERED}


def test_values_are_what_programs_read():
    """The values of states and events are stored and shown: each is its own, and stays what it is."""
    assert [one.value for one in State] == STATES
    assert [one.value for one in Event] == EVENTS
    assert [one.value for one in AttemptState] == ["intent", "not_sent", "refused", "accepted", "unknown"]


def test_nothing_leads_from_sending_to_a_queue_but_proof():
    """From SENDING, only the proof that no phone will ring leads back into the queue (T5)."""
    assert [event for event in Event if TRANSITIONS.get((S.SENDING, event)) is S.QUEUED] == [E.TRY_AGAIN]


@pytest.mark.parametrize("state", [one for one in State if one not in (S.HELD, S.QUEUED)], ids=named)
def test_every_state_can_be_reached(state):
    """No state is there that no event leads to."""
    assert state in TRANSITIONS.values()


def test_an_attempt_may_ring_until_it_is_proved_that_it_did_not():
    """INTENT, ACCEPTED and UNKNOWN may ring a phone; NOT_SENT and REFUSED are proof that none rings."""
    assert {one for one in AttemptState if one.may_ring} == {A.INTENT, A.ACCEPTED, A.UNKNOWN}
