"""Accounts that are closed for a while: who is passed over, who is waited for, and what goes all the same."""

from datetime import timedelta

import attrs
import pytest

from tocsin.model.ids import AccountId, VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.outbox.record import Trigger
from tocsin.policy.decide import decide
from tocsin.policy.decision import Expire, GiveUp, Later, Park, Submit
from tocsin.policy.explain import explain
from tocsin.policy.judge import Bar, Candidate, Closure, Verdict
from tocsin.policy.order import Lot, order
from tocsin.policy.route import InDoubt, Route, Strategy
from tocsin.policy.standing import retries

MINUTE = timedelta(minutes=1)
OTHERS = [one for one in Bar if one is not Bar.BREAKER]
ALL = ("one", "two", "three")


def close(case, bar, *accounts, after=MINUTE):
    """Close accounts for a while from now on."""
    for place, name in enumerate(accounts or ALL):
        closure = Closure(bar=bar, until=case.now + after * (place + 1), why=f"{bar} closes it")
        case.candidates = tuple(
            attrs.evolve(one, closures=(*one.closures, closure)) if one.account == name else one
            for one in case.candidates
        )
    return case


def eject(case, **seconds_ago):
    """Have breakers open, some longer ago than others."""
    close(case, Bar.BREAKER, *seconds_ago)
    case.candidates = tuple(
        attrs.evolve(one, ejected_at=case.now - timedelta(seconds=seconds_ago[one.account]))
        if one.account in seconds_ago
        else one
        for one in case.candidates
    )
    return case


def waiting(case):
    case.may_wait = True
    return case


def verdicts(decision):
    return {one.account: one.verdict for one in decision.judgements}


@pytest.mark.parametrize("bar", Bar, ids=lambda bar: bar.value)
@pytest.mark.parametrize("may_wait", [True, False], ids=["waits", "now"])
def test_a_closed_account_is_passed_over(case, bar, may_wait):
    """Whatever closes the first account, the second takes it, and the first is said to be closed and why."""
    case.may_wait = may_wait
    decision = close(case, bar, "one").decide()

    assert (decision.account, decision.insists) == ("two", False)
    assert verdicts(decision)["one"] is Verdict.CLOSED
    assert {"account": "one", "verdict": "closed", "detail": f"{bar} closes it"} in explain(decision)["candidates"]


@pytest.mark.parametrize("bar", Bar, ids=lambda bar: bar.value)
def test_where_all_are_closed_the_first_to_open_is_waited_for(case, bar):
    """An alert waits until the first of them opens, and is told that nobody is open."""
    decision = close(waiting(case), bar, "three", "two", "one").decide()

    assert decision == Later(
        until=case.now + MINUTE,
        why="no account that can take it is open just now",
        judgements=decision.judgements,
    )
    assert set(verdicts(decision).values()) == {Verdict.CLOSED}


def test_the_last_of_an_accounts_closures_is_waited_for(case):
    """Two things close the only account: it is asked about when both are over."""
    close(waiting(case.offer("one")), Bar.HOURS, "one", after=5 * MINUTE)

    assert close(case, Bar.LIMIT, "one").decide().until == case.now + 5 * MINUTE


def test_nobody_is_waited_for_beyond_the_time_of_the_message(case):
    """Where all open after its time only, it is asked about once more when that is over, and expires."""
    close(waiting(case), Bar.DISABLED, after=timedelta(days=30))

    assert case.decide().until == case.expires_at
    case.now = case.expires_at
    assert case.decide() == Expire()


def test_an_obstacle_is_not_waited_for(case):
    """An account that cannot carry it is none to wait for, though it is closed as well; with nobody else it fails."""
    close(waiting(case.offer("one").hinder("one", "too long")), Bar.HOURS, "one")

    decision = case.decide()

    assert isinstance(decision, GiveUp)
    assert verdicts(decision) == {"one": Verdict.CANNOT_CARRY}


def test_who_does_not_wait_fails_where_all_are_closed(case):
    """What nobody asks about again fails now, and says why of each account."""
    decision = close(case, Bar.LIMIT).decide()

    assert (type(decision), decision.why) == (GiveUp, "no account of the route can take it")
    assert {one.detail for one in decision.judgements} == {"limit closes it"}


