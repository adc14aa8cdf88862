"""Laws of every strategy, whatever each account is like, whatever closes it, and whatever happened before."""

from datetime import timedelta
from decimal import Decimal

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.model.ids import AccountId, VendorId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import Accepted, NotSent, Reason, Refused, Unknown
from tocsin.model.report import ReportState
from tocsin.outbox.state import AttemptState
from tocsin.policy.choose import LEAST_PAUSE, LONGEST_PAUSE
from tocsin.policy.decide import decide
from tocsin.policy.decision import AwaitReport, Decision, Later, Submit, Wait
from tocsin.policy.judge import Bar, Candidate, Closure, Verdict
from tocsin.policy.order import Lot, order
from tocsin.policy.route import InDoubt, Route, Strategy
from tocsin.policy.standing import SAME_TRY

NAMES = tuple(map(AccountId, ("one", "two", "three", "four")))
OBSTACLES = ("it does not fit", "the recipient wants no more messages")
BREAKER = frozenset((Bar.BREAKER,))
SEEING_FOR_ITSELF = frozenset((Bar.BREAKER, Bar.STICKY))
SECOND = timedelta(seconds=1)
MOST_PAUSES = 300

quick = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])

spans = st.timedeltas(SECOND, timedelta(hours=48))
closures = st.lists(st.tuples(st.sampled_from(Bar), spans), max_size=2)
likenesses = st.lists(
    st.fixed_dictionaries(
        {
            "obstacles": st.sampled_from([(), (), (), OBSTACLES[:1], OBSTACLES]),
            "closed": st.one_of(st.just([]), closures, st.tuples(st.just(Bar.BREAKER), spans).map(lambda one: [one])),
            "cost": st.none() | st.decimals(0, 9, places=3),
            "quality": st.integers(0, 100),
            "ejected": st.integers(0, 3600),
        }
    ),
    max_size=len(NAMES),
)
outcomes = st.one_of(
    st.just(NotSent("dns")),
    st.just(Unknown("reset")),
    st.just(Accepted(VendorId("1"))),
    st.builds(Refused, st.sampled_from([Reason.SPLIT, Reason.RETRY_ONCE, Reason.THROTTLED])),
    st.builds(Refused, st.sampled_from(Reason)),
)
met = st.tuples(outcomes, st.sampled_from(NAMES), st.integers(1, 50), st.none() | st.sampled_from(ReportState))
routes = st.builds(
    Route,
    name=st.just("all"),
    accounts=st.just(NAMES),
    strategy=st.sampled_from(Strategy),
    weights=st.dictionaries(st.sampled_from(NAMES), st.integers(0, 9)),
)
lots = st.builds(Lot, turn=st.integers(0, 99), draw=st.floats(0, 1, exclude_max=True))


def candidates(route, likenesses, lot, now):
    """Return accounts like that, in the route's order. What closes one does so from now on."""
    found = [_candidate(name, like, now) for name, like in zip(NAMES, likenesses, strict=False)]
    return order(route, found, lot)


def _candidate(name, like, now):
    closed = tuple(Closure(bar=bar, until=now + span, why=f"{bar} closes it") for bar, span in like["closed"])
    broken = any(one.bar is Bar.BREAKER for one in closed)
    return Candidate(
        account=name,
        obstacles=like["obstacles"],
        closures=closed,
        cost=like["cost"],
        quality=like["quality"],
        ejected_at=now - like["ejected"] * SECOND if broken else None,
    )


@st.composite
def cases(draw):
    """A function that makes any case at all: class, history, time that passed since, accounts."""
    cls = draw(st.sampled_from(MessageClass))
    when_in_doubt = draw(st.sampled_from(InDoubt))
    history, waited = draw(st.lists(met, max_size=5)), draw(st.timedeltas(timedelta(0), timedelta(hours=30)))
    route, likes, lot = draw(routes), draw(likenesses), draw(lots)
    may_wait, dice = draw(st.booleans()), draw(st.floats(0, 1))
    put_off = draw(st.none() | st.timedeltas(timedelta(hours=-1), timedelta(0)))

    def make(case_of):
        case = case_of(cls, when_in_doubt=when_in_doubt)
        for outcome, account, group_size, report in history:
            case.meet(outcome, account, group_size, report=report).wait(seconds=1)
        case.wait(waited)
        case.candidates = candidates(route, likes, lot, case.now)
        case.may_wait, case.dice = may_wait, dice
        case.due_at = None if put_off is None else case.now + put_off
        return case

    return make


def is_the_same_try(case, decision):
    last = case.attempts[-1] if case.attempts else None
    return last is not None and last.account == decision.account and last.reason in SAME_TRY


def chosen_of(case, decision):
    (found,) = [one for one in case.candidates if one.account == decision.account]
    return found


@quick
@given(cases())
def test_every_question_has_one_answer(case_of, make):
    """Any candidates, closures and history, in any strategy's order: a decision, the same for equal dice."""
    case, again = make(case_of), make(case_of)

    assert isinstance(case.decide(), Decision)
    assert case.decide() == again.decide()


@quick
@given(cases())
def test_nothing_forbidden_is_chosen(case_of, make):
    """What `fits` or an opt-out forbids is never chosen; what closes an account only where its breaker is passed."""
    case = make(case_of)
    decision = case.decide()

    if isinstance(decision, Submit):
        chosen = chosen_of(case, decision)
        bars = {one.bar for one in chosen.closures}
        passing = BREAKER if case.rules.insists else frozenset()
        assert chosen.obstacles == ()
        assert bars <= (passing if case.may_wait else SEEING_FOR_ITSELF)
        assert decision.insists is bool(bars)


