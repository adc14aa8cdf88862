"""One worker to a store, by a lock that goes with its process."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tocsin.errors import StoreError
from tocsin.outbox.role import RoleTaken, WorkerRole

WORKER = """
import sys
from pathlib import Path
from tocsin.outbox.role import RoleTaken, WorkerRole

try:
    with WorkerRole(Path(sys.argv[1])):
        print("works", flush=True)
        sys.stdin.read()
except RoleTaken as refusal:
    print(refusal, flush=True)
"""
"""Another process that would be the worker, until its input ends."""


@pytest.fixture
def store(tmp_path):
    return tmp_path / "tocsin.db"


@contextmanager
def another_worker(store):
    """Start another process that takes the role, or says why it cannot."""
    command = [sys.executable, "-c", WORKER, str(store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_by_name(store):
    """While one process is the worker another is refused, and is told which process it is."""
    with another_worker(store) as first:
        assert first.stdout.readline() == "works\n"
        with another_worker(store) as second:
            refusal = second.stdout.readline()
            assert second.wait(30) == 0
        assert refusal == f"another worker runs on the store {store} (process {first.pid})\n"
        with pytest.raises(RoleTaken, match=f"process {first.pid}"):
            WorkerRole(store)


def test_a_killed_worker_leaves_the_role_free(store):
    """The kernel drops the lock with the process, however it ends: the next worker starts at once."""
    with another_worker(store) as first:
        assert first.stdout.readline() == "works\n"
        first.kill()
        assert first.wait(30) == -signal.SIGKILL

    with another_worker(store) as second:
        assert second.stdout.readline() == "works\n"


def test_a_worker_that_ends_leaves_the_role_free(store):
    """On leaving, and on an error, the role is given up; its file stays, so that nobody locks another of its name."""
    with WorkerRole(store):
        pass
    with pytest.raises(OverflowError), WorkerRole(store):
        raise OverflowError
    with another_worker(store) as worker:
        assert worker.stdout.readline() == "works\n"
        worker.stdin.close()
        assert worker.wait(30) == 0

    role = WorkerRole(store)
    role.close()
    role.close()
    assert [file.name for file in store.parent.iterdir()] == ["tocsin.db-worker.lock"]


def test_the_role_is_one_process_not_one_object(store):
    """A second object of the same process is refused as well."""
    with WorkerRole(store), pytest.raises(RoleTaken, match=f"process {os.getpid()}"):
        WorkerRole(store)


def test_the_name_in_the_lock_is_the_newest_holders(store):
    """A longer name of an earlier holder leaves nothing behind, and an unreadable one is `unknown`."""
    lock = store.with_name("tocsin.db-worker.lock")
    lock.write_text("99999999999999999\n", encoding="ascii")

    with WorkerRole(store):
        assert lock.read_text(encoding="ascii") == f"{os.getpid()}\n"
        lock.write_text("", encoding="ascii")
        with pytest.raises(RoleTaken, match="process unknown"):
            WorkerRole(store)


def test_stores_have_their_own_workers(store):
    """The role is a store's: another store in the same directory has its own."""
    with WorkerRole(store), WorkerRole(store.with_name("other.db")):
        pass


def test_the_lock_is_its_owners_alone(store):
    """Nobody else may take or read it, whatever the umask."""
    before = os.umask(0)
    try:
        with WorkerRole(store):
            assert store.with_name("tocsin.db-worker.lock").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_the_lock_does_not_outlive_its_worker_in_a_child(store):
    """A program that the worker starts does not inherit the lock: it would keep the role after the worker's death."""
    with WorkerRole(store):
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        with WorkerRole(store):
            assert child.poll() is None
    finally:
        child.communicate(timeout=30)


def test_a_refusal_is_a_store_error():
    """Whoever handles a store that cannot be used handles this."""
    assert issubclass(RoleTaken, StoreError)


def test_a_directory_that_is_missing_is_no_role(store):
    """Where the store cannot be, there is no role to take."""
    with pytest.raises(OSError, match="No such file"):
        WorkerRole(store.parent / "missing" / "tocsin.db")
