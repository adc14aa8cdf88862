"""What happens next to a delivery, example by example."""

from datetime import UTC, datetime, timedelta

import pytest

from tocsin.model.ids import VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Scope, Unknown
from tocsin.model.report import ReportState
from tocsin.outbox.evidence import EVIDENCE_WINDOW
from tocsin.policy.decision import AwaitReport, Expire, GiveUp, Park, Submit, Trigger, Wait
from tocsin.policy.judge import Judgement, Verdict
from tocsin.policy.route import InDoubt, OnUndelivered

TAKEN = Accepted(VendorId("1"))
LOST = Unknown("read-timeout")
UNREACHED = NotSent("connect-refused")
KEYWORD = Refused(Reason.KEYWORD, "-6")
HOPELESS = Refused(Reason.INVALID_NUMBER, "-5")
MOMENT = timedelta(microseconds=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_first_account_that_can_is_chosen(case):
    """Nothing was tried: the first account of the route that can carry it, and each judgement is told."""
    decision = case.hinder("one", "no signature", "too long").decide()

    assert decision == Submit(
        account="two",
        why="the first account of the route that can take it",
        judgements=(
            Judgement("one", Verdict.CANNOT_CARRY, "no signature; too long"),
            Judgement("two", Verdict.CHOSEN),
            Judgement("three", Verdict.ELIGIBLE),
        ),
        trigger=Trigger.FIRST,
        copy=1,
        max_copies=2,
    )


def test_nobody_can_carry_it(case):
    """Where no account of the route can carry it, it has failed, with each account's reason."""
    for account in ("one", "two", "three"):
        case.hinder(account, f"{account} cannot")

    decision = case.decide()

    assert isinstance(decision, GiveUp)
    assert decision.why == "no account of the route can take it"
    assert [one.detail for one in decision.judgements] == ["one cannot", "two cannot", "three cannot"]


def test_what_was_not_sent_goes_to_the_next_account_at_once(case):
    """After proof that nothing left, the next account has its turn, without waiting."""
    decision = case.meet(UNREACHED).decide()

    assert (decision.account, decision.why) == ("two", "one was not reached (connect-refused)")
    assert decision.judgements[0] == Judgement("one", Verdict.TRIED)


@pytest.mark.parametrize("reason", [one for one in Reason if one.elsewhere], ids=lambda reason: reason.label)
def test_a_refusal_that_another_account_may_overcome_moves_on(case, reason):
    """A refusal of account, vendor, throttle, template or taste leads to the next account."""
    if reason is Reason.RETRY_ONCE:
        case.meet(Refused(reason))

    decision = case.meet(Refused(reason, "-3")).decide()

    assert (decision.account, decision.why) == ("two", f"one refused: {reason.label} (-3)")


@pytest.mark.parametrize("reason", [one for one in Reason if not one.elsewhere], ids=lambda reason: reason.label)
def test_a_refusal_that_nobody_can_overcome_stops(case, reason):
    """Where another account could do no better, none is tried."""
    decision = case.meet(Refused(reason)).decide()

    assert decision == GiveUp(why=f"one refused: {reason.label}; another account could do no better")


def test_an_accounts_own_trouble_never_stops_a_message():
    """Every refusal that is about account, vendor or throttle may be overcome elsewhere."""
    theirs = (Scope.ACCOUNT, Scope.VENDOR, Scope.THROTTLE)

    assert all(reason.elsewhere for reason in Reason if reason.scope in theirs)


def test_when_every_account_refused_it_has_failed(case):
    """After the last account there is none: it has failed, and no copy exists."""
    decision = case.meet(UNREACHED, "one").meet(KEYWORD, "two").meet(KEYWORD, "three").decide()

    assert isinstance(decision, GiveUp)
    assert decision.why == "three refused: keyword (-6); no other account can take it"
    assert {one.verdict for one in decision.judgements} == {Verdict.TRIED}


# the same try goes on


def test_a_group_with_a_culprit_is_halved(case):
    """`split` from a group: the same account again, in groups of half the size, rounded up."""
    decision = case.meet(Refused(Reason.SPLIT), group_size=5).decide()

    assert (decision.account, decision.at_most) == ("one", 3)
    assert decision.why == "one of 5 recipients was refused: the group is halved"
    assert [one.verdict for one in decision.judgements] == [Verdict.CHOSEN, Verdict.NOT_ASKED, Verdict.NOT_ASKED]


def test_a_culprit_that_stands_alone_goes_to_the_next_account(case):
    """`split` for one recipient is its own refusal: another account may take it."""
    assert case.meet(Refused(Reason.SPLIT), group_size=1).decide().account == "two"


def test_a_submit_is_repeated_once(case):
    """`retry_once` repeats the submit by the same account with the same group, once."""
    again = Refused(Reason.RETRY_ONCE, "9012")

    first = case.meet(again, group_size=7).decide()
    second = case.meet(again, group_size=7).decide()

    assert (first.account, first.at_most) == ("one", 7)
    assert first.why == "the vendor asks for the same submit again, once"
    assert (second.account, second.at_most) == ("two", None)


def test_a_submit_that_was_not_sent_before_may_be_repeated(case):
    """Only a repeat is a repeat: that the account had another turn before takes nothing from it."""
    assert case.meet(UNREACHED).meet(Refused(Reason.RETRY_ONCE)).decide().account == "one"


def test_a_refusal_without_a_reason_is_one_that_nobody_knows(case):
    """A refusal that was stored without its reason is met like one with a code on no list: the next account."""
    decision = case.meet(KEYWORD, reason=None).decide()

    assert (decision.account, decision.why) == ("two", "one refused: unrecognised (-6)")


def test_each_account_may_be_asked_again_once(case):
    """That one account was asked twice takes nothing from the next."""
    again = Refused(Reason.RETRY_ONCE)
    for account in ("one", "one", "two"):
        case.meet(again, account)

    assert case.decide().account == "two"
    assert case.meet(again, "two").decide().account == "three"


@pytest.mark.parametrize("refusal", [Refused(Reason.SPLIT), Refused(Reason.RETRY_ONCE)], ids=["split", "retry_once"])
@pytest.mark.parametrize("change", ["hindered", "gone"])
def test_the_same_try_ends_where_the_account_can_no_more(case, refusal, change):
    """An account that has an obstacle by now, or is on the route no more, is not asked again: the next has its turn."""
    case.meet(refusal, group_size=4)
    if change == "gone":
        case.offer("two", "three")
    else:
        case.hinder("one", "out of balance")

    assert case.decide().account == "two"


# doubt


def test_doubt_waits_for_evidence(case):
    """Until the class's wait is over, nobody does anything about a doubt; it counts from the outcome."""
    case.meet(LOST)
    until = case.now + case.rules.evidence_wait

    assert case.decide() == Wait(
        until=until, why="nobody knows whether one took it (read-timeout): waiting for evidence"
    )
    assert isinstance(case.wait(case.rules.evidence_wait - MOMENT).decide(), Wait)
    assert not isinstance(case.wait(MOMENT).decide(), Wait)


@pytest.mark.parametrize("cls", MessageClass, ids=lambda cls: cls.value)
def test_each_class_meets_doubt_in_its_own_way(case_of, cls):
    """After its wait, otp, critical and alert go to another account; notice and bulk hold."""
    case = case_of(cls, expires_after=timedelta(days=9))
    decision = case.meet(LOST).wait(case.rules.evidence_wait).decide()

    if cls in (MessageClass.NOTICE, MessageClass.BULK):
        assert isinstance(decision, Park)
    else:
        assert (decision.account, decision.why) == (
            "two",
            "nobody knows whether one took it (read-timeout): its class sends by another account",
        )


def test_resend_other_without_another_account_holds(case):
    """Where no other account can carry a second copy, the doubt is parked and not resent by the same."""
    decision = case.offer("one").meet(LOST).wait(hours=1).decide()

    assert isinstance(decision, Park)
    assert decision.judgements == (Judgement("one", Verdict.TRIED),)


def test_resend_same_sends_by_the_same_account(case_of):
    """`resend-same` asks the account that may have taken it, and no other."""
    case = case_of(when_in_doubt=InDoubt.RESEND_SAME, max_copies=3).meet(UNREACHED).meet(LOST, "two").wait(hours=1)

    decision = case.decide()

    assert decision.account == "two"
    assert decision.why == "nobody knows whether two took it (read-timeout): its class sends again by the same account"
    assert [one.account for one in decision.judgements] == ["two"]


@pytest.mark.parametrize("change", ["hindered", "gone"])
def test_resend_same_without_that_account_holds(case_of, change):
    """Where the account that may have taken it can carry it no more, `resend-same` parks."""
    case = case_of(when_in_doubt=InDoubt.RESEND_SAME).meet(LOST).wait(hours=1)
    if change == "gone":
        case.offer("two")
    else:
        case.hinder("one", "out of balance")

    assert isinstance(case.decide(), Park)


@pytest.mark.parametrize("copies", [1, 2, 3])
@pytest.mark.parametrize("when", [InDoubt.RESEND_SAME, InDoubt.RESEND_OTHER], ids=lambda when: when.value)
def test_copies_never_exceed_what_is_allowed(case_of, when, copies):
    """However often the outcome is lost, no more copies exist than the class allows: then it is parked (I5)."""
    case = case_of(when_in_doubt=when, max_copies=copies)
    for _ in range(copies):
        decision = case.decide()
        assert isinstance(decision, Submit)
        case.meet(LOST, decision.account).wait(minutes=2)

    decision = case.decide()

    assert isinstance(decision, Park)
    assert f"allows {copies} copies" in decision.why


def test_a_copy_that_was_not_delivered_makes_room(case_of):
    """A copy reported undelivered is none: another may be sent in its place."""
    case = case_of(MessageClass.NOTICE, on_undelivered=OnUndelivered.NEXT).meet(TAKEN, report=ReportState.FAILED)

    assert case.decide().account == "two"


def test_a_clean_accept_is_a_copy(case_of):
    """While an accepted copy is out, a class of one copy sends no other."""
    case = case_of(MessageClass.NOTICE).meet(TAKEN)

    assert isinstance(case.decide(), AwaitReport)


def test_a_doubt_that_evidence_ended_is_not_sent_again(case):
    """Once evidence proves that a doubtful copy was taken, no other is sent: its report will tell (I3)."""
    case.meet(LOST).prove().wait(minutes=4)
    window_ends_at = START + EVIDENCE_WINDOW

    assert case.decide() == AwaitReport(
        why="evidence came that one has taken it", until=START + case.rules.report_timeout, overdue=False
    )
    assert case.wait(minutes=1).decide() == AwaitReport(
        why="evidence came that one has taken it, and no report came in time", until=window_ends_at, overdue=True
    )


def test_a_proved_copy_that_was_not_delivered_makes_room(case):
    """A copy that was taken and then reported undelivered holds nothing up."""
    case.meet(LOST, report=ReportState.FAILED).prove().wait(hours=1)

    assert case.decide().account == "two"


def test_a_duplicate_after_a_doubt_is_evidence(case):
    """`duplicate` right after a doubt of the same account proves it accepted: nothing more is sent."""
    case.meet(LOST).prove().meet(Refused(Reason.DUPLICATE))

    assert isinstance(case.decide(), AwaitReport)


@pytest.mark.parametrize("outcome", [HOPELESS, UNREACHED], ids=["refused", "unreached"])
def test_nobody_says_failed_while_a_copy_is_under_way(case, outcome):
    """Where an earlier copy was taken and another is refused, the first one's report will tell."""
    decision = case.offer("one", "two").meet(TAKEN).wait(minutes=5).meet(outcome, "two").decide()

    assert isinstance(decision, AwaitReport)
    assert (decision.until, decision.overdue) == (START + EVIDENCE_WINDOW, True)
    assert decision.why.endswith("an earlier copy is under way")


@pytest.mark.parametrize(
    "outcome", [HOPELESS, KEYWORD, UNREACHED], ids=["refused for good", "refused by all", "unreached"]
)
def test_nobody_says_failed_while_a_copy_is_in_doubt(case, outcome):
    """A refusal after a doubt parks: the first copy may have arrived, so it did not fail."""
    case.offer("one", "two").meet(LOST).meet(outcome, "two").wait(hours=1)

    decision = case.decide()

    assert isinstance(decision, Park)
    assert decision.why.endswith("an earlier copy is in doubt")


@pytest.mark.parametrize(
    ("rule", "outcome", "report"),
    [("when_in_doubt", LOST, None), ("on_undelivered", TAKEN, ReportState.FAILED)],
    ids=["doubt", "failure"],
)
def test_a_rule_that_nobody_follows_is_a_defect(case_of, rule, outcome, report):
    """A new way to meet doubt or failure that the policy does not know is an error, and not some decision."""
    case = case_of(**{rule: None}).meet(outcome, report=report).wait(hours=1)

    with pytest.raises(AssertionError):
        case.decide()


# time


def test_what_is_over_is_not_sent(case):
    """At its expiry, and after it, nothing is submitted; a moment before, it is (I9)."""
    case.now = case.expires_at - MOMENT
    assert isinstance(case.decide(), Submit)

    assert isinstance(case.wait(MOMENT).decide(), Expire)
    assert isinstance(case.wait(hours=1).decide(), Expire)


@pytest.mark.parametrize("outcome", [UNREACHED, KEYWORD, Refused(Reason.SPLIT)], ids=["unreached", "refused", "split"])
def test_what_is_over_is_not_tried_again(case, outcome):
    """No kind of next try begins after expiry."""
    case.meet(outcome, group_size=2).now = case.expires_at

    assert isinstance(case.decide(), Expire)


def test_doubt_whose_time_is_over_is_parked(case):
    """A doubt past expiry is no failure and no expiry: a copy may have arrived."""
    case.meet(LOST).now = case.expires_at

    assert isinstance(case.decide(), Park)
    assert isinstance(case.offer("one", "two").meet(UNREACHED, "two").decide(), Park)


def test_a_doubt_near_expiry_still_hears_evidence(case_of):
    """The wait for evidence is not cut short by expiry: it submits nothing."""
    case = case_of(MessageClass.BULK)
    case.now = case.expires_at - MOMENT
    case.meet(LOST).now = case.expires_at

    assert isinstance(case.decide(), Wait)
