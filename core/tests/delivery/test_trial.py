"""A policy test's fleet state, brought about in a store of its own: each key does what it says, and no more."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pytest

from tocsin.delivery.trial import find_out
from tocsin.delivery.whatif import Question, what_if
from tocsin.errors import NoRoute
from tocsin.model.account import Limits, Rate
from tocsin.model.hours import Hours
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.phone import parse_number
from tocsin.policy.case import AccountState, Breaker, Case, Expectation
from tocsin.policy.judge import Verdict
from tocsin.policy.route import Match, Route, Strategy

ONE, TWO = AccountId("one"), AccountId("two")
NUMBER = parse_number("13900000000")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIMITS = Limits(submits=(Rate(50, 60),), per_recipient=(Rate(3, 180), Rate(10, 86_400)), spend_per_day=Decimal(10))


@pytest.fixture
def fleet(house_of):
    """A fleet of two accounts, the first of which has limits, a price and a floor."""

    def build(**details):
        fleet = house_of(**details).parts.fleet
        one = attrs.evolve(fleet.accounts[ONE], limits=LIMITS, price=Decimal("0.05"), balance_floor=Decimal(20))
        return attrs.evolve(fleet, accounts={**fleet.accounts, ONE: one})

    return build


def case(cls=MessageClass.OTP, opted_out=False, **state):
    return Case(
        name="case",
        to=NUMBER,
        cls=cls,
        at=NOON,
        opted_out=opted_out,
        states={ONE: AccountState(**state)},
        expect=Expectation(),
    )


@pytest.mark.parametrize(
    ("state", "account", "why"),
    [
        ({}, ONE, ""),
        ({"breaker": Breaker.OPEN}, TWO, "its breaker is open until 12:00:29 UTC"),
        ({"breaker": Breaker.HALF_OPEN}, ONE, ""),
        ({"drained": True}, TWO, "its balance is used up until 12:10:00 UTC"),
        ({"refused": True}, TWO, "it is refused as an account until 12:05:00 UTC"),
        ({"disabled": True}, TWO, "an operator has taken it out of use"),
        ({"balance": Decimal("19.99")}, TWO, "its balance of 19.99 is below its floor of 20"),
        ({"balance": Decimal(20)}, ONE, ""),
        ({"submits": 49}, ONE, ""),
        ({"submits": 50}, TWO, "its submits are used up until 12:01:00 UTC"),
        ({"recipient": 2}, ONE, ""),
        ({"recipient": 3}, TWO, "the number has had as many messages as it may until 12:03:00 UTC"),
        ({"spent": Decimal("9.95")}, ONE, ""),
        ({"spent": Decimal("9.96")}, TWO, "the day's money is spent"),
        ({"spent": Decimal("9.96"), "submits": 1}, TWO, "the day's money is spent"),
        ({"spent": Decimal("9.95"), "submits": 49}, ONE, ""),
        ({"quality": 40}, ONE, ""),
    ],
    ids=str,
)
def test_a_state_closes_what_it_says(fleet, state, account, why):
    """The account is chosen up to the last that its bounds allow, and closed by the next, for its own reason."""
    found = find_out(fleet(), case(**state))

    assert found.accounts == (account,)
    assert [one.detail for one in found.judgements if one.account == ONE] == [why]


def test_what_was_tried_is_not_asked_again(fleet):
    """An account that refused the message before is passed over, and the reason says so."""
    found = find_out(fleet(), case(tried=True))

    assert found.accounts == (TWO,)
    assert found.why == "one refused: unrecognised"
    assert found.judgements[0].verdict is Verdict.TRIED


def test_states_add_up(fleet):
    """All of an account's troubles are told at once."""
    everything = AccountState(
        breaker=Breaker.OPEN, disabled=True, balance=Decimal(1), submits=50, recipient=3, spent=Decimal("9.99")
    )
    found = find_out(fleet(), attrs.evolve(case(), states={ONE: everything, TWO: AccountState(tried=True)}))

    assert found.accounts == ()
    words = found.judgements[0].detail.split("; ")
    assert [word.split(" ")[1] for word in words] == ["operator", "balance", "submits", "number", "day's"]


