"""Turns, rounds and the pauses between them, and how often a message may be submitted."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.model.ids import VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Scope, Unknown
from tocsin.model.report import ReportState
from tocsin.policy.choose import FIRST_PAUSE, LEAST_PAUSE, LONGEST_PAUSE
from tocsin.policy.decide import MIDDLE, decide
from tocsin.policy.decision import AwaitReport, CloseWindow, Expire, GiveUp, Later, Park, Submit, Trigger, Undelivered
from tocsin.policy.judge import Judgement, Verdict
from tocsin.policy.route import InDoubt
from tocsin.policy.standing import MOST_IN_ALL, MOST_OF_A_STEP

START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
TAKEN = Accepted(VendorId("1"))
LOST = Unknown("read-timeout")
UNREACHED = NotSent("dns")
KEYWORD = Refused(Reason.KEYWORD)
THROTTLED = Refused(Reason.THROTTLED)
FAILED = ReportState.FAILED
PASSING = [one for one in Reason if one.scope in (Scope.THROTTLE, Scope.VENDOR)]
FOR_GOOD = [one for one in Reason if one not in PASSING]


@pytest.fixture
def patient(case):
    """An alert with two accounts, about which somebody will ask again."""
    case.may_wait = True
    return case.offer("one", "two")


# rounds


def test_each_account_has_its_turn_before_anybody_waits(patient):
    """Nobody waits while an account was not asked yet."""
    assert patient.decide().account == "one"
    assert patient.meet(UNREACHED).decide().account == "two"

    assert isinstance(patient.meet(UNREACHED, "two").decide(), Later)


def test_who_draws_no_number_pauses_for_the_middle(patient):
    """Where no number is drawn the pause is half of its longest."""
    patient.meet(UNREACHED).meet(UNREACHED, "two").meet(UNREACHED).meet(UNREACHED, "two")

    assert decide(patient.standing, patient.candidates, START).until == START + FIRST_PAUSE
    assert MIDDLE == 0.5


def test_after_a_round_those_that_may_take_it_later_rest(patient):
    """Who was not reached rests; a pause follows, and then the first of the route has its turn again."""
    patient.meet(UNREACHED).meet(UNREACHED, "two")

    decision = patient.decide()

    assert decision == Later(
        until=START + FIRST_PAUSE / 2,
        why="two was not reached (dns); those that may take it later are asked again",
        judgements=(Judgement("one", Verdict.RESTS), Judgement("two", Verdict.RESTS)),
    )
    again = patient.rest().decide()
    assert (again.account, again.trigger, again.copy) == ("one", Trigger.NOT_TAKEN, 1)


def test_a_round_that_has_begun_goes_to_its_end(patient):
    """Within a round who had its turn rests, and the next is asked at once, in every round."""
    for _ in range(3):
        patient.meet(UNREACHED, patient.decide().account)
        following = patient.decide()
        assert following.account == "two"
        assert following.judgements[0] == Judgement("one", Verdict.RESTS)
        patient.meet(UNREACHED, "two").rest()
        assert patient.decide().account == "one"


def test_a_pause_is_not_over_before_its_time(patient):
    """Who asks too early is told the same again: to come later."""
    patient.meet(UNREACHED).meet(UNREACHED, "two")
    patient.due_at = patient.decide().until
    patient.now = patient.due_at - MOMENT
    assert isinstance(patient.decide(), Later)

    patient.now = patient.due_at
    assert isinstance(patient.decide(), Submit)


def test_a_time_from_before_the_last_attempt_ends_no_pause(patient):
    """Only a time that was set after the last outcome says that the pause after it is over."""
    patient.meet(UNREACHED)
    patient.due_at = START
    assert isinstance(patient.meet(UNREACHED, "two").decide(), Later)

    patient.wait(seconds=1).due_at = START
    assert isinstance(patient.decide(), Later)


def test_each_pause_may_be_twice_as_long_as_the_one_before(patient):
    """The longest that a pause may last doubles from round to round, up to a bound, however many there are."""
    patient.dice = 1
    longest = []
    for _ in range(70):
        patient.expires_at = patient.now + timedelta(days=1)
        patient.meet(UNREACHED).meet(UNREACHED, "two")
        asked_at = patient.now
        longest.append(patient.rest().now - asked_at)

    doubling = [min(FIRST_PAUSE * 2**number, LONGEST_PAUSE) for number in range(20)]
    assert longest == doubling + [LONGEST_PAUSE] * 50
    assert longest[:3] == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]
    assert timedelta(minutes=5) == LONGEST_PAUSE


@given(dice=st.floats(0, 1), rounds=st.integers(1, 12), left=st.timedeltas(MOMENT, timedelta(hours=1)))
def test_a_pause_is_drawn_below_its_longest_and_never_past_expiry(case_of, dice, rounds, left):
    """Full jitter: from a second to the round's longest, in proportion to the dice, and cut at expiry."""
    case = case_of().offer("one")
    case.may_wait, case.dice = True, dice
    for _ in range(rounds):
        case.meet(UNREACHED)
    case.expires_at = case.now + left

    decision = case.decide()

    assert isinstance(decision, Later)
    pause = max(timedelta(seconds=1), min(FIRST_PAUSE * 2 ** (rounds - 1), LONGEST_PAUSE) * dice)
    assert decision.until == case.now + min(pause, left)
    assert timedelta(seconds=1) == LEAST_PAUSE


