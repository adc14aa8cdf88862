"""What a balance says: for how long it is believed, when it is too low, and how many days it lasts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.account import Account, Polling
from tocsin.model.balance import Balance, Unit
from tocsin.model.ids import AccountId
from tocsin.policy.balance import STALE, days_left, is_below_floor, is_fresh

START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)

amounts = st.decimals(-1000, 1000, places=2)
floors = st.none() | st.decimals(0, 500, places=2)


def account(floor=None, every_s=60.0):
    return Account(
        id=AccountId("one"),
        vendor="example",
        base_url="http://one.invalid",
        settings=None,
        balance_floor=None if floor is None else Decimal(floor),
        poll=Polling(balance_s=every_s),
    )


def balance(amount="100", **details):
    return Balance(**{"amount": Decimal(amount), "unit": Unit.CNY, "as_of": START, **details})


@pytest.mark.parametrize(
    ("every_s", "lasts"),
    [(0, STALE), (60, STALE), (200, STALE), (201, timedelta(seconds=603)), (3600, timedelta(hours=3))],
)
def test_a_balance_is_believed_for_ten_minutes_or_three_polls(every_s, lasts):
    """It is fresh to the end of that time, and stale a moment later."""
    assert is_fresh(account(every_s=every_s), balance(), START + lasts)
    assert not is_fresh(account(every_s=every_s), balance(), START + lasts + MOMENT)


@given(amounts, floors, st.sampled_from([None, False, True]))
def test_only_a_prepaid_account_with_a_floor_falls_below_it(amount, floor, postpaid):
    """Postpaid, or without a floor, none is too low; any other is where its amount is less than its floor."""
    expected = floor is not None and postpaid is not True and amount < floor

    assert is_below_floor(account(floor), balance(amount, postpaid=postpaid)) is expected


@pytest.mark.parametrize(
    ("unit", "floor", "messages", "cost", "days"),
    [
        (Unit.CNY, None, 7, "25", 4),
        (Unit.CNY, "50", 7, "25", 2),
        (Unit.CNY, "100", 7, "25", 0),
        (Unit.CNY, "200", 7, "25", 0),
        (Unit.CNY, None, 7, "0", None),
        (Unit.MESSAGES, None, 40, "0", Decimal("2.5")),
        (Unit.MESSAGES, "60", 40, "9", 1),
        (Unit.MESSAGES, None, 0, "9", None),
    ],
)
def test_days_left_are_those_down_to_the_floor_at_the_rate_of_the_last_day(unit, floor, messages, cost, days):
    """A balance of money lasts by what was spent, one of messages by what was sent; without either nothing runs out."""
    assert days_left(account(floor), balance(unit=unit), messages, Decimal(cost)) == days


def test_a_postpaid_account_never_runs_dry():
    """What is paid for afterwards has no last day."""
    assert days_left(account("10"), balance("-5", postpaid=True), 100, Decimal(100)) is None
