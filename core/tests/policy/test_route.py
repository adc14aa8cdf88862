"""Which route takes a message, and how each class is treated on it."""

from collections import Counter
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.hours import Hours
from tocsin.model.ids import AccountId
from tocsin.model.message import MessageClass
from tocsin.model.phone import parse_number
from tocsin.policy.judge import Candidate
from tocsin.policy.order import Lot, order
from tocsin.policy.route import (
    CLASS_RULES,
    InDoubt,
    Match,
    OnUndelivered,
    Route,
    RuleChanges,
    Size,
    Strategy,
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


def candidates(**facts):
    """Make a candidate of each name, with that fact of it."""
    ((field, values),) = facts.items()
    return tuple(Candidate(account=AccountId(name), **{field: value}) for name, value in values.items())


def ordered(strategy, given, lot=None, weights=None):
    route = Route(name="all", accounts=tuple(one.account for one in given), strategy=strategy, weights=weights or {})
    return "".join(one.account for one in order(route, given, lot or Lot()))


UNLIKE = (
    Candidate(account=AccountId("b"), cost=Decimal(2), quality=50),
    Candidate(account=AccountId("a"), cost=Decimal(1), quality=10),
    Candidate(account=AccountId("c"), quality=90),
)


@pytest.mark.parametrize("strategy", [Strategy.FAILOVER, Strategy.BROADCAST])
def test_failover_and_broadcast_keep_the_order_written(strategy):
    """Neither price nor quality, nor draw nor turn moves an account of a route that is as written."""
    assert ordered(strategy, UNLIKE, Lot(turn=1, draw=0.9)) == "bac"


@pytest.mark.parametrize(("turn", "first"), [(0, "bac"), (1, "acb"), (2, "cba"), (3, "bac"), (10**12, "acb")])
def test_in_turn_each_account_begins_once(turn, first):
    """The next message begins with the next account, and the others follow it round."""
    assert ordered(Strategy.ROUND_ROBIN, UNLIKE, Lot(turn=turn)) == first


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ({"a": None, "b": Decimal(2), "c": Decimal(1)}, "cba"),
        ({"a": Decimal(1), "b": Decimal(0), "c": Decimal("1.0")}, "bac"),
        ({"a": None, "b": None, "c": Decimal(9)}, "cab"),
    ],
)
def test_the_cheapest_is_first_and_who_has_no_price_is_last(costs, expected):
    """Accounts stand by what the text costs there; equals, and those without a price, as written."""
    assert ordered(Strategy.CHEAPEST, candidates(cost=costs)) == expected


def test_the_best_is_first():
    """Accounts stand by their points of quality; equals as written."""
    assert ordered(Strategy.BEST, UNLIKE) == "cba"
    assert ordered(Strategy.BEST, candidates(quality={"a": 80, "b": 100, "c": 80})) == "bac"


@pytest.mark.parametrize(
    ("quality", "shares"),
    [
        ({"a": 100, "b": 100, "c": 100}, {"a": 700, "b": 300}),
        ({"a": 0, "b": 100, "c": 100}, {"b": 1000}),
        ({"a": 30, "b": 70, "c": 100}, {"a": 500, "b": 500}),
    ],
    ids=["as written", "one delivers nothing", "one delivers less"],
)
def test_each_account_is_drawn_as_often_as_its_weight_says(quality, shares):
    """Of draws spread evenly each account gets its share, less where it delivers badly; one without weight is last."""
    weights = {AccountId("a"): 70, AccountId("b"): 30, AccountId("c"): 0}
    orders = [
        ordered(Strategy.WEIGHTED, candidates(quality=quality), Lot(draw=(step + 0.5) / 1000), weights)
        for step in range(1000)
    ]

    first = Counter(one[0] for one in orders)
    assert {account: round(count, -1) for account, count in first.items()} == shares
    assert "c" not in first


def test_those_behind_the_first_are_drawn_too():
    """With equal weights each order of three is as likely as any other: within one per cent of a sixth."""
    weights = {AccountId(name): 5 for name in "abc"}
    given = candidates(quality=dict.fromkeys("abc", 100))
    orders = Counter(ordered(Strategy.WEIGHTED, given, Lot(draw=(step + 0.5) / 6000), weights) for step in range(6000))

    assert len(orders) == 6
    assert all(990 <= count <= 1010 for count in orders.values())


@given(
    strategy=st.sampled_from(Strategy),
    facts=st.lists(
        st.tuples(
            st.none() | st.decimals(0, 100, places=2), st.integers(0, 100), st.integers(0, 1000)
        ), min_size=1, max_size=8,
    ),
    turn=st.integers(0, 10**9),
    draw=st.floats(0, 1, exclude_max=True),
)  # fmt: skip
def test_every_strategy_only_orders(strategy, facts, turn, draw):
    """Whatever is known of them, each account stands in the order once, and the same lot gives the same order."""
    given = tuple(
        Candidate(account=AccountId(str(at)), cost=cost, quality=quality) for at, (cost, quality, _) in enumerate(facts)
    )
    weights = {AccountId(str(at)): weight for at, (_, _, weight) in enumerate(facts)}
    route = Route(name="all", accounts=tuple(one.account for one in given), strategy=strategy, weights=weights)

    found = order(route, given, Lot(turn=turn, draw=draw))

    assert sorted(one.account for one in found) == sorted(one.account for one in given)
    assert found == order(route, given, Lot(turn=turn, draw=draw))


def test_a_strategy_that_nobody_orders_by_is_a_defect():
    """A new strategy without an order is an error, and not some order."""
    with pytest.raises(AssertionError):
        ordered(None, UNLIKE)


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


@pytest.mark.parametrize("cls", MessageClass, ids=lambda cls: cls.value)
def test_a_route_that_sets_nothing_leaves_every_rule(cls):
    """Where a route says nothing of its own, the class's rules hold."""
    assert Route(name="all", accounts=(AccountId("one"),)).rules_for(cls) == CLASS_RULES[cls]


def test_a_report_timeout_of_a_route_asks_to_move_on():
    """A route that sets a report timeout wants the next step to be another account, also for a notice."""
    route = Route(name="all", accounts=(AccountId("one"),), changes=RuleChanges(report_timeout=timedelta(minutes=1)))

    rules = route.rules_for(MessageClass.NOTICE)

    assert (rules.report_timeout, rules.moves_on_silence) == (timedelta(minutes=1), True)
