"""What follows when a report says that a message did not arrive, or does not come at all."""

from datetime import UTC, datetime, timedelta

import pytest

from tocsin.model.ids import VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.model.report import ReportState
from tocsin.outbox.evidence import EVIDENCE_WINDOW
from tocsin.policy.decision import AwaitReport, CloseWindow, Park, Submit, Trigger, Undelivered
from tocsin.policy.judge import Judgement, Verdict
from tocsin.policy.route import InDoubt, OnUndelivered
from tocsin.policy.standing import LISTEN_AGAIN, LISTEN_SOON, ask_again_at

START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
TAKEN = Accepted(VendorId("1"))
UNCORRELATED = Accepted(None)
LOST = Unknown("read-timeout")
UNREACHED = NotSent("connect-refused")
HOPELESS = Refused(Reason.INVALID_NUMBER, "-5")
FAILED = ReportState.FAILED
WINDOW_ENDS_AT = START + EVIDENCE_WINDOW
MOVING = (MessageClass.OTP, MessageClass.CRITICAL, MessageClass.ALERT)


# a failed report


@pytest.mark.parametrize("cls", MessageClass, ids=lambda cls: cls.value)
def test_each_class_meets_a_failed_report_in_its_own_way(case_of, cls):
    """After a failed report otp, critical and alert go to the next account at once; notice and bulk say undelivered."""
    decision = case_of(cls).meet(TAKEN, report=FAILED).decide()

    if cls in MOVING:
        assert (decision.account, decision.trigger, decision.copy) == ("two", Trigger.UNDELIVERED, 1)
        assert decision.why == "one reported that it was not delivered"
        assert decision.judgements[0] == Judgement("one", Verdict.TRIED)
    else:
        assert decision == Undelivered(why="one reported that it was not delivered: its class stops there")


def test_the_vendors_word_is_told(case):
    """The code of the failed report stands in the reason."""
    decision = case.meet(TAKEN, report=FAILED, report_code="REJECTD").decide()

    assert decision.why == "one reported that it was not delivered (REJECTD)"


def test_when_nobody_is_left_the_report_has_the_last_word(case):
    """Where no account can carry another copy, a delivery that was reported undelivered is so, and did not `fail`."""
    decision = case.offer("one").meet(TAKEN, report=FAILED).decide()

    assert decision == Undelivered(
        why="one reported that it was not delivered; no other account can take it",
        judgements=(Judgement("one", Verdict.TRIED),),
    )


@pytest.mark.parametrize(
    ("outcome", "word"),
    [(HOPELESS, "invalid_number"), (UNREACHED, "not reached")],
    ids=["refused for good", "nobody reached"],
)
def test_a_step_after_a_failed_report_that_leads_nowhere_ends_undelivered(case, outcome, word):
    """Whatever became of the step that followed a failed report: the only phone that could ring did not."""
    decision = case.offer("one", "two").meet(TAKEN, report=FAILED).meet(outcome, "two").decide()

    assert isinstance(decision, Undelivered)
    assert word in decision.why


def test_a_failed_report_after_expiry_is_final(case):
    """No next step begins after expiry: what was reported undelivered is so, and did not expire (I9)."""
    case.meet(TAKEN, report=FAILED)
    case.now = case.expires_at - MOMENT
    assert isinstance(case.decide(), Submit)

    decision = case.wait(MOMENT).decide()

    assert isinstance(decision, Undelivered)
    assert decision.why == "one reported that it was not delivered, and its time is over"


@pytest.mark.parametrize("on_undelivered", OnUndelivered, ids=lambda value: value.value)
def test_nobody_says_undelivered_while_an_earlier_copy_is_in_doubt(case_of, on_undelivered):
    """The newest copy did not arrive, but an earlier one may have: what stops there is parked."""
    case = case_of(on_undelivered=on_undelivered).offer("one", "two")
    case.meet(LOST).wait(minutes=1).meet(TAKEN, "two", report=FAILED)

    decision = case.decide()

    assert isinstance(decision, Park)
    assert decision.why.endswith("an earlier copy is in doubt")


def test_nobody_says_undelivered_while_an_earlier_copy_is_under_way(case):
    """The newest copy did not arrive, but an earlier one may still: its report will tell, and is overdue."""
    case.offer("one", "two").meet(TAKEN).wait(minutes=5).meet(TAKEN, "two", report=FAILED)

    decision = case.decide()

    assert isinstance(decision, AwaitReport)
    assert (decision.until, decision.overdue) == (WINDOW_ENDS_AT, True)
    assert decision.judgements == (Judgement("one", Verdict.TRIED), Judgement("two", Verdict.TRIED))


