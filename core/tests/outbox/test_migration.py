"""A store of an older version becomes one of this version when it is opened: whole, in one transaction, once."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from tocsin.errors import StoreError
from tocsin.model.ids import AccountId, HolderId
from tocsin.model.report import ReportState
from tocsin.outbox.gauges import Tally
from tocsin.outbox.record import Filter, Listening
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.sqlite_schema import MIGRATIONS, VERSION
from tocsin.outbox.state import AttemptState, State
from tocsin.outbox.store import LEASE

VERSION_1 = Path(__file__).with_name("version_1.sql").read_text(encoding="utf-8")
START = datetime(2026, 1, 1, tzinfo=UTC)
URGENCIES = {"a.1": 0, "b.1": 0, "c.1": 1, "c.2": 1, "d.1": 2, "e.1": 3}
"""What the class of each message of version_1.sql asks for, by the end of its delivery's id."""


@pytest.fixture(scope="session")
def version_1(tmp_path_factory):
    """The file of a version-1 store, left as a process that closed it leaves it."""
    path = tmp_path_factory.mktemp("version-1") / "tocsin.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(VERSION_1)
    return path


@pytest.fixture
def path(version_1, tmp_path):
    """A version-1 store of this test's own."""
    return Path(shutil.copy(version_1, tmp_path / "tocsin.db"))


def look(path, question):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()


def version(path):
    ((found,),) = look(path, "PRAGMA user_version")
    return found


