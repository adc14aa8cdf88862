"""Laws of the decision, for any history at all."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.model.ids import AccountId, VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Scope, Unknown
from tocsin.model.report import ReportState
from tocsin.outbox.state import AttemptState
from tocsin.policy.decision import Decision, Expire, GiveUp, Later, Submit, Trigger
from tocsin.policy.judge import Candidate
from tocsin.policy.route import CLASS_RULES, InDoubt

SAME_TRY = (Reason.SPLIT, Reason.ONE_BY_ONE, Reason.RETRY_ONCE)
PASSING = [one for one in Reason if one.scope in (Scope.THROTTLE, Scope.VENDOR)]

quick = settings(max_examples=300)

accounts = st.sampled_from([AccountId("one"), AccountId("two"), AccountId("three"), AccountId("gone")])
outcomes = st.one_of(
    st.just(NotSent("dns")),
    st.just(Unknown("reset")),
    st.just(Accepted(VendorId("1"))),
    st.builds(Refused, st.sampled_from([Reason.SPLIT, Reason.RETRY_ONCE])),  # rare among all, and not like the others
    st.builds(Refused, st.sampled_from(Reason)),
)
events = st.tuples(outcomes, accounts, st.integers(1, 50), st.none() | st.sampled_from(ReportState))
candidates = st.lists(
    st.builds(
        Candidate, account=accounts.filter(lambda name: name != "gone"), obstacles=st.sampled_from([(), (), ("full",)])
    ),
    max_size=3,
    unique_by=lambda one: one.account,
).map(tuple)


@st.composite
def histories(draw):
    """Any number of attempts with any outcomes and reports, at any time."""
    return draw(st.sampled_from(MessageClass)), draw(st.sampled_from(InDoubt)), draw(st.lists(events, max_size=6))


def case_from(make, history, waited):
    cls, when_in_doubt, met = history
    case = make(cls, when_in_doubt=when_in_doubt, max_copies=CLASS_RULES[cls].max_copies)
    for outcome, account, group_size, report in met:
        case.meet(outcome, account, group_size, report=report)
        case.wait(seconds=1)
    return case.wait(waited)


histories_in_time = (histories(), candidates, st.timedeltas(timedelta(0), timedelta(hours=30)))


@quick
@given(*histories_in_time)
def test_it_always_decides_and_always_the_same(case_of, history, offered, waited):
    """Any history gets a decision, and the same question the same answer."""
    case = case_from(case_of, history, waited)
    case.candidates = offered

    first, second = case.decide(), case.decide()

    assert isinstance(first, Decision)
    assert first == second
    assert first.why


@quick
@given(*histories_in_time)
def test_it_never_chooses_an_account_that_cannot(case_of, history, offered, waited):
    """Whatever happened before, an account with an obstacle, or off the route, is not chosen."""
    case = case_from(case_of, history, waited)
    case.candidates = offered

    decision = case.decide()

    if isinstance(decision, Submit):
        assert decision.account in [one.account for one in offered if not one.obstacles]


@quick
@given(*histories_in_time)
def test_an_account_is_tried_again_for_few_reasons(case_of, history, offered, waited):
    """An account is asked again within the same try, for `resend-same`, or where all that hindered it passes."""
    case = case_from(case_of, history, waited)
    case.candidates = offered

    decision = case.decide()

    before = [one for one in case.attempts if isinstance(decision, Submit) and one.account == decision.account]
    if before:
        last = case.attempts[-1]
        same_try = last.account == decision.account and last.reason in SAME_TRY
        same_on_purpose = decision.trigger is Trigger.DOUBT and case.rules.when_in_doubt is InDoubt.RESEND_SAME
        passing = before[-1].state is AttemptState.NOT_SENT or before[-1].reason in PASSING
        assert same_try or same_on_purpose or (passing and not any(one.state.may_ring for one in before))


@quick
@given(*histories_in_time)
def test_who_may_not_wait_asks_each_account_once_in_a_step(case_of, history, offered, waited):
    """Where nobody asks again later, no account has a second turn in a step, and nothing is put off."""
    case = case_from(case_of, history, waited)
    case.candidates = offered

    decision = case.decide()

    assert not isinstance(decision, Later)
    if isinstance(decision, Submit) and case.attempts and case.attempts[-1].reason not in SAME_TRY:
        assert decision.account not in [one.account for one in case.standing.since]


@quick
@given(*histories_in_time)
def test_a_submit_is_in_time_and_in_bounds(case_of, history, offered, waited):
    """No submit after expiry, and none that could make one copy too many (I5, I9)."""
    case = case_from(case_of, history, waited)
    case.candidates = offered
    copies = sum(one.is_copy for one in case.attempts)

    decision = case.decide()

    if isinstance(decision, Submit):
        assert case.now < case.expires_at
        assert copies < case.rules.max_copies


@quick
@given(*histories_in_time)
def test_failed_and_expired_are_said_of_nothing_that_may_ring(case_of, history, offered, waited):
    """While any attempt is in doubt, or accepted and not reported undelivered, a delivery neither fails nor expires."""
    case = case_from(case_of, history, waited)
    case.candidates = offered

    decision = case.decide()

    if isinstance(decision, GiveUp | Expire):
        assert not any(one.is_copy or one.state is AttemptState.UNKNOWN for one in case.attempts)


@quick
@given(*histories_in_time)
def test_every_account_of_the_route_is_judged_once(case_of, history, offered, waited):
    """A choice tells of each account of the route what was thought of it, the chosen one among them."""
    case = case_from(case_of, history, waited)
    case.candidates = offered

    decision = case.decide()

    if isinstance(decision, Submit) and case.rules.when_in_doubt is not InDoubt.RESEND_SAME:
        assert [one.account for one in decision.judgements] == [one.account for one in offered]
