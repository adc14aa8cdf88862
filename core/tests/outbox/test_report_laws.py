"""Reports are joined: neither their order nor how often each comes matters (I6)."""

from datetime import UTC, datetime
from functools import reduce

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.model.ids import AccountId, AttemptId, DeliveryId, SubmitId, VendorId
from tocsin.model.outcome import Accepted
from tocsin.model.phone import parse_number
from tocsin.model.report import Report, ReportState
from tocsin.outbox.evidence import events_of, join
from tocsin.outbox.record import Attempt
from tocsin.outbox.state import AttemptState, Event, State, step

START = datetime(2026, 1, 1, tzinfo=UTC)

quick = settings(max_examples=100)
with_stores = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])

states = st.sampled_from(ReportState)
attempts = st.builds(
    Attempt,
    id=st.just(AttemptId("m.1.1")),
    delivery=st.just(DeliveryId("m.1")),
    number=st.just(1),
    submit=st.just(SubmitId("m.1.1")),
    group_size=st.just(1),
    account=st.just(AccountId("main")),
    state=st.sampled_from([AttemptState.ACCEPTED, AttemptState.UNKNOWN]),
    intended_at=st.just(START),
    report=st.none() | states,
)


def report(state):
    return Report(vendor_id=VendorId("77"), to=parse_number("13900000000"), state=state)


def joined(attempt, reported):
    return reduce(join, map(report, reported), attempt)


def meaning(attempt):
    return attempt.state, attempt.report


@quick
@given(attempts, st.lists(states, max_size=6), st.randoms(use_true_random=False))
def test_join_is_commutative_and_associative(attempt, reported, random):
    """Whatever the order in which an attempt hears its reports, it means the same."""
    shuffled = random.sample(reported, len(reported))

    assert meaning(joined(attempt, reported)) == meaning(joined(attempt, shuffled))


@quick
@given(attempts, st.lists(states, min_size=1, max_size=4))
def test_join_is_idempotent(attempt, reported):
    """To hear all of its reports again changes nothing of an attempt."""
    once = joined(attempt, reported)

    assert joined(once, reported) == once


@quick
@given(attempts, states)
def test_join_never_falls(attempt, reported):
    """A join is the greater of what was known and what is told."""
    known = [one for one in (attempt.report, reported) if one is not None]

    assert joined(attempt, [reported]).report is max(known)


@quick
@given(st.sampled_from(State), attempts, st.booleans())
def test_what_a_report_leads_to_is_always_legal(state, attempt, newest):
    """Whatever a delivery's state and its attempt's report, each event that follows is in the transition table."""
    if attempt.report is None or state is State.HELD:
        return
    for event in events_of(state, attempt, newest=newest):
        state = step(state, event)

    if attempt.report is ReportState.DELIVERED and state is not State.SENDING:
        assert state is State.DELIVERED


@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
def test_delivered_has_nothing_to_say_to_what_is_delivered_being_sent_or_held(state):
    """Only what may end by a delivered report is ended by one."""
    attempt = joined(ATTEMPT, [ReportState.DELIVERED])
    silent = state in (State.DELIVERED, State.SENDING, State.HELD)

    assert (events_of(state, attempt, newest=False) == ()) == silent


ATTEMPT = Attempt(
    id=AttemptId("m.1.1"),
    delivery=DeliveryId("m.1"),
    number=1,
    submit=SubmitId("m.1.1"),
    group_size=1,
    account=AccountId("main"),
    state=AttemptState.ACCEPTED,
    intended_at=START,
)


@with_stores
@given(st.lists(states, min_size=1, max_size=5), st.randoms(use_true_random=False), st.booleans())
def test_order_and_duplicates_of_stored_reports_do_not_matter(open_desk, reported, random, doubtful):
    """Reports of one submit, in any order and any number, leave the same states behind, also where they end a doubt."""
    seen = set()
    for given_order in (reported, [*random.sample(reported, len(reported)), *reported]):
        with open_desk() as desk:
            delivery = desk.doubted() if doubtful else desk.taken()
            for state in given_order:
                desk.report(state)
            seen.add((desk.state(delivery), *map(meaning, desk.attempts(delivery))))

    assert len(seen) == 1


@with_stores
@given(
    st.permutations(["answer of the second", ("77", ReportState.FAILED), ("78", ReportState.FAILED), ("78", None)]),
    st.booleans(),
)
def test_reports_of_two_copies_and_an_answer_commute(open_desk, events, arrives):
    """Reports of both copies and the second one's answer, in any order: delivered if any was, else the policy's."""
    with open_desk() as desk:
        delivery = desk.doubted()
        claimed = desk.reclaimed(delivery)
        (second,) = desk.intend(claimed, account=desk.backup)
        for event in events:
            if isinstance(event, str):
                desk.settle(Accepted(VendorId("78")), second, epoch=claimed.epoch)
                continue
            vendor_id, state = event
            last = ReportState.DELIVERED if arrives else ReportState.ENROUTE
            desk.report(state or last, vendor_id, account=desk.main if vendor_id == "77" else desk.backup)

        found = desk.find(delivery)
        assert found.state is (State.DELIVERED if arrives else State.SUBMITTED)
        assert found.due_at == desk.now


@pytest.mark.parametrize("reported", [one for one in ReportState if one is not ReportState.DELIVERED])
def test_what_is_not_delivered_only_ends_a_doubt(reported):
    """A report of the newest copy that does not say delivered proves it taken, and decides nothing else (T7)."""
    attempt = joined(ATTEMPT, [reported])

    events = {state: events_of(state, attempt, newest=True) for state in State}
    assert {state: found for state, found in events.items() if found} == {
        State.IN_DOUBT: (Event.ACCEPTED,),
        State.PARKED: (Event.ACCEPTED,),
    }
    assert not any(events_of(state, attempt, newest=False) for state in State)
