"""Which route takes a message, and how each class is treated on it."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.hours import Hours
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.phone import parse_number
from tocsin.policy.order import order
from tocsin.policy.route import (
    CLASS_RULES,
    InDoubt,
    Match,
    OnUndelivered,
    Route,
    RuleChanges,
    Size,
    Traits,
    find_route,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 1, 1, 12, tzinfo=SHANGHAI)
TRAITS = Traits(
    cls=MessageClass.ALERT,
    to=parse_number("13900000000"),
    tags={"team": "db", "env": "live"},
    source="alertmanager",
    now=NOON,
    size=30,
)
OFFICE = Hours(start=time(9), end=time(18), zone=SHANGHAI)


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        (Match(), True),
        (Match(classes=(MessageClass.ALERT,)), True),
        (Match(classes=(MessageClass.OTP, MessageClass.ALERT)), True),
        (Match(classes=(MessageClass.OTP,)), False),
        (Match(tags={"team": "db"}), True),
        (Match(tags={"team": "db", "env": "live"}), True),
        (Match(tags={"team": "db", "env": "test"}), False),
        (Match(tags={"region": "cn"}), False),
        (Match(prefixes=("+86",)), True),
        (Match(prefixes=("+49", "+86139")), True),
        (Match(prefixes=("+49",)), False),
        (Match(country_prefixes=("+86",)), True),
        (Match(country_prefixes=("+49", "+1")), False),
        (Match(sources=("cli", "alertmanager")), True),
        (Match(sources=("cli",)), False),
        (Match(hours=OFFICE), True),
        (Match(hours=attrs.evolve(OFFICE, end=time(12))), False),
        (Match(classes=(MessageClass.ALERT,), tags={"team": "db"}, prefixes=("+86",), hours=OFFICE), True),
        (Match(classes=(MessageClass.ALERT,), tags={"team": "web"}, prefixes=("+86",), hours=OFFICE), False),
        (Match(classes=(MessageClass.ALERT,), sources=("cli",)), False),
        (Match(size=Size(least=30, most=30)), True),
        (Match(size=Size(least=31)), False),
        (Match(size=Size(most=29)), False),
        (Match(classes=(MessageClass.ALERT,), size=Size(most=29)), False),
    ],
)
def test_keys_are_anded_and_a_list_means_any_of(match, taken):
    """A route takes what fits each key given; within a key any value will do, and every tag must be equal."""
    assert match.takes(TRAITS) == taken


@pytest.mark.parametrize("field", attrs.fields(Match), ids=lambda field: field.name)
def test_a_match_that_asks_anything_does_not_take_all(field):
    """`takes_all` is said of a match that asks nothing, and of no other."""
    given = {"classes": (MessageClass.ALERT,), "tags": {"a": "b"}, "hours": OFFICE, "size": Size(least=1)}
    asking = given.get(field.name, ("+86",))

    assert Match().takes_all
    assert not Match(**{field.name: asking}).takes_all


@given(st.integers(0, 200), st.integers(0, 200), st.none() | st.integers(0, 200))
def test_a_size_holds_both_its_ends(length, least, most):
    """A length fits from the least to the most, both included; without a most there is no upper end."""
    assert Size(least=least, most=most).holds(length) == (length in range(least, 201 if most is None else most + 1))


def test_a_size_of_which_nothing_is_said_holds_any_text():
    """Neither an empty text nor a long one is too short or too long for a size without ends."""
    assert Size().holds(0)
    assert Size().holds(1_000_000)


def test_the_first_route_that_takes_it_wins():
    """Routes are asked in their order; where none takes it there is none."""
    otp = Route(name="otp", match=Match(classes=(MessageClass.OTP,)), accounts=(AccountId("one"),))
    db, rest = (attrs.evolve(otp, name=name, match=match) for name, match in
                (("db", Match(tags={"team": "db"})), ("rest", Match())))  # fmt: skip

    assert find_route((otp, db, rest), TRAITS) is db
    assert find_route((otp, rest, db), TRAITS) is rest
    assert find_route((otp,), TRAITS) is None


def test_failover_keeps_the_order_written():
    """The accounts of a failover route are judged in the order in which it names them."""
    route = Route(name="all", accounts=(AccountId("b"), AccountId("a"), AccountId("c")))

    assert order(route) == ("b", "a", "c")


def test_a_strategy_that_nobody_orders_by_is_a_defect():
    """A new strategy without an order is an error, and not some order."""
    with pytest.raises(AssertionError):
        order(Route(name="all", accounts=(AccountId("a"),), strategy=None))


def test_a_route_has_an_account():
    """A route without accounts cannot be made."""
    with pytest.raises(ValueError, match="accounts"):
        Route(name="all", accounts=())


# source: the design's table of classes
CLASSES = {
    "otp": ("5m", "8s", "resend-other", 2, "45s", "next", 20),
    "critical": ("30m", "3s", "resend-other", 3, "90s", "next", 20),
    "alert": ("4h", "60s", "resend-other", 2, "5m", "next", None),
    "notice": ("24h", "10m", "hold", 1, "30m", "stop", None),
    "bulk": ("24h", "24h", "hold", 1, None, "stop", None),
}


def duration(text):
    return timedelta(**{{"s": "seconds", "m": "minutes", "h": "hours"}[text[-1]]: int(text[:-1])})


@pytest.mark.parametrize("cls", MessageClass, ids=lambda cls: cls.value)
def test_each_class_has_the_rules_of_the_table(cls):
    """Expiry, wait, doubt, copies, silence, failure and size of groups of each class are those of the design."""
    expires, wait, in_doubt, copies, silence, undelivered, group = CLASSES[cls.value]
    rules = CLASS_RULES[cls]

    assert (rules.expires_after, rules.evidence_wait) == (duration(expires), duration(wait))
    assert (rules.when_in_doubt, rules.max_copies) == (InDoubt(in_doubt), copies)
    assert rules.report_timeout == (duration(silence) if silence else None)
    assert rules.moves_on_silence == (cls in (MessageClass.OTP, MessageClass.CRITICAL, MessageClass.ALERT))
    assert (rules.on_undelivered, rules.max_group) == (OnUndelivered(undelivered), group)


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("expires_after", timedelta(seconds=1)),
        ("evidence_wait", timedelta(0)),
        ("when_in_doubt", InDoubt.RESEND_SAME),
        ("max_copies", 9),
        ("on_undelivered", OnUndelivered.STOP),
    ],
)
@pytest.mark.parametrize("cls", MessageClass, ids=lambda cls: cls.value)
def test_a_route_refines_one_rule_and_leaves_the_others(cls, change, value):
    """What a route sets holds, a zero included; all else is the class's own."""
    route = Route(name="all", accounts=(AccountId("one"),), changes=RuleChanges(**{change: value}))

    assert route.rules_for(cls) == attrs.evolve(CLASS_RULES[cls], **{change: value})


def test_a_report_timeout_of_a_route_asks_to_move_on():
    """A route that sets a report timeout wants the next step to be another account, also for a notice."""
    route = Route(name="all", accounts=(AccountId("one"),), changes=RuleChanges(report_timeout=timedelta(minutes=1)))

    rules = route.rules_for(MessageClass.NOTICE)

    assert (rules.report_timeout, rules.moves_on_silence) == (timedelta(minutes=1), True)
