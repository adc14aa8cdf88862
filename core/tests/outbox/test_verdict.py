"""What the policy decided without a submit: what is written, and what it is guarded by."""

from datetime import timedelta

import attrs
import pytest

from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted, Unknown
from tocsin.model.report import ReportState
from tocsin.outbox.record import Verdict
from tocsin.outbox.state import Event, State

LATER = timedelta(minutes=10)


def test_a_verdict_that_waits_sets_when_to_ask_again(desk):
    """Where nothing happens but waiting, the time and the mark are written, without an audit row or a chapter."""
    delivery = desk.taken()
    _, transitions = desk.outbox.story(delivery)

    assert desk.close(delivery, due_at=desk.now + LATER, report_overdue=True, explanation=None)

    found = desk.find(delivery)
    assert (found.state, found.due_at, found.report_overdue) == (State.SUBMITTED, desk.now + LATER, True)
    assert len(desk.outbox.story(delivery)[0]) == 1
    assert desk.outbox.story(delivery)[1] == transitions


def test_a_verdict_tells_why_where_it_says_something_new(desk):
    """With an explanation, the decision is a chapter of the story, with its time."""
    delivery = desk.taken()
    desk.wait(seconds=5)

    assert desk.close(delivery, due_at=desk.now + LATER, explanation={"decision": "await_report", "why": "so"})

    chapter = desk.outbox.story(delivery)[0][-1]
    assert (chapter.at, chapter.explanation) == (desk.now, {"decision": "await_report", "why": "so"})


def test_a_mark_is_taken_back_by_a_verdict_without_it(desk):
    """`report_overdue` is what the newest verdict says."""
    delivery = desk.taken()
    desk.close(delivery, due_at=desk.now + LATER, report_overdue=True)

    desk.close(delivery, due_at=desk.now + LATER)

    assert not desk.find(delivery).report_overdue


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((Event.RELEASE,), State.QUEUED),
        ((Event.LOST,), State.IN_DOUBT),
        ((Event.ACCEPTED,), State.SUBMITTED),
        ((Event.ACCEPTED, Event.REPORTED_FAILED), State.UNDELIVERED),
        ((Event.ACCEPTED, Event.WINDOW_CLOSED), State.REPORT_TIMEOUT),
    ],
    ids=lambda value: value.value if isinstance(value, State) else None,
)
def test_a_claimed_delivery_goes_where_it_waits_or_ends(desk, events, state):
    """Each event in turn, each with its audit row; nobody holds it then, and it waits until the time that was named."""
    (delivery,) = desk.accept()

    assert desk.close(delivery.id, *events, due_at=desk.now + LATER)

    found = desk.find(delivery.id)
    assert (found.state, found.holder) == (state, None)
    assert tuple(row.event for row in desk.outbox.story(delivery.id)[1])[1:] == events
    if not state.terminal:
        assert found.due_at == desk.now + LATER


def test_a_time_is_due_at_once_where_none_is_named(desk):
    """What goes back to wait without a time is asked about at once."""
    (delivery,) = desk.accept()
    desk.wait(seconds=5)

    desk.close(delivery.id, Event.RELEASE)

    assert desk.find(delivery.id).due_at == desk.now


def claimed_again(desk, claimed):
    desk.outbox.release(desk.holder, desk.now)
    desk.outbox.claim(claimed.message, desk.other_holder, desk.now)


def delivered(desk, claimed):
    desk.report(ReportState.DELIVERED)


@pytest.mark.parametrize("change", [claimed_again, delivered], ids=lambda change: change.__name__)
@pytest.mark.parametrize("event", [Event.PARK, Event.GIVE_UP, Event.RELEASE, Event.LOST], ids=lambda event: event.value)
def test_a_verdict_on_a_claim_that_is_over_writes_nothing(desk, change, event):
    """Another claim, or a delivered report, came in between: neither state nor time nor chapter is written."""
    delivery = desk.doubted()
    claimed = desk.reclaimed(delivery)
    change(desk, claimed)
    before = desk.snapshot(delivery)

    assert not desk.close(delivery, event, seen=claimed, due_at=desk.now + LATER)

    assert desk.snapshot(delivery) == before


