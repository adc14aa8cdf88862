"""What is counted for whoever watches: by state and account, whatever is stored, at a price that does not grow."""

from contextlib import closing, suppress
from datetime import timedelta

import pytest

from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, NotSent, Unknown
from tocsin.model.report import ReportState
from tocsin.outbox import sqlite_gauges
from tocsin.outbox.gauges import Backlog, Tally
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.state import AttemptState, Event, State


def test_a_new_store_has_nothing_to_count(desk):
    """No delivery, no tally, no backlog, no doubt."""
    gauges = desk.outbox.gauges()

    assert (dict(gauges.open), dict(gauges.tallies), gauges.backlog, gauges.doubted_since) == ({}, {}, (), None)


def test_what_waits_is_counted_by_state_and_account(desk):
    """One that was never tried has no account; one that was has that of its newest attempt."""
    desk.accept(holder=None)
    desk.taken(vendor_id="1")
    desk.doubted(account=desk.backup)

    assert dict(desk.outbox.gauges().open) == {
        (State.QUEUED, None): 1,
        (State.SUBMITTED, desk.main): 1,
        (State.IN_DOUBT, desk.backup): 1,
    }


def test_the_backlog_knows_its_urgencies(desk):
    """Of each urgency: how many are queued, and when the first of them is due."""
    desk.accept(holder=None, cls=MessageClass.BULK)
    desk.wait(minutes=1)
    desk.accept(holder=None, cls=MessageClass.BULK)
    desk.accept(holder=None, cls=MessageClass.OTP, due_in=timedelta(hours=1))

    assert desk.outbox.gauges().backlog == (
        Backlog(urgency=0, number=1, due_at=desk.now + timedelta(hours=1)),
        Backlog(urgency=3, number=2, due_at=desk.now - timedelta(minutes=1)),
    )


def test_doubt_is_as_old_as_its_attempt(desk):
    """The oldest attempt that leaves a delivery in doubt counts, not when the delivery was last looked at."""
    began = desk.now
    delivery = desk.doubted()
    desk.wait(minutes=5)
    desk.doubted(number="13900000001")
    assert desk.outbox.gauges().doubted_since == began

    desk.close(delivery, due_at=desk.now + timedelta(minutes=1))
    assert desk.outbox.gauges().doubted_since == began


def test_what_came_of_attempts_is_told_by_account(desk):
    """Each outcome counts once, under its account; so does what nobody knew, and what a report told of it later."""
    desk.taken(vendor_id="1")
    desk.submitted(NotSent("dns"), number="13900000001", account=desk.backup)
    desk.submitted(Unknown("read-timeout"), number="13900000002")
    desk.report(ReportState.ENROUTE, vendor_id="9", number="13900000002")

    assert dict(desk.outbox.gauges().tallies) == {
        Tally(desk.main, AttemptState.ACCEPTED): 2,
        Tally(desk.main, AttemptState.UNKNOWN): 1,
        Tally(desk.backup, AttemptState.NOT_SENT): 1,
    }


def test_an_end_counts_where_it_happened(desk):
    """What ends counts under its account; a late report that says otherwise counts it once more, under the new end."""
    delivery = desk.taken()
    desk.report(ReportState.FAILED)
    assert desk.close(delivery, Event.REPORTED_FAILED)
    desk.report(ReportState.DELIVERED)
    assert desk.state(delivery) is State.DELIVERED

    tallies = desk.outbox.gauges().tallies
    assert {tally: number for tally, number in tallies.items() if isinstance(tally.state, State)} == {
        Tally(desk.main, State.UNDELIVERED): 1,
        Tally(desk.main, State.DELIVERED): 1,
    }


def test_what_was_taken_back_is_not_counted(desk):
    """A transaction that fails counts nothing."""
    (delivery,) = desk.accept()
    (attempt,) = desk.intend(delivery)
    with suppress(ZeroDivisionError), desk.rows.transaction("broken"):
        desk.rows.gauges.add({Tally(desk.main, AttemptState.ACCEPTED): 1})
        _ = 1 / 0
    assert dict(desk.outbox.gauges().tallies) == {}

    desk.settle(Accepted("1"), attempt)
    assert dict(desk.outbox.gauges().tallies) == {Tally(desk.main, AttemptState.ACCEPTED): 1}


@pytest.mark.parametrize("question", [sqlite_gauges._BACKLOG, sqlite_gauges._DOUBTED])
def test_no_question_goes_through_a_table(empty_file, question):
    """Each question of the SQLite store is a range of an index: no table is scanned, however much has ended."""
    with closing(open_rows(empty_file)) as rows:
        plan = [row["detail"] for row in rows._rows(f"EXPLAIN QUERY PLAN {question}")]

    assert plan
    assert not [step for step in plan if step.startswith("SCAN")]


def test_what_is_open_is_counted_in_the_index_alone(empty_file):
    """Deliveries that have not ended are counted by state and account without a look at their rows."""
    statement = "SELECT state, account, count(*) FROM delivery WHERE state IN ('queued') GROUP BY state, account"
    with closing(open_rows(empty_file)) as rows:
        plan = [row["detail"] for row in rows._rows(f"EXPLAIN QUERY PLAN {statement}")]

    assert plan[0].startswith("SEARCH delivery USING COVERING INDEX delivery_by_state")
