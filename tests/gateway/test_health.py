"""`/healthz` and `/readyz`: whether the process answers, and whether the store takes anything."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

from tocsin.errors import StoreFailed
from tocsin.gateway.health import PATIENCE_S, PROOF_S, Canary
from tocsin.outbox.memory import MemoryRows
from tocsin.outbox.role import WorkerRole
from tocsin.outbox.store import Outbox
from tocsin.testing.clock import FakeClock


def test_it_lives_without_asking_anybody(call):
    """`/healthz` answers while the store is locked by somebody else."""
    with closing(sqlite3.connect(call.config.store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = call("GET", "/healthz", key=None)

    assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_ready_says_whether_somebody_delivers(call):
    """With or without a worker it is ready: what is accepted waits. Which of both, it says."""
    assert call("GET", "/readyz", key=None).json == {"status": "ready", "worker": False}
    with WorkerRole(call.config.store.path):
        assert call("GET", "/readyz", key=None).json == {"status": "ready", "worker": True}


def test_a_store_that_cannot_commit_is_not_ready(call):
    """The answer is 503 with the reason, as problem details, to be asked again; and 200 again when it can."""
    with closing(sqlite3.connect(call.config.store.path, isolation_level=None)) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON canary BEGIN SELECT RAISE(FAIL, 'disk full'); END")
        answer = call("GET", "/readyz", key=None)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "1"
        assert answer.json["title"] == "Not ready"
        assert "disk full" in answer.json["detail"]


class Disk:
    """What a store's commits go to: it counts them, and they fail or hang there when it is told so."""

    def __init__(self):
        self.commits = 0
        self.full = False
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def __call__(self, boundary):
        if boundary == "prove: before commit":
            self.commits += 1
            self.begun.set()
            assert self.go_on.wait(30)
            if self.full:
                raise StoreFailed("the disk is full")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
def canary(disk, clock):
    """A canary over a store in memory that commits to that disk."""
    return Canary(Outbox(MemoryRows(disk), lambda _: False), clock)


def test_one_proof_a_second(canary, disk, clock):
    """However often it is asked, the store is written to once a second; an answer stands until the next proof."""
    assert [canary.trouble() for _ in range(5)] == [None] * 5
    assert disk.commits == 1

    disk.full = True
    assert canary.trouble() is None
    clock.advance(seconds=PROOF_S)
    assert [canary.trouble() for _ in range(2)] == ["the disk is full"] * 2
    assert disk.commits == 2


def test_a_commit_that_hangs_is_told(canary, disk, clock):
    """Whoever asks while a proof takes too long is not kept waiting for it."""
    disk.go_on.clear()
    hanging = threading.Thread(target=canary.trouble)
    hanging.start()
    try:
        assert disk.begun.wait(30)
        assert canary.trouble() is None
        clock.advance(seconds=PATIENCE_S + 0.1)
        assert canary.trouble() == "a commit takes long"
    finally:
        disk.go_on.set()
        hanging.join()
    assert disk.commits == 1