def test_a_verdict_on_a_claim_holds_whatever_else_was_written(desk):
    """A claim is guarded by its epoch: an attempt of the same claim, that no vendor took, does not stale it."""
    (delivery,) = desk.accept()
    stale = attrs.evolve(delivery, revision=delivery.revision - 1)

    assert desk.close(delivery.id, Event.GIVE_UP, seen=stale)
    assert desk.state(delivery.id) is State.FAILED


@pytest.mark.parametrize(
    "change",
    [
        lambda desk, delivery: desk.report(ReportState.FAILED),
        lambda desk, delivery: desk.close(delivery, due_at=desk.now + LATER),
        lambda desk, delivery: desk.outbox.reopen((desk.find(delivery),), desk.now),
    ],
    ids=["a failed report", "another verdict", "queued again"],
)
@pytest.mark.parametrize("events", [(), (Event.WINDOW_CLOSED,), (Event.REPORTED_FAILED,)], ids=["wait", "close", "end"])
def test_a_verdict_on_what_changed_meanwhile_writes_nothing(desk, change, events):
    """What nobody has claimed is guarded by its revision: it is asked about again, and knows what came in between."""
    delivery = desk.taken()
    seen = desk.find(delivery)
    change(desk, delivery)
    before = desk.snapshot(delivery)

    assert not desk.close(delivery, *events, seen=seen, due_at=desk.now + 2 * LATER)

    assert desk.snapshot(delivery) == before


@pytest.mark.parametrize(
    "events", [(Event.GIVE_UP,), (Event.ACCEPTED,), (Event.PARK, Event.GIVE_UP)], ids=["first", "one", "second"]
)
def test_what_the_table_does_not_know_is_no_verdict(desk, events):
    """A verdict of which any event cannot happen is dropped whole."""
    delivery = desk.taken()
    before = desk.snapshot(delivery)

    assert not desk.close(delivery, *events)

    assert desk.snapshot(delivery) == before


def test_of_many_verdicts_those_that_hold_are_written_and_told(desk):
    """One stale verdict takes nothing from the others; those that were written are told."""
    stale, taken, lost = (desk.submitted(outcome, f"1390000000{number}") for number, outcome in enumerate(
        (Accepted(VendorId("1")), Accepted(VendorId("2")), Unknown("reset"))))  # fmt: skip
    seen = desk.outbox.get((stale, taken, lost))
    desk.report(ReportState.FAILED, vendor_id="1", number="13900000000")
    ends = {stale: Event.WINDOW_CLOSED, taken: Event.WINDOW_CLOSED, lost: Event.PARK}
    verdicts = tuple(Verdict(seen=one, events=(ends[one.id],), explanation={"why": "x"}) for one in seen)

    written = desk.outbox.close_out(verdicts, desk.now)

    assert set(written) == {taken, lost}
    assert [desk.state(one) for one in (stale, taken, lost)] == [
        State.SUBMITTED, State.REPORT_TIMEOUT, State.PARKED]  # fmt: skip
    assert [desk.outbox.story(one)[0][-1].explanation.get("why") for one in (stale, taken, lost)] == [None, "x", "x"]
    assert desk.outbox.close_out((), desk.now) == ()


def test_what_was_submitted_may_be_parked_for_an_earlier_doubt(desk):
    """The newest copy failed, an earlier one is in doubt, and the policy sends no other: parked, not undelivered."""
    delivery = desk.doubted()
    desk.resent(delivery, Accepted(VendorId("78")))
    desk.report(ReportState.FAILED, "78", account=desk.backup)

    assert desk.close(delivery, Event.PARK)

    assert desk.state(delivery) is State.PARKED
    desk.report(ReportState.DELIVERED)
    assert desk.state(delivery) is State.DELIVERED


def test_an_operator_closes_what_is_parked(desk):
    """What is parked may be cancelled; a late report still says that it arrived."""
    delivery = desk.doubted()
    desk.close(delivery, Event.PARK)

    assert desk.outbox.cancel((delivery,), desk.now) == (delivery,)

    desk.report(ReportState.DELIVERED)
    assert desk.state(delivery) is State.DELIVERED
