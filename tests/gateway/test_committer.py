"""Group commit: many callers, few transactions; each is told what became of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count

import pytest
from tests.waiting import wait_until

from tocsin.clock import SystemClock
from tocsin.errors import CommitUnknown, InvalidInput, StoreFailed
from tocsin.gateway.committer import MOST_AT_ONCE, Committer
from tocsin.model.ids import new_message_id
from tocsin.model.message import Message, MessageClass
from tocsin.model.phone import parse_number
from tocsin.outbox.alert import Decided, Intake, whole
from tocsin.outbox.record import Acceptance
from tocsin.outbox.sqlite import open_rows
from tocsin.outbox.store import Outbox

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DRAWN = count()


def acceptance(text="x"):
    message = Message(
        id=new_message_id(NOW, lambda _: next(DRAWN)),
        to=(parse_number("13900000000"),),
        text=text,
        cls=MessageClass.ALERT,
        accepted_at=NOW,
    )
    return Acceptance(message=message, deliveries=(), fingerprint="f")


class Hall:
    """A committer over a SQLite store whose commits can be held up, or made to fail."""

    def __init__(self, path):
        self.held = threading.Event()
        self.held.set()
        self.arrived = threading.Event()
        self.failing = None
        self.sizes = []
        self.ended = []
        self.rows = open_rows(path, self._at)
        self.store = Outbox(self.rows, lambda _: False)
        self.committer = Committer(self.store, SystemClock(), lambda: self.ended.append(1), self.sizes.append)

    def pragma(self, what):
        """Ask or tell the store's own connection something; return what it says."""
        return self.rows._sql.execute(f"PRAGMA {what}").fetchone()[0]

    def _at(self, boundary):
        if boundary == "take-in: before commit":
            self.arrived.set()
            assert self.held.wait(20)
        if boundary == "take-in: after commit" and self.failing is not None:
            raise self.failing


@pytest.fixture
def hall(tmp_path):
    hall = Hall(tmp_path / "tocsin.db")
    yield hall
    hall.store.close()


def test_what_arrives_during_a_commit_leaves_together(hall):
    """While one commit is held up fifty callers come: one transaction takes all of them."""
    hall.held.clear()
    with ThreadPoolExecutor(51) as callers:
        first = callers.submit(hall.committer.take, whole(acceptance()))
        assert hall.arrived.wait(20)
        others = [callers.submit(hall.committer.take, whole(acceptance())) for _ in range(50)]
        assert wait_until(lambda: len(hall.committer._queue) >= 50)
        hall.held.set()
        messages = [one.result().messages for one in (first, *others)]

    assert hall.sizes == [1, 50]
    assert all(hall.store.message(name) is not None for (name,) in messages)


def test_a_transaction_holds_so_many_and_no_more(hall):
    """What is more than one transaction may hold goes with the next."""
    hall.held.clear()
    with ThreadPoolExecutor(MOST_AT_ONCE + 11) as callers:
        futures = [callers.submit(hall.committer.take, whole(acceptance())) for _ in range(MOST_AT_ONCE + 11)]
        assert wait_until(lambda: len(hall.committer._queue) >= MOST_AT_ONCE + 11 - sum(hall.sizes))
        hall.held.set()
        assert all(one.result().messages for one in futures)

    assert max(hall.sizes) <= MOST_AT_ONCE
    assert sum(hall.sizes) == MOST_AT_ONCE + 11


def test_one_that_cannot_be_accepted_is_told_so(hall):
    """An intake's own error is raised where it was handed in."""

    def refuse(_, __):
        raise InvalidInput("nobody to tell")

    with pytest.raises(InvalidInput, match="nobody to tell"):
        hall.committer.take(Intake(decide=refuse))


def test_one_that_breaks_does_not_break_its_neighbours(hall):
    """Whatever an intake raises is its own: those that left with it are stored all the same."""

    def break_(_, __):
        raise ZeroDivisionError

    hall.held.clear()
    with ThreadPoolExecutor(4) as callers:
        first = callers.submit(hall.committer.take, whole(acceptance()))
        assert hall.arrived.wait(20)
        broken = callers.submit(hall.committer.take, Intake(decide=break_))
        fine = callers.submit(hall.committer.take, whole(acceptance()))
        nothing = callers.submit(hall.committer.take, Intake(decide=lambda _, __: Decided()))
        assert wait_until(lambda: len(hall.committer._queue) >= 3)
        hall.held.set()

        assert isinstance(broken.exception(), ZeroDivisionError)
        assert first.result().messages
        assert hall.store.message(fine.result().messages[0]) is not None
        assert nothing.result().messages == ()
    assert hall.ended == []


def test_a_store_that_fails_is_told_and_tried_again(hall):
    """A failed statement is that batch's trouble alone; the next one is stored."""
    pages = hall.pragma("page_count")
    hall.pragma(f"max_page_count = {pages}")
    with pytest.raises(StoreFailed):
        hall.committer.take(whole(acceptance(text="x" * 100_000)))

    hall.pragma(f"max_page_count = {100 * pages}")
    assert hall.committer.take(whole(acceptance())).messages
    assert hall.ended == []


def test_after_a_commit_of_unknown_outcome_nothing_more_is_taken(hall):
    """Nobody knows what stands: all who come then are told so, and the process is ended once."""
    hall.failing = CommitUnknown("the commit failed")
    with pytest.raises(CommitUnknown):
        hall.committer.take(whole(acceptance()))

    hall.failing = None
    with pytest.raises(CommitUnknown):
        hall.committer.take(whole(acceptance()))
    assert hall.ended == [1]
