"""docs/reference/states.md shows the transition table that the code has."""

from __future__ import annotations

import pytest

from tocsin.outbox.state import ATTEMPT_TRANSITIONS, TRANSITIONS, AttemptState, Event, State


@pytest.fixture
def states(page):
    """The page."""
    return page("docs/reference/states.md")


def test_the_transitions_are_the_code_s(states):
    """Each row of the table is a row of TRANSITIONS, and the other way round."""
    rows = states.rows("state | event | then")
    assert {(state, event): then for state, event, then, _ in rows} == {
        (state.value, event.value): then.value for (state, event), then in TRANSITIONS.items()
    }
    assert len(rows) == len(TRANSITIONS)


def test_the_states_and_events_are_the_code_s(states):
    """Every state is listed with whether it is terminal, and every event is listed."""
    listed = {state: terminal == "yes" for state, terminal, _ in states.rows("state | terminal")}
    assert listed == {state.value: state.terminal for state in State}
    assert [event for event, _ in states.rows("event | means")] == [event.value for event in Event]


def test_every_event_of_the_table_may_happen(states):
    """Every event that is listed leads somewhere, and every state stands in a row of the table."""
    rows = states.rows("state | event | then")
    assert {event for _, event, _, _ in rows} == {event.value for event in Event}
    assert {name for state, _, then, _ in rows for name in (state, then)} == {state.value for state in State}
    assert all(because for *_, because in rows)


def test_the_states_of_an_attempt_are_the_code_s(states):
    """Every state of an attempt is listed with whether a phone may ring, and every step between two."""
    listed = {state: rings == "yes" for state, rings, _ in states.rows("state | may a phone ring")}
    assert listed == {state.value: state.may_ring for state in AttemptState}
    assert set(states.section("## States of an attempt").rows("state | then")) == {
        (before.value, after.value) for before, after in ATTEMPT_TRANSITIONS
    }