def test_the_pause_that_ends_at_expiry_ends_it(patient):
    """A pause never outlasts expiry, and what is asked then has expired."""
    patient.dice = 1
    patient.meet(UNREACHED).meet(UNREACHED, "two")
    patient.expires_at = START + FIRST_PAUSE / 2

    assert isinstance(patient.rest().decide(), Expire)
    assert patient.now == patient.expires_at


@pytest.mark.parametrize("reason", PASSING, ids=lambda reason: reason.label)
def test_a_refusal_that_passes_is_met_again(patient, reason):
    """Throttled and unavailable pass: the account is asked again in the next round."""
    assert isinstance(patient.offer("one").meet(Refused(reason)).decide(), Later)
    assert patient.rest().decide().account == "one"


@pytest.mark.parametrize("reason", FOR_GOOD, ids=lambda reason: reason.label)
def test_a_refusal_that_does_not_pass_is_not_met_again(patient, reason):
    """Whatever else an account refuses for, it would again: it is not asked another time, and nobody waits for it."""
    patient.offer("one")
    for _ in range(2 if reason is Reason.RETRY_ONCE else 1):
        patient.meet(Refused(reason))

    assert isinstance(patient.decide(), GiveUp)


def test_who_refused_for_good_is_told_from_who_rests(patient):
    """One refused for good, the other was not reached: the round's pause is for the other alone."""
    decision = patient.meet(KEYWORD).meet(UNREACHED, "two").decide()

    assert isinstance(decision, Later)
    assert [one.verdict for one in decision.judgements] == [Verdict.TRIED, Verdict.RESTS]
    assert patient.rest().decide().account == "two"


def test_a_hindered_account_neither_rests_nor_is_waited_for(patient):
    """An account with an obstacle has no turn, and the round goes on without it."""
    patient.hinder("one", "out of balance").meet(UNREACHED, "two")

    decision = patient.decide()

    assert isinstance(decision, Later)
    assert [one.verdict for one in decision.judgements] == [Verdict.CANNOT_CARRY, Verdict.RESTS]
    assert patient.rest().decide().account == "two"


def test_an_account_that_was_hindered_has_its_turn_first(patient):
    """Who could not carry it in earlier rounds, and can now, is asked before the others have another turn."""
    patient.meet(UNREACHED, "one").meet(UNREACHED, "one")

    assert patient.decide().account == "two"


def test_pauses_grow_with_the_account_that_was_asked_least(patient):
    """Rounds are counted by who had the fewest turns: one that was tried alone before does not lengthen them."""
    patient.dice = 1
    patient.meet(UNREACHED, "one").meet(UNREACHED, "one").meet(UNREACHED, "two").meet(UNREACHED, "two")

    assert patient.decide().until == START + 2 * FIRST_PAUSE