@pytest.mark.parametrize("bar", [Bar.BREAKER, Bar.STICKY])
def test_who_does_not_wait_sees_for_itself(case, bar):
    """What nobody asks about again goes where a breaker or a refusal alone is in the way: it may be well by now."""
    decision = close(case, bar).decide()

    assert (decision.account, decision.insists) == ("one", True)


# What cannot wait.


def test_critical_goes_to_the_account_ejected_longest_ago(case_of):
    """Where every breaker is open an alarm goes all the same, to the one that has had most time to recover."""
    decision = eject(waiting(case_of(MessageClass.CRITICAL)), one=10, two=300, three=20).decide()

    assert (decision.account, decision.insists) == ("two", True)
    assert [one.account for one in decision.judgements] == ["two", "three", "one"]


def test_critical_tries_the_next_breaker_after_a_failure(case_of):
    """It goes from one to the next, longest ejected first, and then rests."""
    case = eject(waiting(case_of(MessageClass.CRITICAL)), one=10, two=300, three=20)
    tried = []
    while isinstance(decision := case.decide(), Submit):
        tried.append(decision.account)
        case.meet(NotSent("connect-refused"), decision.account)

    assert tried == ["two", "three", "one"]
    assert isinstance(decision, Later)


def test_an_open_account_is_always_better_than_a_breaker(case_of):
    """As long as one is open, a breaker is not passed over: not even by an alarm."""
    decision = eject(waiting(case_of(MessageClass.CRITICAL)), one=10, two=300).decide()

    assert (decision.account, decision.insists) == ("three", False)


@pytest.mark.parametrize("bar", OTHERS, ids=lambda bar: bar.value)
def test_an_alarm_passes_a_breaker_and_nothing_else(case_of, bar):
    """An account that is closed by anything else beside its breaker is not used, by an alarm neither."""
    case = eject(waiting(case_of(MessageClass.CRITICAL).offer("one")), one=10)

    decision = close(case, bar, "one", after=3 * MINUTE).decide()

    assert (type(decision), decision.until) == (Later, case.now + 3 * MINUTE)


@pytest.mark.parametrize(
    "cls", [one for one in MessageClass if one is not MessageClass.CRITICAL], ids=lambda x: x.value
)
def test_all_other_classes_wait_for_a_breaker(case_of, cls):
    """Whatever is not an alarm waits for the breaker that opens first."""
    decision = eject(waiting(case_of(cls)), one=10, two=300, three=20).decide()

    assert (type(decision), decision.until) == (Later, case_of(cls).now + MINUTE)


# After a first try.


def test_one_that_rests_and_one_that_is_closed(case):
    """Of an account that had its turn and one that is closed, whichever is there first is waited for."""
    waiting(case.offer("one", "two")).meet(NotSent("dns"))
    close(case, Bar.HOURS, "two", after=timedelta(hours=1))

    decision = case.decide()

    assert verdicts(decision) == {"one": Verdict.RESTS, "two": Verdict.CLOSED}
    assert case.now < decision.until < case.now + MINUTE
    assert decision.why == "one was not reached (dns); those that may take it later are asked again"


def test_who_is_closed_is_said_after_what_happened(case):
    """The words of a wait for closed accounts begin with what led to it."""
    waiting(case.offer("one", "two")).meet(Refused(Reason.UNRECOGNISED, code="-99"))

    decision = close(case, Bar.HOURS, "two").decide()

    assert decision.why == "one refused: unrecognised (-99); no account that can take it is open just now"
    assert verdicts(decision) == {"one": Verdict.TRIED, "two": Verdict.CLOSED}


@pytest.mark.parametrize("bar", [Bar.SUBMITS, Bar.BREAKER, Bar.STICKY])
def test_the_same_try_waits_until_its_account_is_open(case, bar):
    """A group that is to be halved waits where its account is closed just now, and so is every other."""
    waiting(case).meet(Refused(Reason.SPLIT), group_size=10)
    close(case, Bar.LIMIT, *ALL[1:], after=2 * MINUTE)

    decision = close(case, bar, "one").decide()

    assert (type(decision), decision.until) == (Later, case.now + MINUTE)
    assert decision.why == "one of 10 recipients was refused: the group is halved, once one may be used again"


def test_the_same_try_waits_no_longer_than_the_message(case):
    """A repetition whose account opens too late is asked about when the message's time is over."""
    waiting(case).meet(Refused(Reason.RETRY_ONCE))
    close(case, Bar.DISABLED, *ALL[1:], after=timedelta(days=9))

    assert close(case, Bar.DISABLED, "one", after=timedelta(days=9)).decide().until == case.expires_at


