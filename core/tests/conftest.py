"""What the tests of the heart share: a clock, and the invariants that every store must keep."""

from datetime import timedelta

import pytest

from tocsin.model.report import ReportState
from tocsin.outbox.record import Filter
from tocsin.outbox.state import AttemptState, Event, State, step
from tocsin.policy.route import CLASS_RULES
from tocsin.testing import FakeClock

FAILED = ReportState.FAILED
HELD = (State.CLAIMED, State.SENDING)


@pytest.fixture
def clock():
    return FakeClock()


def check_invariants(store):
    """Check I2, I3, I4, I5, I9 and I12 for each delivery of a store."""
    reports, _ = store.evidence(None)
    for delivery in store.deliveries(Filter()):
        attempts = store.attempts((delivery.id,))[delivery.id]
        chapters, transitions = store.story(delivery.id)
        rules = CLASS_RULES[store.message(delivery.message).cls]
        check_audit(delivery, transitions)
        check_intents(delivery, attempts, transitions)
        submits = [one.explanation for one in chapters if one.explanation.get("decision") == "submit"]
        check_copies(Copies(attempts, [one for one in reports if one.delivery == delivery.id], submits, rules))
        assert all(one.intended_at < delivery.expires_at for one in attempts), "a submit after its time (I9)"
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


class Copies:
    """A delivery's attempts, with all that says whether each might be made.

    Args:
        attempts: in order.
        reports: all that were matched to the delivery.
        submits: the stored decision of each attempt.
        rules: of its class; a decision tells where its route allowed other copies, or moved on sooner.
    """

    def __init__(self, attempts, reports, submits, rules):
        self.attempts, self.reports, self.submits, self.rules = attempts, reports, submits, rules

    def failed_by(self, attempt, moment):
        """Whether a report had said by then that the attempt did not arrive."""
        return any(
            (one.account, one.report.vendor_id, one.report.state) == (attempt.account, attempt.vendor_id, FAILED)
            and one.received_at <= moment
            for one in self.reports
        )

    def silent_by(self, attempt, then):
        """Whether a later attempt may follow because the report of one that was taken did not come."""
        told = self.submits[then.number - 1].get("trigger")
        timeout = timedelta(0) if told == "silence" else self.rules.report_timeout
        may_move_on = told == "silence" or self.rules.moves_on_silence
        return may_move_on and attempt.vendor_id is not None and then.intended_at >= attempt.settled_at + timeout

    def most_at(self, then):
        return self.submits[then.number - 1].get("max_copies", self.rules.max_copies)


def check_copies(copies):
    """I3 and I5: what follows a clean accept has a reason, and with each submit copies stayed in bounds."""
    for then in copies.attempts:
        earlier = [one for one in copies.attempts[: then.number - 1] if one.state.may_ring]
        standing = [one for one in earlier if not copies.failed_by(one, then.intended_at)]
        clean = [one for one in standing if one.state is AttemptState.ACCEPTED and not one.cause]
        assert all(copies.silent_by(one, then) for one in clean), "a submit after a clean accept (I3)"
        assert len(standing) < copies.most_at(then), "a copy too many (I5)"


@pytest.fixture
def invariants():
    """The check itself, for a test to call on its store."""
    return check_invariants