@pytest.mark.parametrize("outcome", [UNREACHED, THROTTLED], ids=["unreached", "throttled"])
@pytest.mark.parametrize(
    ("refusal", "size"),
    [(Reason.RETRY_ONCE, 1), (Reason.SPLIT, 4), (Reason.ONE_BY_ONE, 4)],
    ids=lambda value: getattr(value, "label", str(value)),
)
def test_what_belongs_to_a_try_takes_no_turn_and_spends_no_account(patient, refusal, size, outcome):
    """A halved group, or a repeated stamp, that was then not taken for a passing reason is one turn of that account."""
    patient.meet(Refused(refusal), group_size=size).meet(outcome)
    assert patient.decide().account == "two"

    decision = patient.meet(UNREACHED, "two").decide()

    assert isinstance(decision, Later)
    assert [one.verdict for one in decision.judgements] == [Verdict.RESTS, Verdict.RESTS]
    assert patient.rest().decide().account == "one"


@pytest.mark.parametrize("last", [UNREACHED, THROTTLED], ids=["unreached", "throttled"])
def test_the_same_account_that_may_have_taken_it_has_its_rounds_too(case_of, last):
    """`resend-same` asks again, after a pause, an account that does not take the second copy for a passing reason."""
    case = case_of(when_in_doubt=InDoubt.RESEND_SAME).meet(LOST).wait(minutes=1).meet(last)
    case.may_wait = True

    assert isinstance(case.decide(), Later)
    again = case.rest().decide()
    assert (again.account, again.trigger, again.copy) == ("one", Trigger.DOUBT, 2)


@pytest.mark.parametrize("may_wait", [False, True], ids=["now or never", "patient"])
def test_the_same_account_that_refuses_the_copy_for_good_is_left_alone(case_of, may_wait):
    """`resend-same` does not ask again an account that refused the second copy for good: the doubt is parked."""
    case = case_of(when_in_doubt=InDoubt.RESEND_SAME).meet(LOST).wait(minutes=1).meet(KEYWORD)
    case.may_wait = may_wait

    assert isinstance(case.decide(), Park)


def test_an_account_that_may_have_taken_it_never_rests(patient):
    """Who may have taken it is not asked again by `resend-other`, in no round."""
    patient.meet(LOST).wait(minutes=1).meet(UNREACHED, "two")

    decision = patient.decide()

    assert [one.verdict for one in decision.judgements] == [Verdict.TRIED, Verdict.RESTS]
    assert patient.rest().decide().account == "two"


def test_a_new_step_gives_everybody_a_turn_who_did_not_refuse(patient):
    """Turns are counted from the newest copy on: who was not reached in one step is asked at once in the next."""
    patient.meet(UNREACHED).meet(TAKEN, "two", report=FAILED)

    decision = patient.decide()

    assert (decision.account, decision.trigger) == ("one", Trigger.UNDELIVERED)


# where nobody asks again


@pytest.mark.parametrize("outcome", [UNREACHED, THROTTLED], ids=["unreached", "throttled"])
def test_who_may_not_wait_has_one_round(case, outcome):
    """Where nobody will ask again, each account is asked once, and then it has failed."""
    case.offer("one", "two").meet(outcome).meet(outcome, "two")

    decision = case.decide()

    assert isinstance(decision, GiveUp)
    assert [one.verdict for one in decision.judgements] == [Verdict.TRIED, Verdict.TRIED]


def test_who_comes_when_a_pause_is_over_has_one_round_of_it(case):
    """Who may not wait, and finds a delivery whose pause is over, asks each once more, and then it has failed."""
    case.offer("one", "two").meet(UNREACHED).meet(UNREACHED, "two").wait(seconds=5)
    case.due_at = case.now

    for name in ("one", "two"):
        assert case.decide().account == name
        case.meet(UNREACHED, name)
    assert isinstance(case.decide(), GiveUp)


# how often


@pytest.mark.parametrize("may_wait", [False, True], ids=["now or never", "patient"])
def test_three_submits_make_a_step(case_of, may_wait):
    """After three submits that a vendor saw and refused, a step is over, whoever might take it next."""
    case = case_of().offer("a", "b", "c", "d")
    case.may_wait = may_wait
    for name in ("a", "b", "c"):
        assert case.decide().account == name
        case.meet(KEYWORD, name)

    assert case.decide() == GiveUp(why="c refused: keyword; it was submitted as often as a message may be")
    assert MOST_OF_A_STEP == 3