def test_an_older_copys_failure_opens_no_step(case):
    """While the newer copy may still be reported on, the older one's failure changes nothing."""
    case.meet(LOST, report=FAILED).prove().wait(minutes=1).meet(TAKEN, "two")

    decision = case.decide()

    assert isinstance(decision, AwaitReport)
    assert decision.why == "it is known that two has taken it"


def test_an_earlier_copy_that_may_be_reported_on_holds_up_the_next(case):
    """The newest copy failed, and evidence came that the older one was taken: its report is waited for first."""
    case.meet(LOST).wait(minutes=1).meet(TAKEN, "two", report=FAILED)
    first, second = case.attempts
    case.attempts = (case.meet(LOST).prove().attempts[-1], second)
    assert first.cause == case.attempts[0].cause

    decision = case.decide()

    assert isinstance(decision, AwaitReport)
    assert decision.why == "evidence came that one has taken it"


# silence


@pytest.mark.parametrize("cls", MessageClass, ids=lambda cls: cls.value)
def test_each_class_meets_silence_in_its_own_way(case_of, cls):
    """No report in time: otp, critical and alert go to the next account, notice marks it, bulk waits for no report."""
    case = case_of(cls).meet(TAKEN)
    timeout = case.rules.report_timeout
    assert case.decide() == AwaitReport(
        why="it is known that one has taken it", until=WINDOW_ENDS_AT if timeout is None else START + timeout
    )
    assert case.wait((timeout or timedelta(hours=71)) - MOMENT).decide() == AwaitReport(
        why="it is known that one has taken it", until=WINDOW_ENDS_AT if timeout is None else START + timeout
    )

    decision = case.wait(MOMENT).decide()

    if cls in MOVING:
        assert (decision.account, decision.trigger, decision.copy) == ("two", Trigger.SILENCE, 2)
        assert decision.why == "one took it, and no report came in time"
    elif cls is MessageClass.NOTICE:
        assert decision == AwaitReport(
            why="it is known that one has taken it, and no report came in time", until=WINDOW_ENDS_AT, overdue=True
        )
    else:
        assert decision == AwaitReport(why="it is known that one has taken it", until=WINDOW_ENDS_AT)


def test_silence_counts_from_the_answer(case):
    """The time for a report begins when the vendor's answer was settled, not with its INTENT."""
    case.meet(TAKEN, took=timedelta(seconds=15)).wait(minutes=4, seconds=45)

    assert case.now == START + case.rules.report_timeout
    assert isinstance(case.decide(), AwaitReport)
    assert isinstance(case.wait(seconds=15).decide(), Submit)


def test_an_outcome_without_a_time_counts_from_its_intent(case):
    """Where no time of an answer was written down, everything counts from the INTENT before it."""
    case.meet(TAKEN, took=timedelta(seconds=15), settled_at=None).wait(minutes=4, seconds=45)

    assert case.now == START + case.rules.report_timeout
    assert isinstance(case.decide(), Submit)


def test_silence_is_a_plain_yes_or_no(case):
    """Whether a copy is silent is true or false, and never nothing."""
    (copy,) = case.meet(TAKEN).attempts

    assert case.standing.is_silent(copy, case.now) is False
    assert case.standing.is_silent(copy, case.wait(minutes=5).now) is True


def test_what_was_accepted_without_an_id_is_never_sent_again_for_silence(case):
    """No report can ever name it, so that silence says nothing: it is marked, and waits for its window's end (I3)."""
    case.meet(UNCORRELATED).wait(minutes=5)

    assert case.decide() == AwaitReport(
        why="it is known that one has taken it, and no report came in time", until=WINDOW_ENDS_AT, overdue=True
    )
    case.now = case.expires_at
    assert isinstance(case.decide(), AwaitReport)


@pytest.mark.parametrize("report", [ReportState.UNKNOWN, ReportState.ENROUTE], ids=lambda state: state.name)
def test_on_its_way_is_no_answer(case, report):
    """A report that says neither delivered nor failed does not end the silence."""
    decision = case.meet(TAKEN, report=report).wait(minutes=5).decide()

    assert (decision.account, decision.trigger) == ("two", Trigger.SILENCE)


