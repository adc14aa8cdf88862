"""What was spent before is spent still: across a restart, and across the change from a store that did not count it."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tocsin.model.account import Rate
from tocsin.model.ids import AccountId, HolderId, SubmitId
from tocsin.model.message import MessageClass
from tocsin.model.outcome import NotSent, Refused, Unknown
from tocsin.model.outcome import Reason as Why
from tocsin.model.phone import parse_number
from tocsin.outbox.record import Filter
from tocsin.outbox.spending import Bounds, Spending, free_at, latest
from tocsin.outbox.sqlite_schema import VERSION
from tocsin.outbox.state import State

VERSION_2 = Path(__file__).with_name("version_2.sql").read_text(encoding="utf-8")
START = datetime(2026, 1, 1, tzinfo=UTC)
MAIN, BACKUP = AccountId("main"), AccountId("backup")
THREE_IN_THREE_MINUTES = Bounds(submits=(Rate(3, 180),))
MESSAGE = "06dmcq4000000000000"


@pytest.fixture
def upgraded(tmp_path, open_file):
    """A store of version 2 that three requests left in the last minute, opened a minute after the first."""
    path = tmp_path / "tocsin.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(VERSION_2)
    with open_file(path) as desk:
        desk.now = START + timedelta(seconds=60)
        yield desk


def claimed(desk, name):
    """Claim everything that is due; return one delivery of it."""
    found = desk.outbox.claim_due(HolderId("new"), 100, desk.now)
    found = found or desk.outbox.held(HolderId("new"))
    (one,) = [one for one in found if one.id == f"{MESSAGE}{name}"]
    return one


def spent(submit, account, second, cls, messages):
    name = SubmitId(f"{MESSAGE}{submit}")
    at = START + timedelta(seconds=second)
    return name, Spending(submit=name, account=account, at=at, cls=cls, messages=messages)


def test_an_older_store_is_counted_when_it_is_opened(upgraded):
    """Each request that went out, or may have, is spent as of its INTENT, with those of its messages that count."""
    ((version,),) = upgraded.rows._rows("PRAGMA user_version")
    names = [SubmitId(f"{MESSAGE}{one}") for one in ("a.1.1", "b.1.1", "c.1.1", "d.1.1", "d.1.2")]

    assert version == VERSION
    assert upgraded.rows.books.get_spending(names) == dict(
        (
            spent("a.1.1", MAIN, 0, MessageClass.ALERT, 1),
            spent("b.1.1", MAIN, 20, MessageClass.ALERT, 1),
            spent("c.1.1", MAIN, 40, MessageClass.CRITICAL, 1),
            spent("d.1.2", BACKUP, 51, MessageClass.OTP, 1),
        )
    )
    assert upgraded.outbox.accounts.spent(None, START - timedelta(days=1)) == (4, Decimal(0))


def test_submits_before_the_upgrade_count_after_it(upgraded):
    """Three submits in the last minute: the fourth in three minutes waits until the first is three minutes old."""
    waiting = claimed(upgraded, "f.1")
    meter = upgraded.outbox.meter(upgraded.now)

    assert meter.submits_free_at(MAIN, THREE_IN_THREE_MINUTES.submits) == START + timedelta(seconds=180)
    assert upgraded.intend(waiting, bounds=THREE_IN_THREE_MINUTES) == ()
    assert upgraded.state(waiting.id) is State.CLAIMED
    upgraded.now = START + timedelta(seconds=179.999)
    assert upgraded.intend(waiting, bounds=THREE_IN_THREE_MINUTES) == ()
    upgraded.now = START + timedelta(seconds=180)
    assert len(upgraded.intend(waiting, bounds=THREE_IN_THREE_MINUTES)) == 1


def test_messages_before_the_upgrade_count_to_their_numbers(upgraded):
    """Of a group to two numbers, the one that had its messages before the upgrade is left behind."""
    first, second = claimed(upgraded, "e.1"), claimed(upgraded, "e.2")
    bounds = Bounds(per_recipient=(Rate(3, 86400),))

    (attempt,) = upgraded.intend(first, second, bounds=bounds, cls=MessageClass.BULK)

    assert attempt.delivery == second.id
    assert upgraded.state(first.id) is State.CLAIMED


def test_critical_ones_before_the_upgrade_count_by_themselves(upgraded):
    """A number's messages through all accounts: two alerts and a code count for an alert, a critical one does not."""
    waiting = claimed(upgraded, "f.1")

    assert upgraded.intend(waiting, bounds=Bounds(overall=(Rate(3, 86400),))) == ()
    assert len(upgraded.intend(waiting, bounds=Bounds(overall=(Rate(4, 86400),)))) == 1