def layout(path):
    """Return what the tables and indexes of a store are like, whatever the text that made them."""
    names = [name for (name,) in look(path, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    columns = {name: look(path, f"PRAGMA table_info({name})") for name in names}
    indexes = look(path, "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name")
    return columns, indexes


def whole(path):
    """Return every row of every table."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_an_older_store_gets_the_layout_of_a_new_one(path, empty_file):
    """Tables, columns, defaults and indexes of a migrated store are those of one that was made new."""
    assert version(path) == 1

    open_rows(path).close()

    assert version(path) == VERSION == version(empty_file)
    assert layout(path) == layout(empty_file)


def test_each_older_version_has_a_way_to_the_next():
    """From the first version on, each has its migration, and this version has none."""
    assert sorted(MIGRATIONS) == list(range(1, VERSION))


def test_urgency_is_filled_from_the_class(path, open_file):
    """Each delivery is as urgent as its message's class asks for, so that an alarm goes before old bulk."""
    with open_file(path) as desk:
        deliveries = desk.outbox.deliveries(Filter())

        assert {one.id[-3:]: one.urgency for one in deliveries} == URGENCIES
        assert {one.id[-3:]: desk.outbox.message(one.message).cls.urgency for one in deliveries} == URGENCIES
        assert {(one.revision, one.report_overdue) for one in deliveries} == {(0, False)}


def test_what_was_stored_is_what_it_was(path, open_file):
    """States, attempts, decisions, audit, reports, keys and messages of the older store are all there."""
    with open_file(path) as desk:
        found = {one.id[-3:]: one for one in desk.outbox.deliveries(Filter())}
        assert {name: one.state for name, one in found.items()} == {
            "a.1": State.QUEUED, "b.1": State.QUEUED, "c.1": State.SUBMITTED, "c.2": State.IN_DOUBT,
            "d.1": State.UNDELIVERED, "e.1": State.CLAIMED}  # fmt: skip
        attempts = [desk.attempts(found[name].id) for name in ("c.1", "c.2", "d.1", "e.1")]
        assert [[one.state for one in each] for each in attempts] == [
            [AttemptState.ACCEPTED], [AttemptState.UNKNOWN], [AttemptState.ACCEPTED], []]  # fmt: skip
        assert attempts[2][0].report is ReportState.FAILED
        chapters, transitions = desk.outbox.story(found["d.1"].id)
        assert chapters[0].explanation["why"] == "first"
        assert [row.after for row in transitions][-1] is State.UNDELIVERED
        assert desk.outbox.message(found["c.1"].message).tags == {"team": "db"}
        assert desk.outbox.message(found["c.1"].message).idempotency_key == "a key"
        assert [one.delivery for one in desk.reports()] == [found["d.1"].id]
    assert look(path, "PRAGMA foreign_key_check") == []
    assert look(path, "PRAGMA integrity_check") == [("ok",)]


def test_what_had_ended_is_counted(path, open_file):
    """The tally of a migrated store holds every end and every outcome that stood in the older one."""
    with open_file(path) as desk:
        gauges = desk.outbox.gauges()
        deliveries = desk.outbox.deliveries(Filter())
        attempts = [attempt for one in deliveries for attempt in desk.attempts(one.id)]

        ended = Counter(Tally(one.account, one.state) for one in deliveries if one.state.terminal)
        assert ended
        assert gauges.tallies == ended + Counter(
            Tally(one.account, one.state) for one in attempts if one.state is not AttemptState.INTENT
        )


def test_what_was_under_way_goes_on(path, open_file):
    """Queued deliveries are claimed by urgency, the lost holder's are recovered, and what waited is asked about."""
    with open_file(path) as desk:
        desk.now = START + LEASE + timedelta(seconds=1)
        assert [one.id[-3:] for one in desk.outbox.awaiting(10, desk.now)] == ["c.2", "c.1"]
        assert desk.outbox.recover(desk.now) == 1

        claimed = desk.outbox.claim_due(HolderId("new"), 10, desk.now)

        assert [one.id[-3:] for one in claimed] == ["a.1", "b.1", "e.1"]
        desk.outbox.note_poll(Listening(account=AccountId("main"), kind="reports", asked_at=desk.now))
        assert len(desk.outbox.listenings()) == 1
        desk.report(ReportState.DELIVERED, "78", number="13900000001")
        assert desk.state(claimed[0].id[:-3] + "d.1") is State.DELIVERED


def test_it_is_migrated_once(path, open_file):
    """A store of this version is opened without another migration, and what was changed since stays."""
    open_rows(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE delivery SET urgency = 3, revision = 7")

    with open_file(path) as desk:
        assert {(one.urgency, one.revision) for one in desk.outbox.deliveries(Filter())} == {(3, 7)}


def test_many_that_open_it_at_once_migrate_it_once(version_1, tmp_path):
    """Of many that open an older store at the same time each gets the new one, and none is refused."""
    openers = 4
    start = Barrier(openers)

    def open_and_count(path):
        start.wait(10)
        with closing(open_rows(path)) as rows:
            return len(rows.find_deliveries(Filter()))

    with ThreadPoolExecutor(openers) as threads:
        for number in range(5):
            path = Path(shutil.copy(version_1, tmp_path / f"{number}.db"))
            assert list(threads.map(open_and_count, [path] * openers)) == [len(URGENCIES)] * openers
            assert version(path) == VERSION


KILLED = """
import os, signal, sys
from pathlib import Path
from tocsin.outbox import sqlite_file
from tocsin.outbox.sqlite import open_rows

path, place = Path(sys.argv[1]), int(sys.argv[2])
seen = 0

def before_each_call(frame, event, called):
    global seen
    if event == "c_call" and called.__name__ == "execute" and frame.f_code.co_name in ("_migrate", "_pragma"):
        seen += frame.f_code.co_name == "_migrate" or frame.f_back.f_code.co_name == "_migrate"
        if seen == place:
            os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(before_each_call)
open_rows(path).close()
print(seen)
"""
"""Opens a store, and is killed right before the given statement of its migration; tells how many there are."""


def open_and_die(path, place):
    return subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(place)], stdout=subprocess.PIPE, timeout=60, check=False
    )


def test_a_migration_that_is_killed_leaves_the_older_store(version_1, tmp_path):
    """Killed before any of its statements, the last being COMMIT, it leaves version 1 as it was; and then it works."""
    unharmed = Path(shutil.copy(version_1, tmp_path / "unharmed.db"))
    before = whole(unharmed)
    statements = int(open_and_die(unharmed, -1).stdout)
    assert statements >= 9
    assert version(unharmed) == VERSION

    def check(place):
        path = Path(shutil.copy(version_1, tmp_path / f"{place}.db"))
        assert open_and_die(path, place).returncode == -signal.SIGKILL
        assert (version(path), whole(path)) == (1, before)
        open_rows(path).close()
        assert (version(path), whole(path)) == (VERSION, whole(unharmed))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(check, range(1, statements + 1)))


def test_a_migration_that_fails_leaves_the_older_store(path):
    """Where a statement of the migration fails, all of it is taken back, and the refusal names the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE listening (theirs)")
    before = whole(path)

    with pytest.raises(StoreError, match="cannot be used") as refusal:
        open_rows(path)

    assert str(path) in str(refusal.value)
    assert (version(path), whole(path)) == (1, before)


@pytest.mark.parametrize("unknown", [0, VERSION + 1, 99])
def test_a_version_without_a_way_here_is_refused(path, unknown):
    """A newer store, and one of a version that never was, is refused with both versions named, and left as it was."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {unknown}")
    before = path.read_bytes()

    with pytest.raises(StoreError, match=rf"is of version {unknown}; this tocsin knows version {VERSION}"):
        open_rows(path)

    assert path.read_bytes() == before


def test_an_older_store_that_is_corrupt_is_refused(path):
    """A version-1 file that is cut short is refused, and left byte for byte as it was."""
    path.write_bytes(path.read_bytes()[:5000])
    before = path.read_bytes()

    with pytest.raises(StoreError, match=str(path)):
        open_rows(path)

    assert path.read_bytes() == before