def test_throttling_has_no_more_turns_than_a_step_has_submits(patient):
    """A refusal that passes is a submit all the same: the third is the last."""
    patient.offer("one")
    for _ in range(2):
        patient.meet(THROTTLED).rest()
        assert patient.decide().account == "one"

    assert isinstance(patient.meet(THROTTLED).decide(), GiveUp)


def test_five_submits_are_a_messages_last(case_of):
    """However many steps there are, a fifth submit is the last."""
    names = ("a", "b", "c", "d", "e", "f")
    case = case_of(max_copies=9).offer(*names)
    for name in names[:MOST_IN_ALL]:
        assert case.decide().account == name
        case.meet(TAKEN, name, report=FAILED)

    assert case.decide() == Undelivered(
        why="e reported that it was not delivered; it was submitted as often as a message may be"
    )
    assert MOST_IN_ALL == 5


def test_a_step_after_a_copy_counts_anew_and_the_whole_goes_on(case_of):
    """Refusals before a copy and after it are counted apart for the step, and together for the message."""
    case = case_of(max_copies=9).offer("a", "b", "c", "d", "e", "f", "g")
    case.meet(KEYWORD, "a").meet(KEYWORD, "b").meet(TAKEN, "c", report=FAILED).meet(KEYWORD, "d")
    assert case.decide().account == "e"

    assert isinstance(case.meet(KEYWORD, "e").decide(), Undelivered)


def test_what_was_not_sent_is_no_submit(patient):
    """No vendor saw it, so that it counts for nothing: rounds go on until expiry."""
    for _ in range(20):
        patient.meet(UNREACHED).meet(UNREACHED, "two").rest()
        assert isinstance(patient.decide(), Submit)

    patient.now = patient.expires_at
    assert isinstance(patient.decide(), Expire)


@pytest.mark.parametrize("reason", [Reason.SPLIT, Reason.ONE_BY_ONE, Reason.RETRY_ONCE], ids=lambda one: one.label)
def test_the_same_try_is_counted_once(case_of, reason):
    """Submits that belong to a try are none of their own: after any number of them, a step has its three."""
    case = case_of().offer("a", "b", "c", "d")
    case.meet(Refused(reason), "a", group_size=8)
    for size in (4, 2, 2):
        case.meet(Refused(Reason.SPLIT), "a", group_size=size)
    for name in ("a", "b"):
        case.meet(KEYWORD, name)

    assert case.decide().account == "c"
    assert isinstance(case.meet(KEYWORD, "c").decide(), GiveUp)


def test_one_by_one_leaves_each_alone(case):
    """An account that takes no personalised group is asked for each recipient alone."""
    decision = case.meet(Refused(Reason.ONE_BY_ONE), group_size=9).decide()

    assert (decision.account, decision.at_most, decision.trigger) == ("one", 1, Trigger.NOT_TAKEN)
    assert decision.why == "the account takes no personalised group: each goes alone"


def test_one_by_one_for_one_alone_is_a_refusal(case):
    """Who was alone and is asked to be alone is refused: the next account has its turn."""
    assert case.meet(Refused(Reason.ONE_BY_ONE), group_size=1).decide().account == "two"


@pytest.mark.parametrize("reason", [Reason.SPLIT, Reason.ONE_BY_ONE, Reason.RETRY_ONCE], ids=lambda one: one.label)
def test_the_same_try_keeps_its_reason_and_its_copy(case_of, reason):
    """What goes on within a try of a second copy is that copy, for the reason that it was sent for."""
    case = case_of().meet(LOST).wait(minutes=1).meet(Refused(reason), "two", group_size=2)

    decision = case.decide()

    assert (decision.account, decision.trigger, decision.copy, decision.max_copies) == ("two", Trigger.DOUBT, 2, 2)


