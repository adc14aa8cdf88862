"""Fire drills: when one is due, and when an account has not proved itself."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.account import Account, Drill
from tocsin.model.ids import AccountId
from tocsin.model.phone import parse_number
from tocsin.policy.drill import GRACE, due_drills, slot_of, unproved

START = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MAIN, BACKUP = AccountId("main"), AccountId("backup")
PACES = st.timedeltas(min_value=timedelta(minutes=1), max_value=timedelta(days=30))


def account(name=MAIN, every=DAY):
    drill = None if every is None else Drill(to=parse_number("13900000000"), every=every)
    return Account(id=name, vendor="example", base_url="https://sms.example.com", settings=None, drill=drill)


def drills(every=DAY):
    return {MAIN: account(every=every).drill}


def test_only_an_account_with_a_drill_has_one_due():
    """Who asks for no drill gets none."""
    due = due_drills([account(), account(BACKUP, every=None)], {}, START)

    assert [one.account for one in due] == [MAIN]


def test_one_drill_to_a_slot():
    """Once its slot had its drill, an account has none due until the next slot begins."""
    (due,) = due_drills([account()], {}, START)
    done = {MAIN: due.slot}

    assert due_drills([account()], done, due.slot + DAY - timedelta(microseconds=1)) == ()
    (after,) = due_drills([account()], done, due.slot + DAY)
    assert after.slot == due.slot + DAY


@given(every=PACES, passed=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)))
def test_a_slot_is_the_same_whoever_asks(every, passed):
    """Every moment of a slot names the same beginning, which is no later than it, and less than a pace ago."""
    drill, now = Drill(to=parse_number("13900000000"), every=every), START + passed
    slot = slot_of(drill, now)

    assert slot <= now < slot + every
    assert slot_of(drill, slot) == slot


def test_a_drill_is_tagged_with_its_account():
    """Its message can be told from others by the tag `drill`."""
    (due,) = due_drills([account()], {}, START)

    assert due.tags == {"drill": "main"}


@pytest.mark.parametrize(
    ("every", "proved_ago", "alarm"),
    [
        (6 * HOUR, 23 * HOUR, False),
        (6 * HOUR, 25 * HOUR, True),
        (DAY, DAY + GRACE, False),  # the drill of today has just gone out: its report may be on its way
        (DAY, DAY + GRACE + timedelta(seconds=1), True),
        (2 * DAY, 2 * DAY, False),
        (2 * DAY, 3 * DAY, True),
        (DAY, None, True),
    ],
)
def test_a_path_is_unproved_after_a_day(every, proved_ago, alarm):
    """Without a delivered report for a day an account is not known to deliver; or for a drill's pace and an hour."""
    proved = {} if proved_ago is None else {MAIN: START - proved_ago}

    assert unproved(drills(every), proved, START - GRACE, START) == ((MAIN,) if alarm else ())


def test_the_first_drill_has_time_to_prove_its_account():
    """Who began to look less than an hour ago says nothing yet."""
    just_now = START - GRACE + timedelta(seconds=1)

    assert unproved(drills(), {}, just_now, START) == ()
    assert unproved(drills(), {}, just_now - timedelta(seconds=1), START) == (MAIN,)


def test_each_account_is_proved_by_its_own_reports():
    """What one account delivers proves no other."""
    both = {**drills(), BACKUP: account(BACKUP).drill}

    assert unproved(both, {MAIN: START}, START - DAY, START) == (BACKUP,)
    assert unproved({}, {}, START - DAY, START) == ()


def test_a_drill_is_nobodys_secret():
    """Neither its text nor the full number stands in its repr."""
    shown = repr(Drill(to=parse_number("13900000000"), text="are you there"))

    assert not [word for word in ("13900000000", "are you there") if word in shown]