@quick
@given(cases())
def test_a_breaker_is_passed_only_where_nobody_is_open(case_of, make):
    """Where one goes through that is closed, no account that could take it, and was not asked before, is open."""
    case = make(case_of)
    decision = case.decide()

    if isinstance(decision, Submit) and decision.insists:
        asked = {one.account for one in case.attempts}
        doubted = case.rules.when_in_doubt is InDoubt.RESEND_SAME and AttemptState.UNKNOWN in {
            one.state for one in case.attempts
        }
        better = [one for one in case.candidates if not one.obstacles and not one.closures and one.account not in asked]
        assert better == [] or doubted


@quick
@given(likenesses, st.floats(0, 1))
def test_the_one_that_was_ejected_longest_ago_goes_first(case_of, likes, dice):
    """An alarm that meets nothing but closed accounts goes to that one of which the breaker opened first."""
    case = case_of(MessageClass.CRITICAL)
    case.may_wait, case.dice = True, dice
    case.candidates = candidates(Route(name="all", accounts=NAMES), likes, Lot(), case.now)
    able = [one for one in case.candidates if not one.obstacles]
    broken = [one for one in able if {closure.bar for closure in one.closures} == {Bar.BREAKER}]
    decision = case.decide()

    if broken and all(one.closures for one in able):
        assert chosen_of(case, decision).ejected_at == min(one.ejected_at for one in broken)
        assert decision.insists


@quick
@given(cases())
def test_the_first_that_may_in_the_strategys_order_is_chosen(case_of, make):
    """Without a history the order decides: whoever stands before the chosen one cannot, or may not just now."""
    case = make(case_of)
    case.attempts = ()
    decision = case.decide()

    if isinstance(decision, Submit) and not decision.insists:
        may = [one.account for one in case.candidates if not one.obstacles and not one.closures]
        assert decision.account == may[0]
        assert [one.account for one in decision.judgements] == [one.account for one in case.candidates]
        assert [one.verdict for one in decision.judgements].count(Verdict.CHOSEN) == 1


@quick
@given(cases())
def test_what_is_put_off_is_asked_about_in_time(case_of, make):
    """A wait ends after now, and no later than the message's time; who may not wait is never told to."""
    case = make(case_of)
    decision = case.decide()

    if isinstance(decision, Later):
        assert case.may_wait
        assert case.now < decision.until <= case.expires_at
    if isinstance(decision, Wait | AwaitReport):
        assert decision.until > case.now


def most_at_one_instant(case):
    """Return how often a message may be submitted at one instant: each account once, halved down and repeated once."""
    return len(case.candidates) * (1 + 7 + 1) + 1


def submit_until_it_stops(case, turns):
    """Submit as long as the policy says so, all at one instant; return how often that was, and its last word."""
    count = 0
    while isinstance(decision := case.decide(), Submit) and count <= most_at_one_instant(case):
        size = min(50, decision.at_most or 50)
        case.meet(turns[count % len(turns)], decision.account, size)
        count += 1
    return count, decision


@quick
@given(cases(), st.lists(outcomes.filter(lambda one: not isinstance(one, Accepted)), min_size=1, max_size=9))
def test_nothing_goes_round_at_one_instant(case_of, make, turns):
    """Whatever each submit comes to, at one instant the policy ends after few of them with another word."""
    case = make(case_of)

    count, decision = submit_until_it_stops(case, turns)

    assert count <= most_at_one_instant(case)
    assert not isinstance(decision, Submit)


@quick
@given(cases(), st.lists(outcomes, min_size=1, max_size=9), st.lists(likenesses, min_size=1, max_size=3))
def test_every_story_ends(case_of, make, turns, changes):
    """Accounts open and close, submits come to anything: asked as often as the policy wants, every story ends.

    No submit begins after the message's time, no more submits are seen by vendors than a message may have, and from
    one question to the next time goes on.
    """
    case = make(case_of)
    case.may_wait = True
    # Who always draws next to nothing is asked each second: the story shall have so many pauses, not so many hours.
    case.expires_at = min(case.expires_at, case.now + max(LEAST_PAUSE, LONGEST_PAUSE * case.dice) * MOST_PAUSES)
    earlier = len(case.attempts)
    for number in range(20_000):
        _, decision = submit_until_it_stops(case, turns)
        if not isinstance(decision, Later):
            break
        assert decision.until > case.now
        case.due_at = case.now = decision.until
        case.candidates = candidates(Route(name="all", accounts=NAMES), changes[number % len(changes)], Lot(), case.now)
    assert not isinstance(decision, Later | Submit)
    assert all(one.intended_at < case.expires_at for one in case.attempts[earlier:])
    seen = [one for one in case.attempts if one.state is not AttemptState.NOT_SENT and one.reason not in SAME_TRY]
    assert len(seen) <= max(5, earlier)


@quick
@given(cases(), st.sampled_from(Bar))
def test_what_is_closed_now_is_chosen_when_it_opens(case_of, make, bar):
    """To close every account only puts off: when all are open again, the same account is chosen as without."""
    case = make(case_of)
    case.may_wait, case.attempts = True, ()
    case.candidates = tuple(attrs.evolve(one, closures=(), cost=Decimal(1)) for one in case.candidates)
    open_to_all = case.decide()
    if isinstance(open_to_all, Submit) and not case.rules.insists:
        shut = Closure(bar=bar, until=case.now + SECOND, why="closed")
        closed = decide(
            case.standing, tuple(attrs.evolve(one, closures=(shut,)) for one in case.candidates), case.now, case.dice
        )
        assert (type(closed), closed.until) == (Later, min(case.now + SECOND, case.expires_at))
        assert case.decide().account == open_to_all.account