def test_the_same_try_makes_no_copy_too_many(case_of):
    """A group is not halved, nor a submit repeated, where as many copies exist by now as are allowed (I5)."""
    case = case_of(max_copies=1, when_in_doubt=InDoubt.HOLD).meet(LOST).wait(minutes=1)
    case.meet(Refused(Reason.RETRY_ONCE), "two")

    assert isinstance(case.decide(), Park)

    case.attempts = ()
    case.meet(TAKEN).wait(minutes=5).meet(Refused(Reason.RETRY_ONCE), "two")
    assert isinstance(case.decide(), AwaitReport)


def test_a_repeat_in_an_earlier_step_was_the_accounts_one(case):
    """An account repeats a submit once for a delivery, and not once for each of its steps."""
    case.meet(Refused(Reason.RETRY_ONCE)).meet(UNREACHED).meet(TAKEN, "two", report=FAILED)
    assert case.decide().account == "one"

    assert case.meet(Refused(Reason.RETRY_ONCE)).decide().account == "three"


@pytest.mark.parametrize(
    ("steps", "trigger"),
    [
        ([], Trigger.FIRST),
        ([(KEYWORD, None)], Trigger.NOT_TAKEN),
        ([(UNREACHED, None)], Trigger.NOT_TAKEN),
        ([(LOST, None)], Trigger.DOUBT),
        ([(LOST, None), (UNREACHED, None)], Trigger.DOUBT),
        ([(TAKEN, FAILED)], Trigger.UNDELIVERED),
        ([(TAKEN, FAILED), (KEYWORD, None)], Trigger.UNDELIVERED),
        ([(TAKEN, None)], Trigger.SILENCE),
        ([(TAKEN, None), (UNREACHED, None)], Trigger.SILENCE),
    ],
    ids=lambda value: value.value if isinstance(value, Trigger) else None,
)
def test_a_submit_tells_what_it_follows_from(case_of, steps, trigger):
    """A first one, one not taken, a doubt, a failed report, or silence: and it stays so through the step."""
    case = case_of()
    for (outcome, report), account in zip(steps, ("one", "two"), strict=False):
        case.meet(outcome, account, report=report).wait(minutes=5)

    decision = case.decide()

    assert decision.trigger is trigger
    assert decision.copy == 1 + sum(outcome in (LOST, TAKEN) and report is None for outcome, report in steps)


# whole lives


passing = st.sampled_from([UNREACHED, THROTTLED, Refused(Reason.UNAVAILABLE)])
outcomes = passing | st.sampled_from([KEYWORD, LOST, TAKEN, Refused(Reason.SPLIT), Refused(Reason.RETRY_ONCE)])


@settings(max_examples=150)
@given(
    cls=st.sampled_from(MessageClass),
    count=st.integers(1, 4),
    may_wait=st.booleans(),
    dice=st.floats(0, 1),
    met=st.lists(st.tuples(outcomes, st.none() | st.sampled_from(ReportState)), max_size=40),
)
def test_a_whole_life_ends_and_stays_in_bounds(case_of, cls, count, may_wait, dice, met):
    """Asked when the policy wants to be, any delivery comes to an end, within its copies, submits, turns and time."""
    case = case_of(cls, expires_after=timedelta(minutes=1)).offer(*"abcd"[:count])
    case.may_wait, case.dice = may_wait, dice
    life, asked = iter(met), 0
    while not isinstance(decision := case.decide(), GiveUp | Undelivered | Park | Expire | CloseWindow):
        asked += 1
        assert asked < 500, "it goes on and on"
        if isinstance(decision, Submit):
            assert case.now < case.expires_at
            outcome, report = next(life, (UNREACHED, None))
            case.meet(outcome, decision.account, group_size=decision.at_most or 4, report=report)
            assert case.standing.copies <= case.rules.max_copies
            continue
        assert decision.until > case.now
        if isinstance(decision, Later):
            assert may_wait
            assert decision.until <= case.expires_at
        case.due_at = case.now = decision.until

    counted = [one for one in case.attempts if one.state != "not_sent" and one.reason not in (
        Reason.SPLIT, Reason.ONE_BY_ONE, Reason.RETRY_ONCE)]  # fmt: skip
    assert len(counted) <= MOST_IN_ALL
