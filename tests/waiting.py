"""Waiting for a condition with a deadline: what a test waits for, it waits for here.

A look may be dear: a command, a request. Between two looks lies a few times what the last one took, so that whoever
waits leaves the processors to what is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Found = TypeVar("_Found")

PATIENCE_S = 60.0
"""What has not come true by then never will."""

_EVERY_S = 0.02

_REST = 3.0
"""So many times as long as a look takes, nobody looks."""


class Stuck(AssertionError):
    """What was waited for did not come true in time."""


def wait_until(find: Callable[[], _Found], within_s: float = PATIENCE_S, every_s: float = _EVERY_S) -> _Found:
    """Wait until `find` returns something true; return what it returned last, true or not.

    Args:
        within_s: deadline; one more look is taken after it.
        every_s: the least pause between two looks.
    """
    deadline = time.monotonic() + within_s
    while True:
        last, begun = time.monotonic() > deadline, time.monotonic()
        if (found := find()) or last:
            return found
        time.sleep(max(every_s, _REST * (time.monotonic() - begun)))


def until(
    find: Callable[[], _Found], what: str = "", within_s: float = PATIENCE_S, every_s: float = _EVERY_S
) -> _Found:
    """Wait until `find` returns something true, and return it.

    Raises:
        Stuck: it did not in time; `what` says what was waited for.
    """
    if not (found := wait_until(find, within_s, every_s)):
        raise Stuck(f"waited {within_s:.0f} s in vain{what and f': {what}'}")
    return found
