"""A place that a living process shall always fill, and how long it stays empty after one has ended."""

from __future__ import annotations

import time
from collections.abc import Callable

from tocsin import observe
from tocsin.supervision.child import Child, Program

PROVEN_S = 60.0
"""Who has run that long did not fail at its start."""

_LONGEST_S = 30.0


def pause_s(failures: int) -> float:
    """Return how long a post stays empty after so many ends in a row: 0, 1, 2, 4 … 30 seconds."""
    return 0.0 if failures <= 1 else float(min(_LONGEST_S, 2 ** (failures - 2)))


class Post:
    """One post.

    Args:
        program: of the process that shall fill it.
        start: starts one.
    """

    def __init__(self, program: Program, start: Callable[[Program], Child]) -> None:
        self.program = program
        self.child: Child | None = None
        self.due_at: float | None = None
        self._start = start
        self._failures = 0
        self._replaced = False

    def fill(self) -> None:
        """Start its process; where that fails, later."""
        self.due_at = None
        try:
            self.child = self._start(self.program)
        except OSError as error:
            self.leave(time.monotonic())
            why = error.strerror or type(error).__name__
            observe.log.error(observe.ALARM, reason="process-not-started", process=self.program.name, cause=why)

    def leave(self, started_at: float) -> bool:
        """Note that its process ended, and when to start the next; say whether it was meant to end.

        Args:
            started_at: when the process began, on the monotonic clock.
        """
        now = time.monotonic()
        self.child = None
        if self._replaced:
            self._replaced, self._failures, self.due_at = False, 0, now
            return True
        self._failures = 1 if now - started_at >= PROVEN_S else self._failures + 1
        self.due_at = now + pause_s(self._failures)
        return False

    def replace(self) -> None:
        """End its process, and start another once it is gone."""
        if self.child is None:
            self.due_at = time.monotonic()
        else:
            self._replaced = True
            self.child.end()

    def take(self, child: Child) -> Child | None:
        """Have another process fill it; return the one that did."""
        before, self.child = self.child, child
        self.program, self.due_at, self._failures = child.program, None, 0
        return before
