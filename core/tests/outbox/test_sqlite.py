"""What holds for the SQLite store alone: its file, its pragmas, what it refuses, and a commit that fails."""

import os
import resource
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from tocsin.errors import CommitUnknown, StoreError
from tocsin.outbox.record import Filter
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.sqlite_schema import VERSION


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tocsin.db"


def change(path, statement):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def test_nobody_else_reads_the_files(path, open_file):
    """The store's files are its owner's alone, whatever the umask: they hold texts and numbers."""
    before = os.umask(0)
    try:
        with open_file(path) as desk:
            desk.taken()
            files = sorted(path.parent.iterdir())
            modes = {stat.S_IMODE(file.stat().st_mode) for file in files}
    finally:
        os.umask(before)

    assert [file.name for file in files] == ["tocsin.db", "tocsin.db-shm", "tocsin.db-wal"]
    assert modes == {0o600}


def test_every_commit_is_synchronous(path):
    """The connection that writes is in WAL mode with synchronous = FULL and foreign keys on."""
    with closing(open_rows(path)) as rows:
        found = {name: rows._sql.execute(f"PRAGMA {name}").fetchone()[0] for name in
                 ("journal_mode", "synchronous", "foreign_keys")}  # fmt: skip

    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_what_was_stored_is_there_after_reopening(path, open_file):
    """All that is known of a delivery is found by the next process that opens the file."""
    with open_file(path) as desk:
        delivery = desk.doubted()
        before = desk.snapshot(delivery)

    with open_file(path) as again:
        assert again.snapshot(delivery) == before


def foreign(path):
    change(path, "CREATE TABLE theirs (id)")


def newer(path):
    open_rows(path).close()
    change(path, f"PRAGMA user_version = {VERSION + 1}")


def a_text(path):
    path.write_text("[store]\n" * 200, encoding="utf-8")


def a_directory(path):
    path.mkdir()


def torn(path):
    open_rows(path).close()
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize("make", [foreign, newer, a_text, a_directory, torn], ids=lambda make: make.__name__)
def test_a_file_that_is_no_store_of_this_version_is_refused(path, make):
    """What cannot be used is refused in one sentence that names the file, and left byte for byte as it was."""
    make(path)
    before = path.read_bytes() if path.is_file() else b""

    with pytest.raises(StoreError) as refusal:
        open_rows(path)

    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_directory_that_is_missing_is_not_made(path):
    """A store whose directory is not there is refused, and nothing is made."""
    with pytest.raises(StoreError, match=r"cannot be opened"):
        open_rows(path.parent / "missing" / "tocsin.db")

    assert list(path.parent.iterdir()) == []


def test_an_empty_file_becomes_a_store(path, open_file):
    """What a killed start leaves behind, an empty file, is no obstacle to the next."""
    path.touch()

    with open_file(path) as desk:
        assert desk.outbox.deliveries(Filter()) == ()


class FullDisk:
    """A boundary: from the moment before one commit until its end the disk takes nothing."""

    def __init__(self, name):
        self._name = f"{name}: before commit"
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def __call__(self, boundary):
        if boundary == self._name:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, self._limits[1]))

    def lift(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)


def test_a_commit_that_fails_is_an_unknown_outcome(path, open_file):
    """Where the kernel refuses the commit's bytes nobody says rolled back: reopening shows all of it, or nothing."""
    disk = FullDisk("accept")
    with open_file(path, boundary=disk) as desk:
        given = desk.acceptance("13900000001", "13900000002", key="k")
        try:
            with pytest.raises(CommitUnknown, match="reopen"):
                desk.outbox.accept(given, desk.now)
        finally:
            disk.lift()

    with open_file(path) as again:
        found = again.outbox.deliveries(Filter())
        assert len(found) == (0 if again.outbox.message(given.message.id) is None else 2)
        assert again.outbox.accept(given, again.now) == given.message.id
        assert len(again.outbox.deliveries(Filter())) == 2


