"""Whoever works on the store, and may die or be failed by it at any boundary of a commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tocsin.errors import CommitUnknown, StoreFailed
from tocsin.simulate.scenario import CALM_S, Strike
from tocsin.simulate.seen import Kind

if TYPE_CHECKING:
    from tocsin.simulate.world import World


class Crash(BaseException):
    """The process is no more. Nothing of ours may catch it."""


class Actor:
    """One process.

    Attributes:
        down: it is gone.
        ending: it takes on nothing more.
        dies_in: at how many boundaries from here it dies; 0 for never.
        full_until_s: until when its commits fail.
        fails_next: how its next commit fails, of which nobody knows what became; None where it does not.
    """

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.down = False
        self.ending = False
        self.calm_down()

    def calm_down(self) -> None:
        """Have no misfortune ahead."""
        self.dies_in = 0
        self.full_until_s = 0.0
        self.fails_next: Strike | None = None

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Be the one whose boundaries these are."""
        with self.world.stage(self):
            yield

    def reach(self, boundary: str) -> None:
        """Reach a boundary of a commit: go on, or not. Once the time of faults is over, go on."""
        if self.world.timeline.monotonic() >= CALM_S:
            return
        before = boundary.endswith("before commit")
        if before and self.world.timeline.monotonic() < self.full_until_s:
            self.world.saw(Kind.STORE_FULL)
            raise StoreFailed("the simulated disk is full")
        if self.fails_next is Strike.COMMIT_LOST and before:
            self._fail(Kind.COMMIT_LOST)
        if self.fails_next is Strike.COMMIT_KEPT and not before:
            self._fail(Kind.COMMIT_KEPT)
        if not before:
            self.after_commit()
        if self.dies_in:
            self.dies_in -= 1
            if not self.dies_in:
                self.world.saw(Kind.CRASH_BEFORE_COMMIT if before else Kind.CRASH_AFTER_COMMIT)
                raise Crash

    def after_commit(self) -> None:
        """Have committed something: a moment at which a process may be stopped."""

    def _fail(self, kind: Kind) -> None:
        self.fails_next = None
        self.world.saw(kind)
        raise CommitUnknown("a simulated commit failed")