@pytest.mark.parametrize("bar", [Bar.SUBMITS, Bar.BREAKER, Bar.STICKY])
def test_the_same_try_goes_elsewhere_where_somebody_is_open(case, bar):
    """A group that is to be halved does not wait for its account while another can take it."""
    waiting(case).meet(Refused(Reason.SPLIT), group_size=10)

    decision = close(case, bar, "one").decide()

    assert (type(decision), decision.account, decision.insists) == (Submit, "two", False)


def test_who_does_not_wait_takes_the_same_try_elsewhere(case):
    """Where nobody asks again later, and the account of the try is closed, the next account is asked."""
    case.meet(Refused(Reason.RETRY_ONCE))

    decision = close(case, Bar.SUBMITS, "one").decide()

    assert (type(decision), decision.account) == (Submit, "two")


# Copies out of doubt.


@pytest.mark.parametrize("when_in_doubt", [InDoubt.RESEND_SAME, InDoubt.RESEND_OTHER], ids=lambda x: x.value)
def test_a_spent_duplicate_budget_parks(case_of, when_in_doubt):
    """What is in doubt is held where the budget of copies is spent, and says so; with the budget it is sent again."""
    case = case_of(when_in_doubt=when_in_doubt).meet(Unknown("reset")).wait(hours=1)
    held = decide(attrs.evolve(case.standing, may_resend=False), case.candidates, case.now)

    assert type(held) is Park
    assert "the duplicate budget of its class is spent" in held.why
    assert (type(case.decide()), case.decide().trigger) == (Submit, Trigger.DOUBT)


def test_a_copy_out_of_doubt_waits_for_a_closed_account(case):
    """The copy goes by another account, and where that is closed just now, later."""
    waiting(case.offer("one", "two")).meet(Unknown("reset")).wait(hours=1)

    decision = close(case, Bar.BREAKER, "two").decide()

    assert (type(decision), decision.until) == (Later, case.now + MINUTE)


def test_a_resend_by_the_same_account_waits_for_it(case_of):
    """Where a route sends again by the same account it waits for that one, though others are open."""
    case = waiting(case_of(when_in_doubt=InDoubt.RESEND_SAME)).meet(Unknown("reset")).wait(hours=1)

    decision = close(case, Bar.LIMIT, "one").decide()

    assert (type(decision), decision.until) == (Later, case.now + MINUTE)


def test_a_slow_account_is_waited_for_longer(case):
    """A report is overdue after the class's time, or the account's own 95th percentile where that is longer."""
    case.meet(Accepted(VendorId("1"))).hear()
    slow = attrs.evolve(case.standing, slowness={AccountId("one"): timedelta(minutes=8)})

    assert decide(slow, case.candidates, case.now).until == case.now + timedelta(minutes=8)
    assert case.decide().until == case.now + timedelta(minutes=5)


def test_the_last_draw_falls_into_the_last_share():
    """A draw so near to one that the shares, added up, stay below it, is the last account's."""
    names = tuple(map(AccountId, "abc"))
    route = Route(
        name="all", strategy=Strategy.WEIGHTED, accounts=names, weights=dict(zip(names, (1, 1, 7), strict=True))
    )
    candidates = [Candidate(account=name, quality=1) for name in names]

    assert order(route, candidates, Lot(draw=1 - 2**-53))[0].account == "c"


# What a retry is.


@pytest.mark.parametrize(
    ("met", "account", "is_one"),
    [
        ((), "one", False),
        (((NotSent("dns"), "one"),), "one", True),
        (((NotSent("dns"), "one"),), "two", False),
        (((Refused(Reason.THROTTLED), "one"), (Refused(Reason.THROTTLED), "two")), "one", True),
        (((Refused(Reason.SPLIT), "one"),), "one", False),
        (((Refused(Reason.RETRY_ONCE), "one"),), "one", False),
        (((Refused(Reason.RETRY_ONCE), "one"), (NotSent("dns"), "two")), "one", True),
    ],
)
def test_a_retry_is_a_new_try_of_an_account_that_had_its_turn(case, met, account, is_one):
    """An account that is asked for the first time, or goes on with the same try, is not retried."""
    for outcome, by in met:
        case.meet(outcome, by)

    assert retries(case.attempts, AccountId(account)) is is_one