def test_a_store_that_cannot_write_says_so(path, open_file):
    """A statement that fails, here on a full file, is a StoreError; the transaction is taken back, and reads go on."""
    with open_file(path) as desk:
        delivery = desk.taken()
        (pages,) = desk.rows._sql.execute("PRAGMA page_count").fetchone()
        desk.rows._sql.execute(f"PRAGMA max_page_count = {pages}")

        with pytest.raises(StoreError) as refusal:
            desk.accept(text="x" * 100_000)

        assert not isinstance(refusal.value, CommitUnknown)
        assert [one.id for one in desk.outbox.deliveries(Filter())] == [delivery]


LOOK = """
import sys
from pathlib import Path
from tocsin.outbox.record import Filter
from tocsin.outbox.sqlite import open_rows

rows = open_rows(Path(sys.argv[1]))
print(len(rows.find_deliveries(Filter())))
rows.close()
"""


def count_elsewhere(path):
    """Have another process open the store, count its deliveries and close it again."""
    return int(
        subprocess.run([sys.executable, "-c", LOOK, str(path)], check=True, capture_output=True, timeout=60).stdout
    )


def test_a_process_may_open_a_store_twice(path, open_file):
    """A second connection of one process takes no lock from the first: what that commits later is there for everybody.

    POSIX locks are a process's, not a file descriptor's: to close any descriptor of the file drops them all, and the
    next process that closes the store takes the write-ahead log away from under the first.
    """
    with open_file(path) as desk, open_file(path):
        desk.accept("13900000001")
        assert count_elsewhere(path) == 1
        desk.accept("13900000002")
        assert count_elsewhere(path) == 2


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tocsin.model.ids import delivery_id, new_message_id
from tocsin.model.message import Message, MessageClass
from tocsin.model.phone import E164
from tocsin.outbox.record import Acceptance, NewDelivery
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.store import Outbox

path, process, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
now = datetime(2026, 1, 1, tzinfo=UTC)
print("ready", flush=True)
sys.stdin.read(1)
outbox = Outbox(open_rows(path), lambda _: False)
for number in range(count):
    message = Message(
        id=new_message_id(now, lambda _: process << 32 | number), to=(E164("+8613900000000"),), text="t",
        cls=MessageClass.ALERT, accepted_at=now, idempotency_key=f"{number}" if number % 2 else None,
    )
    new = NewDelivery(id=delivery_id(message.id, 1), to=message.to[0], route="all", due_at=now, expires_at=now)
    print(outbox.accept(Acceptance(message=message, deliveries=(new,), fingerprint="f"), now))
outbox.close()
"""
"""Accepts messages as fast as it can; every second one under a key that the other processes use as well."""


def test_processes_that_write_at_once_lose_nothing(path, open_file):
    """Of processes that make a store and write to it at once, each message acknowledged is there, and each key once."""
    count, processes = 20, 3
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(process), str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for process in range(processes)
    ]
    assert [child.stdout.readline() for child in children] == ["ready\n"] * processes
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    acknowledged = [child.communicate(timeout=60)[0].split() for child in children]

    assert [child.returncode for child in children] == [0] * processes
    assert [len(names) for names in acknowledged] == [count] * processes
    with open_file(path) as desk:
        stored = [one.message for one in desk.outbox.deliveries(Filter())]
    assert set(stored) == {name for names in acknowledged for name in names}
    assert len(stored) == processes * count // 2 + count // 2


def test_to_repeat_a_promise_is_to_write_it(open_file, tmp_path):
    """Whoever is told that its key was accepted before is told so after a commit with a sync: another process may have
    died before its own was synced."""
    path = tmp_path / "tocsin.db"
    with open_file(path) as desk:
        given = desk.acceptance(key="k")
        desk.outbox.accept(given, desk.now)
        log = path.with_name("tocsin.db-wal")
        before = log.read_bytes()

        assert desk.outbox.accept(given, desk.now) == given.message.id
        assert log.read_bytes() != before