def test_what_was_under_way_before_the_upgrade_is_given_back_where_it_was_not_sent(upgraded):
    """An INTENT of the older store that proves not sent gives its place back."""
    (under_way,) = upgraded.outbox.deliveries(Filter(delivery=f"{MESSAGE}c.1"))

    upgraded.settle(NotSent("connect-refused"), *upgraded.attempts(under_way.id))

    assert upgraded.outbox.meter(upgraded.now).submits_free_at(MAIN, THREE_IN_THREE_MINUTES.submits) is None


@pytest.fixture
def path(tmp_path, empty_file):
    return Path(shutil.copy(empty_file, tmp_path / "tocsin.db"))


def test_limits_hold_across_restarts(path, open_file):
    """Each submit by a process of its own: three go, the fourth in three minutes does not, and the next day's does."""
    went = []
    for second in (0, 50, 100, 150, 179, 181, 200):
        with open_file(path) as desk:
            desk.now = START + timedelta(seconds=second)
            desk._draws = iter([second])
            (delivery,) = desk.accept()
            attempts = desk.intend(delivery, bounds=THREE_IN_THREE_MINUTES)
            desk.settle(Unknown("read-timeout"), *attempts)
            desk.outbox.release(desk.holder, desk.now)
            went.append(len(attempts))

    assert went == [1, 1, 1, 0, 0, 1, 0]


def test_money_is_exact_across_restarts(path, open_file):
    """A tenth of a fen, a thousand times: what a file adds up is what was spent, to the last digit."""
    with open_file(path) as desk:
        spendings = [
            Spending(
                submit=SubmitId(f"{number}"),
                account=MAIN,
                at=desk.now,
                cls=MessageClass.ALERT,
                messages=1,
                cost=Decimal("0.001"),
            )
            for number in range(1000)
        ]
        with desk.rows.transaction("spend"):
            desk.rows.books.save_spending(spendings)

    with open_file(path) as again:
        assert again.outbox.accounts.spent(MAIN, START - timedelta(days=1)) == (1000, Decimal(1))
        assert again.rows.books.get_spending([SubmitId("7")])[SubmitId("7")] == spendings[7]


# The arithmetic.


def at(*seconds):
    return [START + timedelta(seconds=second) for second in seconds]


@pytest.mark.parametrize(
    ("times", "count", "free"),
    [
        ((), 1, None),
        ((0,), 1, 100),
        ((0,), 2, None),
        ((50, 0), 2, 100),
        ((90, 50, 0), 2, 150),
        ((0, 0, 0), 3, 100),
        ((-50, -60), 2, 40),
    ],
)
def test_one_more_is_free_when_the_oldest_that_is_too_many_leaves_its_window(times, count, free):
    """Of a rate of `count` in 100 s, one more may go when the `count`th newest is 100 s old; not a moment sooner."""
    expected = None if free is None else START + timedelta(seconds=free)

    assert free_at(at(*times), Rate(count, 100), START) == expected
    if expected is not None:
        assert free_at(at(*times), Rate(count, 100), expected - timedelta(microseconds=1)) == expected
        assert free_at(at(*times), Rate(count, 100), expected) is None


def test_the_latest_bar_is_the_one_that_counts():
    """Of several windows the last to free a place says when; where none is closed there is nothing to wait for."""
    early, late = at(1, 2)

    assert latest(None, late, early) == late
    assert latest(None, None) is None
    assert latest() is None


def test_both_windows_bind(path, open_file):
    """Three in 3 minutes and four a day: after four the day is what is waited for."""
    bounds = Bounds(submits=(Rate(3, 180), Rate(4, 86400)))
    with open_file(path) as desk:
        for _ in range(4):
            desk.wait(seconds=100)
            assert desk.intend(*desk.accept(), bounds=bounds)
        assert desk.outbox.meter(desk.now).submits_free_at(MAIN, bounds.submits) == START + timedelta(seconds=86500)
        desk.settle(Refused(Why.THROTTLED), *desk.attempts(desk.outbox.deliveries(Filter())[0].id))
        assert desk.outbox.meter(desk.now).submits_free_at(MAIN, bounds.submits) is None
        assert [one.to for one in desk.rows.books.sent_to([parse_number("13900000000")], START)] == [
            parse_number("13900000000")
        ] * 3