def test_what_was_delivered_is_never_silent(case):
    """After a delivered report nothing is sent, whatever the time."""
    case.meet(TAKEN, report=ReportState.DELIVERED).wait(minutes=6)

    decision = case.decide()

    assert decision == AwaitReport(why="it is known that one has taken it", until=WINDOW_ENDS_AT)


@pytest.mark.parametrize(
    ("heard", "silent"),
    [(None, True), (timedelta(0), True), (timedelta(seconds=1), True), (-MOMENT, False), (timedelta(-1), False)],
    ids=["not polled", "at the moment", "later", "just before", "long before"],
)
def test_silence_is_believed_where_it_would_have_been_heard(case, heard, silent):
    """Silence counts once the account's reports were fetched after the report was due; until then it is listened for.

    An account that is not polled pushes its reports: there silence is all that there is.
    """
    case.meet(TAKEN).wait(minutes=5)
    if heard is not None:
        case.heard = {"one": case.now + heard}
    case.wait(seconds=2)

    decision = case.decide()

    if silent:
        assert (decision.account, decision.trigger) == ("two", Trigger.SILENCE)
    else:
        assert decision == AwaitReport(why="it is known that one has taken it", until=case.now + LISTEN_SOON)


@pytest.mark.parametrize(("late_s", "again_s"), [(0, 2), (1, 2), (2, 2), (4, 4), (16, 16), (30, 30), (3600, 30)])
def test_it_is_listened_soon_and_then_less_often(case, late_s, again_s):
    """The poll that would bring the report may be seconds away; one that stays away is not asked about all the time."""
    case.hear("one").meet(TAKEN).wait(minutes=5).wait(seconds=late_s)

    assert case.decide().until == case.now + timedelta(seconds=again_s)


def test_silence_is_heard_of_its_own_account(case):
    """That another account's reports cannot be fetched says nothing about this one's, and the other way round."""
    case.meet(TAKEN).wait(minutes=5)
    case.heard = {"two": START}
    assert isinstance(case.decide(), Submit)

    case.heard = {"one": START, "two": case.now}
    assert isinstance(case.decide(), AwaitReport)


def test_a_class_that_cannot_wait_takes_deafness_for_silence(case_of):
    """While the reports of an account cannot be fetched, critical goes on all the same."""
    case = case_of(MessageClass.CRITICAL).hear("one").meet(TAKEN).wait(seconds=90)

    assert case.decide().trigger is Trigger.SILENCE


def test_to_listen_again_never_outlasts_the_window(case):
    """The next look at silence is never later than the end of the window."""
    case.hear("one").meet(TAKEN).wait(EVIDENCE_WINDOW - LISTEN_AGAIN / 2)

    assert case.decide().until == WINDOW_ENDS_AT
    assert timedelta(seconds=30) == LISTEN_AGAIN


def test_silence_after_expiry_only_marks(case):
    """No step begins after expiry, so that silence marks it, and the window goes on (I9)."""
    case.meet(TAKEN).now = case.expires_at

    decision = case.decide()

    assert decision == AwaitReport(
        why="one took it, and no report came in time, and its time is over; an earlier copy is under way",
        until=WINDOW_ENDS_AT,
        overdue=True,
    )


def test_silence_about_the_last_copy_only_marks(case):
    """Where as many copies exist as are allowed, silence about all of them opens no step (I5)."""
    case.meet(TAKEN).wait(minutes=5).meet(TAKEN, "two").wait(minutes=5)

    decision = case.decide()

    assert isinstance(decision, AwaitReport)
    assert (decision.until, decision.overdue) == (START + timedelta(minutes=5) + EVIDENCE_WINDOW, True)
    assert decision.why == (
        "two took it, and no report came in time; its class allows 2 copies, which exist; an earlier copy is under way"
    )


def test_a_step_after_silence_goes_on_like_any_other(case):
    """An account that refuses a copy sent for silence leads to the next, and the reason stays silence."""
    case.meet(TAKEN).wait(minutes=5).meet(Refused(Reason.KEYWORD), "two")

    decision = case.decide()

    assert (decision.account, decision.trigger, decision.copy) == ("three", Trigger.SILENCE, 2)


def test_the_newest_of_many_silent_ones_is_named(case_of):
    """The reason names the newest copy."""
    case = case_of(max_copies=3).meet(TAKEN).wait(minutes=5).meet(TAKEN, "two").wait(minutes=5)

    assert case.decide().why == "two took it, and no report came in time"


