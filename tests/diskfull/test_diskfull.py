"""A sample of what `python -m tests.diskfull.run` does at length: a full disk, a busy store, a commit that fails."""

from __future__ import annotations

from collections import Counter

import pytest

from tocsin.outbox.role import RoleTaken, WorkerRole

from . import commit, disk
from .busy import keep_busy
from .commit import fail_sync
from .crew import Draft
from .judge import judge_phones
from .room import find_remains
from .run import offsets_of
from .session import DISK, session

pytestmark = pytest.mark.xdist_group("diskfull")

needs_disk = pytest.mark.skipif(bool(disk.why_not()), reason=f"no disk can be mounted here: {disk.why_not()}")
needs_strace = pytest.mark.skipif(bool(commit.why_not()), reason=f"no sync can fail here: {commit.why_not()}")

DRAFT = Draft("key-1", ("13900000001", "13900000002"), "disk full")


@needs_disk
def test_a_full_disk_loses_and_doubles_nothing(tmp_path):
    """At two offsets: clear refusals while it is full, no request to a vendor, then all is delivered, once."""
    with session(tmp_path) as begun:
        early, late = begun.fill(3), begun.fill(120)
        status = begun.status_when_full()
        wrong = begun.end()

    assert wrong == []
    assert (early.asked, late.asked, status) == (0, 0, 70)
    assert min(early.turned_down, late.turned_down) > 0
    assert late.accepted > early.accepted
    assert begun.failed()


@needs_disk
def test_a_careless_poller_is_found_out(tmp_path):
    """A worker that asks its vendors although it cannot write is seen to do so: the count of requests can fail."""
    with session(tmp_path, control="careless") as begun:
        assert begun.fill(3).asked > 0


@needs_disk
def test_a_commit_without_room_leaves_nothing(tmp_path):
    """With any number of pages left, what failed is not in the store that a kill would leave, and what was told is."""
    with disk.small_disk(DISK) as small:
        assert list(find_remains(small, tmp_path, 12)) == []


@needs_disk
def test_a_worker_may_begin_on_a_full_disk():
    """The role is taken by a lock; that its file cannot say who took it keeps nobody from working."""
    with disk.small_disk(16 * disk.PAGE) as small:
        small.fill(0)
        with WorkerRole(small.place / "tocsin.db"), pytest.raises(RoleTaken, match="process unknown"):
            WorkerRole(small.place / "tocsin.db")


@needs_disk
def test_a_busy_store_is_waited_for_then_said(tmp_path):
    """A worker outlasts it, a `send` says so in one sentence, and afterwards all is delivered, once."""
    busied = keep_busy(tmp_path, impatient=True)

    assert busied.wrong == ()
    assert busied.sentence.count("\n") == 1
    assert "locked" in busied.sentence


@needs_strace
def test_a_commit_that_fails_ends_the_worker_and_loses_nothing(tmp_path):
    """It ends with 70 and what it knows is saved; the next start goes on: all delivered, once, the store whole."""
    failed = fail_sync(tmp_path, when=3)

    assert failed.wrong == ()
    assert failed.status == commit.ENDED


@pytest.mark.parametrize(
    ("copies", "word"),
    [
        ({("13900000001", "disk full"): 1}, "lost"),
        ({("13900000001", "disk full"): 2, ("13900000002", "disk full"): 1}, "forbidden"),
        (
            {("13900000001", "disk full"): 1, ("13900000002", "disk full"): 1, ("13900000003", "disk full"): 1},
            "unasked",
        ),
    ],
)
def test_the_judge_finds_what_went_wrong(copies, word):
    """A phone without its message, one with two, and one that nobody meant are each found."""
    (found,) = judge_phones([DRAFT], Counter(copies))

    assert found.startswith(word)


def test_the_judge_is_content_with_one_copy_each():
    """One copy on each phone, and on no other, is what was promised."""
    assert list(judge_phones([DRAFT], Counter({(number, DRAFT.text): 1 for number in DRAFT.numbers}))) == []


def test_offsets_are_all_different_and_the_same_for_a_seed():
    """A hundred offsets are a hundred, from the first pages to beyond a checkpoint; a seed gives the same again."""
    dealt = offsets_of(100, seed=0)

    assert dealt == offsets_of(100, seed=0) != offsets_of(100, seed=1)
    flat = sorted(offset for hand in dealt for offset in hand)
    assert len(set(flat)) == 100
    assert flat[0] < 14
    assert flat[-1] > 1300