def test_quality_orders_a_route_that_asks_for_the_best(fleet):
    """Points are of the numbers like the case's."""
    best = Route(name="all", strategy=Strategy.BEST, accounts=(ONE, TWO))
    found = find_out(fleet(routes=(best,)), case(quality=40))

    assert [one.account for one in found.judgements] == [TWO, ONE]


def test_who_opted_out_is_sent_nothing(fleet):
    """No account can carry it."""
    found = find_out(fleet(), case(opted_out=True))

    assert found.accounts == ()
    assert {one.detail for one in found.judgements} == {"the recipient wants no more messages"}


def test_a_message_on_no_route_is_found_out(fleet):
    """Where no route takes the message, that is what the policy says."""
    otp_alone = Route(name="otp", match=Match(classes=(MessageClass.OTP,)), accounts=(ONE,))
    found = find_out(fleet(routes=(otp_alone,)), case(cls=MessageClass.BULK))

    assert (found.route, found.accounts, found.judgements) == (None, (), ())
    assert found.why.startswith("no route takes")


def test_what_critical_has_used_counts_for_critical(fleet):
    """Messages to a number count as of the case's own class: a critical one is held to the limit of critical ones."""
    plain, critical = (
        find_out(fleet(), case(cls=cls, recipient=120)) for cls in (MessageClass.OTP, MessageClass.CRITICAL)
    )

    closed = [[one.verdict for one in found.judgements] for found in (plain, critical)]
    assert closed == [[Verdict.CLOSED, Verdict.CLOSED], [Verdict.CLOSED, Verdict.CLOSED]]
    fewer = find_out(fleet(), case(cls=MessageClass.CRITICAL, recipient=119))
    assert fewer.accounts == (TWO,)


def test_every_account_of_a_broadcast_is_asked(fleet):
    """A message leaves through each that may be used; one that may not is judged all the same."""
    broadcast = Route(name="all", strategy=Strategy.BROADCAST, accounts=(ONE, TWO))
    both = find_out(fleet(routes=(broadcast,)), case())
    one = find_out(fleet(routes=(broadcast,)), case(disabled=True))

    assert both.accounts == (ONE, TWO)
    assert one.accounts == (TWO,)
    assert [judgement.verdict for judgement in one.judgements] == [Verdict.CLOSED, Verdict.CHOSEN]


def test_a_question_is_about_its_own_time(house_of):
    """Hours are those of the time asked about, and what closes an account now may be over by then."""
    house = house_of()
    one = attrs.evolve(house.accounts[ONE], hours=Hours(start=time(8), end=time(22), zone=ZoneInfo("UTC")))
    fleet = attrs.evolve(house.parts.fleet, accounts={**house.accounts, ONE: one})

    def chosen(at):
        question = Question(to=NUMBER, text="t", cls=MessageClass.OTP, at=at)
        return what_if(fleet, house.outbox, question).chosen

    assert (chosen(NOON), chosen(NOON + timedelta(hours=12))) == ((ONE,), (TWO,))


def test_a_question_stores_nothing(house_of):
    """Whatever is asked, the store is as before; a message on no route is an error."""
    house = house_of(routes=(Route(name="otp", match=Match(sources=("api",)), accounts=(ONE,)),))
    question = Question(to=NUMBER, text="t", cls=MessageClass.OTP, at=NOON, source="api")

    assert what_if(house.parts.fleet, house.outbox, question).chosen == (ONE,)
    with pytest.raises(NoRoute):
        what_if(house.parts.fleet, house.outbox, attrs.evolve(question, source="cli"))
    assert house.outbox.counts() == {}


def test_each_account_says_what_it_would_send(house_of):
    """An answer holds the text with the account's own signature, its segments and their price."""
    house = house_of()
    two = attrs.evolve(house.accounts[TWO], signature="【二】", price=Decimal("0.04"))
    fleet = attrs.evolve(house.parts.fleet, accounts={**house.accounts, TWO: two})
    question = Question(to=NUMBER, text="磁" * 64, cls=MessageClass.OTP, at=NOON)

    answer = what_if(fleet, house.outbox, question)

    assert answer.offers[ONE].text.endswith("【Example】")
    assert answer.offers[TWO].text.endswith("【二】")
    assert [(one.segments, one.cost) for one in answer.candidates] == [(2, None), (1, Decimal("0.04"))]