def test_of_many_that_may_be_reported_on_the_first_due_is_looked_at(case_of):
    """The next look is when the first of them is overdue; what is overdue already has no look of its own."""
    case = case_of(max_copies=3, moves_on_silence=False)
    case.meet(TAKEN).wait(minutes=1).meet(TAKEN, "two").wait(minutes=1)
    assert (case.decide().until, case.decide().overdue) == (START + timedelta(minutes=5), False)

    case.wait(minutes=3)

    assert (case.decide().until, case.decide().overdue) == (START + timedelta(minutes=6), True)
    assert case.decide().why == "it is known that two has taken it, and no report came in time"


def test_an_overdue_copy_waits_for_a_newer_one_that_is_not(case):
    """While any copy may still be reported on in time, no other is sent."""
    case.meet(TAKEN).wait(minutes=5).meet(TAKEN, "two").wait(minutes=1)

    decision = case.decide()

    assert decision == AwaitReport(why="it is known that two has taken it", until=START + timedelta(minutes=10))


def test_a_doubt_after_silence_is_met_as_a_doubt(case_of):
    """Where the copy sent for silence is in doubt, its class's way with doubt decides; stopping waits for reports."""
    case = case_of(when_in_doubt=InDoubt.HOLD).meet(TAKEN).wait(minutes=5).meet(LOST, "two").wait(minutes=1)

    decision = case.decide()

    assert isinstance(decision, AwaitReport)
    assert "its class holds it; an earlier copy is under way" in decision.why


# the end of the window


@pytest.mark.parametrize("cls", MessageClass, ids=lambda cls: cls.value)
@pytest.mark.parametrize("accepted", [TAKEN, UNCORRELATED], ids=["with an id", "without one"])
def test_the_window_closes(case_of, cls, accepted):
    """72 hours after the vendor took it nobody will ever know; a moment before, its report may still come."""
    case = case_of(cls).meet(accepted).wait(EVIDENCE_WINDOW - MOMENT)
    assert isinstance(case.decide(), AwaitReport)

    assert case.wait(MOMENT).decide() == CloseWindow()
    assert case.wait(days=30).decide() == CloseWindow()


def test_the_window_is_open_for_the_last_copy(case):
    """It closes when no copy can be reported on any more."""
    case.meet(TAKEN).wait(minutes=5).meet(TAKEN, "two").wait(EVIDENCE_WINDOW - MOMENT)
    assert isinstance(case.decide(), AwaitReport)

    assert case.wait(MOMENT).decide() == CloseWindow()


def test_a_window_that_closes_beside_a_doubt_is_closed(case):
    """A copy was taken, whose time for reports is over, and the newest is in doubt: nobody will ever know."""
    case.meet(TAKEN).wait(minutes=5).meet(LOST, "two").wait(EVIDENCE_WINDOW)

    assert case.decide() == CloseWindow()


@pytest.mark.parametrize(
    ("outcome", "after"),
    [
        (TAKEN, timedelta(minutes=5)),
        (UNCORRELATED, timedelta(minutes=5)),
        (LOST, timedelta(seconds=60)),
        (UNREACHED, None),
        (HOPELESS, None),
    ],
    ids=["taken", "uncorrelated", "lost", "unreached", "refused"],
)
def test_when_the_policy_wants_to_be_asked_after_an_outcome(case, outcome, after):
    """When the report is overdue, or the wait for evidence is over; at once where nothing is waited for."""
    assert ask_again_at(case.rules, outcome, START) == (None if after is None else START + after)


def test_an_outcome_that_nobody_waits_for_is_a_defect(case):
    """A new kind of outcome without a time to ask again is an error, and not `never`."""
    with pytest.raises(AssertionError):
        ask_again_at(case.rules, object(), START)


def test_a_class_without_a_report_timeout_is_asked_at_the_windows_end(case_of):
    """Where silence never counts, the policy is asked when no report can come any more."""
    assert ask_again_at(case_of(MessageClass.BULK).rules, TAKEN, START) == WINDOW_ENDS_AT


def test_the_time_asked_for_is_the_time_that_matters(case):
    """At the time that `ask_again_at` names the policy has something new to say, and not before."""
    for outcome in (TAKEN, LOST):
        case.attempts, case.now = (), START
        case.meet(outcome).now = ask_again_at(case.rules, outcome, START)
        assert isinstance(case.decide(), Submit)
        case.now -= MOMENT
        assert not isinstance(case.decide(), Submit)
