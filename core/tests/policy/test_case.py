"""How what the policy said differs from what a case expects."""

import pytest

from tocsin.model.ids import AccountId
from tocsin.policy.case import Difference, Expectation, Found, differences
from tocsin.policy.judge import Judgement, Verdict

ONE, TWO = AccountId("one"), AccountId("two")
FOUND = Found(
    route="all",
    accounts=(TWO,),
    why="the first account of the route that can take it",
    judgements=(Judgement(ONE, Verdict.CLOSED, "its breaker is open"), Judgement(TWO, Verdict.CHOSEN)),
)
NOBODY = Found(route=None, why="no route takes it")


@pytest.mark.parametrize(
    ("expect", "found"),
    [
        (Expectation(account=TWO), FOUND),
        (Expectation(account=TWO, route="all", order=(ONE, TWO), why="breaker"), FOUND),
        (Expectation(why="first account"), FOUND),
        (Expectation(verdicts={ONE: Verdict.CLOSED, TWO: Verdict.CHOSEN}), FOUND),
        (Expectation(none=True, why="no route"), NOBODY),
    ],
)
def test_what_is_as_expected_is_no_difference(expect, found):
    """Only what a case names is looked at."""
    assert differences(expect, found) == ()


@pytest.mark.parametrize(
    ("expect", "found", "difference"),
    [
        (Expectation(account=ONE), FOUND, Difference("account", "one", "two")),
        (Expectation(account=ONE), NOBODY, Difference("account", "one", "none")),
        (Expectation(none=True), FOUND, Difference("account", "none", "two")),
        (Expectation(route="otp"), FOUND, Difference("route", "otp", "all")),
        (Expectation(route="otp"), NOBODY, Difference("route", "otp", "none")),
        (Expectation(order=(TWO, ONE)), FOUND, Difference("order", "two, one", "one, two")),
        (Expectation(order=(ONE,)), FOUND, Difference("order", "one", "one, two")),
        (Expectation(verdicts={ONE: Verdict.CHOSEN}), FOUND, Difference("verdict.one", "chosen", "closed")),
        (Expectation(verdicts={ONE: Verdict.CHOSEN}), NOBODY, Difference("verdict.one", "chosen", "none")),
        (
            Expectation(why="hours"),
            FOUND,
            Difference("why", "hours", "the first account of the route that can take it; its breaker is open"),
        ),
    ],
)
def test_each_difference_says_what_was_expected_and_found(expect, found, difference):
    """Whatever is not as expected is told, in words."""
    assert differences(expect, found) == (difference,)


def test_all_differences_are_told():
    """One wrong thing hides no other."""
    expect = Expectation(account=ONE, route="otp", order=(TWO,), verdicts={ONE: Verdict.CHOSEN}, why="hours")

    assert [one.what for one in differences(expect, FOUND)] == ["account", "route", "order", "verdict.one", "why"]


def test_a_broadcast_leaves_through_each():
    """Of a message that leaves through several accounts, any of them is as expected."""
    both = Found(route="all", accounts=(ONE, TWO), why="each")

    assert differences(Expectation(account=ONE), both) == differences(Expectation(account=TWO), both) == ()
    assert differences(Expectation(none=True), both) == (Difference("account", "none", "one and two"),)
